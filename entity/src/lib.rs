//! sea-orm models of rowhook's own tables, one file per table, without behaviour.
//!
//! Only the SQL stores use them. A table is here when it is read or written through sea-orm's query
//! builder; the pipeline's own statements are plain SQL and need none. Names are PostgreSQL's (schema
//! `rowhook`); the stores' connection rewrites them for SQLite.

pub mod activity_intervals;
pub mod api_keys;
pub mod attempts;
pub mod events;
pub mod headers;
pub mod logged_actions;
pub mod receiver_health;
pub mod receivers;
pub mod resources;
pub mod subscriptions;
