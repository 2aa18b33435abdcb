//! The stores on PostgreSQL and SQLite, with sea-orm. The only place that knows SQL.

pub mod catalogue;
pub mod db;
