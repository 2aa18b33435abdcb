//! `compose.yaml` and the script that makes its secrets.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use rowhook::store::sql::db::Dialect;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{command::Shell, database::TestDatabase};

use super::{is_taken, read, root};

fn compose() -> Yaml {
    let mut documents = YamlLoader::load_from_str(&read("compose.yaml")).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn texts(list: &Yaml) -> Vec<&str> {
    let list = list.as_vec().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| one.as_str().unwrap()).collect()
}

fn names(table: &Yaml) -> Vec<&str> {
    let table = table.as_hash().unwrap();
    table.keys().map(|key| key.as_str().unwrap()).collect()
}

fn environment(service: &Yaml) -> BTreeMap<String, String> {
    let pairs = service["environment"].as_hash().unwrap().iter();
    let text = |value: &Yaml| value.as_str().expect("a text").to_owned();
    pairs
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// Those that run rowhook's image.
fn ours(compose: &Yaml) -> Vec<(&str, &Yaml)> {
    let services = compose["services"].as_hash().unwrap().iter();
    services
        .map(|(name, service)| (name.as_str().unwrap(), service))
        .filter(|(_, service)| service["image"].as_str() == Some("rowhook"))
        .collect()
}

#[test]
fn images_are_pinned_or_built_here() {
    let compose = compose();
    assert_eq!(
        names(&compose["services"]),
        ["postgres", "rowhook", "receiver"]
    );
    assert_eq!(ours(&compose).len(), 2);
    assert_eq!(compose["services"]["rowhook"]["build"].as_str(), Some("."));
    assert!(root().join("Dockerfile").exists());
    let postgres = compose["services"]["postgres"]["image"].as_str().unwrap();
    let (_, tag) = postgres.split_once(':').unwrap();
    let (major, minor) = tag.split('-').next().unwrap().split_once('.').unwrap();
    assert!(
        major.parse::<u32>().unwrap() >= 14 && minor.parse::<u32>().is_ok(),
        "{postgres}"
    );
}

#[test]
fn rowhook_runs_without_rights() {
    for (name, service) in ours(&compose()) {
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            texts(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        assert_eq!(service["read_only"].as_bool(), Some(true), "{name}");
        assert_eq!(
            service["user"],
            Yaml::BadValue,
            "{name}: the image's user is no other's"
        );
    }
}

#[test]
fn commands_are_commands() {
    let compose = compose();
    let command = texts(&compose["services"]["receiver"]["command"]);
    assert_eq!(command[0], "listen");
    is_taken(&command);
    // The variable of a compose file that nobody set is an empty one.
    let variables = environment(&compose["services"]["receiver"]);
    assert_eq!(
        names(&compose["services"]["receiver"]["environment"]),
        ["ROWHOOK_SHARED_SECRET"]
    );
    assert_eq!(
        variables["ROWHOOK_SHARED_SECRET"],
        "${ROWHOOK_SHARED_SECRET:-}"
    );
    let mut shell = Shell::new();
    shell.set("ROWHOOK_SHARED_SECRET", "");
    let listen = shell.start(&["listen", "--port", "0"]);
    listen.says("listening on http://");
    listen.stop().well();
}

/// The service may reach the receiver: it is in the network of the receiver, which is allowed.
#[test]
fn the_receiver_can_be_reached() {
    let compose = compose();
    let inside = &compose["networks"]["inside"]["ipam"]["config"][0]["subnet"];
    let variables = environment(&compose["services"]["rowhook"]);
    assert_eq!(
        inside.as_str(),
        Some(&*variables["ROWHOOK_RECEIVERS__ALLOW_PRIVATE_NETWORKS"])
    );
    assert_eq!(variables["ROWHOOK_RECEIVERS__ALLOW_HTTP"], "true");
    for name in names(&compose["services"]) {
        let service = &compose["services"][name];
        assert_eq!(texts(&service["networks"]), ["inside"], "{name}");
    }
    // The console is for this machine alone.
    let ports = texts(&compose["services"]["rowhook"]["ports"]);
    assert_eq!(ports, ["127.0.0.1:8080:8080"]);
}

fn make_secrets(folder: &Path) -> Output {
    let script = folder.join("packaging/compose-secrets");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::copy(root().join("packaging/compose-secrets"), &script).unwrap();
    Command::new(script).output().unwrap()
}

/// The service's variables, its secrets where the script made them.
fn with_secrets(folder: &Path) -> BTreeMap<String, String> {
    let compose = compose();
    let service = &compose["services"]["rowhook"];
    let given = texts(&service["secrets"]);
    let mut variables = environment(service);
    for (variable, value) in &mut variables {
        if let Some(name) = value.strip_prefix("/run/secrets/") {
            assert!(
                given.contains(&name),
                "{variable}: the service has no secret {name}"
            );
            let file = compose["secrets"][name]["file"].as_str().unwrap();
            *value = folder.join(file).to_str().unwrap().to_owned();
        }
    }
    variables
}

#[actix_rt::test]
async fn the_service_could_start_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = make_secrets(folder.path());
    assert!(made.status.success(), "{made:?}");
    let variables = with_secrets(folder.path());
    let compose = compose();
    let postgres = &compose["services"]["postgres"];
    let theirs = environment(postgres);
    assert_eq!(
        theirs["POSTGRES_PASSWORD_FILE"],
        format!("/run/secrets/{}", texts(&postgres["secrets"])[0])
    );
    let url = fs::read_to_string(&variables["ROWHOOK_DATABASE_URL_FILE"]).unwrap();
    let password = fs::read_to_string(folder.path().join(".secrets/postgres_password")).unwrap();
    assert!(password.len() >= 32);
    let (user, name) = (&theirs["POSTGRES_USER"], &theirs["POSTGRES_DB"]);
    assert_eq!(url, format!("postgres://{user}:{password}@postgres/{name}"));
    let loaded = rowhook::config::load(None, variables.clone()).unwrap();
    assert_eq!(loaded.unknown_variables, []);

    // With a database that is there, in place of the one that has its name in the network of containers alone.
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    fs::write(&variables["ROWHOOK_DATABASE_URL_FILE"], &database.url).unwrap();
    let mut shell = Shell::new();
    for (name, value) in &variables {
        shell.set(name, value);
    }
    let check = shell.run(&["serve", "--check"]);
    let said = check.well();
    assert!(
        said.contains("resource RUN_STEP: the table will be made, and triggers put on"),
        "{said}"
    );
}

#[test]
fn the_secrets_are_random_and_made_once() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let secrets = |folder: &Path| -> BTreeMap<String, String> {
        let files = fs::read_dir(folder.join(".secrets")).unwrap();
        let read = |file: fs::DirEntry| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read_to_string(file.path()).unwrap())
        };
        files.map(|file| read(file.unwrap())).collect()
    };
    let made = folders.each_ref().map(|folder| {
        assert!(make_secrets(folder.path()).status.success());
        secrets(folder.path())
    });
    let compose = compose();
    let mut named = names(&compose["secrets"]);
    named.sort_unstable();
    assert_eq!(made[0].keys().collect::<Vec<_>>(), named);
    for (name, secret) in &made[0] {
        assert_ne!(*secret, made[1][name], "{name}");
    }
    let again = make_secrets(folders[0].path());
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(secrets(folders[0].path()), made[0]);
    assert!(read(".gitignore").lines().any(|line| line == ".secrets"));
}
