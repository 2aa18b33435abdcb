//! The systemd unit.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use super::{is_taken, read};

const UNIT: &str = "packaging/rowhook.service";
const INSTALLED: &str = "/usr/local/bin/rowhook";
/// What systemd calls exposed, of ten.
const MOST_EXPOSED: &str = "2.0";

/// The values of a directive, in order.
fn all(directive: &str) -> Vec<String> {
    read(UNIT)
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| *name == directive)
        .map(|(_, value)| value.to_owned())
        .collect()
}

fn only(directive: &str) -> String {
    let all: [String; 1] = all(directive)
        .try_into()
        .unwrap_or_else(|found| panic!("{directive} is there {found:?}"));
    all.into_iter().next().unwrap()
}

#[test]
fn it_starts_what_there_is() {
    let command = only("ExecStart");
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words[..2], [INSTALLED, "serve"]);
    is_taken(&words[1..]);
    // 20 s for what is in flight, and a wrong configuration is not tried again.
    assert_eq!(only("TimeoutStopSec"), "30");
    assert_eq!(only("RestartPreventExitStatus"), "2");
}

/// Each credential is a file of the machine's, and the setting that reads it is one.
#[test]
fn its_variables_are_settings() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = all("LoadCredential");
    for credential in &credentials {
        let (name, file) = credential.split_once(':').unwrap();
        assert_eq!(file, format!("/etc/rowhook/{name}"));
        let value = match name {
            "database_url" => "postgres://rowhook_service:word@db.example/mydb\n",
            "secret_key" => "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n",
            _ => panic!("teach the test {name}"),
        };
        fs::write(folder.path().join(name), value).unwrap();
    }
    let variables: Vec<(String, String)> = all("Environment")
        .iter()
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.replace("%d", folder.path().to_str().unwrap()),
            )
        })
        .collect();
    let files = variables.iter().filter(|(name, _)| name.ends_with("_FILE"));
    assert_eq!(files.count(), credentials.len());
    let loaded = rowhook::config::load(None, variables).unwrap();
    assert_eq!(loaded.unknown_variables, []);
    assert!(
        loaded
            .settings
            .database_url
            .starts_with("postgres://rowhook_service")
    );
    assert!(loaded.settings.secret_key.is_some());
}

#[test]
fn it_runs_as_nobody_in_particular() {
    assert_eq!(only("DynamicUser"), "yes");
    assert_eq!(only("CapabilityBoundingSet"), "");
    assert_eq!(only("NoNewPrivileges"), "yes");
    assert_eq!(only("ProtectSystem"), "strict");
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(unit);
    command.output().unwrap()
}

#[test]
fn systemd_understands_it_and_calls_it_safe() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        let told =
            "NOT RUN: systemd-analyze on packaging/rowhook.service, which is not on this machine\n";
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("rowhook.service");
    fs::write(
        &unit,
        read(UNIT).replace(INSTALLED, env!("CARGO_BIN_EXE_rowhook")),
    )
    .unwrap();
    let verified = analyze(&["verify"], &unit);
    assert!(
        verified.status.success() && verified.stderr.is_empty(),
        "{verified:?}"
    );
    let threshold = format!("--threshold={}", MOST_EXPOSED.replace('.', ""));
    let judged = analyze(&["security", "--offline=yes", &threshold], &unit);
    assert!(judged.status.success(), "{judged:?}");
}
