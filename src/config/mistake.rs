//! What is wrong with a configuration: one line for each mistake, with its place and the mend.

use std::{fmt, path::PathBuf};

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("{}: can not be read: {error}; name another file with --config", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The settings themselves.
    #[error("{}", lines(.0))]
    Mistakes(Vec<Mistake>),
}

fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was made.
    pub place: Place,
    /// The setting, as `receivers.allow_http`; empty when it is none.
    pub setting: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Line { file, line } => write!(f, "{}:{line}: ", file.display())?,
            Place::Variable(name) => return write!(f, "{name}: {}", self.message),
            Place::Default => {}
        }
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        f.write_str(&self.message)
    }
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the file, from 1.
    Line {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// Nobody set it.
    Default,
}

/// A serde error about a name that is not among those that are known.
pub(super) struct UnknownName {
    /// The name.
    pub name: String,
    /// What is known.
    pub known: Vec<String>,
}

impl UnknownName {
    /// Reads "unknown field `x`, expected one of `a`, `b`", as serde derives it: the only form in which it
    /// tells.
    pub fn of_field(message: &str) -> Option<Self> {
        Self::of(message, "unknown field ")
    }

    fn of_variant(message: &str) -> Option<Self> {
        Self::of(message, "unknown variant ")
    }

    fn of(message: &str, start: &str) -> Option<Self> {
        let mut quoted = message.strip_prefix(start)?.split('`').skip(1).step_by(2);
        Some(Self {
            name: quoted.next()?.to_owned(),
            known: quoted.map(str::to_owned).collect(),
        })
    }

    /// The known name that was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        let near = |known: &&String| strsim::normalized_damerau_levenshtein(&self.name, known);
        self.known
            .iter()
            .filter(|known| {
                near(known) >= 0.5 || known.contains(&self.name) || self.name.contains(*known)
            })
            .max_by(|a, b| near(a).total_cmp(&near(b)))
            .map(String::as_str)
    }

    fn or_else_known(&self) -> String {
        match self.nearest() {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known are {}", self.known.join(", ")),
        }
    }
}

/// A message of serde's in the words of this page.
pub(super) fn in_words(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(unknown) = UnknownName::of_field(&message) {
        return format!("there is no such setting; {}", unknown.or_else_known());
    }
    if let Some(unknown) = UnknownName::of_variant(&message) {
        let known = unknown.known.join(", ");
        return format!("{:?} is none of {known}; write one of them", unknown.name);
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing; add it");
    }
    let message = message.strip_prefix("invalid type: ").unwrap_or(&message);
    ["u16", "u32", "u64", "usize"]
        .iter()
        .fold(message.to_owned(), |message, number| {
            message.replace(&format!("expected {number}"), "expected a whole number")
        })
        .replace("expected a boolean", "expected true or false")
        .replace("expected a sequence", "expected a list, as [\"…\"]")
}
