//! `rowhook keys`: who may call the API.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use serde_json::json;

use crate::{
    app,
    domain::{api_key::Role, ids::ApiKeyId},
    store::{
        api_keys::{ApiKey, ApiKeyStore, LastAdminKey},
        sql::api_keys::SqlApiKeyStore,
    },
};

use super::{ConfigArgs, Failure};

/// Make, list and revoke API keys
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
    /// List the keys: never the keys themselves, only what they are for
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it answers 401 from then on
    Revoke {
        /// The id that `rowhook keys list` shows
        #[arg(value_name = "ID")]
        id: i32,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse()
        .map_err(|error: crate::domain::api_key::UnknownRole| error.to_string())
}

/// Does it and tells what was done.
pub async fn run(args: KeysArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    let db = match args.action {
        Action::Create { .. } => app::open(&settings).await?,
        Action::List { .. } | Action::Revoke { .. } => app::open_existing(&settings).await?,
    };
    let store = SqlApiKeyStore::new(db.clone());
    match args.action {
        Action::Create { name, role } => create(&store, name.trim(), role).await?,
        Action::List { json } => print(&store.keys().await?, json),
        Action::Revoke { id } => {
            let key = store
                // Whoever runs commands can make another one.
                .revoke_key(ApiKeyId(id), LastAdminKey::MayGo)
                .await?;
            println!("key {id} \"{}\" is revoked", key.name);
        }
    }
    Ok(db.close().await?)
}

/// The key goes to standard output alone, so that a script can take it.
async fn create(store: &dyn ApiKeyStore, name: &str, role: Role) -> Result<(), Failure> {
    if name.is_empty() {
        return Err(Failure::of_usage("--name: say what the key is for"));
    }
    let (record, key) = store.create_key(name, role).await?;
    eprintln!(
        "key {} \"{}\" with role {} (shown this once):",
        record.id, record.name, record.role
    );
    println!("{key}");
    Ok(())
}

fn print(keys: &[ApiKey], as_json: bool) {
    if as_json {
        let list: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id.0, "name": key.name, "role": key.role.as_str(), "prefix": key.prefix,
                    "createdAt": key.created_at, "lastUsedAt": key.last_used_at, "revokedAt": key.revoked_at,
                })
            })
            .collect();
        println!("{}", json!(list));
        return;
    }
    if keys.is_empty() {
        println!("there is no key; `rowhook keys create` makes one");
        return;
    }
    let minute = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or("–".to_owned(), |at| {
            at.format("%Y-%m-%d %H:%M").to_string()
        })
    };
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "id",
        "name",
        "role",
        "begins with",
        "made",
        "last used",
        "revoked",
    ]);
    for key in keys {
        table.add_row([
            key.id.to_string(),
            key.name.clone(),
            key.role.to_string(),
            format!("{}…", key.prefix),
            minute(Some(key.created_at)),
            minute(key.last_used_at),
            minute(key.revoked_at),
        ]);
    }
    println!("{}", table.trim_fmt());
}
