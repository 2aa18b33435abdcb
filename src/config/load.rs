//! Reading the file and the environment.

use std::path::{Path, PathBuf};

use toml::Table;

use super::{
    ProxyVariables, Settings, TracingVariables, check,
    environment::{Environment, UnknownVariable},
    file::File,
    mistake::{ConfigError, Mistake, Place},
};

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "rowhook.toml";
/// The settings, and what to warn of.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that they came from.
    pub file: Option<PathBuf>,
    /// Variables that look like settings and are none.
    pub unknown_variables: Vec<UnknownVariable>,
}

/// Reads the named file, else `rowhook.toml` if it is there, and the environment over it.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let environment: Vec<_> = environment.into_iter().collect();
    let proxy_variables = ProxyVariables::of(&environment);
    let tracing_variables = TracingVariables::of(&environment);
    let path = file
        .map(Path::to_path_buf)
        .or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|default| default.exists()));
    let mut file = path.as_deref().map(File::read).transpose()?;
    let mut mistakes = file
        .as_mut()
        .map(|file| std::mem::take(&mut file.mistakes))
        .unwrap_or_default();
    let table = file
        .as_ref()
        .map_or_else(Table::new, |file| file.table.clone());
    let mut over = Environment::over(table, environment);
    mistakes.append(&mut over.mistakes);
    let mut settings = match over.settings() {
        Ok(settings) => settings,
        Err(message) => {
            mistakes.push(Mistake {
                place: Place::Default,
                setting: String::new(),
                message,
            });
            return Err(ConfigError::Mistakes(mistakes));
        }
    };
    settings.receivers.proxy_variables = proxy_variables;
    settings.tracing.variables = tracing_variables;
    for (setting, message) in check::faults(&settings) {
        let place = over
            .place(&setting)
            .or_else(|| file.as_ref()?.place(&setting))
            .unwrap_or(Place::Default);
        mistakes.push(Mistake {
            place,
            setting,
            message,
        });
    }
    if !mistakes.is_empty() {
        return Err(ConfigError::Mistakes(mistakes));
    }
    Ok(Loaded {
        settings,
        file: path,
        unknown_variables: over.unknown,
    })
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use super::*;
    use crate::{config::proxies, domain::retention::Keep};

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
                ("ROWHOOK_RETENTION__EVENTS", "forever"),
                ("ROWHOOK_RETENTION__CHANGES", "1h"),
                (
                    "ROWHOOK_RECEIVERS__ALLOW_PRIVATE_NETWORKS",
                    "127.0.0.0/8, ::1/128",
                ),
                ("ROWHOOK_RECEIVERS__PROXY", "http://proxy.example:3128"),
                ("ROWHOOK_RECEIVERS__NO_PROXY", "a.example, 10.0.0.0/8"),
                ("HTTPS_PROXY", "http://other.example"),
                ("ROWHOOK_UNHEARD_OF", "1"),
                ("ROWHOOK_DATABASE__URL", "sqlite:x.db"),
                ("ROWHOOK_DEFAULTS__TIMEOUTS", "1s"),
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
        let hour = Keep::For(Duration::from_secs(3600));
        assert_eq!(settings.retention.events, Keep::Forever);
        assert_eq!(settings.retention.changes, hour);
        assert_eq!(settings.receivers.allow_private_networks.len(), 2);
        let proxies = proxies(&settings.receivers).unwrap();
        assert_eq!(proxies.all()[0].to_string(), "proxy.example:3128");
        assert_eq!(settings.receivers.no_proxy.map(|all| all.len()), Some(2));
        let unknown: Vec<_> = loaded
            .unknown_variables
            .iter()
            .map(|one| (one.name.as_str(), one.nearest.as_deref()))
            .collect();
        assert_eq!(
            unknown,
            [
                ("ROWHOOK_DATABASE__URL", Some("ROWHOOK_DATABASE_URL")),
                (
                    "ROWHOOK_DEFAULTS__TIMEOUTS",
                    Some("ROWHOOK_DEFAULTS__TIMEOUT")
                ),
                ("ROWHOOK_UNHEARD_OF", None),
            ]
        );
    }

    #[test]
    fn a_file_can_hold_a_value() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let url = file("url", "postgres://a:b@c/d\n");
        let key = file("key", "12345\r\n");
        let keys = file("keys", "one, two");
        let proxy = file("proxy", "http://me:word@proxy.example:3128\n");
        let settings = with(
            "admin_key = \"of the file\"",
            &[
                ("ROWHOOK_DATABASE_URL_FILE", &url),
                ("ROWHOOK_ADMIN_KEY_FILE", &key),
                ("ROWHOOK_PREVIOUS_SECRET_KEYS_FILE", &keys),
                ("ROWHOOK_RECEIVERS__PROXY_FILE", &proxy),
            ],
        );
        // No former key is 32 bytes in base64: said with the variable's name, and without the key.
        let text = settings.unwrap_err().to_string();
        assert!(
            text.starts_with("ROWHOOK_PREVIOUS_SECRET_KEYS_FILE: "),
            "{text}"
        );
        assert!(!text.contains("two"), "{text}");
        let loaded = with(
            "admin_key = \"of the file\"",
            &[
                ("ROWHOOK_DATABASE_URL_FILE", &url),
                ("ROWHOOK_ADMIN_KEY_FILE", &key),
                ("ROWHOOK_RECEIVERS__PROXY_FILE", &proxy),
                ("ROWHOOK_UNHEARD_OF_FILE", "/nowhere"),
                ("ROWHOOK_DATABASE_URI_FILE", &url),
            ],
        )
        .unwrap();
        assert_eq!(loaded.settings.database_url, "postgres://a:b@c/d");
        assert_eq!(loaded.settings.admin_key.as_deref(), Some("12345"));
        let proxy = loaded.settings.receivers.proxy;
        assert_eq!(proxy.as_deref(), Some("http://me:word@proxy.example:3128"));
        let unknown = loaded.unknown_variables.iter();
        let unknown: Vec<&str> = unknown.map(|one| one.name.as_str()).collect();
        assert_eq!(
            unknown,
            ["ROWHOOK_DATABASE_URI_FILE", "ROWHOOK_UNHEARD_OF_FILE"]
        );

        let nowhere = folder.path().join("nowhere");
        let variables = [
            ("ROWHOOK_ADMIN_KEY", "1"),
            ("ROWHOOK_ADMIN_KEY_FILE", &*key),
            ("ROWHOOK_SECRET_KEY_FILE", nowhere.to_str().unwrap()),
        ];
        let text = with("", &variables).unwrap_err().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(
            lines[0],
            "ROWHOOK_ADMIN_KEY_FILE: ROWHOOK_ADMIN_KEY sets it too; leave one of the two out"
        );
        assert!(
            lines[1].starts_with("ROWHOOK_SECRET_KEY_FILE: ")
                && lines[1].contains("can not be read")
        );
    }

    #[test]
    fn traces_are_told_where_somebody_names_a_collector() {
        let is_on = |file: &str, variables: &[(&str, &str)]| {
            with(file, variables).unwrap().settings.tracing.is_on()
        };
        let file = "[tracing]\nendpoint = \"http://collector:4318\"\n";
        let variable = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert!(!is_on("", &[]));
        assert!(is_on(file, &[]) && is_on("", &[variable]));
        assert!(!is_on("", &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]));
        assert!(!is_on(file, &[("OTEL_SDK_DISABLED", "true")]));
        assert!(!is_on("", &[variable, ("OTEL_TRACES_EXPORTER", "none")]));
    }

    #[test]
    fn every_mistake_is_one_line_with_its_place() {
        let says = |file: &str, variables: &[(&str, &str)]| {
            let text = with(file, variables).unwrap_err().to_string();
            let lines = text.lines().map(|line| {
                // What stands before the line's number is the file's name, another one each time.
                line.find(".tmp").map_or(line.to_owned(), |_| {
                    line.split_once(':').unwrap().1.to_owned()
                })
            });
            lines.collect::<Vec<_>>()
        };
        let file = "listen = \"8080\"\nlisten_port = 3\nsample = 1\n\n[defaults]\ntimeout = \"soon\"\n\
                    max_in_flight = \"many\"\n[receivers]\nallow_htttp = true\n\
                    allow_private_networks = [\"10.0.0.0/8\", \"ten\"]\n\
                    [[resources]]\nname = \"RUN\"\n[[resources]]\nname = \"run\"\ntable = \"a\"\n\
                    [[resources]]\nname = \"B\"\ntable = \"b\"\non_truncate = \"row\"\n";
        assert_eq!(
            says(file, &[]),
            [
                "2: listen_port: there is no such setting; did you mean `listen`?",
                "3: sample: integer `1`, expected true or false",
                "6: defaults.timeout: \"soon\" is no duration; write it as \"5s\", \"250ms\" or \"30d\"",
                "7: defaults.max_in_flight: string \"many\", expected a whole number",
                "9: receivers.allow_htttp: there is no such setting; did you mean `allow_http`?",
                "10: receivers.allow_private_networks: \"ten\" is no network; write it as \"10.0.0.0/8\" or \
                 \"192.0.2.7\"",
                "11: resources[0]: `table` is missing; add it",
                "14: resources[1].name: \"run\" can not name a resource: use upper-case letters, digits and \
                 underscores, a letter first (for example RUN_STEP)",
                "19: resources[2].on_truncate: \"row\" is none of rows, refuse, ignore; write one of them",
                "1: listen: \"8080\" is no address to listen on; write it as 127.0.0.1:8080, or 0.0.0.0:8080 \
                 for every network",
            ]
        );
        let file = "[receivers]\nproxy = \"socks5://me:word@p\"\n";
        let text = says(file, &[("HTTPS_PROXY", "of no concern here")]);
        assert!(text[0].starts_with("2: receivers.proxy: a proxy is asked in plain HTTP"));
        assert!(text.len() == 1 && !text[0].contains("word"), "{text:?}");
        let text = says("[receivers]\nno_proxy = [\"http://x\"]\n", &[]);
        assert!(text[0].starts_with("2: receivers.no_proxy: \"http://x\" is none of a name"));
        assert_eq!(says("listen = \n", &[])[0].split(':').next(), Some("1"));
        let variables = [("ROWHOOK_SAMPLE", "perhaps"), ("ROWHOOK_LISTEN", "x")];
        let text = says("", &variables);
        assert_eq!(text.len(), 2, "{text:?}");
        assert!(text[0].starts_with("ROWHOOK_SAMPLE: string \"perhaps\", expected true"));
        assert!(text[1].starts_with("ROWHOOK_LISTEN: \"x\" is no address"));
        let text = says("database_url = \"mysql://me:word@x\"", &[]);
        assert!(text[0].starts_with("1: database_url: \"mysql\"") && !text[0].contains("word"));
        let file = "[retention]\nevents = \"30m\"\nchanges = \"for ever\"\n";
        assert_eq!(
            says(file, &[]),
            [
                "3: retention.changes: \"for ever\" is no duration; write it as \"30d\", \"12h\" or \"forever\"",
                "2: retention.events: must be at least 1h, since what is dropped is gone for good, or \
                 \"forever\"; the default is \"30d\"",
            ]
        );
        let variables = [("ROWHOOK_RETENTION__CHANGES", "59m 59s")];
        let text = says("", &variables);
        assert!(text[0].starts_with("ROWHOOK_RETENTION__CHANGES: must be at least 1h"));
        let twice = "[[resources]]\nname = \"RUN\"\ntable = \"a\"\n[[resources]]\nname = \"RUN\"\ntable = \"b\"";
        let text = says(twice, &[]);
        assert_eq!(
            text,
            ["5: resources[1].name: RUN names both a and b; give one another name"]
        );
    }
}
