//! Somebody who has a receiver and keeps changing what it subscribes to, and remembers what he was answered.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rand::{RngExt as _, rngs::StdRng};
use rowhook::{
    domain::{
        action::Action,
        api_key::Author,
        ids::{ReceiverId, SubscriptionId},
        receiver::{ContentType, Ordering, RetryOverrides},
        shared_secret::SharedSecret,
    },
    store::{
        delivery_targets::DeliveryTargets as _,
        receivers::{ClientIdentityChange, ReceiverFields, ReceiverStore as _},
        sql::receivers::SqlManagementStore,
        subscriptions::{NewSubscription, SubscriptionChange, SubscriptionStore as _},
    },
};

use super::oracle::{Clock, History, RESOURCES, Setting, Span};

/// The management of receivers and subscriptions, by whatever way. A span begins when everything is read that
/// the mutation needs.
#[async_trait(?Send)]
pub trait Management {
    async fn create_receiver(&self) -> i32;
    async fn set_receiver(&self, id: i32, active: bool) -> Span;
    async fn delete_receiver(&self, id: i32) -> Span;
    async fn create_subscription(
        &self,
        receiver: i32,
        active: bool,
        setting: &Setting,
    ) -> (i32, Span);
    async fn set_subscription(&self, id: i32, active: bool, setting: &Setting) -> Span;
    async fn delete_subscription(&self, id: i32) -> Span;
}

/// By the management store.
pub struct ByStore {
    pub store: SqlManagementStore,
    pub clock: Clock,
}

fn receiver_fields(active: bool) -> ReceiverFields {
    ReceiverFields {
        name: "somebody's".to_owned(),
        description: None,
        webhook_uri: "https://example.com/hook".to_owned(),
        content_type: ContentType::Json,
        expected_response_code: 200,
        active,
        rate_limit: None,
        max_in_flight: None,
        timeout: None,
        retry: RetryOverrides::default(),
        ordering: Ordering::PerRow,
        client_identity: ClientIdentityChange::Keep,
    }
}

impl ByStore {
    async fn spanned<T, E: std::fmt::Debug>(
        &self,
        mutation: impl Future<Output = Result<T, E>>,
    ) -> (T, Span) {
        let called = self.clock.tick();
        let done = mutation.await.unwrap();
        let answered = self.clock.tick();
        (done, Span { called, answered })
    }
}

#[async_trait(?Send)]
impl Management for ByStore {
    async fn create_receiver(&self) -> i32 {
        let (secret, by) = (SharedSecret::generate(), Author::rowhook());
        let fields = receiver_fields(true);
        let made = self.store.create_receiver(fields, &secret, &by).await;
        made.unwrap().id.0
    }

    async fn set_receiver(&self, id: i32, active: bool) -> Span {
        let (id, by) = (ReceiverId(id), Author::rowhook());
        let read = self.store.receiver(id).await.unwrap().unwrap();
        if read.active && !active && id.0 % 2 == 0 {
            // As a sender does that was answered 410.
            return self.spanned(self.store.deactivate(id, "410")).await.1;
        }
        let fields = receiver_fields(active);
        let update = self.store.update_receiver(id, &read.etag, fields, &by);
        self.spanned(update).await.1
    }

    async fn delete_receiver(&self, id: i32) -> Span {
        let by = Author::rowhook();
        let delete = self.store.delete_receiver(ReceiverId(id), None, &by);
        self.spanned(delete).await.1
    }

    async fn create_subscription(
        &self,
        receiver: i32,
        active: bool,
        setting: &Setting,
    ) -> (i32, Span) {
        let new = NewSubscription {
            receiver_id: ReceiverId(receiver),
            resource: RESOURCES[setting.resource].parse().unwrap(),
            action: setting.action,
            active,
            changed_fields: setting.changed_fields.clone(),
            filter: setting.filter.as_ref().map(ToString::to_string),
        };
        let by = Author::rowhook();
        let create = self.store.create_subscription(new, &by);
        let (made, span) = self.spanned(create).await;
        (made.id.0, span)
    }

    async fn set_subscription(&self, id: i32, active: bool, setting: &Setting) -> Span {
        let (id, by) = (SubscriptionId(id), Author::rowhook());
        let read = self.store.subscription(id).await.unwrap().unwrap();
        let change = SubscriptionChange {
            active: Some(active),
            resource: Some(RESOURCES[setting.resource].parse().unwrap()),
            action: Some(setting.action),
            changed_fields: Some(setting.changed_fields.clone()),
            filter: Some(setting.filter.as_ref().map(ToString::to_string)),
        };
        let update = self.store.update_subscription(id, &read.etag, change, &by);
        self.spanned(update).await.1
    }

    async fn delete_subscription(&self, id: i32) -> Span {
        let by = Author::rowhook();
        let delete = self
            .store
            .delete_subscription(SubscriptionId(id), None, &by);
        self.spanned(delete).await.1
    }
}

/// Subscriptions that a receiver has at most.
const SUBSCRIPTIONS: usize = 4;

struct Subscription {
    id: i32,
    active: bool,
    setting: Setting,
}

/// What he has at present, and the history of all he ever had.
#[derive(Default)]
pub struct Owner {
    receiver: Option<(i32, bool)>,
    subscriptions: Vec<Subscription>,
    histories: BTreeMap<i32, History>,
}

impl Owner {
    /// The histories since the last time.
    pub fn take_histories(&mut self) -> BTreeMap<i32, History> {
        std::mem::take(&mut self.histories)
    }

    /// Subscribes to everything, for good; returns the subscriptions.
    pub async fn witness(management: &impl Management) -> Vec<i32> {
        let receiver = management.create_receiver().await;
        let mut ids = Vec::new();
        for resource in 0..RESOURCES.len() {
            for action in Action::ALL {
                let setting = Setting::plain(resource, action);
                let made = management.create_subscription(receiver, true, &setting);
                ids.push(made.await.0);
            }
        }
        ids
    }

    /// One mutation.
    pub async fn step(&mut self, management: &impl Management, chance: &mut StdRng) {
        let Some((receiver, active)) = self.receiver else {
            self.receiver = Some((management.create_receiver().await, true));
            // One that much can happen to.
            let wide = Setting::plain(0, Action::Update);
            self.subscribe(management, true, wide).await;
            return;
        };
        // One that is off is woken soon, so that there is something to see.
        if !active && chance.random() {
            return self.flip(management, receiver, active).await;
        }
        let some = (!self.subscriptions.is_empty())
            .then(|| chance.random_range(0..self.subscriptions.len().max(1)));
        match (chance.random_range(0..24), some) {
            (0..=5, Some(index)) => {
                // The more active ones there are, the more there is to see.
                let active = !self.subscriptions[index].active || chance.random_bool(0.3);
                let setting = self.subscriptions[index].setting.clone();
                self.set(management, index, active, setting).await;
            }
            (6..=11, Some(index)) => {
                let active = self.subscriptions[index].active;
                let setting = Setting::random(chance);
                self.set(management, index, active, setting).await;
            }
            (12..=14, Some(index)) => {
                let (active, setting) = (chance.random_bool(0.8), Setting::random(chance));
                self.set(management, index, active, setting).await;
            }
            (15, Some(index)) => {
                let gone = self.subscriptions.swap_remove(index);
                let span = management.delete_subscription(gone.id).await;
                self.note(gone.id, span, None);
            }
            (16, _) => self.leave(management).await,
            (17..=18, _) => self.flip(management, receiver, active).await,
            (_, _) if self.subscriptions.len() < SUBSCRIPTIONS => {
                let (active, setting) = (chance.random_bool(0.8), Setting::random(chance));
                self.subscribe(management, active, setting).await;
            }
            _ => {}
        }
    }

    /// Deletes the receiver.
    pub async fn leave(&mut self, management: &impl Management) {
        if let Some((receiver, _)) = self.receiver.take() {
            let span = management.delete_receiver(receiver).await;
            for gone in std::mem::take(&mut self.subscriptions) {
                self.note(gone.id, span, None);
            }
        }
    }

    async fn subscribe(&mut self, management: &impl Management, active: bool, setting: Setting) {
        let Some((receiver, receiver_active)) = self.receiver else {
            return;
        };
        let made = management.create_subscription(receiver, active, &setting);
        let (id, span) = made.await;
        let in_force = (active && receiver_active).then(|| setting.clone());
        self.note(id, span, in_force);
        self.subscriptions.push(Subscription {
            id,
            active,
            setting,
        });
    }

    async fn set(
        &mut self,
        management: &impl Management,
        index: usize,
        active: bool,
        setting: Setting,
    ) {
        let id = self.subscriptions[index].id;
        let span = management.set_subscription(id, active, &setting).await;
        let receiver_active = self.receiver.is_some_and(|(_, active)| active);
        let in_force = (active && receiver_active).then(|| setting.clone());
        self.note(id, span, in_force);
        self.subscriptions[index] = Subscription {
            id,
            active,
            setting,
        };
    }

    async fn flip(&mut self, management: &impl Management, receiver: i32, active: bool) {
        let span = management.set_receiver(receiver, !active).await;
        self.receiver = Some((receiver, !active));
        for index in 0..self.subscriptions.len() {
            let one = &self.subscriptions[index];
            let in_force = (!active && one.active).then(|| one.setting.clone());
            self.note(one.id, span, in_force);
        }
    }

    fn note(&mut self, subscription: i32, span: Span, in_force: Option<Setting>) {
        let history = self.histories.entry(subscription).or_default();
        history.add(span, in_force);
    }
}
