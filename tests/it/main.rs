//! The integration tests, by behaviour, in one binary: one link instead of one per file.

#![allow(clippy::unwrap_used)]

mod support;
mod transport;
mod transport_guard;
mod transport_tls;
