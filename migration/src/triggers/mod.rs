//! Room 0 as text: the SQL of the audit triggers, made from a description of one table.
//!
//! The installer (`store::sql::catalogue`) hands it what the database says of a table and runs what
//! comes back. Nothing here talks to a database, and nothing is decided at run time that can be decided
//! here: columns are written out, each with the conversion that its type needs.
//!
//! Both databases write the same row into `logged_actions`: the version of the table's description,
//! the action, the row as JSON in table order (an array on PostgreSQL, an object on SQLite), and on UPDATE the
//! old values of the columns that changed. It never touches the user's data and never lets a value fail the writer's statement.

pub mod postgres;
pub mod sqlite;

/// What TRUNCATE of a watched table does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTruncate {
    /// It is a DELETE of each row.
    Rows,
    /// The statement fails.
    Refuse,
    /// Nothing is logged but one warning.
    Ignore,
}

/// A name as SQL writes it: in double quotes, whatever letters it has.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The part of an object's name that tells the resource. PostgreSQL cuts names after 63 bytes, which
/// would make two long ones the same: those end in a hash.
fn slug(resource: &str) -> String {
    const LONGEST: usize = 40;
    let name = resource.to_ascii_lowercase();
    if name.len() <= LONGEST {
        return name;
    }
    // FNV-1a: nobody gains by making two of their own resources collide.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let kept: String = name.chars().take(LONGEST - 9).collect();
    format!("{kept}_{hash:08x}")
}

/// A text as a JSON string. Only column names come here; values are escaped by the database.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                json.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_apart() {
        let one = slug(&format!("{}_A", "X".repeat(60)));
        let two = slug(&format!("{}_B", "X".repeat(60)));
        assert_ne!(one, two);
        assert_eq!(one.len(), 40);
        assert_eq!(slug("RUN_STEP"), "run_step");
    }

    #[test]
    fn names_are_quoted_for_sql_and_for_json() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(json_string("a\"b\\c\nd"), r#""a\"b\\c\u000ad""#);
    }
}
