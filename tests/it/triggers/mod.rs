//! Room 0: what the audit triggers log, and how they come and go.
//!
//! Each test writes as an application does, over a connection of its own, and reads `logged_actions`.

mod both;
mod notices;
mod postgres_hot;
mod postgres_install;
mod postgres_tables;
mod postgres_values;
mod sqlite;
mod support;
