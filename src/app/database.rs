//! Opening the database as the settings say it: made or only looked at, locked where it is embedded, with what
//! opens the secrets in it.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use crate::{
    config::{Settings, key_file::load_or_create_key_file},
    policy::seal::{InvalidSealingKey, Sealer, parse_key},
    store::sql::db::Db,
};

use super::StartError;

/// The path of an embedded database.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

/// One process serves an embedded database. The lock goes with the process, however it ends, so the
/// next one need not wait for leases.
pub(super) fn lock_embedded(url: &str) -> Result<Option<File>, StartError> {
    let Some(database) = sqlite_path(url) else {
        return Ok(None);
    };
    let path = beside(&database, ".lock");
    let lock_error = |error| StartError::Lock {
        path: path.clone(),
        error,
    };
    let file = File::create(&path).map_err(lock_error)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse(database)),
        Err(std::fs::TryLockError::Error(error)) => Err(lock_error(error)),
    }
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The database, with the schema that this program needs.
pub async fn open(settings: &Settings) -> Result<Db, StartError> {
    let db = Db::connect(&settings.database_url, settings.database_connections).await?;
    if settings.auto_migrate {
        let applied = db.migrate_up().await?;
        if applied > 0 {
            tracing::info!(applied, "migrations applied");
        }
    } else {
        refuse_pending(&db).await?;
    }
    Ok(db)
}

/// The database as it is: for commands that look at it or need no table of rowhook's. Makes nothing.
pub async fn connect_existing(settings: &Settings) -> Result<Db, StartError> {
    refuse_no_file(settings)?;
    Ok(Db::connect(&settings.database_url, settings.database_connections).await?)
}

/// The same for a command that must not even change how an embedded database keeps its journal. It takes few
/// connections: the service may need the others.
pub async fn connect_to_look(settings: &Settings) -> Result<Db, StartError> {
    refuse_no_file(settings)?;
    Ok(Db::connect_to_look(&settings.database_url, 2).await?)
}

fn refuse_no_file(settings: &Settings) -> Result<(), StartError> {
    match sqlite_path(&settings.database_url) {
        Some(path) if !path.exists() => Err(StartError::NoFile(path)),
        _ => Ok(()),
    }
}

/// The database with the schema that this program needs, which is not made.
pub async fn open_existing(settings: &Settings) -> Result<Db, StartError> {
    let db = connect_existing(settings).await?;
    refuse_pending(&db).await?;
    Ok(db)
}

/// The same, with the schema that this program needs.
pub async fn look_at_existing(settings: &Settings) -> Result<Db, StartError> {
    let db = connect_to_look(settings).await?;
    refuse_pending(&db).await?;
    Ok(db)
}

async fn refuse_pending(db: &Db) -> Result<(), StartError> {
    match db.pending_migrations().await? {
        0 => Ok(()),
        pending => Err(StartError::Pending(pending)),
    }
}

/// What opens and closes secrets.
pub(super) fn sealer(settings: &Settings) -> Result<Sealer, StartError> {
    let key_of = |setting: &'static str, text: &str| {
        parse_key(text).map_err(|error: InvalidSealingKey| StartError::Setting {
            setting,
            message: error.to_string(),
        })
    };
    let previous = settings
        .previous_secret_keys
        .iter()
        .map(|text| key_of("previous_secret_keys", text))
        .collect::<Result<Vec<_>, _>>()?;
    let current = match (&settings.secret_key, sqlite_path(&settings.database_url)) {
        (Some(text), _) => key_of("secret_key", text)?,
        (None, Some(database)) => load_or_create_key_file(&beside(&database, ".key"))?,
        (None, None) => {
            return Err(StartError::Setting {
                setting: "secret_key",
                message: "is needed with PostgreSQL: secrets are encrypted with it; make one with \
                          `openssl rand -base64 32` and keep it safe"
                    .to_owned(),
            });
        }
    };
    Ok(Sealer::new(current, previous))
}
