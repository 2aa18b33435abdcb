//! The door to what the instance that reads changes notes for everybody: when it last looked at each watched table and
//! what it found and did, and what came of the last comparison of changes with events. In the database, so that every
//! instance tells the same, and after a restart too.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::resource::ResourceName;

use super::StoreError;

/// The last look at a watched table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNote {
    /// Whose table it is.
    pub resource: ResourceName,
    /// When it was looked at.
    pub looked_at: DateTime<Utc>,
    /// What was last found that was not as it should be and what was done about it, in words, with the time of that look.
    pub note: Option<(String, DateTime<Utc>)>,
}

/// What came of comparing changes with events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// When.
    pub ran_at: DateTime<Utc>,
    /// Changes that were compared.
    pub changes: u64,
    /// Events that they were owed.
    pub owed: u64,
    /// Live events that there were of them.
    pub found: u64,
    /// Events whose records were looked at.
    pub events: u64,
    /// What did not agree, without what nobody can tell.
    pub differences: u64,
    /// The first differences in words.
    pub examples: Vec<String>,
}

/// Writing and reading the notes.
#[async_trait]
pub trait CaptureNotes: Send + Sync {
    /// These tables were looked at, just now. Without a new note the former one stays.
    async fn looked(
        &self,
        at: DateTime<Utc>,
        tables: &[(ResourceName, Option<String>)],
    ) -> Result<(), StoreError>;

    /// The last look at each table, also of resources that are no longer configured.
    async fn tables(&self) -> Result<Vec<TableNote>, StoreError>;

    /// Takes the place of the last comparison.
    async fn reconciled(&self, what: &Reconciled) -> Result<(), StoreError>;

    /// The last comparison; `None` before the first one.
    async fn last_reconciliation(&self) -> Result<Option<Reconciled>, StoreError>;
}
