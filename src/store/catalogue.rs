//! The door to room 0: what tables there are, and putting triggers on them.

use async_trait::async_trait;

use crate::domain::{
    ids::ResourceId,
    resource::{Column, OnTruncate, Resource, ResourceDefinition, ResourceName},
};

use super::StoreError;

/// A resource as the configuration asks for it, before the database was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedResource {
    /// The public name.
    pub name: ResourceName,
    /// Other names that the API accepts.
    pub aliases: Vec<ResourceName>,
    /// The table as SQL names it.
    pub table: String,
    /// The key's columns; empty: the primary key.
    pub key: Vec<String>,
    /// The etag column.
    pub etag: Option<String>,
    /// Columns that never leave the database.
    pub exclude: Vec<String>,
    /// What TRUNCATE does.
    pub on_truncate: OnTruncate,
}

/// Why a resource can not be watched. The texts tell the user what to mend.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No such table.
    #[error(
        "resource {resource}: there is no table {table}; correct `table` in its [[resources]] entry \
         (`rowhook resources discover` lists the tables)"
    )]
    NoTable {
        /// The resource.
        resource: ResourceName,
        /// The table as configured.
        table: String,
    },
    /// A setting names a column that the table does not have.
    #[error("resource {resource}: table {table} has no column {column:?}, which `{setting}` names")]
    NoColumn {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The setting: `key`, `etag` or `exclude`.
        setting: &'static str,
    },
    /// Neither a primary key nor a configured one.
    #[error(
        "resource {resource}: table {table} has no primary key; name the columns that identify a row \
         as `key` in its [[resources]] entry"
    )]
    NoKey {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
    },
    /// A key column is excluded, so `data.id` could not be told.
    #[error("resource {resource}: column {column:?} of the key can not be in `exclude`")]
    KeyExcluded {
        /// The resource.
        resource: ResourceName,
        /// The column.
        column: String,
    },
    /// The etag column is excluded, so `data.etag` could not be told.
    #[error("resource {resource}: column {column:?} can not be both `etag` and in `exclude`")]
    EtagExcluded {
        /// The resource.
        resource: ResourceName,
        /// The column.
        column: String,
    },
    /// An excluded column was renamed, and another one has its name.
    #[error(
        "resource {resource}: column {column:?} of table {table} was called {was:?} when that was excluded, and another \
         column has that name now; name {column:?} in `exclude` too, or, where its values may leave the database, run \
         `rowhook resources uninstall {resource}` and then install it anew"
    )]
    RenamedExcluded {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What it was called.
        was: String,
    },
    /// The table exists but can not carry the triggers.
    #[error("resource {resource}: {table} can not be watched: {reason}")]
    Unwatchable {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The database role may not install the triggers.
    #[error(
        "resource {resource}: the database role may not put triggers on {table} ({detail}); run \
         `rowhook serve` or `rowhook resources install` as a role that owns the table"
    )]
    NoRight {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
        /// The database's words.
        detail: String,
    },
    /// The table was in use the whole time.
    #[error(
        "resource {resource}: no lock on {table} within {tries} tries of {timeout_ms} ms; a long \
         transaction holds it: try again when it has ended"
    )]
    Locked {
        /// The resource.
        resource: ResourceName,
        /// The table.
        table: String,
        /// How often it was tried.
        tries: u32,
        /// How long each try waited.
        timeout_ms: u64,
    },
    /// The database itself.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What installing or uninstalling one resource changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// Everything was as it should be already; the table was not touched.
    Unchanged,
    /// The triggers were put on, replaced or taken off.
    Changed,
}

/// What stands on a table that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerState {
    /// The triggers are what they should be, and fire.
    InForce,
    /// At least one is not there.
    Missing,
    /// All are there, but at least one is disabled or does not fire always.
    Disabled,
    /// They are there, but they or the table are not what they were.
    Altered,
}

/// What a look at a watched table finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLook {
    /// How its triggers stand.
    pub state: TriggerState,
    /// Whether changes of rows are logged at least in part: the triggers on rows are there, and only one on TRUNCATE may
    /// be missing.
    pub logs_rows: bool,
    /// The table as it is now, under the resource's settings.
    pub found: ResourceDefinition,
    /// The version that is in force; `None` when the resource was never installed, or was uninstalled.
    pub version: Option<Resource>,
}

/// What is said to whoever finds triggers so.
const MEND: &str = "run `rowhook resources install` as a role that owns the table (an instance that reads changes does it by itself \
     within a minute or so, where its role may)";

impl TriggerState {
    /// What is wrong on this table and what to do about it; `None` when nothing is.
    pub fn advice(self, table: &str) -> Option<String> {
        match self {
            Self::InForce => None,
            Self::Missing => Some(format!(
                "not all triggers are on {table}, so changes to it are not logged and those made \
                 meanwhile are lost to receivers; {MEND}"
            )),
            Self::Disabled => Some(format!(
                "triggers on {table} are disabled, or not enabled ALWAYS, so changes to it may not be \
                 logged; {MEND}"
            )),
            Self::Altered => Some(format!(
                "the triggers on {table} are not those that rowhook would put on it now: the table's \
                 columns, its `[[resources]]` entry or the triggers themselves have changed; {MEND}"
            )),
        }
    }
}

/// Said of a resource whose triggers are in force although the configuration does not name it any more.
pub const NOT_CONFIGURED: &str = "it is still logged, but not configured";

/// What to do about it.
pub fn take_off(name: &ResourceName) -> String {
    format!("`rowhook resources uninstall {name}` takes its triggers off")
}

/// A table that could be watched, as `rowhook resources discover` proposes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTable {
    /// The table as SQL names it, quoted where needed.
    pub table: String,
    /// Its columns, in the table's order.
    pub columns: Vec<Column>,
    /// The columns of its primary key, in key order; empty where there is none.
    pub primary_key: Vec<String>,
}

/// Room 0 as the application starts it.
#[async_trait]
pub trait ResourceInstaller: Send + Sync {
    /// Every table that could be watched, by name.
    async fn tables(&self) -> Result<Vec<FoundTable>, StoreError>;

    /// What the database says of the table that a resource asks for.
    async fn describe(&self, wanted: &WantedResource) -> Result<ResourceDefinition, InstallError>;

    /// Puts the triggers on, or leaves them where they are already what they should be. The resource's
    /// version and the triggers that write it come in one transaction. Never waits long for a lock on
    /// a table in use: it tries again instead.
    async fn install(&self, wanted: &WantedResource)
    -> Result<(Resource, Installed), InstallError>;

    /// How the table, its triggers and the version in force stand. Only looks, and takes no lock that anybody waits for.
    async fn look(&self, wanted: &WantedResource) -> Result<TableLook, InstallError>;

    /// Whether the triggers that the table has are those that [`ResourceInstaller::install`] would put
    /// on, and in force. Only looks.
    async fn in_force(&self, wanted: &WantedResource) -> Result<bool, InstallError>;

    /// The same with what is wrong.
    async fn trigger_state(&self, wanted: &WantedResource) -> Result<TriggerState, InstallError> {
        Ok(self.look(wanted).await?.state)
    }

    /// The versions in force, by name, whatever the configuration says by now.
    async fn installed(&self) -> Result<Vec<Resource>, StoreError>;

    /// Takes the triggers of a resource off, without a trace in the user's schema, and retires its
    /// version; [`Installed::Unchanged`] when there was nothing of that name.
    async fn uninstall(&self, name: &ResourceName) -> Result<Installed, InstallError>;

    /// The versions behind these ids, retired ones too: what old log rows mean. Aliases belong to the
    /// running configuration and not to a version, so there are none in them.
    async fn versions(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError>;
}
