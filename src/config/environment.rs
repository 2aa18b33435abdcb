//! The environment: `ROWHOOK_…` variables over what the file says. `ROWHOOK_…_FILE` names a file that holds the value:
//! what orchestrators mount as a secret.

use std::collections::HashMap;

use serde::Deserialize as _;
use toml::{Table, Value};

use super::{
    Settings,
    mistake::{Mistake, Place, UnknownName, in_words},
};

/// What a setting's variable begins with.
const PREFIX: &str = "ROWHOOK_";
/// Variables that are no settings: the command line's own.
const NOT_SETTINGS: [&str; 4] = [
    "ROWHOOK_CONFIG",
    "ROWHOOK_LOG",
    "ROWHOOK_LOG_FORMAT",
    "ROWHOOK_SHARED_SECRET",
];
/// What the name of a variable ends with that names a file with the value.
const FILE_SUFFIX: &str = "_FILE";
/// Variables of the tests.
const TESTS_PREFIX: &str = "ROWHOOK_TEST_";

/// A variable that looks like a setting and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The variable that was probably meant.
    pub nearest: Option<String>,
}

/// The settings with the variables laid over them.
pub struct Environment {
    table: Table,
    /// The variable of each setting that one sets.
    variables: HashMap<String, String>,
    /// Variables that are no settings.
    pub unknown: Vec<UnknownVariable>,
    /// Variables whose texts are no values of their settings.
    pub mistakes: Vec<Mistake>,
}

impl Environment {
    /// Lays the variables over a table that is well.
    pub fn over(table: Table, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut over = Self {
            table,
            variables: HashMap::new(),
            unknown: Vec::new(),
            mistakes: Vec::new(),
        };
        let mut variables: Vec<(String, String)> = environment
            .into_iter()
            .filter(|(name, _)| is_setting(name))
            .collect();
        variables.sort();
        for (name, text) in variables {
            match name.strip_suffix(FILE_SUFFIX).map(str::to_owned) {
                Some(setting) => over.lay_file(name, &setting, &text),
                None => over.lay(name.clone(), &name, &text),
            }
        }
        over
    }

    /// What the settings are by now.
    pub fn settings(&self) -> Result<Settings, String> {
        of_table(&self.table).map_err(|message| in_words(&message))
    }

    /// The variable that a setting comes from.
    pub fn place(&self, setting: &str) -> Option<Place> {
        let top = setting.split('[').next().unwrap_or(setting);
        let name = self
            .variables
            .get(setting)
            .or_else(|| self.variables.get(top));
        name.cloned().map(Place::Variable)
    }

    /// Lays what a file holds, without the line's end, as if `plain` had that for its text.
    fn lay_file(&mut self, variable: String, plain: &str, file: &str) {
        let path = path_of(plain);
        let mistake = if !self.knows(&path) {
            // Told as the unknown name that it is, whatever the file.
            return self.lay(variable, plain, "");
        } else if let Some(Place::Variable(other)) = self.place(&path.join(".")) {
            format!("{other} sets it too; leave one of the two out")
        } else {
            match std::fs::read_to_string(file) {
                Ok(text) => return self.lay(variable, plain, text.trim_end_matches(['\r', '\n'])),
                Err(error) => {
                    format!("{file}: can not be read: {error}; name a file that may be read here")
                }
            }
        };
        self.mistakes.push(Mistake {
            place: Place::Variable(variable),
            setting: path.join("."),
            message: mistake,
        });
    }

    /// Whether there is such a setting.
    fn knows(&self, path: &[String]) -> bool {
        let mut next = self.table.clone();
        put(&mut next, path, Value::String(String::new()))
            && of_table(&next)
                .err()
                .is_none_or(|message| UnknownName::of_field(&message).is_none())
    }

    /// A text is read as a TOML value where that fits the setting, else as a string, else as a list of strings with
    /// commas between them. `plain`: the variable's name without what tells of a file.
    fn lay(&mut self, variable: String, plain: &str, text: &str) {
        let path = path_of(plain);
        let as_toml = toml::from_str::<Table>(&format!("value = {text}"))
            .ok()
            .and_then(|mut table| table.remove("value"));
        let as_list = text
            .split(',')
            .map(|part| Value::String(part.trim().to_owned()))
            .collect();
        let readings = [
            as_toml,
            Some(Value::String(text.to_owned())),
            Some(Value::Array(as_list)),
        ];
        // Of several readings that do not fit, the plainest one's error is told.
        let mut message = String::new();
        for value in readings.into_iter().flatten() {
            let is_string = value.is_str();
            let mut next = self.table.clone();
            if !put(&mut next, &path, value) {
                "there is no setting inside this one".clone_into(&mut message);
                break;
            }
            match of_table(&next) {
                Ok(_) => {
                    self.table = next;
                    self.variables.insert(path.join("."), variable);
                    return;
                }
                Err(error) if message.is_empty() || is_string => message = error,
                Err(_) => {}
            }
        }
        match UnknownName::of_field(&message) {
            Some(unknown) => self.unknown.push(UnknownVariable {
                nearest: unknown.nearest().map(|nearest| {
                    // It may be the table that is not known, and not what is set in it.
                    let levels = path.iter().take_while(|level| **level != unknown.name);
                    let mut levels: Vec<&str> = levels.map(String::as_str).collect();
                    levels.push(nearest);
                    format!("{PREFIX}{}", levels.join("__").to_ascii_uppercase())
                }),
                name: variable,
            }),
            None => self.mistakes.push(Mistake {
                place: Place::Variable(variable),
                setting: path.join("."),
                message: in_words(&message),
            }),
        }
    }
}

fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name) && !name.starts_with(TESTS_PREFIX)
}

/// The levels of a setting's name.
fn path_of(variable: &str) -> Vec<String> {
    variable[PREFIX.len()..]
        .to_ascii_lowercase()
        .split("__")
        .map(str::to_owned)
        .collect()
}

fn of_table(table: &Table) -> Result<Settings, String> {
    Settings::deserialize(table.clone()).map_err(|error| error.message().to_owned())
}

fn put(table: &mut Table, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [last] => {
            table.insert(last.clone(), value);
            true
        }
        [first, rest @ ..] => {
            let inner = table
                .entry(first.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => put(inner, rest, value),
                _ => false,
            }
        }
    }
}
