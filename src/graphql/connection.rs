//! Relay connections: which page of a list is wanted, and the shape in which it is answered.
//!
//! Cursors are opaque to clients. Inside is the list's name, what it is ordered by and the record's place in
//! that order, so that a cursor of another list or order is refused instead of understood wrongly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use juniper::graphql_object;

use crate::store::{
    event_log::EventFilter,
    page::{Page, PageRequest, Place, SortKey, SortValue},
};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    scalar::ApiScalar,
    scalars::BigInt,
    sort::Sort,
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
    /// `webhookReceivers`.
    Receivers,
    /// `webhookSubscriptions`.
    Subscriptions,
    /// `webhookEventConnection`.
    Events,
}

/// The cursors of a list in one order, whichever way it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursors {
    list: List,
    key: SortKey,
}

impl List {
    /// The cursors of this list when it is ordered by this.
    pub fn cursors(self, key: SortKey) -> Cursors {
        Cursors { list: self, key }
    }
}

impl Cursors {
    fn prefix(self) -> String {
        let list = match self.list {
            List::Receivers => "receivers",
            List::Subscriptions => "subscriptions",
            List::Events => "events",
        };
        let key = match self.key {
            SortKey::Id => "",
            SortKey::Name => ".name",
            SortKey::UpdatedAt => ".updated",
        };
        format!("{list}{key}:")
    }

    /// The cursor of a record.
    pub fn of(self, place: &Place) -> String {
        let mut text = format!("{}{}", self.prefix(), place.id);
        match &place.value {
            None => {}
            Some(SortValue::Text(value)) => text.push_str(&format!(":{value}")),
            Some(SortValue::Moment(at)) => {
                let at = at.to_rfc3339_opts(SecondsFormat::Nanos, true);
                text.push_str(&format!(":{at}"));
            }
        }
        URL_SAFE_NO_PAD.encode(text)
    }

    fn place(self, cursor: &str) -> Option<Place> {
        let decoded = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let place = text.strip_prefix(&self.prefix())?;
        let (id, value) = match (self.key, place.split_once(':')) {
            (SortKey::Id, None) => (place, None),
            (SortKey::Name, Some((id, name))) => (id, Some(SortValue::Text(name.to_owned()))),
            (SortKey::UpdatedAt, Some((id, at))) => {
                let at: DateTime<Utc> = at.parse().ok()?;
                (id, Some(SortValue::Moment(at)))
            }
            _ => return None,
        };
        let id = id.parse().ok()?;
        Some(Place { id, value })
    }

    fn read(self, cursor: &str, argument: &str) -> Result<Place, ApiError> {
        self.place(cursor).ok_or_else(|| {
            InputPath::argument(argument).refuse(format!(
                "is no cursor of this list in this order: {cursor:?}; take one from pageInfo or edges"
            ))
        })
    }
}

/// A number of records that the client asked for, if it is one that a page can have.
pub fn page_size(asked: i32, argument: &str) -> Result<u32, ApiError> {
    let size = u32::try_from(asked).map_err(|_| {
        InputPath::argument(argument).refuse(format!("must not be below 0, but is {asked}"))
    })?;
    if asked > LARGEST_PAGE {
        let refused = InputPath::argument(argument).refuse(format!(
            "must be between 0 and {LARGEST_PAGE}, not {asked}; ask for further pages instead"
        ));
        return Err(ApiError {
            code: Code::Limit,
            ..refused
        });
    }
    Ok(size)
}

impl PageArguments {
    /// What to ask the store for.
    pub fn request(&self, list: List, sort: Sort) -> Result<PageRequest, ApiError> {
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(InputPath::argument("last")
                    .refuse("can not be given together with first; page one way at a time"));
            }
            (None, Some(last)) => (page_size(last, "last")?, true),
            (first, None) => (page_size(first.unwrap_or(DEFAULT_PAGE), "first")?, false),
        };
        let cursors = list.cursors(sort.key);
        let place = |cursor: &Option<String>, argument| {
            let cursor = cursor.as_deref();
            cursor
                .map(|cursor| cursors.read(cursor, argument))
                .transpose()
        };
        Ok(PageRequest {
            after: place(&self.after, "after")?,
            before: place(&self.before, "before")?,
            limit,
            backward,
            key: sort.key,
            descending: sort.descending,
        })
    }
}

impl PageInfo {
    /// Tells where a page stands; `cursors` are those of its records.
    pub fn of<T>(page: &Page<T>, cursors: &[String]) -> Self {
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: cursors.first().cloned(),
            end_cursor: cursors.last().cloned(),
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
    ($connection:ident, $edge:ident, $node:ty, $names:literal, $edge_names:literal) => {
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
            /// A page as the store returned it; `place` tells where a record stands in it.
            pub fn of<T: Into<$node>>(
                page: $crate::store::page::Page<T>,
                cursors: $crate::graphql::connection::Cursors,
                place: impl Fn(&T) -> $crate::store::page::Place,
            ) -> Self {
                let cursors: Vec<String> = page
                    .items
                    .iter()
                    .map(|item| cursors.of(&place(item)))
                    .collect();
                let page_info = $crate::graphql::connection::PageInfo::of(&page, &cursors);
                let items = page.items.into_iter().map(Into::into);
                let edges = cursors.into_iter().zip(items);
                Self {
                    edges: edges.map(|(cursor, node)| $edge { cursor, node }).collect(),
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

    const BY_ID: Sort = Sort {
        key: SortKey::Id,
        descending: false,
    };

    fn refused(arguments: &PageArguments) -> ApiError {
        arguments.request(List::Receivers, BY_ID).unwrap_err()
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_order() {
        let place = Place::from(42);
        let cursors = List::Receivers.cursors(SortKey::Id);
        let cursor = cursors.of(&place);
        assert!(!cursor.contains("42"), "opaque: {cursor}");
        assert_eq!(cursors.read(&cursor, "after"), Ok(place.clone()));
        let named = Place {
            value: Some(SortValue::Text("a:b".to_owned())),
            ..place.clone()
        };
        let by_name = List::Receivers.cursors(SortKey::Name);
        assert_eq!(
            by_name.read(&by_name.of(&named), "after"),
            Ok(named.clone())
        );
        let changed = Place {
            value: Some(SortValue::Moment(
                "2026-04-26T19:33:42.108765Z".parse().unwrap(),
            )),
            ..place.clone()
        };
        let by_change = List::Receivers.cursors(SortKey::UpdatedAt);
        assert_eq!(
            by_change.read(&by_change.of(&changed), "after"),
            Ok(changed)
        );
        for wrong in [
            List::Events.cursors(SortKey::Id).of(&place),
            by_name.of(&named),
            "42".to_owned(),
            "§".to_owned(),
        ] {
            let error = cursors.read(&wrong, "after").unwrap_err();
            assert_eq!(error.path, Some(InputPath::argument("after")), "{wrong}");
        }
        assert!(by_name.read(&cursor, "after").is_err());
    }

    #[test]
    fn a_page_has_a_default_a_limit_and_one_direction() {
        let request = PageArguments::default()
            .request(List::Events, BY_ID)
            .unwrap();
        assert_eq!((request.limit, request.backward), (100, false));
        let arguments = |first, last| PageArguments {
            first,
            last,
            ..PageArguments::default()
        };
        assert!(
            arguments(Some(1000), None)
                .request(List::Events, BY_ID)
                .is_ok()
        );
        let from_the_end = arguments(None, Some(3)).request(List::Events, BY_ID);
        assert!(from_the_end.unwrap().backward);
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
