//! What log rows mean, remembered: a version of a resource never changes.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    domain::{ids::ResourceId, resource::Resource},
    store::{StoreError, catalogue::ResourceInstaller},
};

/// The versions that fan-out and the senders have met.
#[derive(Clone)]
pub struct Versions {
    catalogue: Arc<dyn ResourceInstaller>,
    known: Arc<RwLock<HashMap<ResourceId, Arc<Resource>>>>,
}

impl Versions {
    /// None met yet.
    pub fn new(catalogue: Arc<dyn ResourceInstaller>) -> Self {
        Self {
            catalogue,
            known: Arc::default(),
        }
    }

    /// Asks the database for those that are not known yet.
    pub async fn learn(&self, ids: impl IntoIterator<Item = ResourceId>) -> Result<(), StoreError> {
        let mut unknown: Vec<ResourceId> = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            ids.into_iter()
                .filter(|id| !known.contains_key(id))
                .collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        unknown.dedup();
        let found = self.catalogue.versions(&unknown).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(found.into_iter().map(|one| (one.id, Arc::new(one))));
        Ok(())
    }

    /// A version that was learned.
    pub fn get(&self, id: ResourceId) -> Option<Arc<Resource>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).cloned()
    }
}
