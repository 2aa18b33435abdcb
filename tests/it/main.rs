//! The one test binary: each module is a behaviour, and what touches a database runs on both.
//!
//! `tests/run` provisions what it needs and runs it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs
)]

mod alerts;
mod beside_the_path;
mod catalogue_watch;
mod client_certificates;
mod command_line;
mod connections;
mod console;
mod container;
mod contention;
mod crash;
mod cut_connections;
mod cut_networks;
mod database_away;
mod deletion;
mod disk_full;
mod failover;
mod filters;
mod frozen;
mod fuzz;
mod graphql_api;
mod guardian;
mod hand_over;
mod in_time;
mod incidents;
mod instances;
mod instances_at_random;
mod large_window;
mod layers;
mod logs;
mod metrics;
mod operations;
mod ordering;
mod packaging;
mod path;
mod proxies;
mod readiness;
mod rebase;
mod receiver_health;
mod receiving;
mod reconciler;
mod redelivery;
mod reference;
mod replay;
mod retention;
mod roles;
mod rotation;
mod secrecy;
mod shutdown;
mod signatures;
mod slow_database;
mod stores;
mod supervision;
mod support;
mod test_deliveries;
mod tour;
mod traces;
mod transport;
mod transport_guard;
mod transport_tls;
mod triggers;
mod upgrades;
