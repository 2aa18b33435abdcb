//! Relay connections: which page of a list is wanted, and the shape in which it is answered.
//!
//! Cursors are opaque to clients. Inside is the list's name and the record's id, so that a cursor of
//! another list is refused instead of understood wrongly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use juniper::graphql_object;

use crate::store::{
    event_log::EventFilter,
    page::{Page, PageRequest},
};

use super::{
    context::Context,
    error::{ApiError, InputPath},
    scalar::ApiScalar,
    scalars::BigInt,
};

/// Records of a page when the client names no number.
pub const DEFAULT_PAGE: i32 = 100;

/// Records of a page at most; more is an error, not cut.
pub const LARGEST_PAGE: i32 = 1000;

/// How many records a whole list has.
#[derive(Clone, Debug, PartialEq)]
enum Total {
    Known(u64),
    /// Counted when somebody asks: there may be millions.
    Events(EventFilter),
}

/// Where a page stands, as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
    total: Total,
    count: i32,
}

/// Where this page stands in its list.
#[graphql_object]
#[graphql(name = "PageInfo", context = Context, scalar = ApiScalar)]
impl PageInfo {
    /// Whether records of the list come after this page; ask for them with `after: endCursor`.
    fn has_next_page(&self) -> bool {
        self.has_next_page
    }

    /// Whether records of the list come before this page; ask for them with `before: startCursor`.
    fn has_previous_page(&self) -> bool {
        self.has_previous_page
    }

    /// The cursor of the first record here; null on an empty page.
    fn start_cursor(&self) -> Option<&str> {
        self.start_cursor.as_deref()
    }

    /// The cursor of the last record here; null on an empty page.
    fn end_cursor(&self) -> Option<&str> {
        self.end_cursor.as_deref()
    }

    /// Records in the whole list, whatever the page. Of events it is counted for this field: leave it out
    /// where there may be millions.
    async fn total_count(&self, context: &Context) -> Result<BigInt, ApiError> {
        let total = match &self.total {
            Total::Known(total) => *total,
            Total::Events(filter) => context.services.events.count(filter).await?,
        };
        Ok(BigInt(i64::try_from(total).unwrap_or(i64::MAX)))
    }

    /// Records on this page.
    fn count(&self) -> i32 {
        self.count
    }
}

/// The paging arguments of a root list.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    /// The first so many.
    pub first: Option<i32>,
    /// Only what comes after this cursor.
    pub after: Option<String>,
    /// The last so many.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<String>,
}

/// A root list: its name stands in its cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `webhookReceivers`, in id order.
    Receivers,
    /// `webhookSubscriptions`, in id order.
    Subscriptions,
    /// `webhookEventConnection`, newest first.
    Events,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Receivers => "receivers",
            Self::Subscriptions => "subscriptions",
            Self::Events => "events",
        }
    }

    fn newest_first(self) -> bool {
        match self {
            Self::Receivers | Self::Subscriptions => false,
            Self::Events => true,
        }
    }

    /// The cursor of a record.
    pub fn cursor(self, id: i64) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{id}", self.name()))
    }

    fn id(self, cursor: &str, argument: &str) -> Result<i64, ApiError> {
        let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
        decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| {
                text.strip_prefix(self.name())?
                    .strip_prefix(':')?
                    .parse()
                    .ok()
            })
            .ok_or_else(|| {
                InputPath::argument(argument).refuse(format!(
                    "is no cursor of this list: {cursor:?}; take one from pageInfo or edges"
                ))
            })
    }
}

/// A number of records that the client asked for, if it is one that a page can have.
pub fn page_size(asked: i32, argument: &str) -> Result<u32, ApiError> {
    match u32::try_from(asked) {
        Ok(size) if asked <= LARGEST_PAGE => Ok(size),
        _ => Err(InputPath::argument(argument).refuse(format!(
            "must be between 0 and {LARGEST_PAGE}, not {asked}; ask for further pages instead"
        ))),
    }
}

impl PageArguments {
    /// What to ask the store for.
    pub fn request(&self, list: List) -> Result<PageRequest, ApiError> {
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(InputPath::argument("last")
                    .refuse("can not be given together with first; page one way at a time"));
            }
            (None, Some(last)) => (page_size(last, "last")?, true),
            (first, None) => (page_size(first.unwrap_or(DEFAULT_PAGE), "first")?, false),
        };
        let id = |cursor: &Option<String>, argument| {
            let cursor = cursor.as_deref();
            cursor.map(|cursor| list.id(cursor, argument)).transpose()
        };
        Ok(PageRequest {
            after: id(&self.after, "after")?,
            before: id(&self.before, "before")?,
            limit,
            backward,
            newest_first: list.newest_first(),
        })
    }
}

impl PageInfo {
    /// Tells where a page stands; `ids` are those of its records.
    pub fn of<T>(page: &Page<T>, list: List, id: impl Fn(&T) -> i64) -> Self {
        let cursor = |item: &T| list.cursor(id(item));
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.items.first().map(cursor),
            end_cursor: page.items.last().map(cursor),
            total: Total::Known(page.total.unwrap_or_default()),
            count: i32::try_from(page.items.len()).unwrap_or(i32::MAX),
        }
    }

    /// The list is one of events, narrowed by this.
    pub fn of_events(&mut self, filter: EventFilter) {
        self.total = Total::Events(filter);
    }
}

/// The connection and edge types of one kind of record: juniper's objects can not be generic.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $list:expr, $names:literal, $edge_names:literal) => {
        /// A page of a list of records.
        #[derive(juniper::GraphQLObject)]
        #[graphql(name = $names, context = $crate::graphql::context::Context, scalar = $crate::graphql::scalar::ApiScalar)]
        pub struct $connection {
            /// The records of this page, each with its cursor, in the list's order.
            pub edges: Vec<$edge>,
            /// Where this page stands in the list.
            pub page_info: $crate::graphql::connection::PageInfo,
        }

        /// A record in a page.
        #[derive(juniper::GraphQLObject)]
        #[graphql(name = $edge_names, context = $crate::graphql::context::Context, scalar = $crate::graphql::scalar::ApiScalar)]
        pub struct $edge {
            /// The record's place in the list, for `after` and `before`.
            pub cursor: String,
            /// The record.
            pub node: $node,
        }

        impl $connection {
            /// A page as the store returned it.
            pub fn of<T: Into<$node>>(
                page: $crate::store::page::Page<T>,
                id: impl Fn(&T) -> i64,
            ) -> Self {
                let page_info = $crate::graphql::connection::PageInfo::of(&page, $list, &id);
                let edges = page.items.into_iter().map(|item| $edge {
                    cursor: $list.cursor(id(&item)),
                    node: item.into(),
                });
                Self {
                    edges: edges.collect(),
                    page_info,
                }
            }
        }
    };
}
pub(super) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &PageArguments) -> ApiError {
        arguments.request(List::Receivers).unwrap_err()
    }

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = List::Receivers.cursor(42);
        assert!(!cursor.contains("42"), "opaque: {cursor}");
        assert_eq!(List::Receivers.id(&cursor, "after"), Ok(42));
        for wrong in [List::Events.cursor(42), "42".to_owned(), "§".to_owned()] {
            let error = List::Receivers.id(&wrong, "after").unwrap_err();
            assert_eq!(error.path, Some(InputPath::argument("after")), "{wrong}");
        }
    }

    #[test]
    fn a_page_has_a_default_a_limit_and_one_direction() {
        let request = PageArguments::default().request(List::Events).unwrap();
        assert_eq!(
            (request.limit, request.backward, request.newest_first),
            (100, false, true)
        );
        let arguments = |first, last| PageArguments {
            first,
            last,
            ..PageArguments::default()
        };
        assert!(arguments(Some(1000), None).request(List::Events).is_ok());
        assert!(
            arguments(None, Some(3))
                .request(List::Events)
                .unwrap()
                .backward
        );
        for (wrong, argument) in [
            (arguments(Some(1001), None), "first"),
            (arguments(Some(-1), None), "first"),
            (arguments(None, Some(1001)), "last"),
            (arguments(Some(1), Some(1)), "last"),
        ] {
            assert_eq!(refused(&wrong).path, Some(InputPath::argument(argument)));
        }
    }
}
