//! While a fleet is upgraded: a newer release migrates the tables that this process works on.

use std::time::Duration;

use crate::store::{
    schema::State,
    sql::{db::Db, migrations::MigrateError},
};

/// How often the migrations are looked at: a handful of rows.
const LOOK: Duration = Duration::from_secs(5);

/// Ends when this program can not work with the tables any more. A look that fails says nothing: that the database is
/// away is told by those who need it.
pub(super) async fn outgrown(db: &Db) -> MigrateError {
    let mut told = 0;
    loop {
        if let Ok(schema) = db.schema().await {
            if let Err(too_new) = schema.is_not_too_new() {
                return too_new.into();
            }
            let unknown = schema.count(State::Unknown);
            if unknown > told {
                tracing::info!(
                    migrations = unknown,
                    newest = schema.newest_unknown(),
                    "a newer rowhook has migrated these tables so that this one can go on; upgrade it too"
                );
            }
            told = unknown;
        }
        tokio::time::sleep(LOOK).await;
    }
}
