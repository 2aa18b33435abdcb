//! This process as it tells of itself: `/readyz` and `webhookPipeline` say the same.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    domain::instance::{CaptureRole, Stage},
    graphql::Instance,
    http::Readiness,
    pipeline::status::Status,
    store::{StoreError, sql::db::Db},
};

/// Whoever asks waits so long for the database: they have little patience, and are to be told why.
const PINGED_WITHIN: Duration = Duration::from_secs(3);

/// The instance that runs here.
pub(super) struct ThisInstance {
    /// What it is called in leases.
    pub name: String,
    /// Whether it answers is asked each time.
    pub db: Db,
    /// What its stages tell.
    pub status: Status,
}

impl ThisInstance {
    async fn why_not_ready(&self) -> Result<(), Vec<String>> {
        let mut reasons = self.status.ready().err().unwrap_or_default();
        let ping = tokio::time::timeout(PINGED_WITHIN, self.db.ping()).await;
        let ping = ping.unwrap_or_else(|_| {
            let words = format!("no answer within {} s", PINGED_WITHIN.as_secs());
            Err(StoreError::Unavailable(words))
        });
        if let Err(error) = ping {
            reasons.push(error.to_string());
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }
}

#[async_trait]
impl Readiness for ThisInstance {
    async fn ready(&self) -> Result<(), Vec<String>> {
        self.why_not_ready().await
    }
}

#[async_trait]
impl Instance for ThisInstance {
    fn name(&self) -> &str {
        &self.name
    }

    fn stages(&self) -> Vec<Stage> {
        self.status.shown()
    }

    fn capture(&self) -> CaptureRole {
        self.status.role()
    }

    async fn ready(&self) -> Result<(), Vec<String>> {
        self.why_not_ready().await
    }
}
