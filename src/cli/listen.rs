//! `rowhook listen`: a receiver for trying things.

use std::{
    io::IsTerminal as _,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use chrono::Local;
use clap::Args;
use serde_json::{json, value::RawValue};
use tokio::sync::mpsc;

use crate::http::example_receiver::{
    Checked, ExampleReceiver, Incoming, Received, ReceiverOptions,
};

use super::{Failure, parse_secret, told_to_stop};

/// Receive deliveries, print each and whether its signatures verify
///
/// A receiver for trying things. Register the address that it prints as a receiver's webhookUri,
/// start it with the sharedSecret that you were given, and change a row. A receiver on this
/// machine has to be allowed in rowhook.toml:
///
///   [receivers]
///   allow_http = true
///   allow_private_networks = ["127.0.0.0/8"]
///
/// What verifies is answered with --status, what does not with 401. With --status 500 or
/// --delay 10s you see how rowhook tries again.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ListenArgs {
    /// The port; 0 takes a free one
    #[arg(long, value_name = "P", default_value_t = 9000)]
    port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    address: IpAddr,
    /// The receiver's shared secret (whsec_…); without it signatures are shown and not verified
    #[arg(
        long,
        value_name = "S",
        env = "ROWHOOK_SHARED_SECRET",
        hide_env_values = true
    )]
    secret: Option<String>,
    /// The webhookUri as it was registered, letter by letter, when something stands between (a tunnel, a
    /// proxy) [default: what the request says]
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// The status to answer
    #[arg(long, value_name = "CODE", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=599))]
    status: u16,
    /// How long to take before answering (300ms, 10s)
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = humantime::parse_duration)]
    delay: Duration,
    /// Print one JSON object per delivery
    #[arg(long)]
    json: bool,
}

/// Listens until Ctrl-C.
pub async fn run(args: ListenArgs) -> Result<(), Failure> {
    // An empty variable is none: what a compose file makes of one that is not set.
    let given = args.secret.as_deref().filter(|secret| !secret.is_empty());
    let secret = given.map(parse_secret).transpose()?;
    let address = SocketAddr::new(args.address, args.port);
    let options = ReceiverOptions {
        address,
        uri: args.uri.clone(),
        status: args.status,
        delay: args.delay,
    };
    let (sender, mut incoming) = mpsc::unbounded_channel();
    let receiver = ExampleReceiver::start(options, sender).map_err(|error| {
        Failure::of_work(format!(
            "{address} can not be listened on ({error}); choose another port with --port"
        ))
    })?;
    match secret {
        Some(secret) => receiver.set_secret(secret),
        None => eprintln!("no --secret: signatures are shown, not verified"),
    }
    let mut stop = std::pin::pin!(told_to_stop());
    eprintln!(
        "listening on http://{} (any path); Ctrl-C ends",
        receiver.address
    );
    let mut count = Count::default();
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(incoming) = incoming.recv() => count.show(&incoming, args.json),
        }
    }
    receiver.stop().await;
    eprintln!(
        "{} deliveries, {} with both signatures verified, {} with a wrong one",
        count.deliveries, count.verified, count.wrong
    );
    Ok(())
}

#[derive(Default)]
struct Count {
    deliveries: u64,
    verified: u64,
    wrong: u64,
}

impl Count {
    fn show(&mut self, incoming: &Incoming, as_json: bool) {
        match incoming {
            Incoming::Delivery(received) => {
                self.deliveries += 1;
                self.verified += u64::from(received.verified());
                self.wrong += u64::from(received.wrong());
                if as_json {
                    println!("{}", to_json(received));
                } else {
                    print(received, self.wrong == 1);
                }
            }
            Incoming::Other { method, path, why } => {
                eprintln!("{method} {path} is no delivery: {why}");
            }
        }
    }
}

fn word(checked: Checked) -> &'static str {
    match checked {
        Checked::Verified => "verified",
        Checked::Wrong => "WRONG",
        Checked::Absent => "absent",
        Checked::Unchecked => "not checked",
    }
}

fn print(received: &Received, first_wrong: bool) {
    let (on, dim, off) = match (std::io::stdout().is_terminal(), received.verified()) {
        (false, _) => ("", "", ""),
        (true, true) => ("\x1b[32m", "\x1b[2m", "\x1b[0m"),
        (true, false) => ("\x1b[33m", "\x1b[2m", "\x1b[0m"),
    };
    let sequence = received.sequence.map_or("–".to_owned(), |n| n.to_string());
    println!(
        "{}  {} {} {}  event {}, sequence {sequence}  {on}x-ion-signature {}, webhook-signature {}{off}",
        Local::now().format("%H:%M:%S%.3f"),
        received.resource,
        received.action,
        received.row_id,
        received.event_id,
        word(received.ion),
        word(received.standard),
    );
    println!("    {dim}POST {} {}{off}", received.path, received.body);
    if received.wrong() && first_wrong {
        eprintln!(
            "    a wrong signature means another secret, a webhookUri that was registered otherwise than \
             the request says (give it with --uri), or a body that was changed on its way"
        );
    }
}

fn to_json(received: &Received) -> serde_json::Value {
    json!({
        "path": received.path,
        "eventId": received.event_id,
        "sequence": received.sequence,
        "ionSignature": word(received.ion).to_lowercase(),
        "webhookSignature": word(received.standard).to_lowercase(),
        "verified": received.verified(),
        "body": serde_json::from_str::<Box<RawValue>>(&received.body).ok(),
    })
}
