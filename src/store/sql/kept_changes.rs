//! Reading changes that are kept by their ids, with their rows: for replays, and for whoever tries a filter.

use sea_orm::{ConnectionTrait, QueryResult};

use super::{
    change_log::occurred_at,
    db::{Db, Dialect},
    records::{numbers, one_of, user_text},
};
use crate::store::StoreError;

/// Rows that are read at once hold no more text than this, one large row aside.
pub(super) const BYTES: i64 = 16 << 20;

/// The bytes of the text that a change `l` holds.
pub(super) fn size(dialect: Dialect) -> String {
    let length = match dialect {
        Dialect::Postgres => "octet_length",
        Dialect::Sqlite => "length",
    };
    format!("{length}(l.row_data) + coalesce({length}(l.old_values), 0)")
}

/// These changes, in the order of their ids: `id`, `resource_id`, `transaction_id`, `occurred_at`, `row_data`
/// and `old_values`. On SQLite only an event that was made of a change tells the number of its commit.
pub(super) async fn rows(
    db: &Db,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<QueryResult>, StoreError> {
    let dialect = db.dialect();
    let transaction = match dialect {
        Dialect::Postgres => "l.xid::text::bigint",
        Dialect::Sqlite => {
            "(select e.transaction_id from rowhook.events e where e.change_id = l.id limit 1)"
        }
    };
    let sql = format!(
        "select l.id, l.resource_id, {transaction} as transaction_id, {} as occurred_at,
                {} as row_data, {} as old_values
         from rowhook.logged_actions l where {} order by l.id",
        occurred_at(dialect),
        user_text(dialect, "l.row_data"),
        user_text(dialect, "l.old_values"),
        one_of(dialect, "l.id", "$1"),
    );
    Ok(db
        .query_all_raw(db.statement(&sql, [numbers(dialect, ids)]))
        .await?)
}
