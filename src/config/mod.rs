//! The settings of a deployment: `rowhook.toml`, overlaid by `ROWHOOK_…` variables.
//!
//! `default.toml` explains every key. Every mistake is told, each in one line that names its place, the setting
//! and the mend; an unknown key is an error in the file and a warning in the environment, where
//! orchestrators add variables of their own.

mod check;
mod environment;
mod file;
pub mod key_file;
mod load;
mod mistake;
mod proxy;
mod values;

use std::{net::IpAddr, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use ipnet::IpNet;
use serde::Deserialize;

use crate::domain::{
    resource::{OnTruncate, ResourceName},
    retention::Keep,
};

pub use environment::UnknownVariable;
pub use load::{Loaded, load};
pub use mistake::{ConfigError, Mistake, Place};
pub use proxy::{ProxyFault, ProxyVariables, proxies};

/// The explained defaults, as `default.toml` in the binary.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// Every setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `sqlite://PATH` or `postgres://…`.
    pub database_url: String,
    /// Connections to PostgreSQL at most.
    pub database_connections: u32,
    /// Where the API listens.
    pub listen: String,
    /// A key with role admin that needs no record.
    pub admin_key: Option<String>,
    /// 32 bytes in base64: encrypts secrets at rest.
    pub secret_key: Option<String>,
    /// Former secret keys, which still open what they sealed.
    pub previous_secret_keys: Vec<String>,
    /// Makes and watches the sample manufacturing tables.
    pub sample: bool,
    /// `serve` applies pending migrations.
    pub auto_migrate: bool,
    /// The largest body that is sent.
    #[serde(deserialize_with = "values::size")]
    pub max_payload: ByteSize,
    /// `/metrics` needs no key.
    pub metrics_public: bool,
    /// Which addresses receivers may have, and how they are reached.
    pub receivers: ReceiverSettings,
    /// For receivers that set nothing themselves.
    pub defaults: DefaultSettings,
    /// How capture is looked after, and how the poller hears of changes.
    pub capture: CaptureSettings,
    /// How long the log is kept.
    pub retention: RetentionSettings,
    /// What `/metrics` tells beyond the rest.
    pub metrics: MetricsSettings,
    /// Whether traces are told, and to whom.
    pub tracing: TracingSettings,
    /// The watched tables.
    pub resources: Vec<ResourceSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database_url: "sqlite://rowhook.db".to_owned(),
            database_connections: 16,
            listen: "127.0.0.1:8080".to_owned(),
            admin_key: None,
            secret_key: None,
            previous_secret_keys: Vec::new(),
            sample: false,
            auto_migrate: true,
            max_payload: ByteSize::mib(1),
            metrics_public: true,
            receivers: ReceiverSettings::default(),
            defaults: DefaultSettings::default(),
            capture: CaptureSettings::default(),
            retention: RetentionSettings::default(),
            metrics: MetricsSettings::default(),
            tracing: TracingSettings::default(),
            resources: Vec::new(),
        }
    }
}

/// `[receivers]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverSettings {
    /// Receivers need not be https.
    pub allow_http: bool,
    /// Networks that receivers may resolve into although they are not public.
    #[serde(deserialize_with = "values::networks")]
    pub allow_private_networks: Vec<IpNet>,
    /// A PEM file of further certificate authorities.
    pub ca_bundle: Option<PathBuf>,
    /// The addresses that deliveries come from, shown to users for their allow-lists.
    #[serde(deserialize_with = "values::networks")]
    pub egress_ips: Vec<IpNet>,
    /// The source address of deliveries.
    pub bind_address: Option<IpAddr>,
    /// Watches receivers' health as resource `WEBHOOK_RECEIVER_HEALTH`, so that a webhook can tell of it.
    pub announce_health: bool,
    /// The proxy that deliveries go through; `direct`: none. It may hold a password.
    pub proxy: Option<String>,
    /// Names, addresses and networks that are sent to without it.
    pub no_proxy: Option<Vec<String>>,
    /// What the environment says where the two settings above say nothing; see [`proxies`].
    #[serde(skip)]
    pub proxy_variables: ProxyVariables,
}

/// `[defaults]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultSettings {
    /// The time for a whole attempt.
    #[serde(deserialize_with = "values::duration")]
    pub timeout: Duration,
    /// Requests in flight at once to one receiver.
    pub max_in_flight: u32,
}

impl Default for DefaultSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            max_in_flight: 16,
        }
    }
}

/// `[capture]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSettings {
    /// The pause between two looks at the watched tables and their triggers.
    #[serde(deserialize_with = "values::duration")]
    pub look_at_tables: Duration,
    /// The pause between two comparisons of changes with events.
    #[serde(deserialize_with = "values::duration")]
    pub reconcile: Duration,
    /// PostgreSQL: each transaction that changes a watched table wakes the poller by NOTIFY.
    pub notify: bool,
    /// While the oldest change has waited longer, the instance that reads changes is not ready; `None`: however long.
    #[serde(deserialize_with = "values::duration_or_off")]
    pub longest_lag: Option<Duration>,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            look_at_tables: Duration::from_secs(60),
            reconcile: Duration::from_secs(600),
            notify: false,
            longest_lag: None,
        }
    }
}

/// `[retention]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// How long events are kept after they ended, with their attempts.
    #[serde(deserialize_with = "values::keep")]
    pub events: Keep,
    /// How long changes are kept, and longer where a kept event tells of one.
    #[serde(deserialize_with = "values::keep")]
    pub changes: Keep,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        const MONTH: Keep = Keep::For(Duration::from_secs(30 * 24 * 3600));
        Self {
            events: MONTH,
            changes: MONTH,
        }
    }
}

/// `[metrics]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSettings {
    /// Tells some for each receiver too.
    pub per_receiver: bool,
}

/// `[tracing]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TracingSettings {
    /// The collector's address, to which `/v1/traces` is added.
    pub endpoint: Option<String>,
    /// The share of events whose traces are told, from 0 to 1.
    pub sample_ratio: f64,
    /// Whether the standard variables name a collector, or switch everything off; see [`TracingSettings::is_on`].
    #[serde(skip)]
    pub variables: TracingVariables,
}

/// What the standard variables of OpenTelemetry say. The exporter reads the address itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingVariables {
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
    pub name_collector: bool,
    /// `OTEL_SDK_DISABLED` is true, or `OTEL_TRACES_EXPORTER` is none.
    pub switch_off: bool,
}

impl TracingVariables {
    /// Of this environment.
    pub fn of(environment: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.trim())
        };
        let names = |name: &str| !value(name).is_empty();
        Self {
            name_collector: names("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
                || names("OTEL_EXPORTER_OTLP_ENDPOINT"),
            switch_off: value("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
                || value("OTEL_TRACES_EXPORTER") == "none",
        }
    }
}

impl TracingSettings {
    /// Whether traces are told.
    pub fn is_on(&self) -> bool {
        !self.variables.switch_off && (self.endpoint.is_some() || self.variables.name_collector)
    }
}

impl Default for TracingSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            sample_ratio: 1.0,
            variables: TracingVariables::default(),
        }
    }
}

/// `[[resources]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSettings {
    /// The public name.
    pub name: ResourceName,
    /// Other names that the API accepts.
    #[serde(default)]
    pub aliases: Vec<ResourceName>,
    /// The table as SQL names it.
    pub table: String,
    /// The key's columns.
    #[serde(default)]
    pub key: Vec<String>,
    /// The etag column.
    #[serde(default)]
    pub etag: Option<String>,
    /// Columns that never leave the database.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What TRUNCATE does.
    #[serde(default)]
    pub on_truncate: OnTruncate,
}
