//! `rowhook rebase`: a database that was brought into another PostgreSQL cluster works on there.

use clap::Args;

use crate::{
    app,
    store::{
        rebase::{Found, Rebase as _, Standing},
        sql::rebase::SqlRebase,
    },
};

use super::{ConfigArgs, Failure};

/// Let a database that was restored into another PostgreSQL cluster work on there
///
/// After a dump was restored elsewhere, and after pg_upgrade, rowhook reads no change and delivers nothing: the
/// database may be a copy of one that works on, and where it came from a dump, transaction ids have begun anew. /readyz,
/// the log and `rowhook doctor` say so. This command says that it is to work on:
///
/// - changes that were restored and were not fanned out yet are, by what was active when they committed; then those
///   that were committed here, before or after this command; each once;
/// - events that are owed are delivered, to the receivers that stand in the database;
/// - event ids skip a stretch, since receivers may know later ones than the dump does.
///
/// Of a copy, change or deactivate the receivers first: the API works. Without --yes it tells what it would do and
/// changes nothing. A service that runs goes on by itself within a second or two. Where nothing has to be settled, it
/// says so and succeeds.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RebaseArgs {
    /// Do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does it, or tells what it would do.
pub async fn run(args: RebaseArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    let db = app::open_existing(&settings).await?;
    let rebase = SqlRebase::new(db.clone());
    let done = if args.yes {
        tell_done(rebase.settle().await?);
        Ok(())
    } else {
        tell_found(&rebase.look().await?)
    };
    db.close().await?;
    done
}

const AT_HOME: &str = "nothing to settle: this is the cluster that the cursor belongs to";

fn tell_done(before: Standing) {
    match before {
        Standing::AtHome => return println!("{AT_HOME}"),
        Standing::ByItsFiles => {
            println!("transaction ids go on in this cluster, and so does reading");
        }
        Standing::ByADump { last } if last.0 > 0 => {
            println!(
                "what was restored, up to change {last}, is read first, then what was committed here"
            );
        }
        Standing::ByADump { .. } => {
            println!("no change was restored; what was committed here is read");
        }
    }
    println!("settled: `rowhook serve` goes on by itself where it runs");
}

fn tell_found(found: &Found) -> Result<(), Failure> {
    match found.standing {
        Standing::AtHome => {
            println!("{AT_HOME}");
            return Ok(());
        }
        Standing::ByItsFiles => println!(
            "this database came into another cluster by its files, as pg_upgrade does it: transaction ids go on, and \
             reading would go on where it was"
        ),
        Standing::ByADump { last } => println!(
            "this database was restored into another cluster from a dump: what was restored and is not fanned out \
             (up to change {last}) would be, then what was committed here"
        ),
    }
    println!(
        "events that are owed, and would be delivered: {}",
        found.owed
    );
    println!("active receivers, which would get them and all that follow:");
    for (name, uri) in &found.receivers {
        println!("  {name}: {uri}");
    }
    match (found.receivers.is_empty(), found.more_receivers) {
        (true, _) => println!("  none"),
        (false, 0) => {}
        (false, more) => println!("  and {more} more"),
    }
    Err(Failure::of_work(
        "nothing was done; if this database, and no other one, is to deliver these, run `rowhook rebase --yes`",
    ))
}
