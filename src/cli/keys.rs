//! `rowhook keys`: who may call the API.

use clap::{Args, Subcommand};

use crate::{
    app,
    domain::api_key::Role,
    store::{api_keys::ApiKeyStore, sql::api_keys::SqlApiKeyStore},
};

use super::{ConfigArgs, Failure};

/// Make API keys
#[derive(Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; it is printed once and can not be read again
    Create {
        /// What the key is for; records made with it carry this name
        #[arg(long)]
        name: String,
        /// What it may do: viewer reads, operator also redelivers and pauses, admin does all
        #[arg(long, value_parser = parse_role)]
        role: Role,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse()
        .map_err(|error: crate::domain::api_key::UnknownRole| error.to_string())
}

/// The key goes to standard output alone, so that a script can take it.
pub async fn run(args: KeysArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    let Action::Create { name, role } = args.action;
    if name.trim().is_empty() {
        return Err(Failure::of_usage("--name: say what the key is for"));
    }
    let db = app::open(&settings).await?;
    let (record, key) = SqlApiKeyStore::new(db)
        .create_key(name.trim(), role)
        .await?;
    eprintln!(
        "key {} \"{}\" with role {} (shown this once):",
        record.id, record.name, record.role
    );
    println!("{key}");
    Ok(())
}
