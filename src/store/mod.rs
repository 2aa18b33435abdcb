//! Narrow doors to the database, one trait for each reader. `sql` implements them all.
//!
//! What a trait promises is written at its methods; both databases keep it, and one conformance suite
//! runs against both.

pub mod api_keys;
pub mod capture;
pub mod capture_notes;
pub mod catalogue;
pub mod change_log;
pub mod delivery_targets;
pub mod error;
pub mod event_control;
pub mod event_counts;
pub mod event_log;
pub mod event_queue;
pub mod health;
pub mod instances;
pub mod leases;
pub mod page;
pub mod rebase;
pub mod receiver_health;
pub mod receivers;
pub mod reconciliation;
pub mod replay;
pub mod retention;
pub mod schema;
pub mod sql;
pub mod stats;
pub mod subscriptions;
pub mod test_deliveries;

pub use error::StoreError;
