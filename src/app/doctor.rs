//! The doctor's look as the API asks for it: the same as the command's, through the service's own connections.

use std::sync::Arc;

use chrono::Utc;
use tokio::sync::Mutex;

use crate::{
    config::Settings,
    doctor::{self, Doors},
    graphql::Examine,
    store::{
        catalogue::WantedResource,
        sql::{
            capture::SqlCaptureView, catalogue::SqlResourceInstaller, db::Db, health::SqlHealth,
            reconciliation::SqlReconciliation,
        },
    },
};

/// A look at this deployment. One is made at a time: each reads thousands of changes.
pub(super) fn examination(settings: &Settings, db: &Db, wanted: Arc<[WantedResource]>) -> Examine {
    let (keep, db) = (settings.retention.events, db.clone());
    let turn = Arc::new(Mutex::new(()));
    Arc::new(move || {
        let (db, wanted, turn) = (db.clone(), wanted.clone(), turn.clone());
        Box::pin(async move {
            let _turn = turn.lock().await;
            let doors = Doors {
                installer: &SqlResourceInstaller::new(db.clone()),
                wanted: &wanted,
                health: &SqlHealth::new(db.clone()),
                capture: &SqlCaptureView::new(db.clone()),
                reconciliation: &SqlReconciliation::new(db.clone()),
                keep,
            };
            let schema = db.schema().await;
            let schema = schema.map_err(|error| error.to_string());
            doctor::examine(doors, schema, doctor::CHANGES, Utc::now()).await
        })
    })
}
