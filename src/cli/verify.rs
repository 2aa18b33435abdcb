//! `rowhook verify`: checks one delivery that was kept, and shows what was signed.

use std::io::{IsTerminal as _, Read as _};

use clap::Args;

use crate::{
    domain::shared_secret::SharedSecret,
    policy::{
        received::{envelope, inner_json},
        signature::{ion_message, ion_signature, standard_signature, verify_ion, verify_standard},
    },
};

use super::{Failure, parse_secret};

/// Check one delivery's signature, and show the string that was signed
///
/// The body comes on standard input, exactly as it was received, whatever its content type:
///
///   rowhook verify --secret whsec_… --uri https://… --signature SIG < body.json
///
/// SIG is the x-ion-signature header. To check the webhook-signature header (v1,…) instead, give the
/// webhook-id and webhook-timestamp headers too:
///
///   rowhook verify --secret whsec_… --signature v1,… --id 17 --timestamp 1777231022 < body.json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct VerifyArgs {
    /// The receiver's shared secret (whsec_…)
    #[arg(
        long,
        value_name = "S",
        env = "ROWHOOK_SHARED_SECRET",
        hide_env_values = true
    )]
    secret: String,
    /// The receiver's webhookUri, letter by letter as it was registered (for x-ion-signature)
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// The x-ion-signature header, or the webhook-signature header (v1,…)
    #[arg(long, value_name = "SIG")]
    signature: String,
    /// The webhook-id header (for webhook-signature)
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The webhook-timestamp header (for webhook-signature)
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<i64>,
}

/// Exits 0 when it verifies, 1 when it does not.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let secret = parse_secret(&args.secret)?;
    let mut body = Vec::new();
    if std::io::stdin().is_terminal() {
        eprintln!("paste the body as it was received, then press Ctrl-D");
    }
    std::io::stdin()
        .read_to_end(&mut body)
        .map_err(|error| Failure::of_usage(format!("the body on standard input: {error}")))?;
    let signature = args.signature.trim();
    let checked = if signature.starts_with("v1,") {
        let needed = "a webhook-signature (v1,…) covers the webhook-id and webhook-timestamp headers; give \
                      them with --id and --timestamp";
        let id = args
            .id
            .as_deref()
            .ok_or_else(|| Failure::of_usage(needed))?;
        let timestamp = args.timestamp.ok_or_else(|| Failure::of_usage(needed))?;
        standard(&secret, id, timestamp, &body, signature)
    } else {
        let uri = args.uri.as_deref().ok_or_else(|| {
            Failure::of_usage("--uri: an x-ion-signature covers the receiver's webhookUri; give it")
        })?;
        ion(&secret, uri, &body, signature)?
    };
    println!("signed:   {}", checked.message);
    if checked.verified {
        println!("verified: the signature is right");
        return Ok(());
    }
    println!("expected: {}", checked.expected);
    println!("given:    {signature}");
    Err(Failure::of_work(format!(
        "the signature is wrong; compare {}",
        checked.compare
    )))
}

struct CheckedSignature {
    message: String,
    expected: String,
    verified: bool,
    /// What to look at when it is wrong.
    compare: &'static str,
}

fn ion(
    secret: &SharedSecret,
    uri: &str,
    body: &[u8],
    signature: &str,
) -> Result<CheckedSignature, Failure> {
    let no_delivery = |error: &dyn std::fmt::Display| {
        Failure::of_usage(format!(
            "standard input holds no delivery: {error}; give the body exactly as it was received"
        ))
    };
    let json = inner_json(body).map_err(|error| no_delivery(&error))?;
    let envelope = envelope(&json).map_err(|error| no_delivery(&error))?;
    let message = ion_message(uri, envelope.data.get()).map_err(|error| {
        Failure::of_work(format!(
            "there is no x-ion-signature for this body, since {error}; check its webhook-signature"
        ))
    })?;
    Ok(CheckedSignature {
        expected: ion_signature(secret, &message),
        verified: verify_ion(secret, &message, signature),
        message,
        compare: "the URI with the registered webhookUri (every letter counts, a slash at the end too), \
                  the secret, and the body with the one that was received",
    })
}

fn standard(
    secret: &SharedSecret,
    id: &str,
    timestamp: i64,
    body: &[u8],
    signature: &str,
) -> CheckedSignature {
    CheckedSignature {
        message: format!("{id}.{timestamp}.{}", String::from_utf8_lossy(body)),
        expected: standard_signature(secret, id, timestamp, body),
        verified: verify_standard(secret, id, timestamp, body, signature),
        compare: "the id and the timestamp with the headers, the secret, and the body with the bytes that \
                  were received (a line end that an editor added counts)",
    }
}
