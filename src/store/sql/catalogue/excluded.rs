//! Where excluded columns stood, so that one that is renamed does not come into the log as a new one.
//!
//! The configuration knows columns by name. When `password` becomes `old_password` and a new column takes its name, the
//! settings fit the table as before, and the old one would be logged. So each version keeps the places of its excluded
//! columns, and an installation that would log one of them is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::resource::ResourceDefinition;

/// Excluded columns by place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Excluded {
    /// The table's oid; 0 on SQLite, which has none.
    table: u32,
    /// The excluded columns.
    columns: BTreeMap<i32, String>,
    /// The others, which a later version is compared with; they are not kept.
    #[serde(skip)]
    logged: BTreeMap<i32, String>,
}

/// A column that was excluded under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renamed {
    pub column: String,
    pub was: String,
}

impl Excluded {
    /// Of a table with these columns.
    pub fn of(table: u32, places: &[(i32, String)], definition: &ResourceDefinition) -> Self {
        let (columns, logged) = places
            .iter()
            .cloned()
            .partition(|(_, name)| definition.exclude.contains(name));
        Self {
            table,
            columns,
            logged,
        }
    }

    /// Whether nothing is excluded.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The first column that was excluded and would now be logged, although its former name is excluded still. (Where
    /// that is not, the configuration was changed, and says what it wants.)
    pub fn renamed(&self, now: &Self) -> Option<Renamed> {
        if self.table != now.table {
            return None;
        }
        self.columns.iter().find_map(|(place, was)| {
            let column = now.logged.get(place)?;
            let is_excluded = now.columns.values().any(|name| name == was);
            is_excluded.then(|| Renamed {
                column: column.clone(),
                was: was.clone(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(table: u32, columns: &[(i32, &str)], exclude: &[&str]) -> Excluded {
        let places: Vec<_> = columns
            .iter()
            .map(|(place, name)| (*place, (*name).to_owned()))
            .collect();
        let definition = ResourceDefinition {
            table: "t".into(),
            columns: Vec::new(),
            key: vec!["id".into()],
            etag: None,
            exclude: exclude.iter().map(|name| (*name).to_owned()).collect(),
            on_truncate: Default::default(),
        };
        Excluded::of(table, &places, &definition)
    }

    #[test]
    fn a_column_that_was_excluded_is_known_by_its_place() {
        let before = excluded(7, &[(1, "id"), (2, "password")], &["password"]);
        let now = |columns: &[(i32, &str)], exclude: &[&str]| {
            before.renamed(&excluded(7, columns, exclude))
        };
        let swapped = [(1, "id"), (2, "old"), (3, "password")];
        let renamed = now(&swapped, &["password"]).unwrap();
        assert_eq!((&*renamed.column, &*renamed.was), ("old", "password"));
        assert_eq!(now(&swapped, &["password", "old"]), None);
        assert_eq!(
            now(&swapped, &[]),
            None,
            "nothing is to be excluded any more"
        );
        let grown = [(1, "id"), (2, "password"), (3, "more")];
        assert_eq!(now(&grown, &["password"]), None);
        let dropped = [(1, "id"), (3, "password")];
        assert_eq!(now(&dropped, &["password"]), None);
        // A table that was made anew: its places mean nothing.
        let other = excluded(8, &swapped, &["password"]);
        assert_eq!(before.renamed(&other), None);
    }

    #[test]
    fn it_is_kept_without_what_is_logged() {
        let before = excluded(7, &[(1, "id"), (2, "password")], &["password"]);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(text, r#"{"table":7,"columns":{"2":"password"}}"#);
        let read: Excluded = serde_json::from_str(&text).unwrap();
        assert_eq!(read.columns, before.columns);
    }
}
