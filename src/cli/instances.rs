//! `rowhook instances`: who shares the database.

use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use serde_json::json;

use crate::{
    app,
    domain::instance::KnownInstance,
    store::{instances::InstanceView as _, sql::instance_view::SqlInstanceView},
};

use super::{ConfigArgs, Failure};

/// List the instances that share the database: which reads changes, and how many receivers each sends to
///
/// It only looks. Those that run come first; one that is "gone" ended without saying so within the last day (it was killed,
/// or is frozen or cut off), and others do its work. On SQLite there is one instance, which writes down neither its release
/// nor when it started.
#[derive(Args)]
pub struct InstancesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Looks and tells.
pub async fn run(args: InstancesArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    let db = app::look_at_existing(&settings).await?;
    let found = SqlInstanceView::new(db.clone()).instances().await?;
    db.close().await?;
    if args.json {
        println!("{}", as_json(&found));
    } else if found.is_empty() {
        println!("no instance runs; `rowhook serve` starts one");
    } else {
        println!("{}", table(&found).trim_fmt());
    }
    Ok(())
}

fn as_json(instances: &[KnownInstance]) -> serde_json::Value {
    let list = instances.iter().map(|one| {
        let place = one.host_and_process();
        json!({
            "name": one.name, "host": place.map(|(host, _)| host), "process": place.map(|(_, process)| process),
            "version": one.version, "startedAt": one.started_at, "heardAt": one.heard_at, "running": one.running,
            "readsChanges": one.reads_changes, "receivers": one.receivers,
        })
    });
    list.collect()
}

fn table(instances: &[KnownInstance]) -> Table {
    const UNKNOWN: &str = "–";
    let second = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S").to_string();
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "instance",
        "version",
        "started",
        "heard of",
        "state",
        "reads changes",
        "receivers",
    ]);
    for one in instances {
        table.add_row([
            one.name.clone(),
            one.version.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            one.started_at.map_or_else(|| UNKNOWN.to_owned(), second),
            second(one.heard_at),
            (if one.running { "runs" } else { "gone" }).to_owned(),
            (if one.reads_changes { "yes" } else { "no" }).to_owned(),
            one.receivers.to_string(),
        ]);
    }
    table
}
