//! The oracle: whoever applies the logged changes to an empty table must end up with the table.
//!
//! It is strict about every step. An UPDATE or DELETE has to find the very row that it says it found, so a
//! change that was missed, told twice or told in another order than it happened shows at once.

use std::collections::BTreeMap;

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::value::RawValue;

use super::support::{Logged, Watched};

/// The texts of a row's values, so that every digit counts.
type Row = BTreeMap<String, String>;

fn row(json: &str) -> Row {
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let members = members.into_iter();
    members
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect()
}

fn take(rows: &mut Vec<Row>, wanted: &Row, change: &Logged) {
    let place = rows.iter().position(|row| row == wanted);
    let place =
        place.unwrap_or_else(|| panic!("{change:?} changes a row that is not there: {rows:#?}"));
    rows.swap_remove(place);
}

/// What the changes come to.
fn applied(changes: &[Logged]) -> Vec<Row> {
    let mut rows = Vec::new();
    for change in changes {
        let now = row(&change.row);
        match (change.action, &change.old) {
            (1, None) => rows.push(now),
            (2, Some(old)) => {
                let old = row(old);
                assert!(!old.is_empty(), "{change:?} changes nothing");
                let mut before = now.clone();
                for (name, value) in old {
                    assert_ne!(now[&name], value, "{change:?} tells of {name}");
                    before.insert(name, value);
                }
                take(&mut rows, &before, change);
                rows.push(now);
            }
            (3, None) => take(&mut rows, &now, change),
            _ => panic!("{change:?} is no change"),
        }
    }
    rows.sort();
    rows
}

impl Watched {
    /// The log of a resource's version makes the table. (Its types have to be such as `to_json` writes.)
    pub async fn compare_version(&self, resource: i32, table: &str) {
        let mut changes = self.log().await;
        changes.retain(|change| change.resource == resource);
        let backend = self.app.get_database_backend();
        let sql = match self.db.dialect() {
            Dialect::Postgres => {
                format!("select row_to_json(mirrored.*)::text from {table} as mirrored")
            }
            Dialect::Sqlite => {
                let members =
                    "select group_concat('''' || name || ''', ' || name) from pragma_table_xinfo";
                let members = self.tell(&format!("{members}('{table}')")).await.unwrap();
                format!("select json_object({members}) from {table}")
            }
        };
        let found = self.app.query_all_raw(Statement::from_string(backend, sql));
        let found = found.await.unwrap().into_iter();
        let mut rows: Vec<Row> = found
            .map(|found| row(&found.try_get_by_index::<String>(0).unwrap()))
            .collect();
        rows.sort();
        assert_eq!(applied(&changes), rows, "{table}: {changes:#?}");
    }

    /// The whole log makes table `items`.
    pub async fn compare(&self) {
        let resource = self.log().await.first().map_or(0, |one| one.resource);
        self.compare_version(resource, "items").await;
    }

    /// What these statements log, each change in a few letters: `+1`, `-1` and `~1{"n":2}`, with the value
    /// of the first column and, after an UPDATE, the old values. And the log makes table `items`.
    pub async fn told(&self, sql: &str) -> Vec<String> {
        let logged = self.logged(sql).await;
        self.compare().await;
        all_told(&logged)
    }
}

/// Changes in a few letters each, as [`Watched::told`] says.
pub fn all_told(changes: &[Logged]) -> Vec<String> {
    changes.iter().map(told).collect()
}

fn told(change: &Logged) -> String {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&change.row).unwrap();
    let first = members.values().next().unwrap();
    match change.action {
        1 => format!("+{first}"),
        2 => format!("~{first}{}", change.old.as_ref().unwrap()),
        _ => format!("-{first}"),
    }
}
