//! An application that writes as much as it is asked to: what `rowhook bench` measures rowhook with.
//!
//! Each row says when it was committed (`made_at`), so that whoever receives the change knows how long it took.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    Value,
};

/// A table that the application writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadTable {
    /// What is measured.
    Items,
    /// What goes on beside it.
    Others,
}

impl LoadTable {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Items, Self::Others];

    /// Its name in SQL.
    pub fn table(self) -> &'static str {
        match self {
            Self::Items => "bench_items",
            Self::Others => "bench_others",
        }
    }

    /// The name that it is watched under.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Items => "BENCH_ITEM",
            Self::Others => "BENCH_OTHER",
        }
    }
}

/// Microseconds since 1970 by this machine's clock.
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or(Duration::ZERO).as_micros()).unwrap_or(u64::MAX)
}

/// The application's name, by which PostgreSQL knows its connections.
const APPLICATION: &str = "rowhook bench load";

/// The application's connections.
#[derive(Clone)]
pub struct Load {
    db: DatabaseConnection,
}

impl Load {
    /// Connects as any application would, with so many connections at most.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(connections).sqlx_logging(false);
        options.map_sqlx_postgres_opts(|options| options.application_name(APPLICATION));
        let db = Database::connect(options).await?;
        Ok(Self { db })
    }

    /// Makes the tables.
    pub async fn create_tables(&self) -> Result<(), DbErr> {
        for table in LoadTable::ALL {
            let table = table.table();
            self.run(&format!(
                "create table {table} (id bigint primary key, lane bigint not null, name text not null,
                 state text not null, amount bigint not null, made_at bigint not null)"
            ))
            .await?;
        }
        Ok(())
    }

    /// Makes a PostgreSQL database.
    pub async fn create_database(&self, name: &str) -> Result<(), DbErr> {
        self.run(&format!("create database {name}")).await
    }

    /// Drops a PostgreSQL database, whoever is connected to it.
    pub async fn drop_database(&self, name: &str) -> Result<(), DbErr> {
        self.run(&format!("drop database if exists {name} with (force)"))
            .await
    }

    /// Commits `count` new rows from id `first` on, in one statement.
    pub async fn insert(&self, table: LoadTable, first: u64, count: u64) -> Result<(), DbErr> {
        let backend = self.db.get_database_backend();
        let numbers = match backend {
            DbBackend::Postgres => "generate_series($1::bigint, $2::bigint) as made (id)",
            _ => {
                "(with recursive numbers (id) as (select $1 union all
                  select id + 1 from numbers where id < $2) select id from numbers) as made"
            }
        };
        // The same text each time: it is prepared once for each connection, as an application's statements are.
        let sql = format!(
            "insert into {} (id, lane, name, state, amount, made_at)
             select id, id % 100, 'item number ' || id, 'ready', 17 * id, $3 from {numbers}",
            table.table()
        );
        let values = [first, first + count - 1, now_micros()];
        let values = values.map(|number| Value::from(i64::try_from(number).unwrap_or(i64::MAX)));
        let statement = Statement::from_sql_and_values(backend, sql, values);
        self.db.execute_raw(statement).await.map(|_| ())
    }

    /// PostgreSQL's process of one of these connections, and those of all of them; none for an embedded database.
    pub async fn backends(&self) -> Result<Option<(u32, Vec<u32>)>, DbErr> {
        if self.db.get_database_backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let sql = format!(
            "select pid, pid = pg_backend_pid() as this from pg_stat_activity
             where application_name = '{APPLICATION}' and datname = current_database()"
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let (mut this, mut all) = (None, Vec::new());
        for row in self.db.query_all_raw(statement).await? {
            let pid = u32::try_from(row.try_get::<i32>("", "pid")?).unwrap_or(0);
            all.push(pid);
            if row.try_get("", "this")? {
                this = Some(pid);
            }
        }
        Ok(this.map(|this| (this, all)))
    }

    /// Closes the connections.
    pub async fn close(self) -> Result<(), DbErr> {
        self.db.close().await
    }

    async fn run(&self, sql: &str) -> Result<(), DbErr> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        self.db.execute_raw(statement).await.map(|_| ())
    }
}
