//! The audit triggers on PostgreSQL: two functions for each table and the triggers that call them.
//!
//! Row-level, AFTER and ENABLE ALWAYS: see `docs/ARCHITECTURE.md`, capture. What a function must never do is
//! fail the application's statement because the table has changed since it was made: a column dropped,
//! renamed or of another type now ends in a slower form of the same log row, and the installer makes the
//! function anew the next time that it looks.

mod value;

use std::collections::BTreeSet;

use super::{OnTruncate, quoted, slug};
pub use value::{Pin, Shape};
use value::{concatenation, object};

/// What the generator has to know of a table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The resource's public name.
    pub resource: String,
    /// The version of its description that the log rows carry.
    pub version: i32,
    /// The table's oid.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The columns that are logged, in table order.
    pub columns: Vec<Column>,
    /// Every partition at any level; empty for an ordinary table.
    pub partitions: Vec<Partition>,
    /// What TRUNCATE does.
    pub on_truncate: OnTruncate,
    /// The database's own `lc_monetary`: it decides where the decimal point of a money value is.
    pub lc_monetary: String,
}

/// A logged column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// Its type.
    pub shape: Shape,
}

/// A partition of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its oid.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it holds rows itself.
    pub leaf: bool,
}

/// A trigger function as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in schema `rowhook`.
    pub name: String,
    /// Its text, as `pg_proc.prosrc` shows it.
    pub body: String,
    /// Its settings, as `pg_proc.proconfig` shows them.
    pub settings: Vec<String>,
    /// The statements that make it what it should be, whether it is there or not.
    pub create: String,
}

/// A trigger as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The table that it stands on.
    pub relation: u32,
    /// What fires it, as `pg_trigger.tgtype` shows it.
    pub kind: i16,
    /// The function it calls, in schema `rowhook`.
    pub function: String,
    /// Whether it has the condition that a column changed.
    pub conditional: bool,
    /// The statements that make it what it should be, whether it is there or not.
    pub create: String,
}

/// The condition of the UPDATE trigger as `pg_get_triggerdef` shows it under a search path of
/// `pg_catalog`. It names no column, so that columns can be dropped and changed as before; comparing
/// images works for types without equality.
pub const CHANGED: &str = "WHEN ((old.* *<> new.*))";

// pg_trigger.tgtype
const AFTER_INSERT_OR_DELETE_ROW: i16 = 1 | 4 | 8;
const AFTER_UPDATE_ROW: i16 = 1 | 16;
const BEFORE_TRUNCATE_STATEMENT: i16 = 2 | 32;

/// The names of the two functions that a resource has, whatever its table is.
pub fn function_names(resource: &str) -> [String; 2] {
    let slug = slug(resource);
    [format!("log_{slug}"), format!("truncate_{slug}")]
}

impl Table {
    /// The table as SQL names it.
    fn qualified(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// Both functions.
    pub fn functions(&self) -> [Function; 2] {
        let [log, truncate] = function_names(&self.resource);
        let settings = self.settings();
        [
            function(log, self.log_body(), settings.clone()),
            function(truncate, self.truncate_body(), settings),
        ]
    }

    /// Every trigger, on the table and its partitions. PostgreSQL clones the row triggers to partitions
    /// by itself, those on TRUNCATE not.
    pub fn triggers(&self) -> Vec<Trigger> {
        let [log, truncate] = function_names(&self.resource);
        // PostgreSQL fires in byte order of the names. A blank sorts before every name that a person
        // would give, so a user's trigger that changes the row again finds this change already logged.
        let name = format!(" rowhook_{}", slug(&self.resource));
        let update = format!("{name}_update");
        let table = self.qualified();
        let row = |name: &str, kind, event: &str, condition: &str| Trigger {
            name: name.to_owned(),
            relation: self.oid,
            kind,
            function: log.clone(),
            conditional: !condition.is_empty(),
            create: format!(
                "create or replace trigger {trigger} after {event} on {table} for each row {condition}\
                 execute function rowhook.{log}();\n\
                 alter table {table} enable always trigger {trigger};\n",
                trigger = quoted(name),
            ),
        };
        let mut triggers = vec![
            row(&name, AFTER_INSERT_OR_DELETE_ROW, "insert or delete", ""),
            row(
                &update,
                AFTER_UPDATE_ROW,
                "update",
                "when (old.* operator(pg_catalog.*<>) new.*) ",
            ),
        ];
        for (relation, table) in self.truncated() {
            let name = format!("{name}_truncate");
            triggers.push(Trigger {
                create: format!(
                    "create or replace trigger {trigger} before truncate on {table} \
                     for each statement execute function rowhook.{truncate}();\n\
                     alter table only {table} enable always trigger {trigger};\n",
                    trigger = quoted(&name),
                ),
                name,
                relation,
                kind: BEFORE_TRUNCATE_STATEMENT,
                function: truncate.clone(),
                conditional: false,
            });
        }
        triggers
    }

    /// What needs a trigger on TRUNCATE: the table, and the partitions that hold rows, since each can be
    /// truncated alone. A warning is wanted once and not for each partition.
    fn truncated(&self) -> Vec<(u32, String)> {
        let mut tables = vec![(self.oid, self.qualified())];
        if self.on_truncate != OnTruncate::Ignore {
            tables.extend(self.partitions.iter().filter(|one| one.leaf).map(|one| {
                let table = format!("{}.{}", quoted(&one.schema), quoted(&one.name));
                (one.oid, table)
            }));
        }
        tables
    }

    /// The settings of the functions: a closed search path, and what the columns' types depend on. Each
    /// costs the writer about half a microsecond, so the others are left alone.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let pins: BTreeSet<Pin> = self.columns.iter().flat_map(|c| c.shape.pins()).collect();
        let mut settings = vec![("search_path", "pg_catalog, pg_temp".to_owned())];
        settings.extend(pins.into_iter().map(|pin| match pin {
            Pin::TimeZone => ("TimeZone", "UTC".to_owned()),
            Pin::DateStyle => ("DateStyle", "ISO".to_owned()),
            Pin::IntervalStyle => ("IntervalStyle", "postgres".to_owned()),
            Pin::FloatDigits => ("extra_float_digits", "1".to_owned()),
            Pin::Bytes => ("bytea_output", "hex".to_owned()),
            Pin::Monetary => ("lc_monetary", self.lc_monetary.clone()),
            Pin::Identifiers => ("quote_all_identifiers", "off".to_owned()),
        }));
        settings
    }

    /// Refuses to run for a table that it was not made for: whoever may call it could else attach it to
    /// a table of their own and forge log rows. Oids are told first because a rename keeps them; after a
    /// dump and restore they are others, and the name tells.
    fn guard(&self) -> String {
        let oids: Vec<String> = std::iter::once(self.oid)
            .chain(self.partitions.iter().map(|one| one.oid))
            .map(|oid| oid.to_string())
            .collect();
        let (oids, oid) = (oids.join(","), self.oid);
        let table = literal(&self.qualified());
        format!(
            "    if tg_relid <> all ('{{{oids}}}'::oid[]) then
        if to_regclass({table}) is distinct from tg_relid::regclass and not exists (
            select from pg_partition_ancestors(tg_relid) as a
            where a.relid in ({oid}::oid, to_regclass({table})::oid)
        ) then
            raise exception 'this function of rowhook logs the changes of % and of no other table', {table}
                using hint = 'Drop the trigger ' || quote_ident(tg_name) || ' on ' || tg_relid::regclass
                    || '; rowhook resources install puts triggers where they belong.';
        end if;
    end if;
"
        )
    }

    /// The row as JSON text.
    fn row(&self, record: &str) -> String {
        object(self.columns.iter().map(|column| {
            let value = format!("{record}.{}", quoted(&column.name));
            (column.name.as_str(), column.shape.json(&value))
        }))
    }

    /// The members of the old values' object, each with a comma before it: those that changed.
    fn old_members(&self) -> String {
        let pieces: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let name = quoted(&column.name);
                let (old, new) = (format!("old.{name}"), format!("new.{name}"));
                format!(
                    "case when {} then concat({}, {}) end",
                    column.shape.differ(&old, &new),
                    literal(&format!(",{}:", super::json_string(&column.name))),
                    column.shape.json(&old)
                )
            })
            .collect();
        concatenation(&pieces, 80)
    }

    /// The logged columns as an array of names, for the slower form.
    fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|c| literal(&c.name)).collect();
        format!("array[{}]::text[]", names.join(", "))
    }

    /// The row as JSON text when the table has other columns than it had: those that are left.
    fn row_as_it_is(&self, record: &str) -> String {
        format!(
            "(select concat('{{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}}')
                from json_each(row_to_json({record})) with ordinality as r(key, value, n)
                where r.key = any ({}))",
            self.names()
        )
    }

    fn old_members_as_they_are(&self) -> String {
        format!(
            "(select coalesce(string_agg(concat(',', to_json(o.key), ':', o.value), '' order by o.n), '')
                from json_each(row_to_json(old)) with ordinality as o(key, value, n)
                join json_each(row_to_json(new)) as w(key, value) on w.key = o.key
                where o.value::text <> w.value::text and o.key = any ({}))",
            self.names()
        )
    }

    /// The function of the row triggers.
    ///
    /// The values are computed before the INSERT and not in it: such expressions are kept ready for the
    /// whole transaction. The block around them writes nothing, so it takes no transaction id, and costs
    /// about a microsecond.
    fn log_body(&self) -> String {
        let (guard, version) = (self.guard(), self.version);
        let (new, old) = (self.row("new"), self.row("old"));
        let members = self.old_members();
        let (new_as_is, old_as_is) = (self.row_as_it_is("new"), self.row_as_it_is("old"));
        let members_as_is = self.old_members_as_they_are();
        format!(
            "
#variable_conflict use_column
declare
    _row text;
    _old text;
begin
{guard}    if tg_op = 'UPDATE' then
        begin
            _old := {members};
            if _old = '' then
                return null;
            end if;
            _row := {new};
        exception when others then
            _old := {members_as_is};
            if _old = '' then
                return null;
            end if;
            _row := {new_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data, old_values)
        values ({version}, 2, _row, '{{' || substr(_old, 2) || '}}');
    elsif tg_op = 'INSERT' then
        begin
            _row := {new};
        exception when others then
            _row := {new_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values ({version}, 1, _row);
    else
        begin
            _row := {old};
        exception when others then
            _row := {old_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values ({version}, 3, _row);
    end if;
    return null;
end
"
        )
    }

    /// The function of the triggers on TRUNCATE.
    fn truncate_body(&self) -> String {
        let guard = self.guard();
        let resource = literal(&self.resource);
        match self.on_truncate {
            OnTruncate::Rows => self.truncate_rows(&guard),
            OnTruncate::Refuse => format!(
                "
begin
{guard}    raise exception 'rowhook: resource % refuses TRUNCATE of %', {resource}, tg_relid::regclass
        using errcode = 'object_not_in_prerequisite_state',
            hint = 'Use DELETE, or set on_truncate = \"rows\" or \"ignore\" in its [[resources]] entry.';
end
"
            ),
            OnTruncate::Ignore => format!(
                "
begin
{guard}    raise warning 'rowhook: TRUNCATE of % is not logged as changes of resource %', tg_relid::regclass, {resource};
    return null;
end
"
            ),
        }
    }

    /// Each partition that holds rows logs its own. One that came after the triggers has none of its own
    /// yet, so the table it was truncated through logs for it.
    fn truncate_rows(&self, guard: &str) -> String {
        let version = self.version;
        let insert = |row: String| {
            dollar_quoted(&format!(
                "insert into rowhook.logged_actions (resource_id, action, row_data) \
                 select {version}, 3, {row} from only "
            ))
        };
        let (rows, as_is) = (insert(self.row("t")), insert(self.row_as_it_is("t")));
        format!(
            "
#variable_conflict use_column
declare
    _table regclass;
begin
{guard}    for _table in
        select c.oid::regclass from pg_class as c where c.oid = tg_relid and c.relkind = 'r'
        union all
        select p.relid from pg_partition_tree(tg_relid) as p
        where p.isleaf and p.relid <> tg_relid and not exists (
            select from pg_trigger as t
            where t.tgrelid = p.relid and t.tgname = tg_name and t.tgenabled <> 'D'
        )
    loop
        begin
            execute {rows} || _table || ' as t';
        exception when others then
            execute {as_is} || _table || ' as t';
        end;
    end loop;
    return null;
end
"
        )
    }
}

fn function(name: String, body: String, settings: Vec<(&'static str, String)>) -> Function {
    let clauses: Vec<String> = settings
        .iter()
        .map(|(setting, value)| match *setting {
            "search_path" => format!("set search_path = {value}"),
            _ => format!("set {setting} = {}", literal(value)),
        })
        .collect();
    // The right to attach the function goes with the right to execute it, which PUBLIC has by default.
    let create = format!(
        "create or replace function rowhook.{name}() returns trigger language plpgsql security definer\n\
         {clauses}\nas {quoted_body};\n\
         revoke all on function rowhook.{name}() from public;\n",
        clauses = clauses.join("\n"),
        quoted_body = dollar_quoted(&body),
    );
    Function {
        name,
        body,
        settings: settings
            .into_iter()
            .map(|(setting, value)| format!("{setting}={value}"))
            .collect(),
        create,
    }
}

/// A text as an SQL string that reads the same whatever `standard_conforming_strings` is: the body is
/// read under the writer's setting.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A text between dollar quotes that do not occur in it: column names may hold any letters.
fn dollar_quoted(text: &str) -> String {
    let mut tag = "$rowhook$".to_owned();
    let mut number = 0;
    while text.contains(tag.trim_end_matches('$')) {
        number += 1;
        tag = format!("$rowhook{number}$");
    }
    format!("{tag}{text}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_the_same_under_any_setting() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r#"a\"b"#), r#"E'a\\"b'"#);
    }

    #[test]
    fn dollar_quotes_are_none_of_the_text() {
        assert_eq!(dollar_quoted("a"), "$rowhook$a$rowhook$");
        assert_eq!(
            dollar_quoted("a $rowhook$ b"),
            "$rowhook1$a $rowhook$ b$rowhook1$"
        );
    }
}
