//! What a page's changes logged, as all events that are handed over share it.

use std::sync::Arc;

use crate::{
    domain::{change::Change, ids::ChangeId},
    store::change_log::ChangePage,
};

/// The logged texts of a page's changes, made shareable once for each change that is asked for.
pub struct SharedTexts<'a> {
    changes: &'a [Change],
    /// Of the change that was asked for last.
    last: Option<(ChangeId, RowTexts)>,
}

/// A change's row and old values.
pub type RowTexts = (Arc<str>, Option<Arc<str>>);

impl<'a> SharedTexts<'a> {
    /// Of this page.
    pub fn of(page: &'a ChangePage) -> Self {
        Self {
            changes: &page.changes,
            last: None,
        }
    }

    /// Asked in the order of the page, as events are made.
    pub fn of_change(&mut self, id: ChangeId) -> RowTexts {
        if let Some((last, texts)) = &self.last
            && *last == id
        {
            return texts.clone();
        }
        let at = self.changes.iter().position(|change| change.id == id);
        let at = at.expect("a page's events are made of its changes, in their order");
        self.changes = &self.changes[at..];
        let change = &self.changes[0];
        let old_values = change.old_values.as_deref().map(Arc::from);
        let texts = (Arc::from(change.row_data.as_str()), old_values);
        self.last = Some((id, texts.clone()));
        texts
    }
}
