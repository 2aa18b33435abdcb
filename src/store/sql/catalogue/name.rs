//! Names as people write them in the configuration, and as SQL means them.

use crate::domain::resource::Column;

/// The column that a setting names: the one spelled so, else the only one spelled so but for case (SQL
/// folds names, and a configuration is written from memory of SQL).
pub(super) fn column(columns: &[Column], name: &str) -> Option<String> {
    if let Some(exact) = columns.iter().find(|column| column.name == name) {
        return Some(exact.name.clone());
    }
    let mut alike = columns
        .iter()
        .filter(|column| column.name.eq_ignore_ascii_case(name));
    match (alike.next(), alike.next()) {
        (Some(one), None) => Some(one.name.clone()),
        _ => None,
    }
}

/// The parts of a table's name as SQLite reads it: `main."Purchase Orders"`, also with `[…]` and
/// backquotes; `None` when it is no name.
pub(super) fn sqlite_parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = sqlite_part(rest)?;
        parts.push(part);
        let after = after.trim_start();
        match after.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Some(parts),
            None => return None,
        }
    }
}

fn sqlite_part(text: &str) -> Option<(String, &str)> {
    let closing = match text.chars().next()? {
        quote @ ('"' | '`') => quote,
        '[' => ']',
        _ => {
            let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
            let end = text.find(|c| !plain(c)).unwrap_or(text.len());
            return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
        }
    };
    let mut name = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != closing {
            name.push(letter);
        } else if closing != ']' && letters.next_if(|(_, next)| *next == closing).is_some() {
            name.push(closing);
        } else {
            return Some((name, &text[at + letter.len_utf8()..]));
        }
    }
    None
}

/// A name for people and for the configuration: in quotes only where SQLite needs them.
pub(super) fn sqlite_quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        name.to_owned()
    } else {
        migration::triggers::quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_names_are_read_as_sqlite_does() {
        let parts = |text| sqlite_parts(text).map(|parts| parts.join("/"));
        assert_eq!(parts("run_steps").as_deref(), Some("run_steps"));
        assert_eq!(
            parts(r#" main . "Purchase ""Orders""" "#).as_deref(),
            Some(r#"main/Purchase "Orders""#)
        );
        assert_eq!(parts("[a b].`c``d`").as_deref(), Some("a b/c`d"));
        for broken in ["", "a b", "a.", "\"a", "a..b", "a;drop"] {
            assert_eq!(parts(broken), None, "{broken:?}");
        }
    }
}
