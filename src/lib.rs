//! rowhook turns committed database changes into signed webhooks.
//!
//! The map of the house is `docs/ARCHITECTURE.md`. Layers, each may use only what stands left of it:
//! domain ← policy ← store and transport traits ← pipeline ← graphql ← http ← app.

pub mod domain;
pub mod graphql;
pub mod http;
pub mod policy;
pub mod store;
pub mod transport;
