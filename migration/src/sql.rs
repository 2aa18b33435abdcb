//! A migration whose work is SQL, told apart by database.

use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager,
    sea_orm::{ConnectionTrait, DbBackend, DbErr},
};

/// One change of the schema, there and back.
pub struct SqlMigration {
    /// Its name in `rowhook_migrations`, never changed once it is released.
    pub name: &'static str,
    /// What makes it.
    pub up: Texts,
    /// What takes it back.
    pub down: Texts,
}

/// The same in both databases' words; several statements each.
pub struct Texts {
    /// For PostgreSQL.
    pub postgres: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
}

impl Texts {
    async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => self.postgres,
            _ => self.sqlite,
        };
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    /// On SQLite too: what is cut off leaves nothing half made.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.up.run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.down.run(manager).await
    }
}
