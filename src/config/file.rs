//! The file: every mistake in it with its line, and what is good.

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use toml::{
    Table,
    de::{DeArray, DeTable, DeValue, Deserializer, Error},
};

use super::{
    Settings,
    mistake::{ConfigError, Mistake, Place, in_words},
};

/// What a file holds.
pub struct File {
    /// The settings that are well.
    pub table: Table,
    /// What is not.
    pub mistakes: Vec<Mistake>,
    path: PathBuf,
    /// The line of each setting, by its name as `resources[0].table`.
    lines: HashMap<String, usize>,
}

impl File {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            file: path.to_path_buf(),
            error,
        })?;
        Ok(Self::parse(path, &text))
    }

    fn parse(path: &Path, text: &str) -> Self {
        let mut file = Self {
            table: Table::new(),
            mistakes: Vec::new(),
            path: path.to_path_buf(),
            lines: HashMap::new(),
        };
        let mut root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => {
                file.add(text, error.span(), String::new(), &error);
                return file;
            }
        };
        let settings = settings_of(root.get_ref());
        for (name, span) in &settings {
            file.lines.insert(name.clone(), line(text, span.start));
        }
        // serde stops at the first mistake, so what is wrong is taken out until the rest is well.
        while let Err(error) = Settings::deserialize(Deserializer::from(root.clone())) {
            let span = error.span();
            let name = span.as_ref().and_then(|at| name_of(&settings, at));
            let is_out = span.as_ref().is_some_and(|at| take_out(root.get_mut(), at));
            file.add(text, span, name.unwrap_or_default(), &error);
            file.forget_what_follows();
            if !is_out {
                return file;
            }
        }
        file.table = Table::deserialize(Deserializer::from(root)).unwrap_or_default();
        file.mistakes.sort_by_key(|mistake| match mistake.place {
            Place::Line { line, .. } => line,
            Place::Variable(_) | Place::Default => 0,
        });
        file
    }

    fn add(&mut self, text: &str, span: Option<Range<usize>>, setting: String, error: &Error) {
        self.mistakes.push(Mistake {
            place: Place::Line {
                file: self.path.clone(),
                line: line(text, span.map_or(0, |span| span.start)),
            },
            setting,
            message: in_words(error.message()),
        });
    }

    /// What was taken out of an entry is missing there; that is no mistake of the file's.
    fn forget_what_follows(&mut self) {
        let Some((last, before)) = self.mistakes.split_last() else {
            return;
        };
        let inside = format!("{}.", last.setting);
        if before.iter().any(|one| one.setting.starts_with(&inside)) {
            self.mistakes.pop();
        }
    }

    /// The line that says this setting.
    pub fn place(&self, setting: &str) -> Option<Place> {
        self.lines.get(setting).map(|line| Place::Line {
            file: self.path.clone(),
            line: *line,
        })
    }
}

/// The line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

fn within(name: &str, key: &str) -> String {
    if name.is_empty() {
        key.to_owned()
    } else {
        format!("{name}.{key}")
    }
}

/// Every setting with the place of its key, and every entry of a list of tables with that of its head.
fn settings_of(table: &DeTable<'_>) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut tables = vec![(String::new(), table)];
    while let Some((name, table)) = tables.pop() {
        for (key, value) in table {
            let name = within(&name, key.get_ref());
            found.push((name.clone(), key.span()));
            match value.get_ref() {
                DeValue::Table(inner) => tables.push((name, inner)),
                DeValue::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let DeValue::Table(inner) = item.get_ref() {
                            let name = format!("{name}[{index}]");
                            found.push((name.clone(), item.span()));
                            tables.push((name, inner));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The setting that stands at a place: the last one that begins there or before.
fn name_of(settings: &[(String, Range<usize>)], at: &Range<usize>) -> Option<String> {
    let before = |(_, key): &&(String, Range<usize>)| key.start <= at.start;
    let last = settings
        .iter()
        .filter(before)
        .max_by_key(|(_, key)| key.start);
    last.map(|(name, _)| name.clone())
}

/// Takes out the least thing that stands at a place; whether there was one.
fn take_out(table: &mut DeTable<'_>, at: &Range<usize>) -> bool {
    for (_, value) in table.iter_mut() {
        let is_inside = match value.get_mut() {
            DeValue::Table(inner) => take_out(inner, at),
            DeValue::Array(items) => take_item(items, at),
            _ => false,
        };
        if is_inside {
            return true;
        }
    }
    let here = table
        .iter()
        .find(|(key, value)| contains(&key.span(), at) || contains(&value.span(), at));
    let Some(key) = here.map(|(key, _)| key.clone()) else {
        return false;
    };
    table.remove(&key).is_some()
}

fn take_item(items: &mut DeArray<'_>, at: &Range<usize>) -> bool {
    for item in items.iter_mut() {
        if let DeValue::Table(inner) = item.get_mut()
            && take_out(inner, at)
        {
            return true;
        }
    }
    let count = items.len();
    let kept = items.iter().filter(|item| !contains(&item.span(), at));
    *items = kept.cloned().collect();
    items.len() < count
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
