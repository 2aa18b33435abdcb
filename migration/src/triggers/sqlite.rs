//! The audit triggers on SQLite: one for each operation.
//!
//! They run inside the application's SQLite, whatever version it has and whatever it was built with: only
//! functions that are there by default from 3.38 on. Whatever a value is (a broken text in a JSON
//! column, an infinity, a BLOB), the expression has a JSON text for it, because an error in a trigger
//! fails the application's statement.

use super::{json_string, quoted, slug};

/// What the generator has to know of a table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The resource's public name.
    pub resource: String,
    /// The version of its description that the log rows carry.
    pub version: i32,
    /// The table's name.
    pub name: String,
    /// The columns that are logged, in table order.
    pub columns: Vec<Column>,
}

/// A logged column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// Its declared type, which may be empty.
    pub declared: String,
}

/// A trigger as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its statement, letter by letter as `sqlite_schema.sql` shows it.
    pub create: String,
}

/// The names of the triggers that a resource has, whatever its table is.
pub fn trigger_names(resource: &str) -> [String; 3] {
    let slug = slug(resource);
    ["insert", "update", "delete"].map(|operation| format!("rowhook_{slug}_{operation}"))
}

impl Table {
    /// Every trigger.
    pub fn triggers(&self) -> [Trigger; 3] {
        let [insert, update, delete] = trigger_names(&self.resource);
        let version = self.version;
        let log = |columns: &str, values: String| {
            format!(
                "begin\n    insert into rowhook_logged_actions (resource_id, action, {columns})\n    \
                 values ({version}, {values});\nend"
            )
        };
        [
            self.trigger(
                insert,
                "insert",
                &log("row_data", format!("1, {}", self.row("new"))),
            ),
            self.trigger(
                update,
                "update",
                &format!(
                    "when {}\n{}",
                    self.condition(),
                    log(
                        "row_data, old_values",
                        format!("2, {},\n    {}", self.row("new"), self.old_values())
                    )
                ),
            ),
            self.trigger(
                delete,
                "delete",
                &log("row_data", format!("3, {}", self.row("old"))),
            ),
        ]
    }

    fn trigger(&self, name: String, event: &str, rest: &str) -> Trigger {
        Trigger {
            create: format!(
                "CREATE TRIGGER {} after {event} on {} for each row\n{rest}",
                quoted(&name),
                quoted(&self.name)
            ),
            name,
        }
    }

    /// The row as JSON text. The columns come as rows of a list, so that the conversion stands in the
    /// statement once: SQLite compiles a trigger with every statement that can fire it.
    fn row(&self, record: &str) -> String {
        let members: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("({}, {})", column.key_and_kind(), column.of(record)))
            .collect();
        format!(
            "(select '{{' || group_concat(column1 || {json}, ',') || '}}' from (values\n    {}))",
            members.join(",\n    "),
            json = json("column3")
        )
    }

    /// The old values of the columns that changed as JSON text.
    fn old_values(&self) -> String {
        let members: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let (old, new) = (column.of("old"), column.of("new"));
                format!("({}, {old}, {new})", column.key_and_kind())
            })
            .collect();
        format!(
            "(select '{{' || group_concat(column1 || {json}, ',') || '}}' from (values\n    {})\n    \
             where column3 is not column4 or typeof(column3) is not typeof(column4))",
            members.join(",\n    "),
            json = json("column3")
        )
    }

    fn condition(&self) -> String {
        let conditions: Vec<String> = self.columns.iter().map(Column::differs).collect();
        balanced(&conditions, "or")
    }
}

impl Column {
    fn of(&self, record: &str) -> String {
        format!("{record}.{}", quoted(&self.name))
    }

    /// An SQL condition: the old and the new value are not written alike.
    fn differs(&self) -> String {
        let (old, new) = (self.of("old"), self.of("new"));
        // The column's own collation may hold different letters for equal, or be the application's.
        let differs = format!("{old} is not {new} collate binary");
        if self.keeps_integers_and_reals_apart() {
            format!("({differs} or typeof({old}) is not typeof({new}))")
        } else {
            differs
        }
    }

    /// Only a column without affinity can hold 1 and 1.0, which are equal and written differently.
    fn keeps_integers_and_reals_apart(&self) -> bool {
        let declared = self.declared.to_ascii_uppercase();
        declared.is_empty()
            || (declared.contains("BLOB")
                && !["INT", "CHAR", "CLOB", "TEXT"]
                    .iter()
                    .any(|stronger| declared.contains(stronger)))
    }

    /// The member's key in JSON, and what the declared type makes of the value.
    fn key_and_kind(&self) -> String {
        let kind = match self.declared.to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" => BOOLEAN,
            "JSON" => JSON,
            _ => AS_STORED,
        };
        format!(
            "{}, {kind}",
            literal(&format!("{}:", json_string(&self.name)))
        )
    }
}

// What column2 of the lists says: how the declared type wants the value written.
const AS_STORED: u8 = 0;
const BOOLEAN: u8 = 1;
const JSON: u8 = 2;

/// An SQL expression with the JSON text of `value`, never null and never an error; column2 is its kind.
fn json(value: &str) -> String {
    // A text that json() just made would be taken for JSON and not quoted; the || makes it a text.
    format!(
        "case typeof({value}) when 'null' then 'null' \
         when 'integer' then case when column2 = {BOOLEAN} and {value} = 1 then 'true' \
         when column2 = {BOOLEAN} and {value} = 0 then 'false' else cast({value} as text) end \
         when 'real' then {} \
         when 'text' then case when column2 = {JSON} and json_valid({value}) then json({value}) \
         else json_quote({value} || '') end \
         else {} end",
        real(value),
        base64(value)
    )
}

/// Fifteen digits where they tell the number, else seventeen, which always do. (NaN is NULL in SQLite.)
fn real(value: &str) -> String {
    format!(
        "case {value} when 9e999 then '\"Infinity\"' when -9e999 then '\"-Infinity\"' else \
         case when cast(printf('%!.15g', {value}) as real) = {value} then printf('%!.15g', {value}) \
         else printf('%!.17g', {value}) end end"
    )
}

/// Base64 without an extension: three bytes at a time, told by their place in the list of all bytes.
///
/// What is missing at the end is an empty blob, found at the first place, so it counts as zero; the
/// letters that came of it alone are then replaced. The `limit -1` keeps SQLite from computing the
/// three bytes anew for each of the four letters. It takes about a microsecond for each byte.
fn base64(value: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let every_byte: String = (0..=255_u8).map(|byte| format!("{byte:02x}")).collect();
    let byte = |n: u8| format!("(instr(x'{every_byte}', substr({value}, i + {n}, 1)) - 1)");
    let letter = |bits: &str| format!("substr('{LETTERS}', 1 + {bits}, 1)");
    format!(
        "(select '\"' || case length({value}) % 3 when 0 then s \
         when 1 then substr(s, 1, length(s) - 2) || '==' \
         else substr(s, 1, length(s) - 1) || '=' end || '\"' from (\
         select coalesce(group_concat({} || {} || {} || {}, ''), '') as s from (\
         select ({} << 16) | ({} << 8) | {} as v from (\
         with recursive g(i) as (select 0 where length({value}) > 0 \
         union all select i + 3 from g where i + 3 < length({value})) select i from g) limit -1)))",
        letter("(v >> 18)"),
        letter("((v >> 12) & 63)"),
        letter("((v >> 6) & 63)"),
        letter("(v & 63)"),
        byte(1),
        byte(2),
        byte(3),
    )
}

/// `a op b op c …` as a tree without depth: SQLite takes a thousand levels, and a table two thousand
/// columns.
fn balanced(pieces: &[String], operator: &str) -> String {
    match pieces {
        [] => "''".to_owned(),
        [one] => one.clone(),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            format!(
                "({} {operator}\n    {})",
                balanced(left, operator),
                balanced(right, operator)
            )
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_makes_a_flat_tree() {
        let pieces: Vec<String> = (0..2000).map(|n| n.to_string()).collect();
        let sql = balanced(&pieces, "or");
        let (mut depth, mut deepest) = (0, 0);
        for letter in sql.chars() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert_eq!(deepest, 11);
    }

    #[test]
    fn affinity_is_told_as_sqlite_does() {
        let column = |declared: &str| Column {
            name: "a".into(),
            declared: declared.into(),
        };
        assert!(column("").keeps_integers_and_reals_apart());
        assert!(column("blob").keeps_integers_and_reals_apart());
        assert!(!column("BLOBINT").keeps_integers_and_reals_apart());
        assert!(!column("varchar(9)").keeps_integers_and_reals_apart());
    }
}
