//! The tables that the settings ask to watch, and putting the triggers on them.

use crate::{
    config::Settings,
    domain::resource::{Catalogue, OnTruncate, Resource, ResourceName},
    sample,
    store::{
        catalogue::{Installed, NOT_CONFIGURED, ResourceInstaller, WantedResource, take_off},
        sql::{
            db::{Db, Dialect},
            notices,
            receiver_health::TABLE,
        },
    },
};

use super::StartError;

/// The resource that tells of receivers (`receivers.announce_health`).
pub const RECEIVER_HEALTH: &str = "WEBHOOK_RECEIVER_HEALTH";

/// Every resource that the settings ask for.
pub fn wanted_resources(settings: &Settings, dialect: Dialect) -> Vec<WantedResource> {
    let configured = settings.resources.iter().map(|one| WantedResource {
        name: one.name.clone(),
        aliases: one.aliases.clone(),
        table: one.table.clone(),
        key: one.key.clone(),
        etag: one.etag.clone(),
        exclude: one.exclude.clone(),
        on_truncate: one.on_truncate,
    });
    let mut wanted: Vec<WantedResource> = configured.collect();
    if settings.sample {
        let names: Vec<_> = wanted.iter().map(|one| one.name.clone()).collect();
        let sample = sample::resources(dialect).into_iter();
        wanted.extend(sample.filter(|one| !names.contains(&one.name)));
    }
    if settings.receivers.announce_health {
        wanted.push(receiver_health(dialect));
    }
    wanted
}

/// Whether a start makes the resource's table by itself where it is not there.
pub fn is_made_at_start(settings: &Settings, dialect: Dialect, name: &ResourceName) -> bool {
    let mut samples = sample::resources(dialect).into_iter();
    let of_the_user = settings.resources.iter().any(|one| one.name == *name);
    let of_the_sample = settings.sample && samples.any(|one| one.name == *name);
    let of_rowhook = settings.receivers.announce_health && name.as_str() == RECEIVER_HEALTH;
    !of_the_user && (of_the_sample || of_rowhook)
}

/// Receivers' health as a resource: each change of a receiver's state is a change of its row, which goes the way of every
/// other. What moves with each failure is excluded.
fn receiver_health(dialect: Dialect) -> WantedResource {
    let prefix = match dialect {
        Dialect::Postgres => "rowhook.",
        Dialect::Sqlite => "rowhook_",
    };
    let moving = [
        "failures",
        "failing_since",
        "last_error",
        "probe_at",
        "probe_pause_ms",
        "revision",
    ];
    WantedResource {
        name: RECEIVER_HEALTH.parse().expect("it is a resource name"),
        aliases: Vec::new(),
        table: format!("{prefix}{TABLE}"),
        key: Vec::new(),
        etag: None,
        exclude: moving.map(str::to_owned).to_vec(),
        on_truncate: OnTruncate::Rows,
    }
}

/// The same where there has to be at least one.
pub fn needed_resources(
    settings: &Settings,
    dialect: Dialect,
) -> Result<Vec<WantedResource>, StartError> {
    let wanted = wanted_resources(settings, dialect);
    if wanted.is_empty() {
        return Err(StartError::NoResources);
    }
    Ok(wanted)
}

/// Puts the triggers on every wanted table, and says which tables are logged that nobody wants any more.
pub(super) async fn install(
    settings: &Settings,
    db: &Db,
    installer: &dyn ResourceInstaller,
) -> Result<Catalogue, StartError> {
    if settings.sample {
        sample::create_tables(db)
            .await
            .map_err(|error| StartError::Sample(error.to_string()))?;
    }
    let wanted = needed_resources(settings, db.dialect())?;
    let mut resources: Vec<Resource> = Vec::with_capacity(wanted.len());
    for one in &wanted {
        let (resource, done) = installer.install(one).await?;
        if done == Installed::Changed {
            let table = &resource.definition.table;
            tracing::info!(resource = %resource.name, %table, "triggers put on");
        }
        resources.push(resource);
    }
    if let Err(error) = notices::switch(db, settings.capture.notify).await {
        tracing::warn!(
            %error,
            "the log could not be made to notify, or to be silent, as capture.notify says; nothing depends on it. \
             `rowhook resources install` as the role that owns schema rowhook does it"
        );
    }
    for left in installer.installed().await? {
        if wanted.iter().all(|one| one.name != left.name) {
            let (resource, table) = (&left.name, &left.definition.table);
            tracing::warn!(%resource, table, advice = take_off(resource), "{NOT_CONFIGURED}");
        }
    }
    Ok(Catalogue::new(resources))
}
