//! Builds the console with npm and writes the table of its files, which `src/lib.rs` includes.
//!
//! `ROWHOOK_CONSOLE` says what to do: `auto` (when it is not set) builds the console where Node.js is, `required`
//! fails without it (releases, CI and the container image), `none` leaves it out.

// What a build script prints is how it speaks to Cargo.
#![allow(clippy::print_stdout)]

mod npm;
mod table;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::exit,
};

const CHOICE: &str = "ROWHOOK_CONSOLE";

fn main() {
    println!("cargo::rerun-if-env-changed={CHOICE}");
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    if let Err(fault) = make(&here, &out) {
        println!("cargo::error={fault}");
        exit(1);
    }
}

fn make(here: &Path, out: &Path) -> Result<(), String> {
    let required = match env::var(CHOICE).as_deref() {
        Err(env::VarError::NotPresent) | Ok("" | "auto") => false,
        Ok("required") => true,
        Ok("none") => return table::without(out),
        other => {
            return Err(format!(
                "{CHOICE} is {other:?}; it takes auto, required or none"
            ));
        }
    };
    let web = here.join("web");
    watch(&web);
    match npm::ready(&web) {
        Ok(()) => {}
        Err(fault) if required => return Err(fault),
        Err(fault) => {
            println!("cargo::warning=the admin console is left out of this build: {fault}");
            return table::without(out);
        }
    }
    let built = out.join("dist");
    npm::build(&web, &built)?;
    table::write_table(&built, out)
}

/// What the console is made from. Not the folder as a whole: its tools write into it.
fn watch(web: &Path) {
    const MADE_FROM: [&str; 10] = [
        ".npmrc",
        "codegen.ts",
        "csp.ts",
        "index.html",
        "package-lock.json",
        "package.json",
        "public",
        "src",
        "tsconfig.json",
        "vite.config.ts",
    ];
    for name in MADE_FROM {
        println!("cargo::rerun-if-changed={}", web.join(name).display());
    }
    // The API that it speaks, and the code that it shows to people who write receivers.
    for name in ["../docs/schema.graphql", "../docs/receiving"] {
        println!("cargo::rerun-if-changed={name}");
    }
}

/// Why a file could not be read or written.
fn failed(what: &str, path: &Path) -> impl Fn(std::io::Error) -> String {
    let what = format!("{what} {}", path.display());
    move |fault| format!("{what}: {fault}")
}

/// Writes a file of the build.
fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    fs::write(path, content).map_err(failed("can not write", path))
}
