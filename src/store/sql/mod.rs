//! The stores on PostgreSQL and SQLite, with sea-orm. The only place that knows SQL.

pub mod api_keys;
mod attempt_rows;
pub mod db;
mod delivery_targets;
pub mod event_log;
mod headers;
mod intervals;
mod mutation;
mod page;
pub mod receivers;
mod rows;
mod subscriptions;
