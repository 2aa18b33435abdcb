//! What is judged in memory: a receiver's URI, the configuration, a filter.

use std::time::{Duration, Instant};

use rowhook::{
    config,
    domain::{
        action::Action,
        resource::{Column, OnTruncate, ResourceDefinition, ResourceName},
    },
    policy::{
        egress::EgressPolicy,
        filter::{Filter, FilterInput},
        logged_row::LoggedRow,
        webhook_uri::{MAX_URI_CHARS, check_uri},
    },
};

use super::Inputs;

/// What judges one input takes a moment, also on a machine that stands still for a while.
const LONG: Duration = Duration::from_secs(10);

#[test]
fn fuzz_webhook_uri() {
    let policy = EgressPolicy::default();
    for input in Inputs::of("webhook_uri", 20_000) {
        let input = &*input;
        for allow_http in [true, false] {
            let Ok(url) = check_uri(input, allow_http, &policy) else {
                continue;
            };
            assert!(url.scheme() == "https" || (allow_http && url.scheme() == "http"));
            assert!(url.host().is_some() && url.username().is_empty() && url.password().is_none());
            // What goes over the wire is made of it.
            assert!(url.as_str().parse::<http::Uri>().is_ok(), "{url}");
            // Percent-encoding makes it longer; it is kept and sent as it came.
            if url.as_str().len() <= MAX_URI_CHARS {
                let again = check_uri(url.as_str(), allow_http, &policy);
                assert_eq!(again.as_ref(), Ok(&url));
            }
        }
    }
}

/// A file, and behind a line `---` variables, one a line.
#[test]
fn fuzz_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rowhook.toml");
    for input in Inputs::of("configuration", 1500) {
        let (file, variables) = input.split_once("\n---\n").unwrap_or((&input, ""));
        std::fs::write(&path, file).unwrap();
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        match config::load(Some(&path), variables) {
            Ok(loaded) => assert!(!loaded.settings.database_url.is_empty()),
            Err(error) => assert!(!error.to_string().trim().is_empty()),
        }
    }
}

fn runs() -> ResourceDefinition {
    let column = |name: &str| Column {
        name: name.to_owned(),
        data_type: "text".to_owned(),
    };
    ResourceDefinition {
        table: "public.runs".to_owned(),
        key: vec!["id".to_owned()],
        columns: ["id", "status", "count", "note"].map(column).to_vec(),
        etag: None,
        exclude: Vec::new(),
        on_truncate: OnTruncate::Rows,
    }
}

#[test]
fn fuzz_filter() {
    let (table, name): (_, ResourceName) = (runs(), "RUN".parse().unwrap());
    let row = r#"{"id":7,"status":"done","count":12.50,"note":"a \"b\" ünï"}"#;
    let old = r#"{"status":"open","note":null}"#;
    let row = LoggedRow::parse(&table, row, Some(old)).unwrap();
    for input in Inputs::of("filter", 1500) {
        let began = Instant::now();
        match Filter::checked(&input, &table) {
            Ok(filter) => {
                let input = FilterInput::new(&row, &name, Action::Update);
                let _either_way = filter.judge(&input);
            }
            Err(fault) => assert!(!fault.message.is_empty()),
        }
        assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    }
}
