//! rowhook's own schema, one module per change, and the SQL of room 0 (`triggers`).
//!
//! Every table that rowhook owns is apart from the user's: schema `rowhook` in PostgreSQL, prefix
//! `rowhook_` in SQLite. A migration that has been released is never edited; the next change is the
//! next module.

use sea_orm_migration::{
    MigrationTrait, MigratorTrait,
    sea_orm::DynIden,
    sea_orm::sea_query::{Alias, IntoIden},
};

mod m0001_path;
mod m0002_event_end;
mod m0004_event_lists;
mod m0005_delivery_counts;
mod m0006_capture_notes;
mod m0007_fresh_reads;
mod m0008_restored_ids;
mod m0009_client_certificates;
mod m0010_parking;
mod m0011_receiver_health;
mod m0012_undelivered;
mod m0013_delivery_history;
mod m0015_instances;
mod sql;
pub mod triggers;

/// Applies the migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_path::MIGRATION),
            Box::new(m0002_event_end::MIGRATION),
            Box::new(m0004_event_lists::MIGRATION),
            Box::new(m0005_delivery_counts::MIGRATION),
            Box::new(m0006_capture_notes::MIGRATION),
            Box::new(m0007_fresh_reads::MIGRATION),
            Box::new(m0008_restored_ids::MIGRATION),
            Box::new(m0009_client_certificates::MIGRATION),
            Box::new(m0010_parking::MIGRATION),
            Box::new(m0011_receiver_health::MIGRATION),
            Box::new(m0012_undelivered::MIGRATION),
            Box::new(m0013_delivery_history::MIGRATION),
            Box::new(m0015_instances::MIGRATION),
        ]
    }

    /// On PostgreSQL it stands in schema `rowhook`: the connection that migrates has that search path.
    fn migration_table_name() -> DynIden {
        Alias::new("rowhook_migrations").into_iden()
    }
}
