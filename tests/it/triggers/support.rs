//! A watched table in a fresh database, the application's connection to it, and what was logged.

use rowhook::{
    domain::{
        ids::ResourceId,
        resource::{OnTruncate, Resource},
    },
    policy::logged_row::LoggedRow,
    store::{
        catalogue::{InstallError, Installed, ResourceInstaller, WantedResource},
        sql::{
            catalogue::SqlResourceInstaller,
            db::{Db, Dialect},
        },
    },
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use serde_json::Value;

use crate::support::{database::TestDatabase, wait::until_ok};

/// One row of `logged_actions`: the row as a JSON object, in whichever form it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub resource: i32,
    pub action: i32,
    pub row: String,
    pub old: Option<String>,
}

impl Logged {
    pub fn row(&self) -> Value {
        parsed(&self.row)
    }

    pub fn old(&self) -> Value {
        self.old.as_deref().map_or(Value::Null, parsed)
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub struct Watched {
    pub database: TestDatabase,
    pub db: Db,
    pub app: DatabaseConnection,
    pub installer: SqlResourceInstaller,
}

/// What a transaction of that isolation level answers to these statements.
pub async fn attempt(app: &DatabaseConnection, level: &str, sql: &str) -> Result<(), String> {
    let transaction = app.begin().await.unwrap();
    let sql = format!("set transaction isolation level {level}; {sql}");
    match transaction.execute_unprepared(&sql).await {
        Ok(_) => transaction.commit().await.unwrap(),
        Err(error) => {
            transaction.rollback().await.unwrap();
            return Err(error.to_string());
        }
    }
    Ok(())
}

/// The resource ITEM on a table, with nothing set.
pub fn wanted(table: &str) -> WantedResource {
    WantedResource {
        name: "ITEM".parse().unwrap(),
        aliases: vec!["ITEMS".parse().unwrap()],
        table: table.into(),
        key: Vec::new(),
        etag: None,
        exclude: Vec::new(),
        on_truncate: OnTruncate::Rows,
    }
}

impl Watched {
    /// A migrated database in which these statements were run, and nothing watched yet.
    pub async fn database(dialect: Dialect, schema: &str) -> Self {
        let database = TestDatabase::fresh(dialect).await;
        let db = database.migrated().await;
        let app = database.application().await;
        app.execute_unprepared(schema).await.unwrap();
        Self {
            installer: SqlResourceInstaller::new(db.clone()),
            database,
            db,
            app,
        }
    }

    /// The same with `wanted` watched.
    pub async fn with(dialect: Dialect, schema: &str, wanted: &WantedResource) -> Self {
        let watched = Self::database(dialect, schema).await;
        let (_, installed) = watched.install(wanted).await.unwrap();
        assert_eq!(installed, Installed::Changed);
        watched
    }

    /// The same with table `items` watched.
    pub async fn items(dialect: Dialect, schema: &str) -> Self {
        Self::with(dialect, schema, &wanted("items")).await
    }

    pub async fn install(
        &self,
        wanted: &WantedResource,
    ) -> Result<(Resource, Installed), InstallError> {
        self.installer.install(wanted).await
    }

    /// Runs the application's statements on one connection, as one script.
    pub async fn run(&self, sql: &str) {
        if let Err(error) = self.app.execute_unprepared(sql).await {
            panic!("{error}\n{sql}");
        }
    }

    /// Runs the application's statements in a transaction of that isolation level.
    pub async fn run_at(&self, level: &str, sql: &str) {
        if let Err(error) = attempt(&self.app, level, sql).await {
            panic!("{error}\n{sql}");
        }
    }

    /// Everything logged so far, in order.
    pub async fn log(&self) -> Vec<Logged> {
        let statement = self.db.statement(
            "select resource_id, action, row_data, old_values from rowhook.logged_actions order by id",
            [],
        );
        let rows = self.db.query_all_raw(statement).await.unwrap();
        let mut logged: Vec<Logged> = rows
            .iter()
            .map(|row| Logged {
                resource: row.try_get("", "resource_id").unwrap(),
                action: match self.db.dialect() {
                    Dialect::Postgres => row.try_get::<i16>("", "action").unwrap().into(),
                    Dialect::Sqlite => row.try_get("", "action").unwrap(),
                },
                row: row.try_get("", "row_data").unwrap(),
                old: row.try_get("", "old_values").unwrap(),
            })
            .collect();
        let mut ids: Vec<_> = logged.iter().map(|one| ResourceId(one.resource)).collect();
        ids.dedup();
        let versions = self.installer.versions(&ids).await.unwrap();
        for one in &mut logged {
            let version = versions.iter().find(|version| version.id.0 == one.resource);
            let definition = &version.unwrap().definition;
            let mut object = String::new();
            LoggedRow::parse(definition, &one.row, None)
                .unwrap_or_else(|error| panic!("{error}: {}", one.row))
                .write_row(&mut object);
            one.row = object;
        }
        logged
    }

    /// What these statements log.
    pub async fn logged(&self, sql: &str) -> Vec<Logged> {
        let before = self.log().await.len();
        self.run(sql).await;
        self.log().await.split_off(before)
    }

    /// What these statements log, as (action, row, old values) texts.
    pub async fn texts(&self, sql: &str) -> Vec<(i32, String, Option<String>)> {
        let logged = self.logged(sql).await;
        logged
            .into_iter()
            .map(|one| (one.action, one.row, one.old))
            .collect()
    }

    /// The first column of the first row, as text.
    pub async fn tell(&self, sql: &str) -> Option<String> {
        let backend = self.app.get_database_backend();
        let statement = Statement::from_string(backend, sql);
        let row = self.app.query_one_raw(statement).await.unwrap()?;
        row.try_get_by_index(0).unwrap()
    }
}

impl Watched {
    /// Waits until a query says true.
    pub async fn wait_for(&self, condition: &str) {
        let holds = format!("select ({condition})::text");
        until_ok(condition, async || match self.tell(&holds).await {
            Some(said) if said == "true" => Ok(()),
            said => Err(said),
        })
        .await;
    }
}

/// An entry as [`Watched::texts`] gives it.
pub fn entry(action: i32, row: &str, old: Option<&str>) -> (i32, String, Option<String>) {
    (action, row.to_owned(), old.map(str::to_owned))
}

impl Watched {
    /// How many versions there are.
    pub async fn db_versions(&self) -> i64 {
        let sql = "select count(*) as n from rowhook.resources";
        let row = self.db.query_one_raw(self.db.statement(sql, [])).await;
        row.unwrap().unwrap().try_get("", "n").unwrap()
    }

    /// Every trigger, function and comment that there is outside the system's schemas.
    pub async fn schema(&self) -> String {
        let sql = match self.db.dialect() {
            Dialect::Sqlite => "select group_concat(sql, ';') from sqlite_schema",
            Dialect::Postgres => {
                "select coalesce((select string_agg(pg_get_triggerdef(oid), ';' order by oid) from pg_trigger), '')
                 || coalesce((select string_agg(proname, ';' order by oid) from pg_proc where oid > 16384), '')
                 || (select count(*) from pg_description where objoid > 16384)
                 || (select string_agg(relname, ';' order by oid) from pg_class
                     where oid > 16384 and relname not like 'pg_toast%')"
            }
        };
        self.tell(sql).await.unwrap_or_default()
    }
}

/// A partitioned table on PostgreSQL whose partitions have their columns in different places.
pub const PARTITIONED: &str = "create table items (id int, n int, gone int, b bytea, primary key (id)) partition by range (id);
     alter table items drop column gone;
     create table low partition of items for values from (0) to (100);
     create table high (b bytea, n int, id int not null);
     alter table items attach partition high for values from (100) to (200)";
