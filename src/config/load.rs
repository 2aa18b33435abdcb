//! Reading the file and the environment.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{Table, Value};

use super::Settings;

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "rowhook.toml";
/// What a setting's variable begins with.
const PREFIX: &str = "ROWHOOK_";
/// Variables that are no settings: the command line's own, and those of the tests.
const NOT_SETTINGS: [&str; 3] = ["ROWHOOK_CONFIG", "ROWHOOK_LOG", "ROWHOOK_LOG_FORMAT"];

/// A mistake in the configuration, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("{}: can not be read: {error}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The file holds something that is no setting.
    #[error("{}:{line}: {message}", .file.display())]
    InFile {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A variable holds something that is no value of its setting.
    #[error("{variable}: {message}")]
    InVariable {
        /// The variable.
        variable: String,
        /// What is wrong.
        message: String,
    },
    /// Two settings do not go together, or one is not good enough.
    #[error("{setting}: {message}")]
    Invalid {
        /// The setting.
        setting: String,
        /// What is wrong and what to do.
        message: String,
    },
}

/// The settings, and what to warn of.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that they came from.
    pub file: Option<PathBuf>,
    /// Variables that look like settings and are none.
    pub unknown_variables: Vec<String>,
}

/// Reads the named file, else `rowhook.toml` if it is there, and the environment over it.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let found = file
        .map(Path::to_path_buf)
        .or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|default| default.exists()));
    let mut table = match &found {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    let mut unknown_variables = Vec::new();
    let mut settings = of_table(&table).map_err(|message| invalid("configuration", message))?;
    let variables: HashMap<String, String> = environment
        .into_iter()
        .filter(|(name, _)| is_setting(name))
        .collect();
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort();
    for name in names {
        match overlay(&table, name, &variables[name]) {
            Ok((next, read)) => (table, settings) = (next, *read),
            Err(message) if message.contains("unknown field") => {
                unknown_variables.push(name.clone());
            }
            Err(message) => {
                return Err(ConfigError::InVariable {
                    variable: name.clone(),
                    message,
                });
            }
        }
    }
    check(&settings)?;
    Ok(Loaded {
        settings,
        file: found,
        unknown_variables,
    })
}

fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name) && !name.starts_with("ROWHOOK_TEST_")
}

fn invalid(setting: &str, message: String) -> ConfigError {
    ConfigError::Invalid {
        setting: setting.to_owned(),
        message,
    }
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        file: path.to_path_buf(),
        error,
    })?;
    let in_file = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        ConfigError::InFile {
            file: path.to_path_buf(),
            line: text[..at].matches('\n').count() + 1,
            message: one_line(error.message()),
        }
    };
    // Once as settings, for the place of a mistake; once as a table, to lay the environment over.
    toml::from_str::<Settings>(&text).map_err(in_file)?;
    toml::from_str(&text).map_err(in_file)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of_table(table: &Table) -> Result<Settings, String> {
    Settings::deserialize(table.clone()).map_err(|error| one_line(error.message()))
}

/// The table with one variable laid over it. Its text is read as a TOML value where that fits the
/// setting, else as a string, else as a list of strings with commas between them.
fn overlay(table: &Table, name: &str, text: &str) -> Result<(Table, Box<Settings>), String> {
    let path: Vec<String> = name[PREFIX.len()..]
        .to_ascii_lowercase()
        .split("__")
        .map(str::to_owned)
        .collect();
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
    let mut first_error = None;
    for value in readings.into_iter().flatten() {
        let mut next = table.clone();
        if !put(&mut next, &path, value) {
            return Err("names a setting inside one that is no table".to_owned());
        }
        match of_table(&next) {
            Ok(settings) => return Ok((next, Box::new(settings))),
            Err(error) => first_error.get_or_insert(error),
        };
    }
    Err(first_error.unwrap_or_else(|| "has no value".to_owned()))
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

/// What no single value can tell.
fn check(settings: &Settings) -> Result<(), ConfigError> {
    let url = &settings.database_url;
    if !["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        let shown = url.split(':').next().unwrap_or_default();
        return Err(invalid(
            "database_url",
            format!("{shown:?} is no database rowhook knows; use sqlite://PATH or postgres://…"),
        ));
    }
    if settings.defaults.max_in_flight == 0 {
        return Err(invalid(
            "defaults.max_in_flight",
            "0 would send nothing; use at least 1".to_owned(),
        ));
    }
    if settings.defaults.timeout.is_zero() {
        return Err(invalid(
            "defaults.timeout",
            "no time at all; use at least 100ms".to_owned(),
        ));
    }
    let mut names = HashMap::new();
    for resource in &settings.resources {
        for name in std::iter::once(&resource.name).chain(&resource.aliases) {
            if let Some(other) = names.insert(name, &resource.table) {
                return Err(invalid(
                    "resources",
                    format!(
                        "{name} names both {other} and {}; give one another name",
                        resource.table
                    ),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use super::*;

    fn with(file: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        let mut on_disk = tempfile::NamedTempFile::new().unwrap();
        on_disk.write_all(file.as_bytes()).unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some(on_disk.path()), variables)
    }

    #[test]
    fn the_explained_defaults_are_the_defaults() {
        let explained = with(super::super::DEFAULT_TOML, &[]).unwrap().settings;
        assert_eq!(
            format!("{explained:?}"),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn the_environment_wins_and_reads_words() {
        let loaded = with(
            "listen = \"0.0.0.0:1\"\n[defaults]\nmax_in_flight = 3\n",
            &[
                ("ROWHOOK_LISTEN", "0.0.0.0:2"),
                ("ROWHOOK_ADMIN_KEY", "12345"),
                ("ROWHOOK_SAMPLE", "true"),
                ("ROWHOOK_DEFAULTS__TIMEOUT", "250ms"),
                (
                    "ROWHOOK_RECEIVERS__ALLOW_PRIVATE_NETWORKS",
                    "127.0.0.0/8, ::1/128",
                ),
                ("ROWHOOK_UNHEARD_OF", "1"),
                ("OTHER", "1"),
            ],
        )
        .unwrap();
        let settings = loaded.settings;
        assert_eq!(settings.listen, "0.0.0.0:2");
        assert_eq!(settings.admin_key.as_deref(), Some("12345"));
        assert!(settings.sample);
        assert_eq!(settings.defaults.timeout, Duration::from_millis(250));
        assert_eq!(settings.defaults.max_in_flight, 3);
        assert_eq!(settings.receivers.allow_private_networks.len(), 2);
        assert_eq!(loaded.unknown_variables, ["ROWHOOK_UNHEARD_OF"]);
    }

    #[test]
    fn a_mistake_is_one_line_with_its_place() {
        let says = |file: &str, variables: &[(&str, &str)]| {
            let text = with(file, variables).unwrap_err().to_string();
            assert!(!text.contains('\n'), "{text}");
            text
        };
        let text = says("listen = \"x\"\nlisten_port = 3\n", &[]);
        assert!(
            text.contains(":2: ") && text.contains("listen_port"),
            "{text}"
        );
        let text = says("[defaults]\ntimeout = \"soon\"\n", &[]);
        assert!(text.contains(":2: ") && text.contains("write 5s"), "{text}");
        let text = says("", &[("ROWHOOK_SAMPLE", "perhaps")]);
        assert!(text.starts_with("ROWHOOK_SAMPLE: "), "{text}");
        let text = says("database_url = \"mysql://x\"", &[]);
        assert!(text.contains("postgres://"), "{text}");
        let twice = "[[resources]]\nname = \"RUN\"\ntable = \"a\"\n[[resources]]\nname = \"RUN\"\ntable = \"b\"";
        assert!(says(twice, &[]).contains("names both a and b"));
    }
}
