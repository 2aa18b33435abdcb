//! The eras of a database's transaction ids, as the cursor's row keeps them. SQLite has one.

use sea_orm::QueryResult;

use super::db::Dialect;
use crate::{
    domain::{
        era::{Era, Eras},
        snapshot::Snapshot,
    },
    store::StoreError,
};

/// The present era, for a statement that has no other use of the cursor: a scalar that is asked once.
pub(super) const NEWEST_ERA: &str =
    "(select coalesce(c.restored_ids[cardinality(c.restored_ids)], 0)
     from rowhook.capture_cursor c where c.id = 1)";

/// The column of `capture_cursor` that [`read_eras`] reads.
pub(super) fn eras_column(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "array_to_string(restored_ids, ',') as eras",
        Dialect::Sqlite => "'' as eras",
    }
}

/// The eras in a row that has [`eras_column`].
pub(super) fn read_eras(row: &QueryResult) -> Result<Eras, StoreError> {
    let text: String = row.try_get("", "eras")?;
    text.parse().map_err(StoreError::corrupt)
}

/// An SQL condition: change `l` is visible in a snapshot, which is bound as `snapshot` without its era.
pub(super) fn visible_in(eras: &Eras, seen: &Snapshot, snapshot: &str) -> String {
    format!(
        "(l.id <= {} or l.id <= {} and pg_visible_in_snapshot(l.xid, {snapshot}::text::pg_snapshot))",
        seen.era(),
        last_of(eras, seen.era())
    )
}

/// The highest id that a change of this era may have: `i64::MAX` in the present one.
pub(super) fn last_of(eras: &Eras, era: Era) -> i64 {
    eras.after(era).map_or(i64::MAX, |next| next.0)
}
