//! Room 0: what the audit triggers log, and how they come and go.
//!
//! Each test writes as an application does, over a connection of its own, and reads `logged_actions`.

mod both;
mod mirror;
mod notices;
mod postgres_again;
mod postgres_hot;
mod postgres_inheritance;
mod postgres_install;
mod postgres_replication;
mod postgres_rows;
mod postgres_statements;
mod postgres_tables;
mod postgres_truncate;
mod postgres_types;
mod postgres_values;
mod sqlite;
mod sqlite_statements;
mod support;
