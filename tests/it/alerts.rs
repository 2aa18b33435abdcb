//! The dashboard and the alert rules speak of metrics that there are, and say what to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use yaml_rust2::YamlLoader;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The series that the documented metrics come to.
fn series() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let documented = read("docs/metrics.txt");
    for line in documented.lines().filter(|line| !line.starts_with(' ')) {
        let (name, kind) = line.split_once(' ').unwrap();
        if kind.starts_with("histogram") {
            names.extend(["bucket", "sum", "count"].map(|end| format!("{name}_{end}")));
        } else {
            names.insert(name.to_owned());
        }
    }
    assert!(names.len() > 10);
    names
}

/// The series that an expression names.
fn named(expression: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    expression
        .match_indices("rowhook_")
        .map(|(at, _)| {
            let rest = &expression[at..];
            &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
        })
        .collect()
}

/// Label values that an expression asks for, such as `state="probing"`, are ones that the metric has.
fn asks_for_values_that_there_are(expression: &str) {
    let documented = read("docs/metrics.txt");
    for label in ["status", "outcome", "state", "connection"] {
        for (at, _) in expression.match_indices(&format!("{label}=\"")) {
            let value = expression[at..].split('"').nth(1).unwrap();
            let lists = documented
                .lines()
                .filter_map(|line| line.split_once(&format!("{label}=")))
                .map(|(_, rest)| rest.split([',', '}']).next().unwrap());
            let known = lists
                .flat_map(|list| list.split('|'))
                .any(|one| one == value);
            assert!(known, "{label}={value:?} in {expression}");
        }
    }
}

fn checked(expression: &str, series: &BTreeSet<String>) {
    let named = named(expression);
    assert!(!named.is_empty(), "{expression} names no metric of ours");
    for name in named {
        assert!(series.contains(name), "{name} in {expression}");
    }
    asks_for_values_that_there_are(expression);
}

/// The recipe that `docs/INCIDENTS.md` names in its first table for each metric, by its anchor.
fn recipes(incidents: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for line in incidents.lines().filter(|line| line.starts_with("| ")) {
        let Some((_, link)) = line.split_once("](#") else {
            continue;
        };
        let anchor = link.split(')').next().unwrap();
        found.extend(named(line).into_iter().map(|metric| (metric, anchor)));
    }
    assert!(found.len() > 4, "{found:?}");
    found
}

/// The headings of a page, as links name them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/rowhook.json")).unwrap();
    let series = series();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        if panel["type"] == "row" {
            continue;
        }
        assert!(
            !panel["description"].as_str().unwrap().is_empty(),
            "{panel}"
        );
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            checked(expression, &series);
            shown.extend(named(expression).into_iter().map(str::to_owned));
        }
    }
    // What is measured is to be seen: of a histogram its buckets.
    let unseen: Vec<_> = series
        .iter()
        .filter(|name| !name.ends_with("_sum") && !name.ends_with("_seconds_count"))
        .filter(|name| !shown.contains(*name))
        .collect();
    assert!(unseen.is_empty(), "{unseen:?} stand on no panel");
}

#[test]
fn each_alert_says_why_and_what_to_do() {
    let file = read("docs/prometheus/rowhook.rules.yaml");
    let rules = &YamlLoader::load_from_str(&file).unwrap()[0];
    let series = series();
    let (operating, incidents) = (read("docs/OPERATING.md"), read("docs/INCIDENTS.md"));
    let pages = [
        ("docs/OPERATING.md", anchors(&operating)),
        ("docs/INCIDENTS.md", anchors(&incidents)),
    ];
    let recipes = recipes(&incidents);
    let mut names = BTreeSet::new();
    for rule in rules["groups"][0]["rules"].as_vec().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands twice");
        checked(rule["expr"].as_str().unwrap(), &series);
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["page", "ticket"].contains(&severity), "{name}: {severity}");
        let said = |what: &str| rule["annotations"][what].as_str().unwrap_or_default();
        for what in ["summary", "description"] {
            assert!(!said(what).is_empty(), "{name} has no {what}");
        }
        let runbook = said("runbook");
        let (page, anchor) = runbook.split_once('#').unwrap();
        let is_there = pages
            .iter()
            .any(|(path, anchors)| *path == page && anchors.contains(anchor));
        assert!(is_there, "{name}: {runbook} is nowhere");
        // What the alert is about stands first.
        let metric = named(rule["expr"].as_str().unwrap())[0];
        if let Some(recipe) = recipes.get(metric) {
            let wanted = format!("docs/INCIDENTS.md#{recipe}");
            assert_eq!(runbook, wanted, "{name} is about {metric}");
        }
        assert!(
            operating.contains(&format!("`{name}`")),
            "{name} is not explained"
        );
    }
    assert!(names.len() > 8);
}
