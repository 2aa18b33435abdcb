//! The sample's application as the API asks it for a change.

use async_trait::async_trait;

use crate::{
    config::Settings,
    domain::{action::Action, resource::ResourceName},
    graphql::{Sample, SampleFault, SampleMade},
    sample::{self, NoSingleChange, SingleChanges},
    store::sql::db::Dialect,
};

/// The sample's tables of this deployment.
pub(super) struct ThisSample {
    changes: SingleChanges,
    resources: Vec<ResourceName>,
}

impl ThisSample {
    /// `None` where `sample` is off. A name that the settings give to a table of the user's own is not the sample's.
    pub fn of(settings: &Settings, dialect: Dialect) -> Option<Self> {
        if !settings.sample {
            return None;
        }
        let own = |name: &ResourceName| settings.resources.iter().any(|one| one.name == *name);
        let names = sample::resources(dialect).into_iter().map(|one| one.name);
        Some(Self {
            changes: SingleChanges::new(settings.database_url.clone()),
            resources: names.filter(|name| !own(name)).collect(),
        })
    }
}

#[async_trait]
impl Sample for ThisSample {
    fn resources(&self) -> &[ResourceName] {
        &self.resources
    }

    async fn change(
        &self,
        resource: &ResourceName,
        action: Action,
    ) -> Result<SampleMade, SampleFault> {
        let made = self.changes.make(resource, action).await;
        let made = made.map_err(|error| match error {
            NoSingleChange::Db(error) => SampleFault::Failed(error.to_string()),
            other => SampleFault::NotNow(other.to_string()),
        })?;
        Ok(SampleMade {
            id: made.id,
            transaction_id: made.transaction_id,
        })
    }
}
