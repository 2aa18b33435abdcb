//! The stores on PostgreSQL and SQLite, with sea-orm. The only place that knows SQL.

pub mod api_keys;
mod attempt_rows;
pub mod catalogue;
pub mod change_log;
pub mod connect;
pub mod db;
mod delivery_targets;
pub mod event_control;
pub mod event_log;
pub mod event_queue;
pub mod fan_out;
mod faults;
mod headers;
mod home;
mod intervals;
pub mod leases;
pub mod migrations;
mod mutation;
pub mod outcomes;
mod page;
pub mod page_connection;
pub mod receivers;
mod records;
mod rows;
mod sqlite_news;
mod subscriptions;
