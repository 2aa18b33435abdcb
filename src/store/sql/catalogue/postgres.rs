//! The catalogue on PostgreSQL: when the triggers are what they should be, and making them so.
//!
//! Looking takes no lock that anybody could wait for. A change is one short transaction: first the
//! installers' own advisory lock, then the table's, each waited for at most `lock_timeout`, then every
//! further lock without waiting at all. A new version of the functions alone needs no lock on the table.

mod look;
mod shape;

use std::time::Duration;

use migration::triggers::postgres::{Function, Table, Trigger, function_names};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::{
    domain::{
        ids::ResourceId,
        resource::{Resource, ResourceDefinition, ResourceName},
    },
    store::{
        StoreError,
        catalogue::{FoundTable, InstallError, Installed, TableLook, TriggerState, WantedResource},
        sql::{
            db::{Db, Txn},
            faults::{is_lock_missed, is_no_right, told},
        },
    },
};

use super::{excluded::Excluded, versions};
use look::Found;

/// Two instances that start at once install one after the other: advisory lock, "rowhook" and one.
pub(in crate::store::sql) const INSTALL_LOCK: i64 = 0x726f_7768_6f6f_6b01;

/// How a statement ended that may have to be tried again.
enum Failure {
    /// A lock was not to be had.
    Locked,
    /// Something that trying again does not mend.
    Final(InstallError),
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Self::Final(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Final(error.into())
    }
}

/// What the database refused, for a resource and its table.
fn failure(error: DbErr, resource: &ResourceName, table: &str) -> Failure {
    if is_lock_missed(&error) {
        Failure::Locked
    } else if is_no_right(&error) {
        Failure::Final(InstallError::NoRight {
            resource: resource.clone(),
            table: table.to_owned(),
            detail: told(&error),
        })
    } else {
        Failure::Final(error.into())
    }
}

fn settled<T>(result: Result<T, Failure>) -> Result<Option<T>, InstallError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Locked) => Ok(None),
        Err(Failure::Final(error)) => Err(error),
    }
}

pub(super) async fn tables(db: &Db) -> Result<Vec<FoundTable>, StoreError> {
    let txn = db.begin().await?;
    look::tables(&txn).await
}

pub(super) async fn describe(
    db: &Db,
    wanted: &WantedResource,
) -> Result<ResourceDefinition, InstallError> {
    let txn = db.begin().await?;
    Ok(look::look(&txn, wanted).await?.definition)
}

/// The version in force when the triggers are what they should be.
pub(super) async fn in_force(
    db: &Db,
    wanted: &WantedResource,
) -> Result<Option<Resource>, InstallError> {
    let txn = db.begin().await?;
    let found = look::look(&txn, wanted).await?;
    let Some((id, definition)) = versions::current(db, &txn, &wanted.name).await? else {
        return Ok(None);
    };
    if definition != found.definition {
        return Ok(None);
    }
    let work = work(&txn, &found.table(wanted, id)).await?;
    Ok(work.is_none().then(|| resource(wanted, id, definition)))
}

fn resource(wanted: &WantedResource, id: ResourceId, definition: ResourceDefinition) -> Resource {
    Resource {
        id,
        name: wanted.name.clone(),
        aliases: wanted.aliases.clone(),
        definition,
    }
}

/// `None`: a lock was not to be had in this try.
pub(super) async fn try_install(
    db: &Db,
    timeout: Duration,
    wanted: &WantedResource,
) -> Result<Option<(Resource, Installed)>, InstallError> {
    if let Some(resource) = in_force(db, wanted).await? {
        return Ok(Some((resource, Installed::Unchanged)));
    }
    settled(install(db, timeout, wanted).await)
}

async fn install(
    db: &Db,
    timeout: Duration,
    wanted: &WantedResource,
) -> Result<(Resource, Installed), Failure> {
    let failed = |error| failure(error, &wanted.name, &wanted.table);
    let txn = begin(db, timeout, &failed).await?;
    let found = look::look(&txn, wanted).await?;
    lock_for(&txn, wanted, &found).await?;
    let excluded = Excluded::of(
        found.oid,
        &look::places(&txn, found.oid).await?,
        &found.definition,
    );
    let before = versions::excluded(db, &txn, &wanted.name).await?;
    if let Some(renamed) = before.and_then(|before| before.renamed(&excluded)) {
        return Err(super::renamed_excluded(wanted, &found.definition, renamed).into());
    }
    let id = versions::put_in_force(db, &txn, &wanted.name, &found.definition, &excluded).await?;
    if let Some(work) = work(&txn, &found.table(wanted, id)).await? {
        for stray in &work.strays {
            drop_trigger(&txn, stray).await.map_err(failed)?;
        }
        let functions = work.functions.iter().map(|function| &function.create);
        let triggers = work.triggers.iter().map(|trigger| &trigger.create);
        for sql in functions.chain(triggers) {
            txn.execute_unprepared(sql).await.map_err(failed)?;
        }
    }
    txn.commit().await?;
    let resource = resource(wanted, id, found.definition);
    Ok((resource, Installed::Changed))
}

/// Takes the locks that the work on the triggers needs, before anything is written. (Which triggers
/// are wrong does not depend on the version that the functions write.)
async fn lock_for(txn: &Txn, wanted: &WantedResource, found: &Found) -> Result<(), Failure> {
    let failed = |error| failure(error, &wanted.name, &wanted.table);
    let Some(work) = work(txn, &found.table(wanted, ResourceId(0))).await? else {
        return Ok(());
    };
    let mut locks = Locks::default();
    for stray in &work.strays {
        locks
            .take(txn, &stray.table, "access exclusive")
            .await
            .map_err(failed)?;
    }
    if !work.triggers.is_empty() {
        locks
            .take(txn, &found.definition.table, "share row exclusive")
            .await
            .map_err(failed)?;
        // What was seen before the lock may have changed until it was there.
        if look::look_again(txn, wanted, found.oid).await? != *found {
            return Err(Failure::Locked);
        }
    }
    Ok(())
}

/// `None`: a lock was not to be had in this try.
pub(super) async fn try_uninstall(
    db: &Db,
    timeout: Duration,
    name: &ResourceName,
) -> Result<Option<Installed>, InstallError> {
    settled(uninstall(db, timeout, name).await)
}

async fn uninstall(db: &Db, timeout: Duration, name: &ResourceName) -> Result<Installed, Failure> {
    let version = versions::current(db, db, name).await?;
    let table = version.map_or_else(|| name.to_string(), |(_, found)| found.table);
    let failed = |error| failure(error, name, &table);
    let txn = begin(db, timeout, &failed).await?;
    look::close_search_path(&txn).await.map_err(failed)?;
    let functions = function_names(name.as_str());
    let mut locks = Locks::default();
    let mut changed = false;
    for standing in standing(&txn, &functions).await? {
        if standing.cloned {
            continue;
        }
        locks
            .take(&txn, &standing.table, "access exclusive")
            .await
            .map_err(failed)?;
        drop_trigger(&txn, &standing).await.map_err(failed)?;
        changed = true;
    }
    for function in look::functions(&txn, &functions).await? {
        let sql = format!("drop function rowhook.{}", function.signature);
        txn.execute_unprepared(&sql).await.map_err(failed)?;
        changed = true;
    }
    changed |= versions::retire(db, &txn, name).await?;
    txn.commit().await?;
    Ok(if changed {
        Installed::Changed
    } else {
        Installed::Unchanged
    })
}

/// A transaction that waits for no lock longer than `timeout`, and that no other installer is beside.
async fn begin(
    db: &Db,
    timeout: Duration,
    failed: &impl Fn(DbErr) -> Failure,
) -> Result<Txn, Failure> {
    let txn = db.begin().await?;
    let sql = format!(
        "set local lock_timeout = {}; select pg_advisory_xact_lock({INSTALL_LOCK})",
        timeout.as_millis().max(1)
    );
    txn.execute_unprepared(&sql).await.map_err(failed)?;
    Ok(txn)
}

/// The tables locked in a transaction. Only for the first is there a wait: whoever waits for the second
/// holds the first against its users.
#[derive(Default)]
struct Locks {
    held: bool,
}

impl Locks {
    async fn take(&mut self, txn: &Txn, table: &str, mode: &str) -> Result<(), DbErr> {
        if !self.held {
            let sql = format!("lock table only {table} in {mode} mode");
            txn.execute_unprepared(&sql).await?;
            self.held = true;
        }
        // Its partitions too.
        let sql = format!("lock table {table} in {mode} mode nowait");
        txn.execute_unprepared(&sql).await.map(|_| ())
    }
}

async fn drop_trigger(txn: &Txn, standing: &Standing) -> Result<(), DbErr> {
    let sql = format!(
        "drop trigger {} on {}",
        migration::triggers::quoted(&standing.name),
        standing.table
    );
    txn.execute_unprepared(&sql).await.map(|_| ())
}

/// What has to be done so that the triggers are what they should be.
struct Work {
    functions: Vec<Function>,
    triggers: Vec<Trigger>,
    strays: Vec<Standing>,
}

/// How the table and its triggers stand.
pub(super) async fn look_at(db: &Db, wanted: &WantedResource) -> Result<TableLook, InstallError> {
    let txn = db.begin().await?;
    let found = look::look(&txn, wanted).await?;
    let version = versions::current(db, &txn, &wanted.name).await?;
    let (id, described) = version
        .as_ref()
        .map_or((ResourceId(0), false), |(id, definition)| {
            (*id, *definition == found.definition)
        });
    let table = found.table(wanted, id);
    let standing = standing(&txn, &function_names(&table.resource)).await?;
    let triggers = table.triggers();
    let there = |wanted: &&Trigger| standing.iter().any(|found| found.is_place_of(wanted));
    let ours = |found: &Standing| triggers.iter().any(|wanted| wanted.name == found.name);
    let state = if !triggers.iter().all(|one| there(&one)) {
        TriggerState::Missing
    } else if standing.iter().any(|found| ours(found) && !found.always) {
        TriggerState::Disabled
    } else if !described || work(&txn, &table).await?.is_some() {
        TriggerState::Altered
    } else {
        TriggerState::InForce
    };
    Ok(TableLook {
        state,
        logs_rows: triggers
            .iter()
            .filter(|one| one.is_for_rows())
            .all(|one| there(&one)),
        found: found.definition,
        version: version.map(|(id, definition)| resource(wanted, id, definition)),
    })
}

/// Compares what stands with what should; `None` when there is nothing to do.
async fn work(txn: &Txn, table: &Table) -> Result<Option<Work>, StoreError> {
    let names = function_names(&table.resource);
    let functions = look::functions(txn, &names).await?;
    let standing = standing(txn, &names).await?;
    let wanted = table.triggers();
    let work = Work {
        functions: table
            .functions()
            .into_iter()
            .filter(|wanted| !functions.iter().any(|found| found.is(wanted)))
            .collect(),
        triggers: wanted
            .iter()
            .filter(|wanted| !is_in_force(wanted, &standing))
            .cloned()
            .collect(),
        strays: standing
            .into_iter()
            .filter(|found| !found.cloned && !wanted.iter().any(|wanted| found.is_place_of(wanted)))
            .collect(),
    };
    let nothing = work.functions.is_empty() && work.triggers.is_empty() && work.strays.is_empty();
    Ok((!nothing).then_some(work))
}

/// Whether a trigger stands where it should and fires always, and its clones on partitions too.
fn is_in_force(wanted: &Trigger, standing: &[Standing]) -> bool {
    let mut clones = standing
        .iter()
        .filter(|found| found.cloned && found.name == wanted.name);
    standing
        .iter()
        .any(|found| found.is_place_of(wanted) && found.is(wanted))
        && clones.all(|clone| clone.always)
}

/// A trigger that calls one of a resource's functions.
struct Standing {
    name: String,
    relation: u32,
    table: String,
    kind: i16,
    function: String,
    conditional: bool,
    always: bool,
    cloned: bool,
}

impl Standing {
    fn is_place_of(&self, wanted: &Trigger) -> bool {
        self.name == wanted.name && self.relation == wanted.relation && !self.cloned
    }

    fn is(&self, wanted: &Trigger) -> bool {
        self.always
            && !self.conditional
            && self.kind == wanted.kind
            && self.function == wanted.function
    }
}

/// The triggers that call these functions. (Read as they are stored: `pg_get_triggerdef` would lock the
/// table, and wait for whoever has locked it.)
async fn standing(txn: &Txn, functions: &[String; 3]) -> Result<Vec<Standing>, StoreError> {
    let statement = txn.statement(
        "select t.tgname::text as name, t.tgrelid::bigint as relation, t.tgtype as kind,
                p.proname::text as function,
                t.tgqual is not null as conditional,
                t.tgenabled = 'A' as always, t.tgparentid <> 0 as cloned,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname) as \"table\"
         from pg_trigger t
         join pg_proc p on p.oid = t.tgfoid
         join pg_class c on c.oid = t.tgrelid
         join pg_namespace n on n.oid = c.relnamespace
         where p.pronamespace = to_regnamespace('rowhook') and p.proname in ($1, $2, $3)
         order by t.tgrelid, t.tgname",
        functions.clone().map(Value::from),
    );
    let mut standing = Vec::new();
    for row in txn.query_all_raw(statement).await? {
        standing.push(Standing {
            name: row.try_get("", "name")?,
            relation: look::oid(&row, "relation")?,
            table: row.try_get("", "table")?,
            kind: row.try_get("", "kind")?,
            function: row.try_get("", "function")?,
            conditional: row.try_get("", "conditional")?,
            always: row.try_get("", "always")?,
            cloned: row.try_get("", "cloned")?,
        });
    }
    Ok(standing)
}

impl Found {
    fn table(&self, wanted: &WantedResource, id: ResourceId) -> Table {
        Table {
            resource: wanted.name.to_string(),
            version: id.0,
            oid: self.oid,
            schema: self.schema.clone(),
            name: self.name.clone(),
            columns: self.columns.clone(),
            partitioned: self.partitioned,
            parts: self.parts.clone(),
            on_truncate: super::on_truncate(wanted),
            lc_monetary: self.lc_monetary.clone(),
        }
    }
}
