//! `rowhook resources`: the watched tables and their triggers.

mod proposal;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use serde_json::json;

use crate::{
    app::{self, StartError},
    config::Settings,
    domain::resource::{Resource, ResourceName},
    store::{
        catalogue::{InstallError, Installed, ResourceInstaller, WantedResource},
        sql::{catalogue::SqlResourceInstaller, db::Db, notices},
    },
};

use super::{ConfigArgs, Failure};

/// Show, propose, install or remove watched tables
///
/// A resource is a watched table under its public name. The usual order: `discover` proposes entries for
/// rowhook.toml, `install` puts the triggers on (`serve` does it too, when its database role may), `list` shows
/// what is in force, `uninstall` takes them off.
#[derive(Args)]
pub struct ResourcesArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Subcommand)]
enum Action {
    /// The resources, configured or installed, and whether their triggers are in force
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Propose [[resources]] entries for the tables of the database that are not watched yet
    ///
    /// It only looks. The entries go to standard output, so that they can go where they belong:
    ///
    ///   rowhook resources discover >> rowhook.toml
    #[command(verbatim_doc_comment)]
    Discover,
    /// Put the triggers on the configured tables
    ///
    /// Needs a database role that owns the tables. A table in use is waited for in tries of a tenth of a second, so
    /// that nobody is held up for longer.
    Install {
        /// Only these resources [default: all that are configured]
        #[arg(value_name = "NAME")]
        names: Vec<ResourceName>,
    },
    /// Take the triggers off, without a trace in your schema
    ///
    /// Changes that are made afterwards are not seen. What was logged before stays and is delivered.
    Uninstall {
        /// Only these resources [default: all that are installed]
        #[arg(value_name = "NAME")]
        names: Vec<ResourceName>,
    },
}

/// Does it and tells what was done.
pub async fn run(args: ResourcesArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    match args.action {
        Action::List { json } => list(&settings, json).await,
        Action::Discover => discover(&settings).await,
        Action::Install { names } => install(&settings, &names).await,
        Action::Uninstall { names } => uninstall(&settings, &names).await,
    }
}

/// How the triggers of a resource stand.
pub(super) enum State {
    /// They are what they should be.
    InForce,
    /// The table or its entry has changed.
    OutOfDate,
    /// There are none yet.
    NotInstalled,
    /// They are there, but the configuration does not name the resource any more.
    NotConfigured,
    /// The entry is wrong.
    Unwatchable(InstallError),
}

impl State {
    fn of(in_force: Result<bool, InstallError>, is_installed: bool) -> Self {
        match (in_force, is_installed) {
            (Ok(true), _) => Self::InForce,
            (Ok(false), true) => Self::OutOfDate,
            (Ok(false), false) => Self::NotInstalled,
            (Err(error), _) => Self::Unwatchable(error),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::OutOfDate => "out of date",
            Self::NotInstalled => "not installed",
            Self::NotConfigured => "not configured",
            Self::Unwatchable(_) => "can not be watched",
        }
    }

    /// What to know or do about it.
    fn note(&self) -> Option<String> {
        match self {
            Self::InForce | Self::NotInstalled => None,
            Self::OutOfDate => Some(
                "the table or its entry has changed; run `rowhook resources install`".to_owned(),
            ),
            Self::NotConfigured => Some(
                "still logged; `rowhook resources uninstall` takes the triggers off".to_owned(),
            ),
            Self::Unwatchable(error) => Some(error.to_string()),
        }
    }
}

/// A resource that is configured or installed.
pub(super) struct Listed {
    pub name: ResourceName,
    pub table: String,
    pub state: State,
    aliases: Vec<ResourceName>,
}

/// Every resource and how it stands; changes nothing.
pub(super) async fn look(settings: &Settings, db: &Db) -> Result<Vec<Listed>, Failure> {
    let installer = SqlResourceInstaller::new(db.clone());
    let is_set_up = db.pending_migrations().await? == 0;
    let installed = if is_set_up {
        installer.installed().await?
    } else {
        Vec::new()
    };
    let stands = |name: &ResourceName| installed.iter().any(|one| one.name == *name);
    let wanted = app::wanted_resources(settings, db.dialect());
    let mut listed = Vec::with_capacity(wanted.len());
    for one in &wanted {
        let in_force = if is_set_up {
            installer.in_force(one).await
        } else {
            installer.describe(one).await.map(|_| false)
        };
        listed.push(Listed {
            name: one.name.clone(),
            table: one.table.clone(),
            state: State::of(in_force, stands(&one.name)),
            aliases: one.aliases.clone(),
        });
    }
    let left = |one: &&Resource| !wanted.iter().any(|wanted| wanted.name == one.name);
    for one in installed.iter().filter(left) {
        listed.push(Listed {
            name: one.name.clone(),
            table: one.definition.table.clone(),
            state: State::NotConfigured,
            aliases: Vec::new(),
        });
    }
    Ok(listed)
}

async fn list(settings: &Settings, as_json: bool) -> Result<(), Failure> {
    let db = app::connect_existing(settings).await?;
    let listed = look(settings, &db).await?;
    if as_json {
        let list: Vec<_> = listed
            .iter()
            .map(|one| {
                json!({"name": one.name, "aliases": one.aliases, "table": one.table,
                       "triggers": one.state.word(), "note": one.state.note()})
            })
            .collect();
        println!("{}", json!(list));
    } else if listed.is_empty() {
        println!("no resource is configured; `rowhook resources discover` proposes some");
    } else {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_header(["RESOURCE", "TABLE", "TRIGGERS"]);
        for one in &listed {
            table.add_row([one.name.as_str(), &one.table, one.state.word()]);
        }
        println!("{}", table.trim_fmt());
        for one in &listed {
            if let Some(note) = one.state.note() {
                eprintln!("{}: {note}", one.name);
            }
        }
    }
    Ok(db.close().await?)
}

async fn discover(settings: &Settings) -> Result<(), Failure> {
    let db = app::connect_existing(settings).await?;
    let installer = SqlResourceInstaller::new(db.clone());
    let wanted = app::wanted_resources(settings, db.dialect());
    let mut watched = Vec::with_capacity(wanted.len());
    for one in &wanted {
        // An entry that is wrong watches nothing; `list` and `serve` say why.
        if let Ok(definition) = installer.describe(one).await {
            watched.push(definition.table);
        }
    }
    let found = installer.tables().await?;
    let count = found.len();
    let new: Vec<_> = found
        .into_iter()
        .filter(|table| !watched.contains(&table.table))
        .collect();
    let taken = wanted
        .iter()
        .flat_map(|one| std::iter::once(&one.name).chain(&one.aliases));
    let (entries, without_key) = proposal::entries(&new, taken.cloned());
    for entry in &entries {
        println!("\n{entry}");
    }
    if count == 0 {
        eprintln!("this database has no table that could be watched");
    } else if entries.is_empty() {
        eprintln!("nothing to propose: all {count} tables are watched");
    } else {
        eprintln!(
            "{} tables proposed; keep those that you want",
            entries.len()
        );
    }
    if without_key > 0 {
        eprintln!(
            "{without_key} of them have no primary key and are commented out: name the columns that \
             identify a row"
        );
    }
    Ok(db.close().await?)
}

async fn install(settings: &Settings, names: &[ResourceName]) -> Result<(), Failure> {
    let db = app::open(settings).await?;
    let installer = SqlResourceInstaller::new(db.clone());
    let wanted = app::needed_resources(settings, db.dialect())?;
    let chosen: Vec<&WantedResource> = match names {
        [] => wanted.iter().collect(),
        names => names
            .iter()
            .map(|name| {
                let found = wanted.iter().find(|one| one.name == *name);
                found.ok_or_else(|| unknown(name, "configured"))
            })
            .collect::<Result<_, _>>()?,
    };
    for one in chosen {
        let (resource, done) = installer.install(one).await.map_err(StartError::from)?;
        let word = match done {
            Installed::Changed => "triggers put on",
            Installed::Unchanged => "in force already",
        };
        println!("{}: {word} ({})", resource.name, resource.definition.table);
    }
    notices::switch(&db, settings.capture.notify).await?;
    Ok(db.close().await?)
}

async fn uninstall(settings: &Settings, names: &[ResourceName]) -> Result<(), Failure> {
    let db = app::open_existing(settings).await?;
    let installer = SqlResourceInstaller::new(db.clone());
    let installed = installer.installed().await?;
    let chosen: Vec<&Resource> = match names {
        [] => installed.iter().collect(),
        names => names
            .iter()
            .map(|name| {
                let found = installed.iter().find(|one| one.name == *name);
                found.ok_or_else(|| unknown(name, "installed"))
            })
            .collect::<Result<_, _>>()?,
    };
    if chosen.is_empty() {
        println!("nothing to do: no triggers are installed");
    }
    for one in chosen {
        installer
            .uninstall(&one.name)
            .await
            .map_err(StartError::from)?;
        println!(
            "{}: triggers taken off ({})",
            one.name, one.definition.table
        );
    }
    Ok(db.close().await?)
}

fn unknown(name: &ResourceName, what: &str) -> Failure {
    Failure::of_usage(format!(
        "{name} is no {what} resource; `rowhook resources list` shows them"
    ))
}
