//! What root lists can be ordered by. The id stands behind every order, so that it is always one.

use juniper::{GraphQLEnum, GraphQLInputObject};

use crate::store::page::SortKey;

use super::scalar::ApiScalar;

/// What a list is ordered by, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What it is ordered by.
    pub key: SortKey,
    /// From the highest to the lowest.
    pub descending: bool,
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "SortDirection")]
pub enum SortDirection {
    /// From the lowest, the oldest or A.
    Asc,
    /// From the highest, the newest or Z.
    Desc,
}

/// What receivers can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookReceiverSortField")]
pub enum ReceiverSortField {
    /// The order in which they were created, that of their ids.
    CreatedAt,
    /// Their names, as the database orders texts.
    Name,
    /// Their last change. A receiver that changes while you page moves.
    UpdatedAt,
}

/// How to order receivers.
#[derive(Clone, Copy, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookReceiverSort", scalar = ApiScalar)]
pub struct ReceiverSort {
    /// What they are ordered by; CREATED_AT unless given.
    pub field: Option<ReceiverSortField>,
    /// Which way the list runs; ASC unless given.
    pub direction: Option<SortDirection>,
}

/// What subscriptions can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookSubscriptionSortField")]
pub enum SubscriptionSortField {
    /// The order in which they were created, that of their ids.
    CreatedAt,
    /// Their last change. A subscription that changes while you page moves.
    UpdatedAt,
}

/// How to order subscriptions.
#[derive(Clone, Copy, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookSubscriptionSort", scalar = ApiScalar)]
pub struct SubscriptionSort {
    /// What they are ordered by; CREATED_AT unless given.
    pub field: Option<SubscriptionSortField>,
    /// Which way the list runs; ASC unless given.
    pub direction: Option<SortDirection>,
}

/// What events can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookEventSortField")]
pub enum EventSortField {
    /// The order in which they were made, that of their ids.
    CreatedAt,
}

/// How to order events.
#[derive(Clone, Copy, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookEventSort", scalar = ApiScalar)]
pub struct EventSort {
    /// What they are ordered by; CREATED_AT unless given.
    pub field: Option<EventSortField>,
    /// Which way the list runs; DESC unless given.
    pub direction: Option<SortDirection>,
}

impl Sort {
    /// Receivers; the oldest first unless asked for otherwise.
    pub fn of_receivers(asked: Option<ReceiverSort>) -> Self {
        let asked = asked.unwrap_or_default();
        Self {
            key: match asked.field {
                None | Some(ReceiverSortField::CreatedAt) => SortKey::Id,
                Some(ReceiverSortField::Name) => SortKey::Name,
                Some(ReceiverSortField::UpdatedAt) => SortKey::UpdatedAt,
            },
            descending: asked.direction == Some(SortDirection::Desc),
        }
    }

    /// Subscriptions; the oldest first unless asked for otherwise.
    pub fn of_subscriptions(asked: Option<SubscriptionSort>) -> Self {
        let asked = asked.unwrap_or_default();
        Self {
            key: match asked.field {
                None | Some(SubscriptionSortField::CreatedAt) => SortKey::Id,
                Some(SubscriptionSortField::UpdatedAt) => SortKey::UpdatedAt,
            },
            descending: asked.direction == Some(SortDirection::Desc),
        }
    }

    /// Events; the newest first unless asked for otherwise.
    pub fn of_events(asked: Option<EventSort>) -> Self {
        let asked = asked.unwrap_or_default();
        Self {
            key: match asked.field {
                None | Some(EventSortField::CreatedAt) => SortKey::Id,
            },
            descending: asked.direction != Some(SortDirection::Asc),
        }
    }
}
