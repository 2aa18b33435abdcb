//! The audit triggers on PostgreSQL: three functions for each table and the triggers that call them.
//!
//! Row-level, AFTER and ENABLE ALWAYS: see `docs/ARCHITECTURE.md`, capture. What a function must never do is
//! fail the application's statement because the table has changed since it was made: a column dropped,
//! renamed or of another type now ends in a slower form of the same log row, and the installer makes the
//! function anew the next time that it looks.

mod body;
mod value;

use std::collections::BTreeSet;

use super::{OnTruncate, quoted, slug};
pub use value::{Pin, Shape};

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
    /// Whether it is partitioned. Else `parts` inherit from it.
    pub partitioned: bool,
    /// Every partition, or every table that inherits, at any level; empty for an ordinary table.
    pub parts: Vec<Part>,
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

/// A partition of the table, or a table that inherits from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
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
    /// Its name in schema `rowhook`, with the types of its arguments.
    pub signature: String,
    /// Whether its queries see what its caller's statement sees: STABLE.
    pub stable: bool,
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
    /// The statements that make it what it should be, whether it is there or not.
    pub create: String,
}

impl Trigger {
    /// Whether it fires for each row that changes.
    pub fn is_for_rows(&self) -> bool {
        self.kind & 1 == 1
    }
}

// pg_trigger.tgtype
const AFTER_CHANGE_OF_ROW: i16 = 1 | 4 | 8 | 16;
const BEFORE_TRUNCATE_STATEMENT: i16 = 2 | 32;

/// The names of the functions that a resource can have, whatever its table is: that of the row triggers,
/// that of the triggers on TRUNCATE, and the one that reads the rows for it.
pub fn function_names(resource: &str) -> [String; 3] {
    let slug = slug(resource);
    ["log", "truncate", "present"].map(|what| format!("{what}_{slug}"))
}

impl Table {
    /// The table as SQL names it.
    fn qualified(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// The functions.
    pub fn functions(&self) -> Vec<Function> {
        let [log, truncate, reader] = function_names(&self.resource);
        let settings = self.settings();
        let mut reading = settings.clone();
        // A policy may bind the owner too. What it hides would be truncated unseen; so that is an error.
        reading.push(("row_security", "off".to_owned()));
        let mut functions = vec![
            trigger_function(&log, self.log_body(), settings),
            trigger_function(&truncate, self.truncate_body(), reading.clone()),
        ];
        if self.on_truncate == OnTruncate::Rows {
            functions.push(reader_function(&reader, self.reader_body(), reading));
        }
        functions
    }

    /// The name of the function that reads the rows for TRUNCATE.
    fn reader_name(&self) -> String {
        let [_, _, reader] = function_names(&self.resource);
        reader
    }

    /// Every trigger, on the table and its parts. PostgreSQL clones the row triggers to partitions by
    /// itself, but not those on TRUNCATE, and none to tables that inherit.
    pub fn triggers(&self) -> Vec<Trigger> {
        let [log, truncate, _] = function_names(&self.resource);
        // PostgreSQL fires in byte order of the names. A blank sorts before every name that a person
        // would give, so a user's trigger that changes the row again finds this change already logged.
        let name = format!(" rowhook_{}", slug(&self.resource));
        let mut triggers = Vec::new();
        for (relation, table) in self.written() {
            triggers.push(Trigger {
                create: format!(
                    "create or replace trigger {trigger} after insert or update or delete on {table} \
                     for each row execute function rowhook.{log}();\n\
                     alter table {only}{table} enable always trigger {trigger};\n",
                    // The clones on partitions too.
                    only = if self.partitioned { "" } else { "only " },
                    trigger = quoted(&name),
                ),
                name: name.clone(),
                relation,
                kind: AFTER_CHANGE_OF_ROW,
                function: log.clone(),
            });
        }
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
            });
        }
        triggers
    }

    /// What needs row triggers of its own.
    fn written(&self) -> Vec<(u32, String)> {
        let mut tables = vec![(self.oid, self.qualified())];
        if !self.partitioned {
            tables.extend(self.parts.iter().map(Part::place));
        }
        tables
    }

    /// What needs a trigger on TRUNCATE: the table, and the parts that hold rows, since each can be
    /// truncated alone. A warning is wanted once and not for each part.
    fn truncated(&self) -> Vec<(u32, String)> {
        let mut tables = vec![(self.oid, self.qualified())];
        if self.on_truncate != OnTruncate::Ignore {
            tables.extend(self.parts.iter().filter(|one| one.leaf).map(Part::place));
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
}

impl Part {
    /// It, and how SQL names it.
    fn place(&self) -> (u32, String) {
        let table = format!("{}.{}", quoted(&self.schema), quoted(&self.name));
        (self.oid, table)
    }
}

fn trigger_function(name: &str, body: String, settings: Vec<(&'static str, String)>) -> Function {
    function(format!("{name}()"), "trigger", false, body, settings)
}

/// It is called with the rights of whoever owns `rowhook.fresh_reads`.
fn reader_function(name: &str, body: String, settings: Vec<(&'static str, String)>) -> Function {
    let mut function = function(format!("{name}(oid, name)"), "void", true, body, settings);
    let grant = format!(
        "begin
    execute 'grant execute on function rowhook.{} to ' || (
        select relowner::regrole from pg_class where oid = 'rowhook.fresh_reads'::regclass
    );
end",
        function.signature
    );
    function.create += &format!("do {};\n", dollar_quoted(&grant));
    function
}

fn function(
    signature: String,
    returns: &str,
    stable: bool,
    body: String,
    settings: Vec<(&'static str, String)>,
) -> Function {
    let clauses: Vec<String> = settings
        .iter()
        .map(|(setting, value)| match *setting {
            "search_path" => format!("set search_path = {value}"),
            _ => format!("set {setting} = {}", literal(value)),
        })
        .collect();
    // The right to attach the function goes with the right to execute it, which PUBLIC has by default.
    let create = format!(
        "create or replace function rowhook.{signature} returns {returns} language plpgsql {volatility} \
         security definer\n{clauses}\nas {quoted_body};\n\
         revoke all on function rowhook.{signature} from public;\n",
        volatility = if stable { "stable" } else { "volatile" },
        clauses = clauses.join("\n"),
        quoted_body = dollar_quoted(&body),
    );
    Function {
        signature,
        stable,
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
