//! The management side of the storage layer keeps its promises, the same ones on both databases.
//!
//! The stores are called through their traits; what a trigger, fan-out or an intruder would write is
//! written behind their backs (`support::stored`).

mod api_keys;
mod backlog_plans;
mod bodies;
mod capture;
mod deletion;
mod event_lists;
mod event_log;
mod instance_view;
mod instances;
mod intervals;
mod intervals_at_once;
mod last_attempts;
mod leadership;
mod leases;
mod page_plans;
mod pages;
mod plans;
mod receivers;
mod records;
mod retention;
mod secrets;
mod stats;
mod subscriptions;
mod unparking;

use std::sync::Arc;

use rowhook::{
    domain::{
        action::Action,
        api_key::Author,
        ids::{ApiKeyId, ReceiverId},
        receiver::{ContentType, Ordering, Receiver, RetryOverrides},
        shared_secret::SharedSecret,
        subscription::Subscription,
    },
    policy::seal::Sealer,
    store::{
        receivers::{ClientIdentityChange, ReceiverFields, ReceiverStore},
        sql::{db::Db, receivers::SqlManagementStore},
        subscriptions::{NewSubscription, SubscriptionStore},
    },
};

use crate::support::database::TestDatabase;

const KEY: [u8; 32] = [3; 32];

/// A migrated database and the management store on it.
struct House {
    db: Db,
    store: SqlManagementStore,
    // The last field, so that the database goes when everybody has left it.
    database: TestDatabase,
}

impl House {
    async fn of(database: TestDatabase) -> Self {
        let db = database.migrated().await;
        let store = SqlManagementStore::new(db.clone(), Arc::new(Sealer::new(KEY, vec![])));
        Self {
            db,
            store,
            database,
        }
    }

    async fn receiver(&self, active: bool) -> Receiver {
        let fields = ReceiverFields {
            active,
            ..fields("orders")
        };
        let secret = SharedSecret::generate();
        self.store
            .create_receiver(fields, &secret, &ann())
            .await
            .unwrap()
    }

    async fn subscription(&self, receiver: ReceiverId, active: bool) -> Subscription {
        let new = NewSubscription {
            active,
            ..run_step_updates(receiver)
        };
        self.store.create_subscription(new, &ann()).await.unwrap()
    }
}

fn ann() -> Author {
    Author {
        id: Some(ApiKeyId(7)),
        name: "ann".to_owned(),
    }
}

fn fields(name: &str) -> ReceiverFields {
    ReceiverFields {
        name: name.to_owned(),
        description: None,
        webhook_uri: "https://example.com/hook?b=2&a=1".to_owned(),
        content_type: ContentType::Json,
        expected_response_code: 200,
        active: true,
        rate_limit: None,
        max_in_flight: None,
        timeout: None,
        retry: RetryOverrides::default(),
        ordering: Ordering::PerRow,
        client_identity: ClientIdentityChange::Keep,
    }
}

/// The fields that a record has, for an update that changes one of them.
pub fn fields_of(receiver: &Receiver) -> ReceiverFields {
    ReceiverFields {
        name: receiver.name.clone(),
        description: receiver.description.clone(),
        webhook_uri: receiver.webhook_uri.clone(),
        content_type: receiver.content_type,
        expected_response_code: receiver.expected_response_code,
        active: receiver.active,
        rate_limit: receiver.rate_limit,
        max_in_flight: receiver.max_in_flight,
        timeout: receiver.timeout,
        retry: receiver.retry,
        ordering: receiver.ordering,
        client_identity: ClientIdentityChange::Keep,
    }
}

fn run_step_updates(receiver_id: ReceiverId) -> NewSubscription {
    NewSubscription {
        receiver_id,
        resource: "RUN_STEP".parse().unwrap(),
        action: Action::Update,
        active: true,
        changed_fields: None,
        filter: None,
    }
}
