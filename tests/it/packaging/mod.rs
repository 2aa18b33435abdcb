//! What stands in the repository to run rowhook by: `compose.yaml` and the systemd unit. Nothing here needs a container
//! engine or a running systemd.

mod compose;
mod unit;

use std::{fs, path::PathBuf};

use crate::support::command::Shell;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Whether the binary takes a command line as it stands there.
#[track_caller]
fn is_taken(arguments: &[&str]) {
    let help = Shell::new().run(&[arguments, &["--help"]].concat());
    assert_eq!(help.code, Some(0), "{arguments:?}: {help:?}");
}
