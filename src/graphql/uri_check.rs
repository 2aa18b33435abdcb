//! `checkWebhookUri`: whether a receiver could have a URI, and whether deliveries would get there. Nothing is sent.

use std::sync::Arc;

use futures::future::BoxFuture;
use juniper::GraphQLObject;

use crate::domain::{api_key::Role, uri_look::UriLook};

use super::{context::Context, error::ApiError, scalar::ApiScalar};

/// Looks at a URI, by the rules of the deployment.
pub type LookAtUri = Arc<dyn Fn(String) -> BoxFuture<'static, UriLook> + Send + Sync>;

/// What is to be said of a URI. Nothing was sent to it, so whether anybody listens there is not known.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookUriCheck", context = Context, scalar = ApiScalar)]
pub struct WebhookUriCheck {
    /// The URI as it was given.
    pub uri: String,
    /// Whether createWebhookReceiver and updateWebhookReceiver take it. A name that does not resolve yet is taken, and
    /// so is one that resolves to an address that is not allowed: that is decided at each connection.
    pub accepted: bool,
    /// Whether deliveries could go there as things are: it is accepted, and an address of its host is allowed.
    pub allowed: bool,
    /// What to mend, in words; empty when it is allowed.
    pub problems: Vec<String>,
    /// What its host is or resolves to, each address once; empty where it does not resolve.
    pub addresses: Vec<WebhookUriAddress>,
}

/// An address of a host.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookUriAddress", context = Context, scalar = ApiScalar)]
pub struct WebhookUriAddress {
    /// The IP address.
    pub address: String,
    /// Whether rowhook connects to it.
    pub allowed: bool,
    /// What kind of address it is, where that is why it does not (as "a private address"); null when it is allowed.
    /// The operator can allow networks in `receivers.allow_private_networks`.
    pub reason: Option<String>,
}

/// `checkWebhookUri`.
pub async fn check(context: &Context, uri: String) -> Result<WebhookUriCheck, ApiError> {
    // It tells what names resolve to where rowhook runs. An admin could register a receiver and see.
    context.require(Role::Admin, "checkWebhookUri")?;
    let look = (context.services.look_at_uri)(uri.clone()).await;
    let accepted = look.refused.is_none();
    let allowed = accepted && look.unreachable.is_none();
    let refused = look.refused.map(|why| format!("webhookUri {why}"));
    let mut problems: Vec<String> = refused.into_iter().collect();
    // An address that is refused by itself has been told.
    if accepted {
        problems.extend(look.unreachable);
    }
    let addresses = look.addresses.into_iter();
    Ok(WebhookUriCheck {
        uri,
        accepted,
        allowed,
        problems,
        addresses: addresses
            .map(|one| WebhookUriAddress {
                address: one.address.to_string(),
                allowed: one.refusal.is_none(),
                reason: one.refusal,
            })
            .collect(),
    })
}
