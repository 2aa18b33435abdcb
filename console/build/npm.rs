//! Node.js and npm: whether they are here, the packages of the lock file, and the build.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use super::{failed, write};

/// The oldest Node.js that the bundler runs on.
const NODE: (u32, u32) = (20, 19);
/// What was installed: a copy of the lock file, written when its packages are all there.
const INSTALLED: &str = "node_modules/.installed";

/// Sees to it that the console can be built: Node.js is here, and so are the packages of the lock file.
pub fn ready(web: &Path) -> Result<(), String> {
    let said = run(Command::new("node").arg("--version")).map_err(|fault| {
        format!("Node.js is not here ({fault}); install Node.js 20.19 or newer")
    })?;
    let version = said.trim().trim_start_matches('v');
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE {
        return Err(format!(
            "Node.js is {version}; install Node.js {}.{} or newer",
            NODE.0, NODE.1
        ));
    }
    install(web)
}

/// `npm ci`, unless that was done. Builds beside this one wait for it.
fn install(web: &Path) -> Result<(), String> {
    let wanted = read(&web.join("package-lock.json"))?;
    let installed = web.join(INSTALLED);
    let _lock = lock(web)?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    run(npm(web).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
        .map_err(|fault| format!("npm could not install its packages: {fault}"))?;
    write(&installed, &wanted)
}

/// Makes the files of the console in this folder.
pub fn build(web: &Path, into: &Path) -> Result<(), String> {
    let _lock = lock(web)?;
    run(npm(web)
        .args(["run", "build", "--", "--emptyOutDir", "--outDir"])
        .arg(into))
    .map(drop)
    .map_err(|fault| format!("the console does not build: {fault}"))
}

/// Held while something is written in the folder of the web app; it ends with the file.
fn lock(web: &Path) -> Result<File, String> {
    let path = web.join("package.json");
    let file = File::open(&path).map_err(failed("can not read", &path))?;
    file.lock().map_err(failed("can not lock", &path))?;
    Ok(file)
}

fn npm(web: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(web);
    // What npm would tell of itself is no part of a build.
    command.env("NO_UPDATE_NOTIFIER", "1").env("CI", "1");
    command
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(failed("can not read", path))
}

/// What it printed; or how it ended, with its last lines, on one line as Cargo's messages are.
fn run(command: &mut Command) -> Result<String, String> {
    let ended = command.output().map_err(|fault| fault.to_string())?;
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    if ended.status.success() {
        return Ok(said);
    }
    let all = said + &String::from_utf8_lossy(&ended.stderr);
    let lines: Vec<&str> = all
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("npm warn"))
        .collect();
    let last = lines[lines.len().saturating_sub(12)..].join(" | ");
    Err(format!("{}: {last}", ended.status))
}
