//! What a resolver has at hand: the stores, the deployment's settings, who is asking.
//!
//! [`Services`] is made once by the composition root; a [`Context`] is made for each request.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    domain::{
        api_key::{Identity, Role},
        ids::{ReceiverId, SubscriptionId},
        receiver::{Receiver, RetryPolicy, WebhookHeader},
        receiver_health::HealthRecord,
        resource::{LiveCatalogue, ResourceName},
        stats::{DeliveryStats, QueueStats},
        subscription::Subscription,
    },
    store::{
        StoreError,
        api_keys::ApiKeyStore,
        capture::CaptureView,
        capture_notes::CaptureNotes,
        catalogue::{ResourceInstaller, WantedResource},
        event_control::EventControl,
        event_log::{EventLog, LastAttempt, LoggedEvent},
        instances::InstanceView,
        receiver_health::ReceiverHealthStore,
        receivers::ReceiverStore,
        replay::History,
        stats::StatsStore,
        subscriptions::SubscriptionStore,
        test_deliveries::TestDeliveries,
    },
};

use super::{
    doctor::Examine,
    error::{ApiError, Code, InputPath},
    live::Moment,
    loader::Loader,
    pipeline::Instance,
    resource_enum::ResourceEnum,
    sample::Sample,
    uri_check::LookAtUri,
};

/// Whether deliveries may ever go to a URI; the text says why not and completes "webhookUri …", as in
/// "holds credentials; put them into a header".
pub type UriCheck = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Tells the sender of a receiver, if it is to be found in this process, that there may be something to do: a
/// hint that spares an event the wait for the next look at the database.
pub type Wake = Arc<dyn Fn(ReceiverId) + Send + Sync>;

/// What a receiver gets that sets nothing itself (`[defaults]`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceiverDefaults {
    /// The time for a whole attempt.
    pub timeout: Duration,
    /// Requests in flight at once.
    pub max_in_flight: u32,
    /// When a failed event is tried again.
    pub retry: RetryPolicy,
}

/// What the configuration wants to be watched.
#[derive(Clone)]
pub struct WatchedTables {
    /// Looks at the tables' triggers.
    pub installer: Arc<dyn ResourceInstaller>,
    /// Each resource, in the order of the configuration.
    pub wanted: Arc<[WantedResource]>,
}

/// What the API works with, for the whole life of the process.
#[derive(Clone)]
pub struct Services {
    /// Receivers and headers.
    pub receivers: Arc<dyn ReceiverStore>,
    /// Subscriptions.
    pub subscriptions: Arc<dyn SubscriptionStore>,
    /// API keys.
    pub keys: Arc<dyn ApiKeyStore>,
    /// Whether the configuration's `admin_key` lets an admin in who has no stored key.
    pub has_configured_admin: bool,
    /// Events and attempts.
    pub events: Arc<dyn EventLog>,
    /// The resources of this deployment, as their tables are now.
    pub catalogue: LiveCatalogue,
    /// Judges a receiver's URI.
    pub check_uri: UriCheck,
    /// Judges what a URI's host resolves to as well.
    pub look_at_uri: LookAtUri,
    /// What unset settings of a receiver come to.
    pub defaults: ReceiverDefaults,
    /// Where deliveries come from (`receivers.egress_ips`).
    pub source_ips: Vec<String>,
    /// What an operator does with events.
    pub event_control: Arc<dyn EventControl>,
    /// The kept changes.
    pub history: Arc<dyn History>,
    /// Makes test deliveries.
    pub test_deliveries: Arc<dyn TestDeliveries>,
    /// Figures on deliveries.
    pub stats: Arc<dyn StatsStore>,
    /// How receivers do.
    pub health: Arc<dyn ReceiverHealthStore>,
    /// How far capture is.
    pub capture: Arc<dyn CaptureView>,
    /// What was last found when tables were looked at and records compared.
    pub notes: Arc<dyn CaptureNotes>,
    /// The tables that are to be watched, and who knows whether they are.
    pub watched: WatchedTables,
    /// Tells a sender that there is something to do.
    pub wake: Wake,
    /// The processes that share the database.
    pub instances: Arc<dyn InstanceView>,
    /// The process that answers.
    pub instance: Arc<dyn Instance>,
    /// Looks whether all is well, as `rowhook doctor` does.
    pub examine: Examine,
    /// The sample's application, where the deployment has it.
    pub sample: Option<Arc<dyn Sample>>,
}

/// Records inside of records that one request may come to: nobody can tell from a document how many
/// subscriptions a receiver has.
const MOST_RECORDS: usize = 20_000;

/// One request.
pub struct Context {
    /// The stores and settings.
    pub services: Services,
    /// Who is asking.
    pub caller: Identity,
    /// Whether a subscription runs here, and with what.
    pub moment: Moment,
    spent: AtomicUsize,
    /// Receivers by id.
    pub receivers: Loader<ReceiverId, Receiver>,
    /// Subscriptions by id.
    pub subscriptions: Loader<SubscriptionId, Subscription>,
    /// The headers of a receiver.
    pub headers_of: Loader<ReceiverId, Vec<WebhookHeader>>,
    /// The subscriptions of a receiver.
    pub subscriptions_of: Loader<ReceiverId, Vec<Subscription>>,
    /// The newest events of a subscription: how many, after how many.
    pub events_of: Loader<(SubscriptionId, u32, u64), Vec<LoggedEvent>>,
    /// What waits for a receiver, or for all.
    pub queues: Loader<Option<ReceiverId>, QueueStats>,
    /// How a receiver does.
    pub health_of: Loader<ReceiverId, HealthRecord>,
    /// What a receiver answered last.
    pub last_attempts: Loader<ReceiverId, LastAttempt>,
    /// The instance that sends to a receiver.
    pub sender_of: Loader<ReceiverId, String>,
    /// How deliveries to a receiver go, or to all.
    pub deliveries: Loader<Option<ReceiverId>, DeliveryStats>,
    /// How far capture is behind.
    pub capture_lag: Loader<(), Duration>,
}

impl juniper::Context for Context {}

impl Context {
    /// A request of this caller.
    pub fn new(services: &Services, caller: Identity, moment: Moment) -> Self {
        let receivers = services.receivers.clone();
        let subscriptions = services.subscriptions.clone();
        let headers_of = services.receivers.clone();
        let subscriptions_of = services.subscriptions.clone();
        let events_of = services.events.clone();
        let last_attempts = services.events.clone();
        let (queues, deliveries) = (services.stats.clone(), services.stats.clone());
        let capture = services.capture.clone();
        let health_of = services.health.clone();
        let sender_of = services.instances.clone();
        Self {
            services: services.clone(),
            caller,
            moment,
            spent: AtomicUsize::new(0),
            receivers: Loader::new(move |ids| {
                let store = receivers.clone();
                Box::pin(async move { by_id(store.receivers_by_id(&ids).await, |one| one.id) })
            }),
            subscriptions: Loader::new(move |ids| {
                let store = subscriptions.clone();
                Box::pin(async move { by_id(store.subscriptions_by_id(&ids).await, |one| one.id) })
            }),
            headers_of: Loader::new(move |ids| {
                let store = headers_of.clone();
                Box::pin(
                    async move { by_owner(store.headers_of(&ids).await, |one| one.receiver_id) },
                )
            }),
            subscriptions_of: Loader::new(move |ids| {
                let store = subscriptions_of.clone();
                Box::pin(async move {
                    by_owner(store.subscriptions_of(&ids).await, |one| one.receiver_id)
                })
            }),
            events_of: Loader::new(move |keys| {
                let store = events_of.clone();
                Box::pin(async move { newest_of(&*store, &keys).await })
            }),
            queues: Loader::new(move |keys| {
                let store = queues.clone();
                Box::pin(async move {
                    let receivers: Vec<ReceiverId> = keys.iter().copied().flatten().collect();
                    let mut found = if receivers.is_empty() {
                        HashMap::new()
                    } else {
                        by_receiver(store.queues_of(&receivers).await?)
                    };
                    if receivers.len() < keys.len() {
                        found.insert(None, store.queue().await?);
                    }
                    Ok(found)
                })
            }),
            health_of: Loader::new(move |ids| {
                let store = health_of.clone();
                Box::pin(async move { Ok(store.health_of(&ids).await?) })
            }),
            last_attempts: Loader::new(move |ids| {
                let store = last_attempts.clone();
                Box::pin(async move { Ok(store.last_attempts(&ids).await?) })
            }),
            sender_of: Loader::new(move |ids| {
                let view = sender_of.clone();
                Box::pin(async move { Ok(view.senders_of(&ids).await?) })
            }),
            capture_lag: Loader::new(move |_| {
                let view = capture.clone();
                Box::pin(async move { Ok(HashMap::from([((), view.lag().await?)])) })
            }),
            deliveries: Loader::new(move |keys| {
                let store = deliveries.clone();
                Box::pin(async move {
                    let receivers: Vec<ReceiverId> = keys.iter().copied().flatten().collect();
                    let mut found = if receivers.is_empty() {
                        HashMap::new()
                    } else {
                        by_receiver(store.deliveries_of(&receivers).await?)
                    };
                    if receivers.len() < keys.len() {
                        found.insert(None, store.deliveries().await?);
                    }
                    Ok(found)
                })
            }),
        }
    }

    /// Refuses a caller whose role does not reach `needed`; `action` is the field that was asked for.
    pub fn require(&self, needed: Role, action: &str) -> Result<(), ApiError> {
        if self.caller.role >= needed {
            return Ok(());
        }
        Err(ApiError::new(
            Code::Forbidden,
            format!(
                "{action} needs a key with role {needed}; the key {:?} has role {}",
                self.caller.author.name, self.caller.role
            ),
        ))
    }

    /// Counts records that stand inside of another one, and fails with LIMIT once there are too many. Records
    /// that contain each other make many of few.
    pub fn spend(&self, records: usize) -> Result<(), ApiError> {
        let before = self.spent.fetch_add(records, Ordering::Relaxed);
        if before.saturating_add(records) > MOST_RECORDS {
            return Err(too_many());
        }
        Ok(())
    }

    /// The canonical name behind a name or alias that the client gave.
    pub fn resource(&self, given: &ResourceEnum, at: &InputPath) -> Result<ResourceName, ApiError> {
        match self.services.catalogue.now().find(given) {
            Some(resource) => Ok(resource.name.clone()),
            None => Err(at.refuse(format!(
                "names no resource of this deployment: {}; webhookResources lists them",
                &**given
            ))),
        }
    }

    /// Called by each mutation once it has written: what was read before may no longer hold.
    pub fn forget_loaded(&self) {
        self.receivers.forget();
        self.subscriptions.forget();
        self.headers_of.forget();
        self.subscriptions_of.forget();
        self.events_of.forget();
        self.queues.forget();
        self.health_of.forget();
        self.last_attempts.forget();
        self.sender_of.forget();
        self.deliveries.forget();
        self.capture_lag.forget();
    }
}

fn too_many() -> ApiError {
    let message = format!(
        "more than {MOST_RECORDS} records inside of records were asked for: ask for smaller pages (`first`, \
         `last`, `limit`), or for fewer lists inside of lists"
    );
    ApiError::new(Code::Limit, message)
}

fn by_id<K: Eq + std::hash::Hash, V>(
    found: Result<Vec<V>, StoreError>,
    id: impl Fn(&V) -> K,
) -> Result<HashMap<K, V>, ApiError> {
    Ok(found?.into_iter().map(|one| (id(&one), one)).collect())
}

/// Beside the receivers there may be all of them together.
fn by_receiver<V>(found: HashMap<ReceiverId, V>) -> HashMap<Option<ReceiverId>, V> {
    let of = |(receiver, figures)| (Some(receiver), figures);
    found.into_iter().map(of).collect()
}

fn by_owner<K: Eq + std::hash::Hash, V>(
    found: Result<Vec<V>, StoreError>,
    owner: impl Fn(&V) -> K,
) -> Result<HashMap<K, Vec<V>>, ApiError> {
    let mut owned: HashMap<K, Vec<V>> = HashMap::new();
    for one in found? {
        owned.entry(owner(&one)).or_default().push(one);
    }
    Ok(owned)
}

/// A document mostly asks for the same stretch of each list, so these are few questions.
async fn newest_of(
    store: &dyn EventLog,
    keys: &[(SubscriptionId, u32, u64)],
) -> Result<HashMap<(SubscriptionId, u32, u64), Vec<LoggedEvent>>, ApiError> {
    let mut by_stretch: HashMap<(u32, u64), Vec<SubscriptionId>> = HashMap::new();
    for (id, limit, offset) in keys {
        by_stretch.entry((*limit, *offset)).or_default().push(*id);
    }
    let mut found = HashMap::new();
    for ((limit, offset), ids) in by_stretch {
        if ids.len().saturating_mul(limit as usize) > MOST_RECORDS {
            return Err(too_many());
        }
        let events = store.events_of(&ids, limit, offset).await?;
        found.extend(
            events
                .into_iter()
                .map(|(id, events)| ((id, limit, offset), events)),
        );
    }
    Ok(found)
}
