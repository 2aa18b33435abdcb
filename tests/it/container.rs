//! The container image: what the Dockerfile promises, and `rowhook healthcheck`, by which the image checks
//! itself. Nothing here needs a container engine; that the image builds is not shown by it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::Value;

use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    database_road::DatabaseRoad,
    house::House,
    service::{DEADLINE, LOOK_AGAIN},
    wait::until,
};

on_both!(a_healthy_service_passes);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

// ---- The Dockerfile -------------------------------------------------------------------------------------

/// Keyword and arguments of each instruction, continuation lines joined.
fn instructions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = String::new();
    for line in read("Dockerfile").lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        open.push_str(line.trim());
        if let Some(begun) = open.strip_suffix('\\') {
            open = begun.to_owned();
        } else if let Some((keyword, arguments)) = open.split_once(' ') {
            found.push((keyword.to_owned(), arguments.trim().to_owned()));
            open.clear();
        }
    }
    found
}

/// The arguments of each instruction of a kind.
fn all(keyword: &str) -> Vec<String> {
    let found: Vec<String> = instructions()
        .into_iter()
        .filter(|(name, _)| name == keyword)
        .map(|(_, arguments)| arguments)
        .collect();
    assert!(!found.is_empty(), "the Dockerfile has no {keyword}");
    found
}

/// The last one of a kind, which is the one that holds.
fn last(keyword: &str) -> String {
    all(keyword).pop().unwrap()
}

/// Major and minor version.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn base_images_are_pinned_by_version() {
    let images = all("FROM");
    assert_eq!(images.len(), 3, "{images:?}");
    for image in &images {
        let name = image.split(' ').next().unwrap();
        let (_, tag) = name.split_once(':').expect("a tag");
        let release = tag.split('-').next().unwrap();
        assert!(
            release.contains('.') && release.chars().all(|c| c.is_ascii_digit() || c == '.'),
            "{name} is not pinned"
        );
    }
    // What the binary is linked to is what it finds: both of one Debian release.
    assert!(images[0].contains("-bookworm-"), "{images:?}");
    assert!(images[1].contains("-bookworm "), "{images:?}");
    assert!(images[2].starts_with("debian:12."), "{images:?}");
}

#[test]
fn the_builder_is_new_enough_and_keeps_to_the_lock_file() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let wanted = manifest["workspace"]["package"]["rust-version"].as_str();
    let images = all("FROM");
    let tag = images.iter().find_map(|image| image.strip_prefix("rust:"));
    let tag = tag.unwrap();
    let tag = tag.split('-').next().unwrap();
    assert!(version(tag) >= version(wanted.unwrap()), "{tag}");
    let builds: Vec<String> = all("RUN")
        .into_iter()
        .filter(|command| command.contains("cargo "))
        .collect();
    assert!(!builds.is_empty());
    for build in builds {
        assert!(build.contains(" --locked "), "{build}");
        assert!(build.contains(" --release "), "{build}");
    }
    assert!(root().join("Cargo.lock").exists());
}

/// Whether a version is in a range as npm writes it: `^20.19.0 || >=22.12`.
fn is_in(version: [u32; 3], ranges: &str) -> bool {
    ranges.split("||").any(|range| {
        let range = range.trim();
        let begun = range.find(|c: char| c.is_ascii_digit());
        let (operator, from) = range.split_at(begun.unwrap_or(range.len()));
        // `6.*` is what `6` is.
        let mut numbers = from.split('.').map_while(|number| number.parse().ok());
        let from = [(); 3].map(|()| numbers.next().unwrap_or(0));
        match operator.trim().trim_end_matches('v').trim() {
            "*" => true,
            ">=" => version >= from,
            "^" | "" => version[0] == from[0] && version >= from,
            _ => panic!("teach the test {ranges}"),
        }
    })
}

/// npm only warns where it is not, and what a package does then is its own affair.
#[test]
fn node_is_what_every_package_of_the_console_asks_for() {
    let images = all("FROM");
    let tag = images.iter().find_map(|image| image.strip_prefix("node:"));
    let release = tag.unwrap().split('-').next().unwrap();
    let mut numbers = release.split('.').map(|number| number.parse().unwrap());
    let node = [(); 3].map(|()| numbers.next().unwrap());
    let lock: Value = serde_json::from_str(&read("console/web/package-lock.json")).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    let asked: Vec<(&str, &str)> = packages
        .iter()
        .filter_map(|(name, package)| Some((name.as_str(), package["engines"]["node"].as_str()?)))
        .collect();
    assert!(asked.len() > 100, "{asked:?}");
    for (name, ranges) in asked {
        assert!(
            is_in(node, ranges),
            "{name} asks for Node.js {ranges}, not {release}"
        );
    }
}

#[test]
fn it_runs_as_nobody_in_particular() {
    let user = last("USER");
    for id in user.split(':') {
        assert_ne!(id.parse::<u32>().expect("a number"), 0, "{user}");
    }
    // After the last COPY and RUN, so that nothing in the image is this user's but the data folder.
    let owned: Vec<String> = all("COPY")
        .into_iter()
        .filter(|copy| copy.contains(&format!("--chown={user}")))
        .collect();
    assert_eq!(owned.len(), 1, "{owned:?}");
    assert!(owned[0].ends_with(" /out/owned /"), "{owned:?}");
    assert_eq!(last("VOLUME"), "[\"/data\"]");
    // COPY would give a folder that it is told to make the mode 0755, and the database could be read by all.
    assert!(
        all("RUN")
            .iter()
            .any(|command| command.contains("install -d -m 0750 /out/owned/data "))
    );
}

#[test]
fn it_starts_and_checks_the_binary_without_a_shell() {
    let list = |text: &str| -> Vec<String> { serde_json::from_str(text).unwrap() };
    assert_eq!(list(&last("ENTRYPOINT")), ["rowhook"]);
    assert_eq!(list(&last("CMD")), ["serve"]);
    assert_eq!(last("STOPSIGNAL"), "SIGTERM");
    assert_eq!(last("EXPOSE"), "8080");
    let health = last("HEALTHCHECK");
    let (_, command) = health.split_once("CMD ").unwrap();
    assert_eq!(list(command), ["rowhook", "healthcheck"]);
    // What is run is there, and a command line that the binary takes.
    let installed = "/usr/local/bin/rowhook";
    assert!(all("COPY").iter().any(|copy| copy.ends_with(installed)));
    for command in ["serve", "healthcheck"] {
        let help = rowhook(&[command, "--help"], &[]);
        assert!(help.status.success(), "{command}: {help:?}");
    }
}

/// The settings of the image are settings, and what they name agrees with the rest of the file.
#[test]
fn its_settings_are_settings() {
    let variables: Vec<(String, String)> = all("ENV")
        .iter()
        .flat_map(|arguments| arguments.split_whitespace())
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let loaded = rowhook::config::load(None, variables).unwrap();
    assert_eq!(loaded.unknown_variables, []);
    assert_eq!(
        loaded.settings.listen,
        format!("0.0.0.0:{}", last("EXPOSE"))
    );
    // The image sets no database, which would win over a rowhook.toml; the default one is in the volume.
    assert_eq!(loaded.settings.database_url, "sqlite://rowhook.db");
    assert_eq!(last("VOLUME"), format!("[\"{}\"]", last("WORKDIR")));
}

// ---- What the build is given ------------------------------------------------------------------------------

/// Whether `.dockerignore` keeps a path out: the last line that matches decides.
fn is_ignored(path: &str, patterns: &str) -> bool {
    let lines = patterns.lines().map(str::trim);
    let mut ignored = false;
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (pattern, ignores) = match line.strip_prefix('!') {
            Some(pattern) => (pattern, false),
            None => (line, true),
        };
        // A pattern that matches a folder matches what is in it.
        if Path::new(path)
            .ancestors()
            .any(|part| matches(part.to_str().unwrap(), pattern))
        {
            ignored = ignores;
        }
    }
    ignored
}

/// The patterns that the file uses: a path, `*` alone, and `**/*.end`.
fn matches(path: &str, pattern: &str) -> bool {
    match pattern.strip_prefix("**/*") {
        Some(end) => !end.contains('*') && path.ends_with(end),
        None if pattern == "*" => !path.is_empty() && !path.contains('/'),
        None => {
            assert!(!pattern.contains('*'), "teach the test {pattern}");
            path == pattern
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name == "target" || name == ".git" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A folder with what the image's build sees, in which cargo finds every crate as the lock file has it, and
/// each file that the sources include.
#[test]
fn nothing_that_the_build_needs_is_ignored() {
    let patterns = read(".dockerignore");
    let context = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    files(&root(), &mut found);
    for file in found {
        let path = file.strip_prefix(root()).unwrap();
        if is_ignored(path.to_str().unwrap(), &patterns) {
            continue;
        }
        let copy = context.path().join(path);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&file, &copy).unwrap();
        let sources = path.extension().is_some_and(|end| end == "rs");
        let text = if sources {
            read(path.to_str().unwrap())
        } else {
            String::new()
        };
        for rest in text.split("include_str!(\"").skip(1) {
            let included = path.parent().unwrap().join(rest.split('"').next().unwrap());
            let included = included.to_str().unwrap();
            assert!(root().join(included).exists(), "{included}");
            assert!(!included.contains(".."), "teach the test {included}");
            assert!(!is_ignored(included, &patterns), "{included} is ignored");
        }
    }
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(context.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{said}");
    // COPY takes the folder whole, or parts that are there.
    for copy in all("COPY").iter().filter(|copy| !copy.contains("--from=")) {
        let mut paths: Vec<&str> = copy.split(' ').collect();
        paths.pop();
        for path in paths {
            assert!(context.path().join(path).exists(), "COPY {copy}: {path}");
        }
    }
}

#[test]
fn what_must_stay_out_is_ignored() {
    let patterns = read(".dockerignore");
    for path in [
        ".git/config",
        "target/release/rowhook",
        "rowhook.db",
        "rowhook.db.key",
        "src/rowhook.db.key",
        "rowhook.toml",
        ".env",
    ] {
        assert!(is_ignored(path, &patterns), "{path}");
    }
    assert!(!is_ignored("src/cli/mod.rs", &patterns));
}

// ---- rowhook healthcheck ----------------------------------------------------------------------------------

fn rowhook(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowhook"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROWHOOK_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(empty.path())
        .output()
        .unwrap()
}

/// Its exit code and what it says, which is one line or nothing.
fn healthcheck(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let output = rowhook(&[&["healthcheck"], arguments].concat(), variables);
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() <= 1, "{said}");
    (output.status.code().unwrap(), said)
}

async fn a_healthy_service_passes(database: TestDatabase) {
    let house = House::of(database).await;
    let address = house.service.address();
    let url = format!("http://{address}");
    let well = (0, String::new());
    assert_eq!(healthcheck(&["--url", &url], &[]), well);
    assert_eq!(healthcheck(&["--url", &url, "--ready"], &[]), well);
    // As in the image: the address that it listens on is that of every interface.
    let listen = format!("0.0.0.0:{}", address.port());
    assert_eq!(healthcheck(&[], &[("ROWHOOK_LISTEN", &listen)]), well);
    assert_eq!(
        healthcheck(&["--ready"], &[("ROWHOOK_LISTEN", &listen)]),
        well
    );
    let (code, said) = healthcheck(&["--url", &address.to_string()], &[]);
    assert_eq!(code, 2);
    assert!(said.contains("--url") && said.contains("http://"), "{said}");
}

#[actix_rt::test]
async fn a_service_without_its_database_is_up_and_not_ready() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let url = format!("http://{}", house.service.address());
    let (server, name) = house.url.rsplit_once('/').unwrap();
    let elsewhere = Database::connect(format!("{server}/postgres"))
        .await
        .unwrap();
    let away = format!(
        "alter database {name} with allow_connections false;
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    elsewhere.execute_unprepared(&away).await.unwrap();
    let began = Instant::now();
    let said = loop {
        let (code, said) = healthcheck(&["--url", &url, "--ready"], &[]);
        if code == 1 && said.contains("answered 503") {
            break said;
        }
        assert!(began.elapsed() < DEADLINE, "{code}: {said}");
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    assert!(
        said.starts_with(&format!("rowhook: {url}/readyz answered 503: ")),
        "{said}"
    );
    assert!(said.len() > url.len() + 60, "no reason: {said}");
    assert_eq!(healthcheck(&["--url", &url], &[]), (0, String::new()));
}

/// As process 1 of a container it would not even be ended by a signal that it does not listen for.
#[actix_rt::test]
async fn a_service_that_still_starts_ends_when_it_is_told_to() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let road = DatabaseRoad::to(&database.url).await;
    road.hang_for_good();
    let mut shell = Shell::on(&road.url);
    shell.set("ROWHOOK_SAMPLE", "true");
    let serve = shell.start(&["serve"]);
    until("it asks its database", || road.opened() > 0).await;
    serve.stop().well();
}

/// The service waits for its database before it answers, and the check waits for the service.
#[actix_rt::test]
async fn a_service_whose_database_server_is_away_says_so() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let road = DatabaseRoad::to(&database.url).await;
    let house = House::reached_at(database, &road.url, "").await;
    let url = format!("http://{}", house.service.address());
    drop(road);
    let (code, said) = healthcheck(&["--url", &url, "--ready"], &[]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with(&format!("rowhook: {url}/readyz answered 503: "))
            && said.contains("the database can not be reached"),
        "{said}"
    );
}

#[actix_rt::test]
async fn a_service_that_hangs_fails_in_time() {
    let house = House::of(TestDatabase::fresh(Dialect::Sqlite).await).await;
    let url = format!("http://{}", house.service.address());
    house.service.signal("STOP");
    let began = Instant::now();
    let (code, said) = healthcheck(&["--url", &url], &[]);
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    assert_eq!(code, 1);
    assert!(said.contains(&url), "{said}");
    // Before the check itself is ended, which would leave no word of it.
    let seconds = |text: &str, before: &str| -> u32 {
        let (_, rest) = text.split_once(before).unwrap();
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap();
        digits.parse().unwrap()
    };
    let waited = seconds(&said, "no answer within ");
    assert!(
        waited < seconds(&last("HEALTHCHECK"), "--timeout="),
        "{said}"
    );
}

#[test]
fn where_nothing_listens_it_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    for (arguments, variables) in [
        (&["--url", &format!("http://{address}")][..], &[][..]),
        (
            &[][..],
            &[
                ("ROWHOOK_LISTEN", &*address),
                // Kubernetes gives such a variable to every container.
                ("ROWHOOK_SERVICE_HOST", "10.0.0.1"),
            ][..],
        ),
    ] {
        let (code, said) = healthcheck(arguments, variables);
        assert_eq!(code, 1);
        assert!(
            said.contains(&address) && said.contains("nothing listens"),
            "{said}"
        );
    }
}
