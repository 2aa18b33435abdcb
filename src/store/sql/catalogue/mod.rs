//! The catalogue: finds out what the configured tables are and keeps the audit triggers on them.
//!
//! The application hands it the resources that the configuration asks for, at the start and for
//! `rowhook resources`. It asks the database about each table, has `migration::triggers` write the SQL,
//! and runs it, the version of the table's description and the triggers that write its id in one
//! transaction. A table whose triggers are what they should be is not touched. It never waits for a
//! lock while it holds one, and never waits long for the first: it lets go and tries again.

mod excluded;
mod name;
pub(super) mod postgres;
mod sqlite;
mod versions;

use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt;
use sea_orm::DbErr;

use crate::{
    domain::{
        ids::ResourceId,
        resource::{Column, Resource, ResourceDefinition, ResourceName},
    },
    store::{
        StoreError,
        catalogue::{
            FoundTable, InstallError, Installed, ResourceInstaller, TableLook, WantedResource,
        },
    },
};

use super::{
    connect::SQLITE_BUSY_TIMEOUT,
    db::{Db, Dialect},
};

use excluded::Renamed;

/// How an installer gets at a table that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockPatience {
    /// How long one try waits for a lock. The application's writes to that table queue behind it, so
    /// it is also the longest that any of them is held up.
    pub timeout: Duration,
    /// How often it is tried.
    pub tries: u32,
    /// The pause between two tries, about: each is up to a half longer or shorter, so that two
    /// instances do not meet again and again.
    pub pause: Duration,
}

impl Default for LockPatience {
    /// Half a minute in all, nearly all of it spent in pauses.
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(100),
            tries: 60,
            pause: Duration::from_millis(400),
        }
    }
}

/// Room 0 on the database.
#[derive(Clone)]
pub struct SqlResourceInstaller {
    db: Db,
    patience: LockPatience,
}

impl SqlResourceInstaller {
    /// An installer with the usual patience.
    pub fn new(db: Db) -> Self {
        Self::with_patience(db, LockPatience::default())
    }

    /// An installer that tries as often and as long as it is told. (SQLite's one lock is waited for as
    /// its connections do; only the tries count there.)
    pub fn with_patience(db: Db, patience: LockPatience) -> Self {
        Self { db, patience }
    }

    /// Between two tries, holding nothing.
    async fn pause(&self) {
        let factor = rand::rng().random_range(0.5..1.5);
        tokio::time::sleep(self.patience.pause.mul_f64(factor)).await;
    }

    fn locked(&self, resource: &ResourceName, table: String) -> InstallError {
        let timeout = match self.db.dialect() {
            Dialect::Postgres => self.patience.timeout,
            Dialect::Sqlite => SQLITE_BUSY_TIMEOUT,
        };
        InstallError::Locked {
            resource: resource.clone(),
            table,
            tries: self.patience.tries,
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[async_trait]
impl ResourceInstaller for SqlResourceInstaller {
    async fn tables(&self) -> Result<Vec<FoundTable>, StoreError> {
        match self.db.dialect() {
            Dialect::Postgres => postgres::tables(&self.db).await,
            Dialect::Sqlite => sqlite::tables(&self.db).await,
        }
    }

    async fn describe(&self, wanted: &WantedResource) -> Result<ResourceDefinition, InstallError> {
        match self.db.dialect() {
            Dialect::Postgres => postgres::describe(&self.db, wanted).await,
            Dialect::Sqlite => sqlite::describe(&self.db, wanted).await,
        }
    }

    async fn install(
        &self,
        wanted: &WantedResource,
    ) -> Result<(Resource, Installed), InstallError> {
        for attempt in 1..=self.patience.tries {
            let done = match self.db.dialect() {
                Dialect::Postgres => {
                    postgres::try_install(&self.db, self.patience.timeout, wanted).await?
                }
                Dialect::Sqlite => sqlite::try_install(&self.db, wanted).await?,
            };
            if let Some(done) = done {
                return Ok(done);
            }
            if attempt < self.patience.tries {
                self.pause().await;
            }
        }
        Err(self.locked(&wanted.name, wanted.table.clone()))
    }

    async fn in_force(&self, wanted: &WantedResource) -> Result<bool, InstallError> {
        let found = match self.db.dialect() {
            Dialect::Postgres => postgres::in_force(&self.db, wanted).await?,
            Dialect::Sqlite => sqlite::in_force(&self.db, wanted).await?,
        };
        Ok(found.is_some())
    }

    async fn look(&self, wanted: &WantedResource) -> Result<TableLook, InstallError> {
        match self.db.dialect() {
            Dialect::Postgres => postgres::look_at(&self.db, wanted).await,
            Dialect::Sqlite => sqlite::look_at(&self.db, wanted).await,
        }
    }

    async fn installed(&self) -> Result<Vec<Resource>, StoreError> {
        versions::in_force(&self.db).await
    }

    async fn uninstall(&self, name: &ResourceName) -> Result<Installed, InstallError> {
        for attempt in 1..=self.patience.tries {
            let done = match self.db.dialect() {
                Dialect::Postgres => {
                    postgres::try_uninstall(&self.db, self.patience.timeout, name).await?
                }
                Dialect::Sqlite => sqlite::try_uninstall(&self.db, name).await?,
            };
            if let Some(done) = done {
                return Ok(done);
            }
            if attempt < self.patience.tries {
                self.pause().await;
            }
        }
        let version = versions::current(&self.db, &self.db, name).await?;
        let table = version.map_or_else(|| name.to_string(), |(_, found)| found.table);
        Err(self.locked(name, table))
    }

    async fn versions(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError> {
        versions::by_id(&self.db, ids).await
    }
}

/// The description of a table under a resource's settings, or what is wrong with them.
fn definition(
    wanted: &WantedResource,
    found: FoundTable,
) -> Result<ResourceDefinition, InstallError> {
    let FoundTable {
        table,
        columns,
        primary_key,
    } = found;
    let canonical = |column: &String, setting| {
        name::column(&columns, column).ok_or_else(|| InstallError::NoColumn {
            resource: wanted.name.clone(),
            table: table.clone(),
            column: column.clone(),
            setting,
        })
    };
    let named = |list: &[String], setting| {
        list.iter()
            .map(|column| canonical(column, setting))
            .collect::<Result<Vec<String>, InstallError>>()
    };
    let key = match wanted.key.as_slice() {
        [] => primary_key,
        configured => named(configured, "key")?,
    };
    let etag = wanted
        .etag
        .as_ref()
        .map(|column| canonical(column, "etag"))
        .transpose()?;
    let excluded = named(&wanted.exclude, "exclude")?;
    if key.is_empty() {
        return Err(InstallError::NoKey {
            resource: wanted.name.clone(),
            table,
        });
    }
    if let Some(column) = key.iter().find(|column| excluded.contains(column)) {
        return Err(InstallError::KeyExcluded {
            resource: wanted.name.clone(),
            column: column.clone(),
        });
    }
    if let Some(column) = etag.as_ref().filter(|column| excluded.contains(column)) {
        return Err(InstallError::EtagExcluded {
            resource: wanted.name.clone(),
            column: column.clone(),
        });
    }
    // In table order, so that another order in the configuration is no other description.
    let (exclude, columns): (Vec<Column>, Vec<Column>) = columns
        .into_iter()
        .partition(|column| excluded.contains(&column.name));
    Ok(ResourceDefinition {
        table,
        columns,
        key,
        etag,
        exclude: exclude.into_iter().map(|column| column.name).collect(),
        on_truncate: wanted.on_truncate,
    })
}

fn on_truncate(wanted: &WantedResource) -> migration::triggers::OnTruncate {
    use crate::domain::resource::OnTruncate;
    match wanted.on_truncate {
        OnTruncate::Rows => migration::triggers::OnTruncate::Rows,
        OnTruncate::Refuse => migration::triggers::OnTruncate::Refuse,
        OnTruncate::Ignore => migration::triggers::OnTruncate::Ignore,
    }
}

fn renamed_excluded(
    wanted: &WantedResource,
    definition: &ResourceDefinition,
    renamed: Renamed,
) -> InstallError {
    InstallError::RenamedExcluded {
        resource: wanted.name.clone(),
        table: definition.table.clone(),
        column: renamed.column,
        was: renamed.was,
    }
}

fn unwatchable(wanted: &WantedResource, reason: impl Into<String>) -> InstallError {
    InstallError::Unwatchable {
        resource: wanted.name.clone(),
        table: wanted.table.clone(),
        reason: reason.into(),
    }
}

fn no_table(wanted: &WantedResource) -> InstallError {
    InstallError::NoTable {
        resource: wanted.name.clone(),
        table: wanted.table.clone(),
    }
}

impl From<DbErr> for InstallError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}
