//! Keyset pages: a page is asked for by the place that it starts after, so that rows which come or go in
//! between neither repeat nor hide others.

use chrono::{DateTime, Utc};

/// What a list is ordered by; the id tells apart what is equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// The id alone: the order in which records were made.
    #[default]
    Id,
    /// The name, as the database orders texts.
    Name,
    /// The last change.
    UpdatedAt,
}

/// The value of what a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// A name.
    Text(String),
    /// A moment.
    Moment(DateTime<Utc>),
}

/// A place in a list: where a record stands, or stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The record's id.
    pub id: i64,
    /// Its value of what the list is ordered by; `None` where that is the id alone.
    pub value: Option<SortValue>,
}

impl From<i64> for Place {
    fn from(id: i64) -> Self {
        Self { id, value: None }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Only records that come after this place in the list's order.
    pub after: Option<Place>,
    /// Only records that come before this place in the list's order.
    pub before: Option<Place>,
    /// How many at most.
    pub limit: u32,
    /// Take them from the end of the range (still returned in the list's order).
    pub backward: bool,
    /// What the list is ordered by. A store that does not offer a key orders by the id.
    pub key: SortKey,
    /// The list runs from the highest to the lowest.
    pub descending: bool,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The records, in the list's order.
    pub items: Vec<T>,
    /// Whether records of the list come before the first.
    pub has_previous: bool,
    /// Whether records of the list come after the last.
    pub has_next: bool,
    /// Records in the whole list, whatever the page; `None` where it may be so long that it is counted only
    /// when somebody asks.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// The same page of something else; the first record that can not be turned ends it.
    pub fn try_map<U, E>(self, turn: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items: Result<_, E> = self.items.into_iter().map(turn).collect();
        Ok(Page {
            items: items?,
            has_previous: self.has_previous,
            has_next: self.has_next,
            total: self.total,
        })
    }
}
