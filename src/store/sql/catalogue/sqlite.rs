//! The catalogue on SQLite.

use migration::triggers::{
    quoted,
    sqlite::{Table, trigger_names},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use crate::{
    domain::{
        ids::ResourceId,
        resource::{Column, Resource, ResourceDefinition, ResourceName},
    },
    store::{
        StoreError,
        catalogue::{FoundTable, InstallError, Installed, TableLook, TriggerState, WantedResource},
        sql::{db::Db, receiver_health},
    },
};

use super::{definition, excluded::Excluded, name, no_table, unwatchable, versions};

/// A table as found, under the resource's settings.
struct Found {
    name: String,
    definition: ResourceDefinition,
}

impl Found {
    fn with_version(&self, wanted: &WantedResource, id: ResourceId) -> Table {
        let column = |column: &Column| migration::triggers::sqlite::Column {
            name: column.name.clone(),
            declared: column.data_type.clone(),
        };
        Table {
            resource: wanted.name.to_string(),
            version: id.0,
            name: self.name.clone(),
            columns: self.definition.columns.iter().map(column).collect(),
        }
    }
}

pub(super) async fn tables(db: &Db) -> Result<Vec<FoundTable>, StoreError> {
    let statement = db.statement(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' \
         and name not like 'rowhook\\_%' escape '\\' and sql not like 'create virtual%' order by name",
        [],
    );
    let mut tables = Vec::new();
    for row in db.raw().query_all_raw(statement).await? {
        let table: String = row.try_get("", "name")?;
        tables.push(columns(db, db.raw(), &table).await?);
    }
    Ok(tables)
}

pub(super) async fn describe(
    db: &Db,
    wanted: &WantedResource,
) -> Result<ResourceDefinition, InstallError> {
    Ok(look(db, db.raw(), wanted).await?.definition)
}

/// The version in force when the triggers are what they should be.
pub(super) async fn in_force(
    db: &Db,
    wanted: &WantedResource,
) -> Result<Option<Resource>, InstallError> {
    let found = look(db, db.raw(), wanted).await?;
    in_force_on(db, db.raw(), wanted, &found).await
}

async fn in_force_on(
    db: &Db,
    connection: &impl ConnectionTrait,
    wanted: &WantedResource,
    found: &Found,
) -> Result<Option<Resource>, InstallError> {
    let Some((id, version)) = versions::current(db, connection, &wanted.name).await? else {
        return Ok(None);
    };
    if version != found.definition {
        return Ok(None);
    }
    let triggers = found.with_version(wanted, id).triggers();
    let statement = db.statement(
        "select name, tbl_name, sql, rowid as place from sqlite_schema where type = 'trigger' order by rowid",
        [],
    );
    let (mut right, mut first, mut last_of_others) = (0, i64::MAX, i64::MIN);
    for row in connection.query_all_raw(statement).await? {
        let name: String = row.try_get("", "name")?;
        let place: i64 = row.try_get("", "place")?;
        if let Some(trigger) = triggers.iter().find(|trigger| trigger.name == name) {
            right += usize::from(row.try_get::<String>("", "sql")? == trigger.create);
            first = first.min(place);
        } else if row.try_get::<String>("", "tbl_name")? == found.name
            && !name.starts_with("rowhook_")
        {
            last_of_others = last_of_others.max(place);
        }
    }
    // SQLite fires the youngest trigger first; a user's trigger that changes the row again must find
    // this change already logged.
    let is_right = right == triggers.len() && first > last_of_others;
    Ok(is_right.then(|| resource(wanted, id, version)))
}

/// How the table and its triggers stand. None can be disabled here.
pub(super) async fn look_at(db: &Db, wanted: &WantedResource) -> Result<TableLook, InstallError> {
    let found = look(db, db.raw(), wanted).await?;
    let are_there = are_there(db, db.raw(), wanted, &found).await?;
    let state = if !are_there {
        TriggerState::Missing
    } else if in_force_on(db, db.raw(), wanted, &found).await?.is_some() {
        TriggerState::InForce
    } else {
        TriggerState::Altered
    };
    let version = versions::current(db, db.raw(), &wanted.name).await?;
    Ok(TableLook {
        state,
        logs_rows: are_there,
        found: found.definition,
        version: version.map(|(id, definition)| resource(wanted, id, definition)),
    })
}

/// Whether every trigger stands on the table, whatever it does.
async fn are_there(
    db: &Db,
    connection: &impl ConnectionTrait,
    wanted: &WantedResource,
    found: &Found,
) -> Result<bool, StoreError> {
    let statement = db.statement(
        "select count(*) as found from sqlite_schema where type = 'trigger'
         and tbl_name = $4 collate nocase and name in ($1, $2, $3)",
        trigger_names(wanted.name.as_str())
            .into_iter()
            .chain([found.name.clone()])
            .map(Value::from),
    );
    let row = connection.query_one_raw(statement).await?;
    let standing: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    let triggers = found.with_version(wanted, ResourceId(0)).triggers().len() as i64;
    Ok(standing >= triggers)
}

/// Whether a column that stands where an excluded one stood is that one: places move up when a column before them is
/// dropped, and then a column that was logged before may come to stand there.
fn is_rename(former: &ResourceDefinition, now: &ResourceDefinition, column: &str) -> bool {
    let count = |one: &ResourceDefinition| one.columns.len() + one.exclude.len();
    let is_new = former.columns.iter().all(|known| known.name != column);
    is_new || count(former) == count(now)
}

/// Every column by its place, which a rename keeps.
async fn places(
    db: &Db,
    connection: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<(i32, String)>, StoreError> {
    let statement = db.statement(
        "select cid, name from pragma_table_xinfo($1, 'main') where hidden <> 1 order by cid",
        [table.into()],
    );
    let rows = connection.query_all_raw(statement).await?;
    let read = |row: &QueryResult| Ok((row.try_get("", "cid")?, row.try_get("", "name")?));
    rows.iter().map(read).collect()
}

fn resource(wanted: &WantedResource, id: ResourceId, definition: ResourceDefinition) -> Resource {
    Resource {
        id,
        name: wanted.name.clone(),
        aliases: wanted.aliases.clone(),
        definition,
    }
}

/// `None`: another process held the write lock.
pub(super) async fn try_install(
    db: &Db,
    wanted: &WantedResource,
) -> Result<Option<(Resource, Installed)>, InstallError> {
    if let Some(resource) = in_force(db, wanted).await? {
        return Ok(Some((resource, Installed::Unchanged)));
    }
    let Some(txn) = db.try_begin().await? else {
        return Ok(None);
    };
    let found = look(db, &txn, wanted).await?;
    if let Some(resource) = in_force_on(db, &txn, wanted, &found).await? {
        return Ok(Some((resource, Installed::Unchanged)));
    }
    let excluded = Excluded::of(0, &places(db, &txn, &found.name).await?, &found.definition);
    // A table that was made anew has lost its triggers, and its columns may stand anywhere.
    if are_there(db, &txn, wanted, &found).await?
        && let Some(before) = versions::excluded(db, &txn, &wanted.name).await?
        && let Some(renamed) = before.renamed(&excluded)
        && let Some((_, former)) = versions::current(db, &txn, &wanted.name).await?
        && is_rename(&former, &found.definition, &renamed.column)
    {
        return Err(super::renamed_excluded(wanted, &found.definition, renamed));
    }
    let id = versions::put_in_force(db, &txn, &wanted.name, &found.definition, &excluded).await?;
    drop_triggers(&txn, &wanted.name).await?;
    for trigger in found.with_version(wanted, id).triggers() {
        txn.execute_unprepared(&trigger.create).await?;
    }
    txn.commit().await?;
    let resource = resource(wanted, id, found.definition);
    Ok(Some((resource, Installed::Changed)))
}

/// `None`: another process held the write lock.
pub(super) async fn try_uninstall(
    db: &Db,
    name: &ResourceName,
) -> Result<Option<Installed>, InstallError> {
    let Some(txn) = db.try_begin().await? else {
        return Ok(None);
    };
    let names = trigger_names(name.as_str());
    let statement = db.statement(
        "select count(*) as found from sqlite_schema where type = 'trigger' and name in ($1, $2, $3)",
        names.map(Value::from),
    );
    let row = txn.query_one_raw(statement).await?;
    let triggers: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    let version = versions::retire(db, &txn, name).await?;
    if triggers == 0 && !version {
        return Ok(Some(Installed::Unchanged));
    }
    drop_triggers(&txn, name).await?;
    txn.commit().await?;
    Ok(Some(Installed::Changed))
}

async fn drop_triggers(
    connection: &impl ConnectionTrait,
    name: &ResourceName,
) -> Result<(), DbErr> {
    for trigger in trigger_names(name.as_str()) {
        let sql = format!("drop trigger if exists main.{}", quoted(&trigger));
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// What the database says of the table. The name is resolved as SQLite does: in any case, in `main`
/// (a trigger can not write into another file's table).
async fn look(
    db: &Db,
    connection: &impl ConnectionTrait,
    wanted: &WantedResource,
) -> Result<Found, InstallError> {
    let parts = name::sqlite_parts(&wanted.table).ok_or_else(|| no_table(wanted))?;
    let name = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema.eq_ignore_ascii_case("main") => name,
        _ => return Err(no_table(wanted)),
    };
    let statement = db.statement(
        "select type, name, coalesce(sql, '') as sql from sqlite_schema \
         where type in ('table', 'view') and name = $1 collate nocase",
        [name.as_str().into()],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Err(no_table(wanted));
    };
    let name: String = row.try_get("", "name")?;
    let lower = name.to_ascii_lowercase();
    if row.try_get::<String>("", "type")? == "view" {
        return Err(unwatchable(
            wanted,
            "it is a view; watch the tables it reads",
        ));
    }
    if lower
        .strip_prefix("rowhook_")
        .is_some_and(|own| own != receiver_health::TABLE)
    {
        return Err(unwatchable(wanted, "it is one of rowhook's own tables"));
    }
    if lower.starts_with("sqlite_") {
        return Err(unwatchable(wanted, "it is a system table"));
    }
    let sql: String = row.try_get("", "sql")?;
    if sql.to_ascii_lowercase().starts_with("create virtual") {
        return Err(unwatchable(
            wanted,
            "it is a virtual table, which can carry no triggers",
        ));
    }
    let definition = definition(wanted, columns(db, connection, &name).await?)?;
    Ok(Found { name, definition })
}

async fn columns(
    db: &Db,
    connection: &impl ConnectionTrait,
    table: &str,
) -> Result<FoundTable, StoreError> {
    // hidden: 1 is a virtual table's, 2 and 3 are generated columns.
    let statement = db.statement(
        "select name, type, pk from pragma_table_xinfo($1, 'main') where hidden <> 1 order by cid",
        [table.into()],
    );
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for row in connection.query_all_raw(statement).await? {
        let name: String = row.try_get("", "name")?;
        let place: i32 = row.try_get("", "pk")?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        columns.push(Column {
            name,
            data_type: row.try_get("", "type")?,
        });
    }
    key.sort_unstable();
    Ok(FoundTable {
        table: name::sqlite_quoted(table),
        columns,
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
    })
}
