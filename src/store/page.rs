//! Keyset pages: a page is asked for by the id it starts after, so that rows which come or go in
//! between neither repeat nor hide others.

/// Which page of a list in id order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Only records with a higher id.
    pub after: Option<i64>,
    /// Only records with a lower id.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
    /// Take them from the end of the range (still returned in the list's order).
    pub backward: bool,
    /// The list runs from the highest id to the lowest; `after` then means lower ids.
    pub newest_first: bool,
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
