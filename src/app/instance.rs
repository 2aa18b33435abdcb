//! This process as it tells of itself: `/readyz` and `webhookPipeline` say the same.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    domain::instance::{CaptureRole, Stage},
    graphql::Instance,
    http::{MetricsPage, Readiness},
    pipeline::{figures::FiguresReader, status::Status},
    store::{StoreError, capture::CaptureView, sql::db::Db},
};

/// Whoever asks waits so long for the database: they have little patience, and are to be told why.
const PINGED_WITHIN: Duration = Duration::from_secs(3);

/// The instance that runs here.
pub(super) struct ThisInstance {
    /// What it is called in leases.
    pub name: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Whether it answers is asked each time.
    pub db: Db,
    /// What its stages tell.
    pub status: Status,
    /// How far capture is.
    pub capture: Arc<dyn CaptureView>,
    /// While the oldest change has waited longer, the instance that reads changes is not ready.
    pub longest_lag: Option<Duration>,
}

impl ThisInstance {
    async fn why_not_ready(&self) -> Result<(), Vec<String>> {
        let mut reasons = self.status.ready().err().unwrap_or_default();
        let asked = tokio::time::timeout(PINGED_WITHIN, self.ask_database()).await;
        let asked = asked.unwrap_or_else(|_| {
            let words = format!("no answer within {} s", PINGED_WITHIN.as_secs());
            Err(StoreError::Unavailable(words))
        });
        match asked {
            Ok(found) => reasons.extend(found),
            Err(error) => reasons.push(error.to_string()),
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    /// What the database has to say against it.
    async fn ask_database(&self) -> Result<Vec<String>, StoreError> {
        self.db.ping().await?;
        let mut reasons = Vec::new();
        let lacks = self.db.lacks().await?;
        if !lacks.is_empty() {
            reasons.push(format!(
                "the database lacks {} that this version of rowhook needs ({}); run `rowhook migrate up`",
                match lacks.len() {
                    1 => "a migration".to_owned(),
                    several => format!("{several} migrations"),
                },
                lacks.join(", ")
            ));
        }
        // Whoever stands by is not behind, and could not be caught up by being taken out of service.
        if let Some(longest) = self.longest_lag
            && self.status.polls()
        {
            let lag = self.capture.lag().await?;
            if lag > longest {
                reasons.push(format!(
                    "capture lags: the oldest change that is not fanned out has waited {:.1} s, more than \
                     capture.longest_lag ({} s)",
                    lag.as_secs_f64(),
                    longest.as_secs_f64()
                ));
            }
        }
        Ok(reasons)
    }
}

#[async_trait]
impl Readiness for ThisInstance {
    async fn ready(&self) -> Result<(), Vec<String>> {
        self.why_not_ready().await
    }
}

#[async_trait]
impl MetricsPage for FiguresReader {
    async fn page(&self) -> String {
        Self::page(self).await
    }
}

#[async_trait]
impl Instance for ThisInstance {
    fn name(&self) -> &str {
        &self.name
    }

    fn started_at(&self) -> DateTime<Utc> {
        self.started_at
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
