//! `rowhook healthcheck`: asks a running service how it is, for a container's HEALTHCHECK and for scripts.
//!
//! An image needs no curl for it, and it finds the port in the same configuration as `serve` does.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use serde::Deserialize;

use crate::{config, transport::probe};

use super::{ConfigArgs, Failure};

/// A service that needs longer for an answer is not well. Longer than `/readyz` waits for a database that is away, or its
/// reasons would never be heard; orchestrators give a check 5 to 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(4);

/// So much of an answer that is not understood is shown.
const SHOWN_CHARACTERS: usize = 200;

/// Ask a running service whether it is up; exits 0 if so, else 1 with one line that says why
#[derive(Args)]
pub struct HealthcheckArgs {
    /// Ask this address instead of the configuration's `listen`
    #[arg(long, value_name = "http://HOST:PORT")]
    url: Option<String>,
    /// Ask whether it is ready to work (/readyz), not only whether it is up (/healthz)
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What `/readyz` says when it is not ready.
#[derive(Deserialize)]
struct NotReady {
    reasons: Vec<String>,
}

/// Says nothing when all is well.
pub async fn run(args: HealthcheckArgs) -> Result<(), Failure> {
    let base = match &args.url {
        Some(url) if url.starts_with("http://") => url.trim_end_matches('/').to_owned(),
        Some(url) => {
            return Err(Failure::of_usage(format!(
                "--url: {url} does not begin with http://, which is what the service speaks; give the \
                 address that it listens on"
            )));
        }
        None => {
            // Not by ConfigArgs::load, which warns of unknown variables: `serve` has done so, and each check
            // would again.
            let loaded = config::load(args.config.config.as_deref(), std::env::vars())?;
            format!("http://{}", reachable(&loaded.settings.listen))
        }
    };
    let path = if args.ready { "/readyz" } else { "/healthz" };
    let uri = format!("{base}{path}");
    let answer = probe::get(&uri, TIMEOUT)
        .await
        .map_err(|error| Failure::of_work(format!("{uri}: {error}")))?;
    if answer.status == 200 {
        return Ok(());
    }
    let reasons = match serde_json::from_str::<NotReady>(&answer.body) {
        Ok(NotReady { reasons }) => reasons.join("; "),
        Err(_) => answer.body.chars().take(SHOWN_CHARACTERS).collect(),
    };
    // One line, whatever the other side wrote.
    let reasons = reasons.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(Failure::of_work(format!(
        "{uri} answered {}: {reasons}",
        answer.status
    )))
}

/// Where a service that listens at `listen` is reached from its own machine: a wildcard address is one to
/// listen on, not one to connect to.
fn reachable(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() && address.is_ipv4() => {
            format!("127.0.0.1:{}", address.port())
        }
        Ok(address) if address.ip().is_unspecified() => format!("[::1]:{}", address.port()),
        // A name, such as `localhost:8080`, goes through the resolver, as it did for the service.
        _ => listen.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_become_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("[fe80::1]:80", "[fe80::1]:80"),
            ("localhost:8080", "localhost:8080"),
        ] {
            assert_eq!(reachable(listen), asked);
        }
    }
}
