//! The types of a table's columns, down to what they are made of.
//!
//! Read once for each look at a table; `migration::triggers` decides from it how a value is written.

use std::collections::HashMap;

use migration::triggers::postgres::Shape;
use sea_orm::{ConnectionTrait, QueryResult};

use crate::store::{StoreError, sql::db::Txn};

use super::look;

/// Every type that a table's columns lead to, and the columns' own.
pub(super) struct Shapes {
    columns: HashMap<String, u32>,
    types: HashMap<u32, Type>,
}

struct Type {
    name: String,
    built_in: bool,
    kind: String,
    /// The type under a domain, in an array or in a range.
    inner: Option<u32>,
    is_array: bool,
    fields: Vec<(String, u32)>,
}

impl Shapes {
    pub async fn of_table(txn: &Txn, table: u32) -> Result<Self, StoreError> {
        let statement = txn.statement(
            "select attname::text as name, atttypid::bigint as type from pg_attribute
             where attrelid = $1::bigint::oid and attnum > 0 and not attisdropped",
            [i64::from(table).into()],
        );
        let mut columns = HashMap::new();
        for row in txn.query_all_raw(statement).await? {
            columns.insert(row.try_get("", "name")?, look::oid(&row, "type")?);
        }
        let mut types = HashMap::new();
        let statement = txn.statement(TYPES, [i64::from(table).into()]);
        for row in txn.query_all_raw(statement).await? {
            types.insert(look::oid(&row, "oid")?, Type::read(&row)?);
        }
        Ok(Self { columns, types })
    }

    pub fn of_column(&self, name: &str) -> Result<Shape, StoreError> {
        let unknown = || StoreError::corrupt(format!("pg_attribute has no column {name:?}"));
        self.shape(*self.columns.get(name).ok_or_else(unknown)?)
    }

    fn shape(&self, oid: u32) -> Result<Shape, StoreError> {
        let unknown = |oid| StoreError::corrupt(format!("pg_type has no type {oid}"));
        let found = self.types.get(&oid).ok_or_else(|| unknown(oid))?;
        let inner = || self.shape(found.inner.ok_or_else(|| unknown(0))?);
        Ok(match found.kind.as_str() {
            "d" => match inner()? {
                Shape::Enum => Shape::EnumDomain,
                base => base,
            },
            "e" => Shape::Enum,
            "r" => Shape::Range(inner()?.into()),
            "m" => Shape::Multirange(inner()?.into()),
            "c" => {
                let fields = found.fields.iter();
                let fields = fields.map(|(name, oid)| Ok((name.clone(), self.shape(*oid)?)));
                Shape::Composite(fields.collect::<Result<_, StoreError>>()?)
            }
            _ if found.is_array => Shape::Array(inner()?.into()),
            _ if found.built_in => Shape::BuiltIn(found.name.clone()),
            _ => Shape::Extension,
        })
    }
}

impl Type {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let inner: Option<i64> = row.try_get("", "inner_type")?;
        let fields: String = row.try_get("", "fields")?;
        Ok(Self {
            name: row.try_get("", "name")?,
            built_in: row.try_get("", "built_in")?,
            kind: row.try_get("", "kind")?,
            inner: inner
                .map(u32::try_from)
                .transpose()
                .map_err(StoreError::corrupt)?,
            is_array: row.try_get("", "is_array")?,
            fields: serde_json::from_str(&fields).map_err(StoreError::corrupt)?,
        })
    }
}

/// Types from the columns inwards. A type is an array to PostgreSQL when it is subscripted as one.
const TYPES: &str = "
with recursive reached(oid) as (
    select atttypid from pg_attribute where attrelid = $1::bigint::oid and attnum > 0 and not attisdropped
    union
    select step.inner_type from reached
    join pg_type t on t.oid = reached.oid
    cross join lateral (
        select t.typbasetype where t.typtype = 'd'
        union all
        select t.typelem where t.typsubscript = 'array_subscript_handler'::regproc
        union all
        select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
        union all
        select a.atttypid from pg_attribute a
        where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    ) as step(inner_type)
)
select t.oid::bigint as oid, t.typname::text as name, t.typtype::text as kind,
       n.nspname = 'pg_catalog' as built_in,
       t.typsubscript = 'array_subscript_handler'::regproc as is_array,
       (case
            when t.typtype = 'd' then t.typbasetype
            when t.typtype in ('r', 'm') then (
                select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid))
            when t.typelem <> 0 then t.typelem
        end)::bigint as inner_type,
       case when t.typtype <> 'c' then '[]' else coalesce((
           select json_agg(json_build_array(a.attname, a.atttypid::bigint) order by a.attnum)::text
           from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
       ), '[]') end as fields
from reached join pg_type t on t.oid = reached.oid join pg_namespace n on n.oid = t.typnamespace
";
