//! Signatures as receivers verify them: the developer guide's function under CPython 3.11, and the public
//! `standardwebhooks` packages for Python and Node.
//!
//! Each test streams what rowhook signed through one process of the other side and compares verdicts one
//! by one. `ROWHOOK_TEST_PYTHON` names the interpreter (else `python3`), `ROWHOOK_TEST_NODE_MODULES` the
//! directory that holds the Node package; `tests/run` sets both up. Something missing is a failure, never
//! a skip. `ROWHOOK_TEST_SEED` repeats a run: each failure names its seed, and each run prints it.
#![allow(
    clippy::print_stdout,
    reason = "the seed and the counts, shown by `--nocapture` and with a failure"
)]

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{RngExt, seq::IndexedRandom};
use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::python_json::MAX_DEPTH,
    policy::signature::{
        Unsignable, ion_message, ion_signature, standard_signature, verify_ion, verify_standard,
    },
};

#[path = "support/json_documents.rs"]
pub mod json_documents;

use crate::support::seed::seed;
use json_documents::JsonDocuments;

/// Random documents that the guide's function sees, besides the fixed ones.
const DOCUMENTS: usize = 105_000;

/// Deliveries that each `standardwebhooks` package sees, each of them sound and tampered with.
const DELIVERIES: usize = 3_000;

/// What is done where something that a test needs is missing.
const SETUP: &str = "`tests/run` installs what the tests need and sets the variables";

/// The verdicts of the guide's function, each of which the documents must bring about.
const VERDICTS: [&str; 7] = [
    "verified",
    "rejected",
    "raised AttributeError",
    "raised JSONDecodeError",
    "raised RecursionError",
    "raised UnicodeEncodeError",
    "raised ValueError",
];

/// A document that is on its way through the guide's function.
struct Document {
    data: String,
    /// Whether rowhook signed it, or why not.
    signed: Result<(), Unsignable>,
    /// Whether the signature was spoilt on its way.
    tampered: bool,
}

impl Document {
    /// What the guide's function must say to it.
    fn expected<'a>(&self, verdict: &'a str) -> &'a str {
        match self.signed {
            Ok(()) if self.tampered => "rejected",
            Ok(()) => "verified",
            Err(Unsignable::IntegerTooLong { .. }) => "raised ValueError",
            // Python's own limit is higher, by how much depends on who calls. Between the two it may come to the end, or
            // to another fault.
            Err(Unsignable::TooDeep) if self.data.matches(['[', '{']).count() > MAX_DEPTH => {
                verdict
            }
            Err(Unsignable::TooDeep) => "raised RecursionError",
            Err(Unsignable::LoneSurrogate) => "raised UnicodeEncodeError",
            Err(Unsignable::NotAnObject) => "raised AttributeError",
            // Python takes `7…7.x` for an integer and what follows it, and may refuse the integer first.
            Err(Unsignable::Malformed { .. }) if verdict == "raised ValueError" => {
                "raised ValueError"
            }
            Err(Unsignable::Malformed { .. }) => "raised JSONDecodeError",
        }
    }
}

/// The guide's function under CPython says of each document what rowhook says of it. Such documents may hold anything.
pub fn agrees_with_the_guide(documents: impl Iterator<Item = String> + Send + 'static) {
    let mut command = Command::new(cpython_3_11());
    command.arg(support("verify_like_the_guide.py"));
    let uri = "https://example.com/hook";
    let say_all = move |mut partner: Partner<Document>| {
        let secret = random_secret(&mut JsonDocuments::new(0));
        for data in documents {
            let message = ion_message(uri, &data);
            let signature = match &message {
                Ok(message) => ion_signature(&secret, message),
                Err(_) => String::new(),
            };
            let payload = data.clone();
            let document = Document {
                data,
                signed: message.map(drop),
                tampered: false,
            };
            let head = [secret.expose(), uri, &signature];
            partner.say(document, &head, payload.as_bytes())?;
        }
        Ok(())
    };
    exchange(&mut command, say_all, |document: Document, answer| {
        let verdict = match answer.strip_prefix("rejected ") {
            Some(_) => "rejected",
            None => answer,
        };
        let expected = document.expected(verdict);
        assert_eq!(
            verdict, expected,
            "Python answered {answer:?}, rowhook {:?}, to {:?}",
            document.signed, document.data
        );
    });
}

#[test]
fn the_guides_function_agrees_on_every_document() {
    let seed = seed();
    let mut command = Command::new(cpython_3_11());
    command.arg(support("verify_like_the_guide.py"));

    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    exchange(
        &mut command,
        move |partner| sign_documents(seed, partner),
        |document: Document, answer| {
            let verdict = match answer.strip_prefix("rejected ") {
                Some(_) => "rejected",
                None => answer,
            };
            let expected = document.expected(verdict);
            assert_eq!(
                verdict,
                expected,
                "seed {seed}: Python answered {answer:?}, rowhook {:?}, to {}",
                document.signed,
                beginning(&document.data),
            );
            *seen.entry(expected.to_owned()).or_default() += 1;
        },
    );

    println!("seed {seed}: {seen:?}");
    assert!(seen.values().sum::<usize>() > DOCUMENTS, "{seen:?}");
    for verdict in VERDICTS {
        assert!(
            seen.contains_key(verdict),
            "seed {seed}: never {verdict}: {seen:?}"
        );
    }
}

/// Signs the fixed documents and the random ones, each with the next secret and URI.
fn sign_documents(seed: u64, mut partner: Partner<Document>) -> io::Result<()> {
    const URIS: [&str; 4] = [
        "https://example.com/hook",
        "http://127.0.0.1:8080",
        "https://example.com/a b?x=1&y=%20#part",
        "https://b\u{fc}cher.example/\u{1f389}?k:v",
    ];
    let mut documents = JsonDocuments::new(seed);
    let fixed = JsonDocuments::fixed();
    for place in 0..fixed.len() + DOCUMENTS {
        let data = match fixed.get(place) {
            Some(data) => data.clone(),
            None => documents.document(),
        };
        let secret = random_secret(&mut documents);
        let uri = URIS[place % URIS.len()];
        let tampered = place % 97 == 96;
        let message = ion_message(uri, &data);
        let mut signature = match &message {
            Ok(message) => ion_signature(&secret, message),
            Err(_) => String::new(),
        };
        if let (Ok(message), true) = (&message, tampered) {
            assert!(verify_ion(&secret, message, &signature));
            let spoilt = if signature.starts_with('A') { "B" } else { "A" };
            signature.replace_range(..1, spoilt);
            assert!(!verify_ion(&secret, message, &signature));
        }
        let document = Document {
            signed: message.map(drop),
            tampered,
            data,
        };
        let payload = document.data.clone();
        partner.say(
            document,
            &[secret.expose(), uri, &signature],
            payload.as_bytes(),
        )?;
    }
    Ok(())
}

#[test]
fn the_python_package_verifies_deliveries() {
    let mut command = Command::new(cpython_3_11());
    command.arg(support("verify_standard_webhooks.py"));
    a_package_verifies_deliveries(&mut command);
}

#[test]
fn the_node_package_verifies_deliveries() {
    let modules = env::var_os("ROWHOOK_TEST_NODE_MODULES").unwrap_or_else(|| {
        panic!("ROWHOOK_TEST_NODE_MODULES names no directory with the package: {SETUP}")
    });
    let mut command = Command::new("node");
    command
        .arg(support("verify_standard_webhooks.cjs"))
        .env("NODE_PATH", modules);
    a_package_verifies_deliveries(&mut command);
}

/// A delivery that is on its way through a `standardwebhooks` package.
struct Delivery {
    secret: SharedSecret,
    id: String,
    timestamp: i64,
    signature: String,
    body: String,
    /// What was changed after signing, if anything was.
    tampered: Option<&'static str>,
}

/// Streams deliveries through a package; it must verify the sound ones, refuse the others, and sign as
/// rowhook does.
fn a_package_verifies_deliveries(command: &mut Command) {
    let seed = seed();
    let (mut verified, mut refused) = (0, 0);
    exchange(
        command,
        move |partner| sign_deliveries(seed, partner),
        |delivery: Delivery, answer| {
            let told = format!(
                "seed {seed}: the package answered {answer:?} to a delivery with {} changed: {}",
                delivery.tampered.unwrap_or("nothing"),
                beginning(&delivery.body),
            );
            let ours = verify_standard(
                &delivery.secret,
                &delivery.id,
                delivery.timestamp,
                delivery.body.as_bytes(),
                &delivery.signature,
            );
            assert_eq!(ours, delivery.tampered.is_none(), "{told}");
            if delivery.tampered.is_some() {
                assert_eq!(answer, "refused", "{told}");
                refused += 1;
                return;
            }
            let theirs = answer.strip_prefix("verified ").expect(&told);
            assert!(
                delivery.signature.split(' ').any(|ours| ours == theirs),
                "{told}"
            );
            verified += 1;
        },
    );
    println!("seed {seed}: {verified} verified, {refused} refused");
    assert_eq!((verified, refused), (DELIVERIES, DELIVERIES));
}

/// Signs random bodies, and says each once as it was signed and once with something changed.
fn sign_deliveries(seed: u64, mut partner: Partner<Delivery>) -> io::Result<()> {
    let mut documents = JsonDocuments::new(seed);
    for event in 1..=DELIVERIES {
        let secret = random_secret(&mut documents);
        let id = event.to_string();
        // The packages refuse a timestamp that is more than five minutes off.
        let timestamp = now_in_seconds();
        let text = documents.portable_string();
        let body =
            format!("{{\"event_id\": {event}, \"data\": {{\"id\": {event}, \"new\": {text}}}}}");
        let mut signature = standard_signature(&secret, &id, timestamp, body.as_bytes());
        let old_secret = random_secret(&mut documents);
        let old = standard_signature(&old_secret, &id, timestamp, body.as_bytes());
        match event % 3 {
            0 => signature = format!("{signature} {old}"),
            1 => signature = format!("{old} {signature}"),
            _ => {}
        }
        let delivery = |tampered| Delivery {
            secret: secret.clone(),
            id: id.clone(),
            timestamp,
            signature: signature.clone(),
            body: body.clone(),
            tampered,
        };
        partner.deliver(delivery(None))?;
        partner.deliver(match event % 5 {
            0 => Delivery {
                body: body.replacen(": ", ":", 1),
                ..delivery(Some("a space of the body"))
            },
            1 => Delivery {
                id: format!("{id}0"),
                ..delivery(Some("the id"))
            },
            2 => Delivery {
                timestamp: timestamp - 1,
                ..delivery(Some("the timestamp"))
            },
            3 => Delivery {
                secret: SharedSecret::generate(),
                ..delivery(Some("the secret"))
            },
            _ => Delivery {
                signature: old.clone(),
                secret: SharedSecret::generate(),
                ..delivery(Some("the signature"))
            },
        })?;
    }
    Ok(())
}

/// A secret of any length that the specification allows.
fn random_secret(documents: &mut JsonDocuments) -> SharedSecret {
    let random = documents.random();
    let length = *[24, 32, 32, 33, 64].choose(random).expect("not empty");
    let mut key = vec![0_u8; length];
    random.fill(&mut key[..]);
    let text = format!("whsec_{}", STANDARD.encode(key));
    SharedSecret::parse(&text).expect("24 to 64 bytes make a secret")
}

/// The process at the other end, as the thread that signs sees it.
struct Partner<Case> {
    ear: BufWriter<std::process::ChildStdin>,
    cases: mpsc::Sender<Case>,
}

impl<Case> Partner<Case> {
    /// Sends one line of fields and the payload that it announces, and notes the case for the answer.
    fn say(&mut self, case: Case, fields: &[&str], payload: &[u8]) -> io::Result<()> {
        self.cases
            .send(case)
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        writeln!(self.ear, "{}\t{}", fields.join("\t"), payload.len())?;
        self.ear.write_all(payload)
    }
}

impl Partner<Delivery> {
    fn deliver(&mut self, delivery: Delivery) -> io::Result<()> {
        let body = delivery.body.clone();
        let (secret, id) = (delivery.secret.clone(), delivery.id.clone());
        let (timestamp, signature) = (delivery.timestamp.to_string(), delivery.signature.clone());
        self.say(
            delivery,
            &[secret.expose(), &id, &timestamp, &signature],
            body.as_bytes(),
        )
    }
}

/// Runs a program that answers each case with a line: one thread says the cases while this one checks the
/// answers in their order, so that neither side waits for a full pipe.
fn exchange<Case: Send + 'static>(
    command: &mut Command,
    say_all: impl FnOnce(Partner<Case>) -> io::Result<()> + Send + 'static,
    mut check: impl FnMut(Case, &str),
) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start ({error}): {SETUP}"));
    let (sender, cases) = mpsc::channel();
    let partner = Partner {
        ear: BufWriter::new(child.stdin.take().expect("piped")),
        cases: sender,
    };
    let speaker = thread::spawn(move || say_all(partner));

    for answer in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let answer = answer.expect("a line of UTF-8");
        check(cases.recv().expect("an answer answers a case"), &answer);
    }
    let output = child.wait_with_output().expect("the program ends");
    assert!(
        output.status.success(),
        "{command:?} failed: {SETUP}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = speaker.join().expect("signing does not panic");
    said.expect("a program that succeeds has read to the end");
    assert!(cases.recv().is_err(), "cases are left without an answer");
}

/// The interpreter to run, which must be the one whose rules the contract names.
fn cpython_3_11() -> PathBuf {
    let python = PathBuf::from(env::var_os("ROWHOOK_TEST_PYTHON").unwrap_or("python3".into()));
    let output = Command::new(&python)
        .args([
            "-c",
            "import sys; print(sys.implementation.name, *sys.version_info[:2])",
        ])
        .output()
        .unwrap_or_else(|error| panic!("{} does not start ({error}): {SETUP}", python.display()));
    let version = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        version.trim(),
        "cpython 3 11",
        "{} is not CPython 3.11, whose str() and repr() the signature follows; set ROWHOOK_TEST_PYTHON: {SETUP}",
        python.display()
    );
    python
}

fn support(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "it", "support", file]
        .iter()
        .collect()
}

fn now_in_seconds() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("within range")
}

/// As much of a document as a person wants to see.
fn beginning(document: &str) -> String {
    let shown: String = document.chars().take(2000).collect();
    format!("{} bytes: {shown:?}", document.len())
}
