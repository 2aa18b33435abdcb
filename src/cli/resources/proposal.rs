//! The `[[resources]]` entries that `rowhook resources discover` proposes.

use std::{collections::HashSet, fmt::Write as _};

use crate::{domain::resource::ResourceName, store::catalogue::FoundTable};

/// Parts of column names that are proposed for `exclude`: what they hold should not leave the database.
const SECRETS: [&str; 6] = [
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "private_key",
];

/// An entry for each table, under names that are neither taken nor each other's; and how many of them are
/// commented out because their table has no primary key.
pub fn entries(
    tables: &[FoundTable],
    taken: impl IntoIterator<Item = ResourceName>,
) -> (Vec<String>, usize) {
    let mut taken: HashSet<String> = taken.into_iter().map(|one| one.to_string()).collect();
    let entries = tables
        .iter()
        .map(|table| {
            let (name, plural) = names(&table.table, &mut taken);
            entry(table, &name, plural.as_deref())
        })
        .collect();
    let without_key = tables.iter().filter(|one| one.primary_key.is_empty());
    (entries, without_key.count())
}

/// The table's name in the singular, as GraphQL writes enum values, and in the plural as the alias where that
/// differs. With its schema's name where another table has it already, then with a number.
fn names(table: &str, taken: &mut HashSet<String>) -> (String, Option<String>) {
    let parts = parts(table);
    let (schema, bare) = match parts.as_slice() {
        [schema, bare] => (Some(schema), bare),
        [.., bare] => (None, bare),
        [] => return (String::new(), None),
    };
    let upper = enum_value(bare);
    let plain = singular(&upper);
    let with_schema = schema.map(|schema| format!("{}_{plain}", enum_value(schema)));
    let numbered = (2..).map(|n| format!("{plain}_{n}"));
    let name = std::iter::once(plain.clone())
        .chain(with_schema)
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("there is no end of numbers");
    taken.insert(name.clone());
    let alias = (name == plain && upper != plain && taken.insert(upper.clone())).then_some(upper);
    (name, alias)
}

/// The identifiers of a table's name, unquoted.
fn parts(table: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in table.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut().expect("there is one").push(c),
        }
    }
    parts
}

fn enum_value(name: &str) -> String {
    let mut upper = String::new();
    let mut before = ' ';
    for c in name.chars() {
        // camelCase is a word's border too.
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            upper.push('_');
        }
        upper.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
        before = c;
    }
    if !upper.starts_with(|c: char| c.is_ascii_uppercase()) {
        upper.insert_str(0, "T_");
    }
    // Room for a schema's name or a number, within the 63 letters of a name.
    upper.truncate(40);
    upper
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("IES").filter(|stem| stem.len() > 1) {
        return format!("{stem}Y");
    }
    for ending in ["SSES", "XES", "CHES", "SHES"] {
        if let Some(stem) = name.strip_suffix(ending) {
            return format!("{stem}{}", &ending[..ending.len() - 2]);
        }
    }
    let is_singular = ["SS", "US", "IS"].iter().any(|end| name.ends_with(end));
    match name.strip_suffix('S') {
        Some(stem) if !is_singular && stem.len() > 1 => stem.to_owned(),
        _ => name.to_owned(),
    }
}

fn entry(table: &FoundTable, name: &str, plural: Option<&str>) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut entry = format!("[[resources]]\nname = {}\n", text(name));
    let mut line = |key: &str, value: &str| {
        writeln!(entry, "{key} = {value}").expect("writing to a string does not fail");
    };
    if let Some(plural) = plural {
        line("aliases", &format!("[{}]", text(plural)));
    }
    line("table", &text(&table.table));
    if table.primary_key.is_empty() {
        line(
            "key",
            "[]  # no primary key: name the columns that identify a row, then uncomment",
        );
    }
    if table.columns.iter().any(|column| column.name == "_etag") {
        line("etag", "\"_etag\"");
    }
    let secret: Vec<String> = table
        .columns
        .iter()
        .filter(|column| !table.primary_key.contains(&column.name) && looks_secret(&column.name))
        .map(|column| text(&column.name))
        .collect();
    if !secret.is_empty() {
        line(
            "exclude",
            &format!(
                "[{}]  # by their names; these never leave the database",
                secret.join(", ")
            ),
        );
    }
    if table.primary_key.is_empty() {
        entry = entry.lines().map(|line| format!("# {line}\n")).collect();
    }
    entry.truncate(entry.trim_end().len());
    entry
}

fn looks_secret(column: &str) -> bool {
    let column = column.to_lowercase();
    SECRETS.iter().any(|secret| column.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Settings, domain::resource::Column};

    fn table(name: &str, columns: &[&str], key: &[&str]) -> FoundTable {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            data_type: "text".to_owned(),
        };
        FoundTable {
            table: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            primary_key: key.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_proposed_loads() {
        let long = format!("public.{}", "very_long_names_".repeat(4));
        let names = [
            ("public.run_steps", "RUN_STEP"),
            ("public.run_step", "PUBLIC_RUN_STEP"),
            ("other.run_steps", "OTHER_RUN_STEP"),
            ("public.\"Purchase Orders\"", "PURCHASE_ORDER"),
            ("public.\"odd.\"\"name\"", "ODD_NAME"),
            ("part_inventories", "PART_INVENTORY"),
            ("\"1st\"", "T_1ST"),
            ("glasses", "GLASS"),
            ("status", "STATUS"),
            ("\"orderLines\"", "ORDER_LINE"),
            ("orders", "ORDER_2"),
            (long.as_str(), "VERY_LONG_NAMES_VERY_LONG_NAMES_VERY_LON"),
        ];
        let tables: Vec<_> = names
            .iter()
            .map(|(name, _)| table(name, &["id", "_etag", "password_hash"], &["id"]))
            .collect();
        let (entries, without_key) = entries(&tables, ["ORDER".parse().unwrap()]);
        assert_eq!(without_key, 0);
        let settings: Settings = toml::from_str(&entries.join("\n")).unwrap();
        for (resource, (table, name)) in settings.resources.iter().zip(names) {
            assert_eq!(resource.name.as_str(), name);
            assert_eq!(resource.table, table);
            assert_eq!(resource.etag.as_deref(), Some("_etag"));
            assert_eq!(resource.exclude, ["password_hash"]);
        }
        let aliases: Vec<_> = settings.resources[0].aliases.iter().collect();
        assert_eq!(aliases[0].as_str(), "RUN_STEPS");
    }

    #[test]
    fn a_table_without_a_key_is_proposed_as_a_comment() {
        let (entries, without_key) = entries(&[table("logs", &["at"], &[])], []);
        assert_eq!(without_key, 1);
        assert!(entries[0].lines().all(|line| line.starts_with("# ")));
        let settings: Settings = toml::from_str(&entries[0]).unwrap();
        assert!(settings.resources.is_empty());
    }
}
