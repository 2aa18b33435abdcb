//! What the doctor says: findings, as people read them and as scripts do.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Good to know; nothing need be done.
    Note,
    /// Nothing is lost, but something should be done about it.
    Warning,
    /// Changes are lost or held up, or will be.
    Problem,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Note => "\x1b[36m",
            Self::Warning => "\x1b[33m",
            Self::Problem => "\x1b[31m",
        }
    }
}

/// What a finding is about. The names in JSON are for scripts and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// rowhook's own tables.
    Schema,
    /// The triggers of a watched table.
    Triggers,
    /// Sessions that write as replicas.
    ReplicaRole,
    /// Whose the cursor is.
    Identity,
    /// Who reads changes, and how far behind.
    Capture,
    /// Transactions that are still open.
    OpenTransaction,
    /// What rowhook's role may do.
    Rights,
    /// Dead rows of a table.
    DeadRows,
    /// The journal of an embedded database.
    Journal,
    /// Changes against events.
    Reconciliation,
    /// The numbers of a subscription's events.
    Sequence,
    /// How events stand.
    EventStates,
}

impl Serialize for About {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl About {
    /// The name for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Triggers => "triggers",
            Self::ReplicaRole => "replica-role",
            Self::Identity => "identity",
            Self::Capture => "capture",
            Self::OpenTransaction => "open-transaction",
            Self::Rights => "rights",
            Self::DeadRows => "dead-rows",
            Self::Journal => "journal",
            Self::Reconciliation => "reconciliation",
            Self::Sequence => "sequence",
            Self::EventStates => "event-states",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Schema => "rowhook's tables",
            Self::Triggers => "watched tables",
            Self::ReplicaRole => "replica sessions",
            Self::Identity => "the database",
            Self::Capture => "capture",
            Self::OpenTransaction => "open transactions",
            Self::Rights => "the database role",
            Self::DeadRows => "dead rows",
            Self::Journal => "the journal",
            Self::Reconciliation => "changes against events",
            Self::Sequence => "sequence numbers",
            Self::EventStates => "states of events",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub about: About,
    /// The table, role, subscription or whatever else it was found at.
    #[serde(rename = "where")]
    pub place: String,
    /// What was found.
    pub what: String,
    /// What to do.
    #[serde(rename = "do")]
    pub advice: Option<String>,
}

/// Everything that was found, in the order in which it is told.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    looked_at: Option<Value>,
}

impl Report {
    /// Adds what needs nothing done about it.
    pub fn add(
        &mut self,
        severity: Severity,
        about: About,
        place: impl Into<String>,
        what: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity,
            about,
            place: place.into(),
            what: what.into(),
            advice: None,
        });
    }

    /// Adds what something should be done about.
    pub fn advise(
        &mut self,
        severity: Severity,
        about: About,
        place: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(severity, about, place, what);
        if let Some(last) = self.findings.last_mut() {
            last.advice = Some(advice.into());
        }
    }

    /// How far changes were compared with events, for scripts.
    pub fn set_looked_at(&mut self, looked_at: Value) {
        self.looked_at = Some(looked_at);
    }

    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let of = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(of).count()
    }

    /// The findings, in the order in which they are told.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// As scripts read it.
    pub fn json(&self) -> Value {
        json!({
            "healthy": self.count(Severity::Problem) == 0,
            "findings": self.findings,
            "reconciliation": self.looked_at,
        })
    }

    /// As people read it.
    pub fn text(&self, coloured: bool) -> String {
        let mut text = String::new();
        let mut before = None;
        for finding in &self.findings {
            if before != Some(finding.about) {
                let gap = if before.is_some() { "\n" } else { "" };
                put(&mut text, format_args!("{gap}{}\n", finding.about.title()));
                before = Some(finding.about);
            }
            let (on, off) = if coloured {
                (finding.severity.colour(), "\x1b[0m")
            } else {
                ("", "")
            };
            let (word, place) = (finding.severity.word(), &finding.place);
            put(
                &mut text,
                format_args!("  {on}{word:<8}{off} {place}: {}\n", finding.what),
            );
            if let Some(advice) = &finding.advice {
                put(&mut text, format_args!("           → {advice}\n"));
            }
        }
        let some = |severity, word: &str| {
            let count = self.count(severity);
            let end = if count == 1 { "" } else { "s" };
            format!("{count} {word}{end}")
        };
        put(
            &mut text,
            format_args!(
                "\n{}, {}, {}\n",
                some(Severity::Problem, "problem"),
                some(Severity::Warning, "warning"),
                some(Severity::Note, "note")
            ),
        );
        text
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what)
        .expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_coloured_for_terminals_alone() {
        let mut report = Report::default();
        report.add(Severity::Ok, About::Capture, "poller", "it reads");
        report.advise(
            Severity::Problem,
            About::Triggers,
            "ITEM",
            "missing",
            "put them on",
        );
        let plain = report.text(false);
        assert_eq!(
            plain,
            "capture\n  ok       poller: it reads\n\nwatched tables\n  problem  ITEM: missing\n           \
             → put them on\n\n1 problem, 0 warnings, 0 notes\n"
        );
        assert!(report.text(true).contains("\x1b[31mproblem \x1b[0m ITEM"));
        assert_eq!(report.json()["healthy"], false);
        assert_eq!(report.json()["findings"][1]["do"], "put them on");
    }
}
