//! `rowhook serve`: the service, until it is told to stop.

use clap::Args;

use crate::{
    app::{self, GRACE, Service, StartError},
    config::Settings,
    store::catalogue::InstallError,
};

use super::{
    ConfigArgs, Failure,
    resources::{State, look},
    told_to_stop,
};

/// Watch the configured tables and deliver their changes
///
/// At its start it applies pending migrations of its own tables, puts the triggers on the configured tables
/// (where they are not what they should be), and prints an API key if there is none yet. SIGTERM or
/// Ctrl-C ends it: what is in flight is finished first. So does a newer release that changes rowhook's own tables in a
/// way that this one can not work with; the exit code is 1 then.
#[derive(Args)]
pub struct ServeArgs {
    /// Look whether it could start, tell what it would do, and end; nothing is changed
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
pub async fn run(args: ServeArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    if args.check {
        return check(&settings).await;
    }
    let mut stop = std::pin::pin!(told_to_stop());
    let service = tokio::select! {
        service = Service::start(&settings) => service?,
        // What a start does is done in transactions, and the next one goes on.
        () = &mut stop => return Ok(()),
    };
    println!("rowhook serves on http://{}", service.address);
    println!("  API:     http://{}/graphql", service.address);
    let names: Vec<&str> = service
        .catalogue
        .resources()
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    println!("  watches: {}", names.join(", "));
    if let Some(key) = &service.first_key {
        println!("  API key: {key}");
        println!("           role admin; it is shown this once, so keep it now");
    }
    let outgrown = tokio::select! {
        () = stop => None,
        why = service.outgrown() => Some(why),
    };
    if let Some(why) = &outgrown {
        tracing::error!("{why}");
    }
    tracing::info!("stopping: finishing what is in flight");
    service.stop(GRACE).await;
    outgrown.map_or(Ok(()), |why| Err(why.into()))
}

/// Everything that a start looks at, without changing anything. A database that is not there yet is no fault
/// of an embedded one, which is made at the first start.
async fn check(settings: &Settings) -> Result<(), Failure> {
    app::check(settings)?;
    println!("configuration: well");
    let db = match app::connect_existing(settings).await {
        Err(StartError::NoFile(path)) => {
            println!("database: {} will be made", path.display());
            return Ok(());
        }
        db => db?,
    };
    println!("database: reached");
    match db.pending_migrations().await? {
        0 => println!("rowhook's own tables: up to date"),
        pending if settings.auto_migrate => {
            println!("rowhook's own tables: {pending} migrations will be applied");
        }
        pending => return Err(StartError::Pending(pending).into()),
    }
    let mut faults = Vec::new();
    for one in look(settings, &db).await? {
        let will = match one.state {
            State::InForce => "triggers in force",
            State::OutOfDate | State::NotInstalled => "triggers will be put on",
            State::NotConfigured => "not configured, but still logged",
            State::Unwatchable(InstallError::NoTable { .. })
                if app::is_made_at_start(settings, db.dialect(), &one.name) =>
            {
                "the table will be made, and triggers put on"
            }
            State::Unwatchable(error) => {
                faults.push(error.to_string());
                continue;
            }
        };
        println!("resource {}: {will} ({})", one.name, one.table);
    }
    db.close().await?;
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::of_usage(faults.join("\n")))
    }
}
