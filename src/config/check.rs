//! What no single value can tell, and what a value's type does not.

use std::{collections::HashMap, time::Duration};

use crate::{domain::retention::Keep, policy::seal::parse_key};

use super::{Settings, proxy::fault_in_file};

/// The least time for an attempt: below it even a receiver next door fails.
const LEAST_TIMEOUT: Duration = Duration::from_millis(10);
/// The most: a stage that stops waits for what is in flight, and an orchestrator does not wait for ever.
const MOST_TIMEOUT: Duration = Duration::from_secs(300);
/// The least time that the log is kept: "30m" for "30M" must not cost anybody a month.
const LEAST_KEPT: Duration = Duration::from_secs(3600);
/// More often only costs.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// After a day without a look nobody remembers what was done to a table.
const MOST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Every fault: the setting, what is wrong with it, and what to do.
pub fn faults(settings: &Settings) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut fault = |setting: &str, message: String| faults.push((setting.to_owned(), message));

    let url = &settings.database_url;
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        // The rest of it may hold a password.
        let shown = url.split(':').next().unwrap_or_default();
        let message =
            format!("{shown:?} is no database rowhook knows; use sqlite://PATH or postgres://…");
        fault("database_url", message);
    }
    if settings.database_connections < 3 {
        let message = "the stages need at least 3 connections; the default is 16".to_owned();
        fault("database_connections", message);
    }
    if !is_address(&settings.listen) {
        let message = format!(
            "{:?} is no address to listen on; write it as 127.0.0.1:8080, or 0.0.0.0:8080 for every \
             network",
            settings.listen
        );
        fault("listen", message);
    }
    if settings
        .admin_key
        .as_ref()
        .is_some_and(|key| key.trim().is_empty())
    {
        let message = "is empty; give it a text or leave it out".to_owned();
        fault("admin_key", message);
    }
    if let Some(Err(error)) = settings.secret_key.as_deref().map(parse_key) {
        fault("secret_key", error.to_string());
    }
    for key in &settings.previous_secret_keys {
        if let Err(error) = parse_key(key) {
            fault("previous_secret_keys", error.to_string());
        }
    }
    if let Some((setting, message)) = fault_in_file(&settings.receivers) {
        fault(setting, message);
    }
    if settings.max_payload.as_u64() == 0 {
        let message = "0 would send nothing; the default is \"1 MiB\"".to_owned();
        fault("max_payload", message);
    }
    if !(1..=10_000).contains(&settings.defaults.max_in_flight) {
        let message = "must be from 1 to 10000; the default is 16".to_owned();
        fault("defaults.max_in_flight", message);
    }
    if !(LEAST_TIMEOUT..=MOST_TIMEOUT).contains(&settings.defaults.timeout) {
        let message = "must be from 10ms to 5m; the default is \"5s\"".to_owned();
        fault("defaults.timeout", message);
    }
    let rhythms = [
        (
            "capture.look_at_tables",
            settings.capture.look_at_tables,
            "1m",
        ),
        ("capture.reconcile", settings.capture.reconcile, "10m"),
    ];
    for (setting, pause, default) in rhythms {
        if !(LEAST_PAUSE..=MOST_PAUSE).contains(&pause) {
            let message = format!("must be from 1s to 1d; the default is {default:?}");
            fault(setting, message);
        }
    }
    let kept = [
        ("retention.events", settings.retention.events),
        ("retention.changes", settings.retention.changes),
    ];
    for (setting, keep) in kept {
        if matches!(keep, Keep::For(time) if time < LEAST_KEPT) {
            let message =
                "must be at least 1h, since what is dropped is gone for good, or \"forever\"; \
                           the default is \"30d\""
                    .to_owned();
            fault(setting, message);
        }
    }
    if !(0.0..=1.0).contains(&settings.tracing.sample_ratio) {
        let message = "must be from 0.0 (none) to 1.0 (all); the default is 1.0".to_owned();
        fault("tracing.sample_ratio", message);
    }
    let is_http = |uri: &String| {
        let uri = url::Url::parse(uri);
        uri.is_ok_and(|uri| ["http", "https"].contains(&uri.scheme()) && uri.has_host())
    };
    if settings
        .tracing
        .endpoint
        .as_ref()
        .is_some_and(|uri| !is_http(uri))
    {
        // It may hold a password.
        let message = "is no address of a collector; write it as \"http://collector:4318\"";
        fault("tracing.endpoint", message.to_owned());
    }
    faults.append(&mut names(settings));
    faults
}

/// `HOST:PORT`; whether the host is this machine's only binding can tell.
fn is_address(text: &str) -> bool {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Each name means one table.
fn names(settings: &Settings) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut names = HashMap::new();
    for (index, resource) in settings.resources.iter().enumerate() {
        let own = std::iter::once((&resource.name, "name"));
        let aliases = resource.aliases.iter().map(|alias| (alias, "aliases"));
        for (name, key) in own.chain(aliases) {
            if let Some(other) = names.insert(name, &resource.table) {
                let table = &resource.table;
                let message = if other == table {
                    format!("{name} stands here twice; leave one out")
                } else {
                    format!("{name} names both {other} and {table}; give one another name")
                };
                faults.push((format!("resources[{index}].{key}"), message));
            }
        }
    }
    faults
}
