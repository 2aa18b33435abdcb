//! What stands around capture, read from PostgreSQL's catalogues and statistics, and from SQLite's file.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, QueryResult};

use super::cursor_home::TIMELINE;
use super::db::{Db, Dialect};
use super::eras::{eras_column, read_eras};
use crate::{
    domain::snapshot::Snapshot,
    store::{
        StoreError,
        health::{DeadRows, Health, Identity, LackingRight, ReplicaSetting, Role},
    },
};

/// A look at what stands around capture.
#[derive(Clone)]
pub struct SqlHealth {
    db: Db,
}

impl SqlHealth {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn all(&self, sql: &str) -> Result<Vec<QueryResult>, StoreError> {
        Ok(self.db.query_all_raw(self.db.statement(sql, [])).await?)
    }

    fn is_sqlite(&self) -> bool {
        self.db.dialect() == Dialect::Sqlite
    }
}

/// Everything that may lack: the schema, the tables for rowhook's role (but for the one that only triggers use), and
/// the log for the owners of the triggers' functions, as whom they run.
const LACKING: &str = "
    select 'schema rowhook' as object, current_user::text as role, 'USAGE' as rights
    from pg_namespace n where n.nspname = 'rowhook' and not has_schema_privilege(n.oid, 'USAGE')
    union all
    select 'rowhook.' || c.relname, current_user::text, string_agg(w.name, ', ' order by w.place)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace,
    unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) with ordinality as w(name, place)
    where n.nspname = 'rowhook' and c.relkind in ('r', 'p') and c.relname <> 'fresh_reads'
      and (w.name = 'SELECT' or c.relname <> 'rowhook_migrations')
      and not has_table_privilege(c.oid, w.name)
    group by c.relname
    union all
    select distinct 'rowhook.logged_actions', pg_get_userbyid(p.proowner)::text, 'INSERT'
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_class c on c.relnamespace = n.oid and c.relname = 'logged_actions'
    where n.nspname = 'rowhook' and p.prosecdef and pg_get_userbyid(p.proowner) <> current_user
      and not has_table_privilege(p.proowner, c.oid, 'INSERT')
    order by 1, 2";

#[async_trait]
impl Health for SqlHealth {
    async fn role(&self) -> Result<Option<Role>, StoreError> {
        if self.is_sqlite() {
            return Ok(None);
        }
        let sql = "select r.rolname::text as name, r.rolsuper as super, r.rolbypassrls as bypasses
                   from pg_roles r where r.rolname = current_user";
        let found = self.all(sql).await?;
        let Some(row) = found.first() else {
            return Ok(None);
        };
        let lack = |row: &QueryResult| {
            Ok(LackingRight {
                on: row.try_get("", "object")?,
                role: row.try_get("", "role")?,
                rights: row.try_get("", "rights")?,
            })
        };
        let lacks = self.all(LACKING).await?;
        Ok(Some(Role {
            name: row.try_get("", "name")?,
            is_superuser: row.try_get("", "super")?,
            bypasses_row_security: row.try_get("", "bypasses")?,
            lacks: lacks.iter().map(lack).collect::<Result<_, StoreError>>()?,
        }))
    }

    async fn replica_settings(&self) -> Result<Vec<ReplicaSetting>, StoreError> {
        if self.is_sqlite() {
            return Ok(Vec::new());
        }
        let sql = "select r.rolname::text as role, d.datname::text as database
                   from pg_db_role_setting s
                   left join pg_database d on d.oid = s.setdatabase
                   left join pg_roles r on r.oid = s.setrole
                   where (s.setdatabase = 0 or d.datname = current_database())
                     and exists (select from unnest(s.setconfig) c
                                 where lower(c) = 'session_replication_role=replica')
                   union all
                   select null, null from pg_settings p
                   where p.name = 'session_replication_role' and p.setting = 'replica'
                     and p.source in ('configuration file', 'command line')
                   order by 1, 2";
        let read = |row: &QueryResult| {
            Ok(ReplicaSetting {
                role: row.try_get("", "role")?,
                database: row.try_get("", "database")?,
            })
        };
        self.all(sql).await?.iter().map(read).collect()
    }

    async fn dead_rows(&self) -> Result<Vec<DeadRows>, StoreError> {
        if self.is_sqlite() {
            return Ok(Vec::new());
        }
        let sql = "select 'rowhook.' || relname as name, n_live_tup as live, n_dead_tup as dead,
                          greatest(last_vacuum, last_autovacuum) as vacuumed_at
                   from pg_stat_user_tables
                   where schemaname = 'rowhook' and relname in ('logged_actions', 'events')
                   order by relname desc";
        let read = |row: &QueryResult| {
            Ok(DeadRows {
                table: row.try_get("", "name")?,
                live: row.try_get("", "live")?,
                dead: row.try_get("", "dead")?,
                vacuumed_at: row.try_get("", "vacuumed_at")?,
            })
        };
        self.all(sql).await?.iter().map(read).collect()
    }

    async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        if self.is_sqlite() {
            return Ok(None);
        }
        // One statement: the poller's watermark that it sees was taken before its own snapshot.
        let sql = format!(
            "select c.system_identifier as cursor_cluster, s.system_identifier as cluster,
                          c.timeline as cursor_timeline,
                          case when pg_is_in_recovery() then p.timeline_id else {TIMELINE} end as timeline,
                          c.watermark, pg_current_snapshot()::text as snapshot, {},
                          pg_is_in_recovery() as standby
                   from rowhook.capture_cursor c, pg_control_system() s, pg_control_checkpoint() p
                   where c.id = 1",
            eras_column(self.db.dialect())
        );
        let found = self.all(&sql).await?;
        let row = found
            .first()
            .ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))?;
        let snapshot = |column| -> Result<Snapshot, StoreError> {
            let text: String = row.try_get("", column)?;
            text.parse().map_err(StoreError::corrupt)
        };
        // Of another era it says nothing.
        let (watermark, eras) = (snapshot("watermark")?, read_eras(row)?);
        Ok(Some(Identity {
            cursor_cluster: row.try_get("", "cursor_cluster")?,
            cluster: row.try_get("", "cluster")?,
            cursor_timeline: row.try_get("", "cursor_timeline")?,
            timeline: row.try_get("", "timeline")?,
            cursor_is_ahead: watermark.era() == eras.newest()
                && watermark.xmax() > snapshot("snapshot")?.xmax(),
            changes_to_finish: eras.after(watermark.era()).is_some(),
            is_standby: row.try_get("", "standby")?,
        }))
    }

    async fn journal_mode(&self) -> Result<Option<String>, StoreError> {
        if !self.is_sqlite() {
            return Ok(None);
        }
        let found = self.all("pragma journal_mode").await?;
        let mode = found.first().map(|row| row.try_get("", "journal_mode"));
        Ok(mode.transpose()?)
    }
}
