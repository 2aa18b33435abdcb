//! The layers of the house: each module uses only what stands below it, and each library stands in its
//! own place. The map is `docs/ARCHITECTURE.md`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A module of `src` and the modules that it may use. The composition root (`app`) and the command line
/// (`cli`) know everybody, so they are not listed.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("policy", &["domain"]),
    ("telemetry", &[]),
    ("config", &["domain", "policy"]),
    ("store", &["domain", "policy"]),
    ("transport", &["domain", "policy", "telemetry"]),
    ("sample", &["domain", "store"]),
    (
        "pipeline",
        &["domain", "policy", "store", "transport", "telemetry"],
    ),
    ("doctor", &["domain", "store"]),
    ("graphql", &["domain", "policy", "store", "doctor"]),
    ("http", &["domain", "policy", "store", "graphql"]),
    ("lib.rs", &[]),
    ("main.rs", &[]),
];

/// A library and the places that may name it.
const LIBRARIES: [(&str, &[&str]); 15] = [
    ("sea_orm", &["store/sql", "sample"]),
    ("sea_orm_migration", &["store/sql"]),
    ("entity", &["store/sql"]),
    ("migration", &["store/sql"]),
    ("actix", &["pipeline", "app"]),
    ("actix_web", &["http", "app"]),
    ("actix_ws", &["http/socket"]),
    ("juniper", &["graphql", "http/graphql.rs"]),
    ("awc", &["transport"]),
    ("rowhook_console", &["http/console.rs"]),
    ("governor", &["policy/throttle.rs"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_http", &["telemetry", "transport"]),
];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).unwrap();
                let name = name.to_str().unwrap().to_owned();
                found.push((name, code(&fs::read_to_string(&path).unwrap())));
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// The text without comments.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) => &line[..at],
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The modules that `use crate::{…}` and `crate::x` name.
fn used_modules(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut word, mut top) = (0, String::new(), true);
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        used.push(std::mem::take(&mut word));
                        top = true;
                    }
                    ':' if depth == 0 => top = false,
                    c if depth == 0 && top && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
            }
            used.push(word);
        } else {
            let name = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_');
            used.push(name.collect());
        }
    }
    used.retain(|name| !name.is_empty());
    used
}

#[test]
fn each_layer_uses_only_what_stands_below_it() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        let module = file.split('/').next().unwrap();
        if matches!(module, "app" | "cli") {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{file}: module {module} is in no layer"));
        for used in used_modules(&text) {
            let known = MAY_USE.iter().any(|(name, _)| *name == used);
            if known && used != module && !allowed.contains(&used.as_str()) {
                faults.push(format!("{file} uses {used}"));
            }
        }
        let knows_sql = matches!(module, "store" | "sample");
        if !knows_sql && text.contains("store::sql") {
            faults.push(format!("{file} uses store::sql"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_library_stands_in_its_place() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        for (library, places) in LIBRARIES {
            let named = names(&text, &format!("{library}::"));
            if named && !places.iter().any(|place| file.starts_with(place)) {
                faults.push(format!("{file} names {library}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_check_itself_sees() {
    let text =
        "use crate::{\n    domain::{a, b::c},\n    store::x,\n};\nfn f() { crate::policy::g() }";
    assert_eq!(used_modules(text), ["domain", "store", "policy"]);
    assert!(names("use awc::Client;", "awc::"));
    assert!(!names("use hawc::Client; my_awc::x", "awc::"));
}
