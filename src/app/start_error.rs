//! Why a service or a command does not start, in words that tell what to mend.

use std::path::PathBuf;

use crate::{
    config::key_file::KeyFileError,
    store::{
        StoreError,
        catalogue::InstallError,
        sql::{connect::ConnectError, migrations::MigrateError},
    },
    transport::tls::TlsSettingsError,
};

/// Why the service can not start. The texts tell the user what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting.
    #[error("{setting}: {message}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// No table is watched.
    #[error(
        "no resource is configured, so there is nothing to watch; add [[resources]] entries to \
         rowhook.toml (`rowhook resources discover` proposes them), or set sample = true to try rowhook"
    )]
    NoResources,
    /// The database is older than this program.
    #[error(
        "{0} migrations of rowhook's own tables are not applied in this database; run `rowhook migrate up` \
         (`rowhook serve` does it by itself unless auto_migrate is off)"
    )]
    Pending(usize),
    /// A command that only looks was pointed at an embedded database that is not there.
    #[error("database_url: there is no file {}; correct it in rowhook.toml or ROWHOOK_DATABASE_URL", .0.display())]
    NoFile(PathBuf),
    /// Another process serves the embedded database.
    #[error("another rowhook serves {}; stop it first, or name another database_url", .0.display())]
    InUse(PathBuf),
    /// The lock beside the embedded database.
    #[error(
        "database_url: {} can not be made ({error}); its folder must be there, and this user must be able to \
         write in it", .path.display()
    )]
    Lock {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The address is taken or not ours.
    #[error(
        "listen: {address} can not be listened on ({error}); stop what does, or set another address with \
         `listen` in rowhook.toml or ROWHOOK_LISTEN"
    )]
    Listen {
        /// The address.
        address: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// The key file of the embedded database.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The traces' exporter, and the thread that it sends by.
    #[error("tracing: {0}; correct [tracing] in rowhook.toml, or the OTEL_ variables")]
    Tracing(String),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsSettingsError),
    /// A watched table.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// There is no connection to the database.
    #[error("database_url: {0}")]
    Connect(#[from] ConnectError),
    /// rowhook's own tables.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The sample tables.
    #[error("the sample tables could not be made: {0}")]
    Sample(String),
}

impl StartError {
    /// Whether the user has to mend the configuration, as against the surroundings.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Setting { .. }
            | Self::NoResources
            | Self::NoFile(_)
            | Self::Tracing(_)
            | Self::Tls(_) => true,
            Self::Install(error) => !matches!(error, InstallError::Store(_)),
            Self::Connect(error) => matches!(error, ConnectError::Url(_)),
            Self::Pending(_)
            | Self::InUse(_)
            | Self::Lock { .. }
            | Self::Listen { .. }
            | Self::KeyFile(_)
            | Self::Migrate(_)
            | Self::Store(_)
            | Self::Sample(_) => false,
        }
    }
}
