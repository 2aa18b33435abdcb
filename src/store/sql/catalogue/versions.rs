//! The versions of the tables' descriptions, in `rowhook.resources`.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use super::excluded::Excluded;
use crate::{
    domain::{
        ids::ResourceId,
        resource::{Resource, ResourceDefinition, ResourceName},
    },
    store::StoreError,
    store::sql::db::{Db, Dialect, Txn},
};

/// The version of a resource that is in force.
pub(super) async fn current(
    db: &Db,
    connection: &impl ConnectionTrait,
    name: &ResourceName,
) -> Result<Option<(ResourceId, ResourceDefinition)>, StoreError> {
    let statement = db.statement(
        "select id, definition from rowhook.resources where name = $1 and retired_at is null",
        [name.as_str().into()],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let id = ResourceId(row.try_get("", "id")?);
    Ok(Some((
        id,
        parsed(&row.try_get::<String>("", "definition")?)?,
    )))
}

/// Where the excluded columns of the version in force stood, as far as that is known.
pub(super) async fn excluded(
    db: &Db,
    connection: &impl ConnectionTrait,
    name: &ResourceName,
) -> Result<Option<Excluded>, StoreError> {
    let statement = db.statement(
        "select excluded_at from rowhook.resources where name = $1 and retired_at is null",
        [name.as_str().into()],
    );
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let places: Option<String> = row.try_get("", "excluded_at")?;
    let read = |text: String| serde_json::from_str(&text).map_err(StoreError::corrupt);
    places.map(read).transpose()
}

/// The id under which this definition is in force: the one that it has, or a new one that takes the
/// place of the one in force.
pub(super) async fn put_in_force(
    db: &Db,
    txn: &Txn,
    name: &ResourceName,
    definition: &ResourceDefinition,
    excluded: &Excluded,
) -> Result<ResourceId, StoreError> {
    let places = match excluded.is_empty() {
        true => None,
        false => Some(serde_json::to_string(excluded).map_err(StoreError::corrupt)?),
    };
    if let Some((id, found)) = current(db, txn, name).await?
        && found == *definition
    {
        // The same description of a table that was made anew has other places.
        let sql = "update rowhook.resources set excluded_at = $1 where id = $2";
        let statement = db.statement(sql, [places.into(), id.0.into()]);
        txn.execute_raw(statement).await?;
        return Ok(id);
    }
    retire(db, txn, name).await?;
    let definition = serde_json::to_string(definition).map_err(StoreError::corrupt)?;
    let statement = db.statement(
        "insert into rowhook.resources (name, definition, excluded_at) values ($1, $2, $3) returning id",
        [name.as_str().into(), definition.into(), places.into()],
    );
    let row = txn
        .query_one_raw(statement)
        .await?
        .ok_or_else(|| StoreError::corrupt("an insert returned no id"))?;
    Ok(ResourceId(row.try_get("", "id")?))
}

/// Retires the version in force; whether there was one.
pub(super) async fn retire(db: &Db, txn: &Txn, name: &ResourceName) -> Result<bool, StoreError> {
    let now = match db.dialect() {
        Dialect::Postgres => "now()",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
    };
    let statement = db.statement(
        &format!(
            "update rowhook.resources set retired_at = {now} where name = $1 and retired_at is null"
        ),
        [name.as_str().into()],
    );
    Ok(txn.execute_raw(statement).await?.rows_affected() > 0)
}

/// The versions behind these ids, in id order.
pub(super) async fn by_id(db: &Db, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let statement = db.statement(
        &format!(
            "select id, name, definition from rowhook.resources where id in ({}) order by id",
            places.join(", ")
        ),
        ids.iter().map(|id| Value::from(id.0)),
    );
    read_all(db, statement).await
}

/// Every version in force, by name.
pub(super) async fn in_force(db: &Db) -> Result<Vec<Resource>, StoreError> {
    let sql =
        "select id, name, definition from rowhook.resources where retired_at is null order by name";
    read_all(db, db.statement(sql, [])).await
}

async fn read_all(db: &Db, statement: Statement) -> Result<Vec<Resource>, StoreError> {
    let rows = db.query_all_raw(statement).await?;
    let read = |row: &QueryResult| {
        let name: String = row.try_get("", "name")?;
        Ok(Resource {
            id: ResourceId(row.try_get("", "id")?),
            name: name.parse().map_err(StoreError::corrupt)?,
            aliases: Vec::new(),
            definition: parsed(&row.try_get::<String>("", "definition")?)?,
        })
    };
    rows.iter().map(read).collect()
}

fn parsed(definition: &str) -> Result<ResourceDefinition, StoreError> {
    serde_json::from_str(definition).map_err(StoreError::corrupt)
}
