//! The stores on PostgreSQL and SQLite, with sea-orm. The only place that knows SQL.

pub mod change_log;
pub mod db;
pub mod event_queue;
pub mod fan_out;
pub mod leases;
pub mod outcomes;
mod records;
mod sqlite_news;
