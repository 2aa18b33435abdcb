//! What PostgreSQL's catalogue says of a table, and whether it can be watched.
//!
//! It only reads. The configured name is resolved first, as SQL would by the search path of rowhook's own
//! connection (`"$user", public` unless the role or the URL says otherwise), only that an unqualified
//! name is never one in schema `rowhook`, which is what `"$user"` means to a role of that name.
//! Everything after it runs with a search path of `pg_catalog`, so that types and expressions print the
//! same whoever asks.

use migration::triggers::postgres::{Column as Logged, Function, Part};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use crate::{
    domain::resource::{Column, ResourceDefinition},
    store::{
        StoreError,
        catalogue::{FoundTable, InstallError, WantedResource},
        sql::{
            db::Txn,
            faults::{database_code, told},
            receiver_health,
        },
    },
};

use super::{
    super::{definition, no_table, unwatchable},
    shape::Shapes,
};

/// A table as found, under the resource's settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub columns: Vec<Logged>,
    pub partitioned: bool,
    pub parts: Vec<Part>,
    pub lc_monetary: String,
    pub definition: ResourceDefinition,
}

/// A trigger function as it stands.
pub(super) struct StandingFunction {
    /// With the types of its arguments.
    pub signature: String,
    stable: bool,
    body: String,
    settings: Vec<String>,
    closed: bool,
}

impl StandingFunction {
    pub fn is(&self, wanted: &Function) -> bool {
        self.closed
            && self.signature == wanted.signature
            && self.stable == wanted.stable
            && self.body == wanted.body
            && self.settings == wanted.settings
    }
}

/// An oid, which travels as a bigint: PostgreSQL's integers have a sign.
pub(super) fn oid(row: &QueryResult, column: &str) -> Result<u32, StoreError> {
    let oid: i64 = row.try_get("", column)?;
    u32::try_from(oid).map_err(StoreError::corrupt)
}

pub(super) async fn close_search_path(txn: &Txn) -> Result<(), DbErr> {
    txn.execute_unprepared("set local search_path = pg_catalog, pg_temp")
        .await
        .map(|_| ())
}

/// The table that a resource asks for.
pub(super) async fn look(txn: &Txn, wanted: &WantedResource) -> Result<Found, InstallError> {
    let oid = resolve(txn, wanted).await?;
    close_search_path(txn).await?;
    look_again(txn, wanted, oid).await
}

async fn resolve(txn: &Txn, wanted: &WantedResource) -> Result<u32, InstallError> {
    txn.execute_unprepared(
        "select set_config('search_path', coalesce(string_agg(quote_ident(s.name), ', ' order by s.place), ''), true)
         from unnest(current_schemas(false)) with ordinality as s(name, place) where s.name <> 'rowhook'",
    )
    .await?;
    let statement = txn.statement(
        "select to_regclass($1)::oid::bigint as oid",
        [wanted.table.as_str().into()],
    );
    let row = match txn.query_one_raw(statement).await {
        Ok(row) => row,
        Err(error) => {
            return Err(match database_code(&error).as_deref() {
                // syntax_error, invalid_name, and a name with too many dots
                Some("42601" | "42602" | "0A000") => no_table(wanted),
                Some("42501") => InstallError::NoRight {
                    resource: wanted.name.clone(),
                    table: wanted.table.clone(),
                    detail: told(&error),
                },
                _ => error.into(),
            });
        }
    };
    match row {
        Some(row) if row.try_get::<Option<i64>>("", "oid")?.is_some() => Ok(oid(&row, "oid")?),
        _ => Err(no_table(wanted)),
    }
}

/// The table of an oid, once the search path is closed.
pub(super) async fn look_again(
    txn: &Txn,
    wanted: &WantedResource,
    oid: u32,
) -> Result<Found, InstallError> {
    let statement = txn.statement(
        "select n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
                c.relpersistence::text as persistence, current_setting('lc_monetary') as lc_monetary,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
                n.nspname like 'pg\\_%' or n.nspname = 'information_schema' as system
         from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::bigint::oid",
        [i64::from(oid).into()],
    );
    let Some(row) = txn.query_one_raw(statement).await? else {
        return Err(no_table(wanted));
    };
    if let Some(reason) = reason_against(&row)? {
        return Err(unwatchable(wanted, reason));
    }
    let partitioned = row.try_get::<String>("", "kind")? == "p";
    let parts = parts(txn, oid).await?;
    if !partitioned && !parts.iter().all(|part| part.leaf) {
        return Err(unwatchable(
            wanted,
            "a foreign table inherits from it, whose changes are made elsewhere; watch it there, and those \
             of the other tables that inherit one by one",
        ));
    }
    let found = found_table(txn, oid, row.try_get("", "qualified")?).await?;
    let definition = definition(wanted, found)?;
    let shapes = Shapes::of_table(txn, oid).await?;
    let logged = |column: &Column| {
        Ok(Logged {
            name: column.name.clone(),
            shape: shapes.of_column(&column.name)?,
        })
    };
    Ok(Found {
        oid,
        schema: row.try_get("", "schema")?,
        name: row.try_get("", "name")?,
        columns: definition
            .columns
            .iter()
            .map(logged)
            .collect::<Result<_, StoreError>>()?,
        partitioned,
        parts,
        lc_monetary: row.try_get("", "lc_monetary")?,
        definition,
    })
}

/// Why a relation can not be watched, and what to do.
fn reason_against(row: &QueryResult) -> Result<Option<&'static str>, DbErr> {
    let kind: String = row.try_get("", "kind")?;
    let schema: String = row.try_get("", "schema")?;
    let name: String = row.try_get("", "name")?;
    Ok(match kind.as_str() {
        "r" if row.try_get::<String>("", "persistence")? == "t" => {
            Some("it is a temporary table, which nobody else can see")
        }
        _ if row.try_get("", "system")? => Some("it is a system table"),
        // The one that is made to be watched.
        "r" if schema == "rowhook" && name == receiver_health::TABLE => None,
        _ if schema == "rowhook" => Some("it is one of rowhook's own tables"),
        "v" | "m" => Some("it is a view; watch the tables it reads"),
        "f" => Some("it is a foreign table, whose changes are made elsewhere; watch it there"),
        "r" | "p" => None,
        _ => Some("it is no table"),
    })
}

async fn found_table(txn: &Txn, oid: u32, table: String) -> Result<FoundTable, StoreError> {
    let statement = txn.statement(
        "select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as data_type,
                (select k.place from pg_index i, unnest(i.indkey) with ordinality as k(attnum, place)
                 where i.indrelid = a.attrelid and i.indisprimary and k.attnum = a.attnum) as place
         from pg_attribute a
         where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped order by a.attnum",
        [i64::from(oid).into()],
    );
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for row in txn.query_all_raw(statement).await? {
        let name: String = row.try_get("", "name")?;
        if let Some(place) = row.try_get::<Option<i64>>("", "place")? {
            key.push((place, name.clone()));
        }
        columns.push(Column {
            name,
            data_type: row.try_get("", "data_type")?,
        });
    }
    key.sort_unstable();
    Ok(FoundTable {
        table,
        columns,
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
    })
}

/// Every column by its number, which a rename keeps.
pub(super) async fn places(txn: &Txn, table: u32) -> Result<Vec<(i32, String)>, StoreError> {
    let statement = txn.statement(
        "select attnum::int as place, attname::text as name from pg_attribute
         where attrelid = $1::bigint::oid and attnum > 0 and not attisdropped order by attnum",
        [i64::from(table).into()],
    );
    let rows = txn.query_all_raw(statement).await?;
    let read = |row: &QueryResult| Ok((row.try_get("", "place")?, row.try_get("", "name")?));
    rows.iter().map(read).collect()
}

/// Every table that could be watched. Partitions are left to the table they are part of.
pub(super) async fn tables(txn: &Txn) -> Result<Vec<FoundTable>, StoreError> {
    let statement = txn.statement(
        "select c.oid::bigint as oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and c.relpersistence <> 't' and not c.relispartition
           and n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'rowhook')
         order by n.nspname, c.relname",
        [],
    );
    close_search_path(txn).await?;
    let mut tables = Vec::new();
    for row in txn.query_all_raw(statement).await? {
        tables.push(found_table(txn, oid(&row, "oid")?, row.try_get("", "qualified")?).await?);
    }
    Ok(tables)
}

/// Every partition, or every table that inherits, at any level: one may inherit along several lines. A
/// temporary one is seen by nobody else. (`pg_partition_tree` would lock them.)
async fn parts(txn: &Txn, root: u32) -> Result<Vec<Part>, StoreError> {
    let statement = txn.statement(
        "with recursive tree(oid) as (
             select inhrelid from pg_inherits where inhparent = $1::bigint::oid
             union
             select i.inhrelid from tree join pg_inherits i on i.inhparent = tree.oid
         )
         select c.oid::bigint as oid, n.nspname::text as schema, c.relname::text as name,
                c.relkind = 'r' as leaf
         from tree join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace
         where c.relpersistence <> 't' order by c.oid",
        [i64::from(root).into()],
    );
    let mut parts = Vec::new();
    for row in txn.query_all_raw(statement).await? {
        parts.push(Part {
            oid: oid(&row, "oid")?,
            schema: row.try_get("", "schema")?,
            name: row.try_get("", "name")?,
            leaf: row.try_get("", "leaf")?,
        });
    }
    Ok(parts)
}

/// Those of these functions that there are in schema `rowhook`.
pub(super) async fn functions(
    txn: &Txn,
    names: &[String; 3],
) -> Result<Vec<StandingFunction>, StoreError> {
    let statement = txn.statement(
        "select p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as signature,
                p.provolatile = 's' as stable, p.prosrc as body, coalesce(p.proconfig, '{}') as settings,
                p.prosecdef and not exists (
                    select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                    where a.grantee = 0
                ) as closed
         from pg_proc p
         where p.pronamespace = to_regnamespace('rowhook') and p.proname in ($1, $2, $3)",
        names.clone().map(Value::from),
    );
    let mut functions = Vec::new();
    for row in txn.query_all_raw(statement).await? {
        functions.push(StandingFunction {
            signature: row.try_get("", "signature")?,
            stable: row.try_get("", "stable")?,
            body: row.try_get("", "body")?,
            settings: row.try_get("", "settings")?,
            closed: row.try_get("", "closed")?,
        });
    }
    Ok(functions)
}
