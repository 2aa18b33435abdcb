//! `webhookDoctor`: what `rowhook doctor` finds. Read only.

use std::sync::Arc;

use futures::future::BoxFuture;
use juniper::{GraphQLEnum, GraphQLObject};

use crate::{
    doctor::{Finding, Report, Severity},
    domain::api_key::Role,
};

use super::{context::Context, error::ApiError, scalar::ApiScalar};

/// Looks at everything that capture rests on.
pub type Examine = Arc<dyn Fn() -> BoxFuture<'static, Report> + Send + Sync>;

/// One thing that was looked at, as `rowhook doctor` tells it.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookDoctorFinding", context = Context, scalar = ApiScalar)]
pub struct WebhookDoctorFinding {
    /// How bad it is.
    pub severity: WebhookDoctorSeverity,
    /// What it is about, as `about` of `rowhook doctor --json`: `schema`, `triggers`, `replica-role`, `identity`,
    /// `capture`, `open-transaction`, `rights`, `dead-rows`, `journal`, `reconciliation`, `sequence` or
    /// `event-states`. Findings of one area come together.
    pub area: String,
    /// What it is about, for people.
    pub title: String,
    /// The table, role, subscription or whatever else it was found at.
    pub place: String,
    /// What was found, in words.
    pub summary: String,
    /// What to do about it, in words; null where nothing need be done.
    pub mend: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookDoctorSeverity", scalar = ApiScalar)]
pub enum WebhookDoctorSeverity {
    /// As it should be.
    Ok,
    /// Good to know; nothing need be done.
    Note,
    /// Nothing is lost, but something should be done about it.
    Warning,
    /// Changes are lost or held up, or will be.
    Problem,
}

impl From<Finding> for WebhookDoctorFinding {
    fn from(finding: Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Ok => WebhookDoctorSeverity::Ok,
                Severity::Note => WebhookDoctorSeverity::Note,
                Severity::Warning => WebhookDoctorSeverity::Warning,
                Severity::Problem => WebhookDoctorSeverity::Problem,
            },
            area: finding.about.as_str().to_owned(),
            title: finding.about.title().to_owned(),
            place: finding.place,
            summary: finding.what,
            mend: finding.advice,
        }
    }
}

/// `webhookDoctor`.
pub async fn findings(context: &Context) -> Result<Vec<WebhookDoctorFinding>, ApiError> {
    // It names roles, settings and tables of the whole database.
    context.require(Role::Admin, "webhookDoctor")?;
    let report = (context.services.examine)().await;
    Ok(report.into_findings().into_iter().map(Into::into).collect())
}
