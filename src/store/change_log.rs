//! The poller's door to `logged_actions`, and fan-out's door to the events made of it.
//!
//! What has been read is kept in one row, the cursor. A page of changes leaves it only in the
//! transaction that writes the page's events: whatever dies in between, the page is read again.

use async_trait::async_trait;

use crate::domain::{
    action::Action,
    change::Change,
    era::Eras,
    event::{Made, NewEvent},
    ids::{ChangeId, TransactionId},
    interval::ActivityInterval,
    resource::ResourceName,
    snapshot::Position,
};

use super::StoreError;

/// A stretch of the log that is read in pages: everything between the watermark and `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The point in commit order at which it ends.
    pub to: Position,
    /// Its changes up to this id are fanned out.
    pub after: ChangeId,
    /// No change of it has a higher id.
    pub last: ChangeId,
}

/// How far the log is fanned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Swapped by each page: whoever holds another one writes nothing.
    pub epoch: i64,
    /// Everything that had committed at this point is fanned out.
    pub watermark: Position,
    /// A window that is fanned out in part.
    pub window: Option<Window>,
    /// SQLite: the number of the newest window, which its changes carry as their transaction id.
    pub transaction_id: TransactionId,
    /// PostgreSQL: the eras of the log, as restores from other clusters began them.
    pub eras: Eras,
}

/// Some changes of one window, in commit order of each row.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// The changes; empty when nothing is new.
    pub changes: Vec<Change>,
    /// The window they belong to.
    pub window: Window,
    /// Whether they are the last of it.
    pub ends_window: bool,
    /// SQLite: the window's number.
    pub transaction_id: TransactionId,
}

impl ChangePage {
    /// The cursor once the first `count` changes are fanned out; its epoch is the next one.
    pub fn cursor_after(&self, cursor: &Cursor, count: usize) -> Cursor {
        let epoch = cursor.epoch + 1;
        let done = self.ends_window && count == self.changes.len();
        let after = count
            .checked_sub(1)
            .and_then(|last| self.changes.get(last))
            .map_or(self.window.after, |change| change.id);
        Cursor {
            epoch,
            watermark: if done {
                self.window.to.clone()
            } else {
                cursor.watermark.clone()
            },
            window: (!done).then(|| Window {
                after,
                ..self.window.clone()
            }),
            transaction_id: self.transaction_id,
            eras: cursor.eras.clone(),
        }
    }
}

/// Reading the log.
#[async_trait]
pub trait ChangeLog: Send + Sync {
    /// Takes the cursor over: whoever held it before writes nothing any more.
    async fn take_over(&self) -> Result<Cursor, StoreError>;

    /// Whether something may have been committed since the last call. A cheap look; `true` when there
    /// is none.
    async fn may_have_news(&self) -> Result<bool, StoreError>;

    /// Ends when the database says that something was committed; never, where nobody says it. A hint, which may
    /// come late, too often or not at all.
    async fn heard(&self);

    /// The next changes after the cursor, at most `limit`, and less where rows are large. An empty page
    /// that ends its window moves the watermark.
    async fn read(&self, cursor: &Cursor, limit: u32) -> Result<ChangePage, StoreError>;
}

/// Writing events.
#[async_trait]
pub trait FanOutStore: Send + Sync {
    /// Every activity interval of these (resource, action) pairs. Always asked after the changes were
    /// read, never remembered: a mutation that answered before a change committed is in.
    async fn intervals(
        &self,
        of: &[(ResourceName, Action)],
    ) -> Result<Vec<ActivityInterval>, StoreError>;

    /// Writes the events, with their sequence numbers, and the cursor in one transaction; returns what each event was
    /// given, in their order, or nothing where that is not known. [`StoreError::Fenced`] when the cursor's epoch is no
    /// longer `from`'s: nothing was written.
    async fn commit_page(
        &self,
        from: &Cursor,
        to: &Cursor,
        events: &[NewEvent],
    ) -> Result<Vec<Made>, StoreError>;
}
