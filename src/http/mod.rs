//! HTTP: the routes, who may use them, and what GraphQL over HTTP asks of a server.
//!
//! The composition root builds an [`HttpState`] and mounts [`routes`] in its server; starting and
//! stopping that server is its business. The only place that knows actix-web. Nothing here reads the
//! database: it asks the GraphQL API and the traits below.

mod auth;
mod console;
pub mod example_receiver;
mod graphql;
mod negotiate;
mod operations;
mod respond;
pub mod sink;
mod socket;

use std::sync::Arc;

use actix_web::{guard, web};
use async_trait::async_trait;

use crate::graphql::Api;

pub use self::{
    auth::{Authenticator, KeyAuthenticator},
    console::is_here as has_console,
    socket::{SocketLimits, Sockets},
};

/// Whether this instance can do its work.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Nothing is missing, or everything that is, in words for the operator.
    async fn ready(&self) -> Result<(), Vec<String>>;
}

/// The metrics as they are scraped.
#[async_trait]
pub trait MetricsPage: Send + Sync {
    /// In Prometheus' text format (OpenMetrics 1.0). It comes soon, whatever the database does.
    async fn page(&self) -> String;
}

/// What the routes work with. Cloned into each worker of the server.
#[derive(Clone)]
pub struct HttpState {
    /// The management API.
    pub api: Arc<Api>,
    /// Tells whose key it is.
    pub authenticator: Arc<dyn Authenticator>,
    /// Answers `/readyz`.
    pub readiness: Arc<dyn Readiness>,
    /// For `/metrics`.
    pub metrics: Arc<dyn MetricsPage>,
    /// Whether `/metrics` needs no key.
    pub metrics_public: bool,
    /// The WebSockets that are open.
    pub sockets: Arc<Sockets>,
}

/// Mounts every route; everything else is the console's, or a JSON answer that there is nothing.
pub fn routes(state: HttpState) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |config| {
        config
            .app_data(web::Data::new(state.clone()))
            .service(
                web::resource("/graphql")
                    .route(
                        web::get()
                            .guard(guard::fn_guard(socket::asked_for))
                            .to(socket::open),
                    )
                    .route(web::post().to(graphql::post))
                    .route(web::get().to(graphql::get))
                    .default_service(web::to(graphql::other_method)),
            )
            .service(readable("/", console::home))
            .service(readable("/healthz", operations::healthz))
            .service(readable("/readyz", operations::readyz))
            .service(readable("/metrics", operations::metrics))
            .default_service(web::to(console::serve));
    }
}

/// A resource that is read: GET and HEAD.
fn readable<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args> + Copy,
    F::Output: actix_web::Responder + 'static,
    Args: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(handler))
        .route(web::head().to(handler))
        .default_service(web::to(respond::read_only))
}
