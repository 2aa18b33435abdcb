//! `rowhook serve`: the service, until it is told to stop.

use clap::Args;

use crate::app::{GRACE, Service};

use super::{ConfigArgs, Failure, told_to_stop};

/// Watch the configured tables and deliver their changes
#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
pub async fn run(args: ServeArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    let service = Service::start(&settings).await?;
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
    told_to_stop().await;
    tracing::info!("stopping: finishing what is in flight");
    service.stop(GRACE).await;
    Ok(())
}
