//! The proxy of deliveries: what the file says of it, else the variables that most programs read.

use std::fmt;

use crate::policy::proxy::{Proxies, Proxy};

use super::ReceiverSettings;

/// In the file: no proxy, whatever the environment says.
const DIRECT: &str = "direct";

/// The settings' names in messages.
const PROXY: &str = "receivers.proxy";
const NO_PROXY: &str = "receivers.no_proxy";

/// The variables, the one that wins first.
const FOR_HTTPS: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];
const FOR_HTTP: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
const EXCEPT: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// What the environment says of proxies. It may hold passwords, so it does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    https: Option<(&'static str, String)>,
    http: Option<(&'static str, String)>,
    except: Option<(&'static str, String)>,
}

impl ProxyVariables {
    /// Those of an environment; an empty one is none.
    pub fn of(environment: &[(String, String)]) -> Self {
        let find = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                let (_, text) = environment
                    .iter()
                    .find(|(key, text)| key == name && !text.trim().is_empty())?;
                Some((name, text.clone()))
            })
        };
        Self {
            https: find(FOR_HTTPS),
            http: find(FOR_HTTP),
            except: find(EXCEPT),
        }
    }
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            |variable: &Option<(&'static str, String)>| variable.as_ref().map(|found| found.0);
        f.debug_list()
            .entries(
                [&self.https, &self.http, &self.except]
                    .into_iter()
                    .filter_map(name),
            )
            .finish()
    }
}

/// A setting or variable that can not be used, and why.
pub type ProxyFault = (&'static str, String);

/// The proxies that the settings and the variables make together. Each setting replaces its variables by itself.
///
/// # Errors
///
/// What in the file, else in the environment, names no proxy. A variable's exceptions that are none are passed
/// over: every program reads others.
pub fn proxies(settings: &ReceiverSettings) -> Result<Proxies, ProxyFault> {
    let variables = &settings.proxy_variables;
    let of = |variable: &Option<(&'static str, String)>| match variable {
        Some((name, text)) => parsed(name, text).map(Some),
        None => Ok(None),
    };
    let proxies = match settings.proxy.as_deref() {
        Some(DIRECT) => Proxies::default(),
        Some(text) => {
            let proxy = parsed(PROXY, text)?;
            Proxies::new(Some(proxy.clone()), Some(proxy))
        }
        None => Proxies::new(of(&variables.https)?, of(&variables.http)?),
    };
    match (&settings.no_proxy, &variables.except) {
        (Some(entries), _) => {
            let (proxies, unread) = proxies.except(entries.iter().map(String::as_str));
            match unread.first() {
                Some(entry) => Err((
                    NO_PROXY,
                    format!(
                        "{entry:?} is none of a name (example.com, and all below it), a network (10.0.0.0/8), an \
                         address or \"*\"; write one of them"
                    ),
                )),
                None => Ok(proxies),
            }
        }
        (None, Some((_, list))) => Ok(proxies
            .except(list.split(|c: char| c == ',' || c.is_whitespace()))
            .0),
        (None, None) => Ok(proxies),
    }
}

/// What in the file alone can not be used: the variables are of no concern to a command that sends nothing.
pub(super) fn fault_in_file(settings: &ReceiverSettings) -> Option<ProxyFault> {
    let alone = ReceiverSettings {
        proxy_variables: ProxyVariables::default(),
        ..settings.clone()
    };
    proxies(&alone).err()
}

fn parsed(setting: &'static str, text: &str) -> Result<Proxy, ProxyFault> {
    Proxy::parse(text, setting).map_err(|error| (setting, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::policy::proxy::Target;

    fn settings(
        proxy: Option<&str>,
        except: Option<&[&str]>,
        variables: &[(&str, &str)],
    ) -> ReceiverSettings {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        ReceiverSettings {
            proxy: proxy.map(str::to_owned),
            no_proxy: except.map(|all| all.iter().map(|one| (*one).to_owned()).collect()),
            proxy_variables: ProxyVariables::of(&variables),
            ..ReceiverSettings::default()
        }
    }

    /// The proxies of an https and of an http receiver, with the setting that named each.
    fn used(settings: &ReceiverSettings, host: &str) -> [Option<(String, &'static str)>; 2] {
        let proxies = proxies(settings).unwrap();
        [true, false].map(|https| {
            let target = Target {
                https,
                host,
                port: 443,
                ip: IpAddr::from([8, 8, 8, 8]),
            };
            let proxy = proxies.of(&target)?;
            Some((proxy.to_string(), proxy.setting()))
        })
    }

    const VARIABLES: [(&str, &str); 6] = [
        ("HTTPS_PROXY", "http://upper:1"),
        ("https_proxy", "http://lower:1"),
        ("HTTP_PROXY", "http://plain:1"),
        ("http_proxy", ""),
        ("NO_PROXY", "a.example b.example,http://odd"),
        ("ALL_PROXY", "http://all:1"),
    ];

    #[test]
    fn the_file_wins_over_the_variables_and_lower_case_over_upper() {
        let by_variables = settings(None, None, &VARIABLES);
        let lower = Some(("lower:1".to_owned(), "https_proxy"));
        let plain = Some(("plain:1".to_owned(), "HTTP_PROXY"));
        assert_eq!(
            used(&by_variables, "h.example"),
            [lower.clone(), plain.clone()]
        );
        assert_eq!(used(&by_variables, "x.b.example"), [None, None]);
        let named = settings(Some("http://ours:1"), None, &VARIABLES);
        let ours = Some(("ours:1".to_owned(), PROXY));
        assert_eq!(used(&named, "h.example"), [ours.clone(), ours]);
        assert_eq!(
            used(&named, "a.example"),
            [None, None],
            "exceptions are a setting of their own"
        );
        let excepting = settings(None, Some(&["h.example"]), &VARIABLES);
        assert_eq!(used(&excepting, "h.example"), [None, None]);
        assert_eq!(used(&excepting, "a.example"), [lower, plain]);
        let direct = settings(Some(DIRECT), None, &VARIABLES);
        assert_eq!(used(&direct, "h.example"), [None, None]);
        assert_eq!(used(&settings(None, None, &[]), "h.example"), [None, None]);
    }

    #[test]
    fn what_can_not_be_used_names_its_place_and_no_password() {
        let of = |settings: &ReceiverSettings| proxies(settings).unwrap_err();
        let bad = "socks5://ann:hunter2@p";
        let (setting, message) = of(&settings(Some(bad), None, &[]));
        assert!(
            setting == PROXY && !message.contains("hunter2"),
            "{message}"
        );
        let by_variable = settings(None, None, &[("HTTPS_PROXY", bad)]);
        let (setting, message) = of(&by_variable);
        assert!(
            setting == "HTTPS_PROXY" && !message.contains("hunter2"),
            "{message}"
        );
        assert_eq!(fault_in_file(&by_variable), None);
        assert!(!format!("{by_variable:?}").contains("hunter2"));
        let (setting, message) = of(&settings(None, Some(&["c d"]), &[]));
        assert!(
            setting == NO_PROXY && message.starts_with("\"c d\" is none"),
            "{message}"
        );
        // A proxy of the file makes the variables' of no interest.
        let file = settings(Some("http://p:1"), None, &[("HTTPS_PROXY", bad)]);
        assert!(proxies(&file).is_ok());
    }
}
