//! The page's verifying functions: those without a library, those with one, and the page's module
//! for `x-ion-signature` in Node, on deliveries that are sound and on those that are not.

use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, verify_ion, verify_standard},
};

use crate::{signatures::json_documents::JsonDocuments, support::seed::seed};

use super::{
    judges::Judge,
    page::{Page, ion_files},
    signed::{Case, Verdicts},
};

const URI: &str = "https://b\u{fc}cher.example/hooks?x=1&y=%20";

/// Random documents, besides the fixed ones, whose `x-ion-signature` the page's functions verify.
const DOCUMENTS: usize = 5_000;

/// The secret and the URI that the page gives for its example.
const EXAMPLE_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const EXAMPLE_URI: &str = "https://receiver.example/hooks";

fn body() -> String {
    let page = Page::read();
    let (_, body) = page.block("delivery.http").split_once("\n\n").unwrap();
    body.trim_end().to_owned()
}

/// Deliveries with what must be said of them.
fn cases() -> Vec<(&'static str, Case, Verdicts)> {
    let (secret, other) = (SharedSecret::generate(), SharedSecret::generate());
    let body = body();
    let sound = Case::signed(&[&secret], URI, &body);
    let rotating = Case::signed(&[&secret, &other], URI, &body);
    let data = &body[body.find(r#"{"id":"#).unwrap()..body.len() - 1];
    let payload = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &body)
        .finish();
    let event = format!(r#"{{"specversion":"1.0","id":"7","data":{body}}}"#);
    let of_type = |name: &str, sent: &str| Case::with_data(&[&secret], URI, name, sent, data);
    let seconds_ago = |seconds: i64| {
        let timestamp = chrono::Utc::now().timestamp() - seconds;
        let signed = rowhook::policy::signature::standard_signature(
            &secret,
            "7",
            timestamp,
            body.as_bytes(),
        );
        sound
            .clone()
            .header("webhook-timestamp", &timestamp.to_string())
            .header("webhook-signature", &signed)
    };
    let signature = |value: &str| sound.clone().header("webhook-signature", value);
    let timestamp = |value: &str| sound.clone().header("webhook-timestamp", value);
    let good = sound.headers["webhook-signature"].clone();
    let all = Verdicts::of(true, true);
    let none = Verdicts::of(false, false);
    let (only_ion, only_standard) = (Verdicts::of(false, true), Verdicts::of(true, false));
    vec![
        ("as it came", sound.clone(), all),
        (
            "as a form",
            of_type("application/x-www-form-urlencoded", &payload),
            all,
        ),
        (
            "as a CloudEvent",
            of_type("application/cloudevents+json", &event),
            all,
        ),
        ("rotating, held by the new", rotating.clone(), all),
        ("rotating, held by the old", rotating.held_by(&other), all),
        ("another secret", sound.clone().held_by(&other), none),
        (
            "data changed",
            sound.clone().replace("complete", "Complete"),
            none,
        ),
        // What the page warns of.
        (
            "event_id changed",
            sound.clone().replace("123456", "123457"),
            only_ion,
        ),
        (
            "action changed",
            sound.clone().replace("update", "delete"),
            only_ion,
        ),
        ("a space more", sound.clone().replace(":{", ": {"), only_ion),
        ("four minutes old", seconds_ago(240), all),
        ("six minutes old", seconds_ago(360), only_ion),
        ("six minutes early", seconds_ago(-360), only_ion),
        (
            "another URI",
            {
                let mut case = sound.clone();
                case.uri.push('/');
                case
            },
            only_standard,
        ),
        ("no JSON", sound.clone().replace("}}}", "}}"), none),
        (
            "another id",
            sound.clone().header("webhook-id", "8"),
            only_ion,
        ),
        ("a signature of nothing", signature(""), only_ion),
        ("a signature that is none", signature("v1"), only_ion),
        ("no base64", signature("v1,\u{fc}%%"), only_ion),
        ("cut short", signature(&good[..good.len() - 4]), only_ion),
        (
            "another version",
            signature(&good.replace("v1,", "v2,")),
            only_ion,
        ),
        (
            "among others",
            signature(&format!("v1a,AAAA v2,BBBB {good}")),
            all,
        ),
        ("no time", timestamp(""), only_ion),
        ("a time that is none", timestamp("soon"), only_ion),
        ("a long time", timestamp(&"9".repeat(5000)), only_ion),
        (
            "an x-ion-signature of nothing",
            sound.clone().header("x-ion-signature", ""),
            only_standard,
        ),
        (
            "an x-ion-signature that is none",
            sound.header("x-ion-signature", "\u{fc}%%"),
            only_standard,
        ),
    ]
}

/// Shows a language all of them.
fn judge(judge: Judge) {
    let (told, verdicts): (Vec<_>, Vec<_>) = cases()
        .into_iter()
        .map(|(name, case, verdicts)| ((name, case), verdicts))
        .unzip();
    let mut given: Vec<Case> = told.iter().map(|(_, case)| case.clone()).collect();
    let (seed, nasty) = documents();
    given.extend(nasty.iter().map(|(case, _)| case.clone()));
    let Some(found) = judge.verdicts(&given) else {
        return;
    };
    let (found, of_nasty) = found.split_at(told.len());
    for (((name, case), expected), found) in told.iter().zip(&verdicts).zip(found) {
        assert_eq!(found, expected, "{judge:?}: {name}: {case:?}");
    }
    for ((case, expected), found) in nasty.iter().zip(of_nasty) {
        let shown: String = case.body.chars().take(2000).collect();
        assert_eq!(found, expected, "{judge:?}, seed {seed}: {shown}");
    }
}

#[test]
fn python_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Python);
}

#[test]
fn node_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Node);
}

#[test]
fn go_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Go);
}

#[test]
fn rust_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Rust);
}

#[test]
fn java_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Java);
}

#[test]
fn c_sharp_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::CSharp);
}

#[test]
fn php_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Php);
}

#[test]
fn ruby_accepts_what_is_sound_and_nothing_else() {
    judge(Judge::Ruby);
}

/// The nasty documents that `signatures` shows to the guide's own function, the last of each fifty with a signature that
/// is another's; and the seed that they were made from.
fn documents() -> (u64, Vec<(Case, Verdicts)>) {
    let seed = seed();
    let mut source = JsonDocuments::new(seed);
    let mut texts = JsonDocuments::fixed();
    texts.extend((0..DOCUMENTS).map(|_| source.document()));
    let secret = SharedSecret::generate();
    let cases: Vec<(Case, Verdicts)> = texts
        .iter()
        .filter(|data| ion_message(URI, data).is_ok())
        .map(|data| Case::by_ion(&secret, URI, data))
        .enumerate()
        .map(|(place, case)| match place % 50 {
            49 => (
                case.header("x-ion-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                Verdicts::of(false, false),
            ),
            _ => (case, Verdicts::of(false, true)),
        })
        .collect();
    assert!(cases.len() > DOCUMENTS / 2, "seed {seed}: {}", cases.len());
    (seed, cases)
}

/// Each file has the table of what Python prints to itself, so that it can be copied alone: they are one table.
#[test]
fn all_files_print_the_same_characters() {
    let numbers = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let (_, rest) = text.split_once("y c 1 ju 2 6").unwrap();
        let (table, _) = rest.split_once("fcmt 6o").unwrap();
        table
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let files = ion_files();
    assert_eq!(files.len(), 7, "{files:?}");
    for file in &files {
        assert_eq!(numbers(file), numbers(&files[0]), "{file:?}");
    }
}

#[test]
fn the_signatures_of_the_example_are_true() {
    let page = Page::read();
    let (head, _) = page.block("delivery.http").split_once("\n\n").unwrap();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().strip_prefix(": ").unwrap()
    };
    let body = body();
    let secret = SharedSecret::parse(EXAMPLE_SECRET).unwrap();
    let timestamp = header("webhook-timestamp").parse().unwrap();
    assert!(verify_standard(
        &secret,
        header("webhook-id"),
        timestamp,
        body.as_bytes(),
        header("webhook-signature")
    ));
    let data = &body[body.find(r#"{"id":"#).unwrap()..body.len() - 1];
    let message = ion_message(EXAMPLE_URI, data).unwrap();
    assert!(verify_ion(&secret, &message, header("x-ion-signature")));
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RECEIVING.md"));
    let text = text.unwrap();
    assert!(text.contains(EXAMPLE_SECRET) && text.contains(EXAMPLE_URI));
}
