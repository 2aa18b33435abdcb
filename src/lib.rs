//! rowhook turns committed database changes into signed webhooks.
//!
//! The map of the house is `docs/ARCHITECTURE.md`. Layers, each may use only what stands left of it:
//! domain ← policy ← store and transport traits ← pipeline ← graphql ← http ← app.

pub mod app;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod pipeline;
pub mod policy;
pub mod sample;
pub mod store;
pub mod telemetry;
pub mod transport;
