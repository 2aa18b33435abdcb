//! Who runs the page's functions: an interpreter, or a compiler and what it made, for each language.
//!
//! Python, Node and Rust are there wherever the tests are. The others are run where the machine has them; where not, the
//! test says so past cargo's capture of output, and passes.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    page::Page,
    program::python,
    signed::{Case, Verdicts},
};

/// A language that the page has functions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    Python,
    Node,
    Go,
    Rust,
    Java,
    CSharp,
    Php,
    Ruby,
}

impl Judge {
    /// The program that gives verdicts, beside the page's blocks.
    fn file(self) -> &'static str {
        match self {
            Self::Python => "judge.py",
            Self::Node => "judge.mjs",
            Self::Go => "judge.go",
            Self::Rust => "judge.rs",
            Self::Java => "Judge.java",
            Self::CSharp => "Judge.cs",
            Self::Php => "judge.php",
            Self::Ruby => "judge.rb",
        }
    }

    /// What must be on the machine, and how to ask whether it is.
    fn needs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Python | Self::Node | Self::Rust => &[],
            Self::Go => &[("go", "version")],
            Self::Java => &[("javac", "-version"), ("java", "-version")],
            Self::CSharp => &[("mcs", "--version"), ("mono", "--version")],
            Self::Php => &[("php", "--version")],
            Self::Ruby => &[("ruby", "--version")],
        }
    }

    /// What is missing on this machine.
    fn misses(self) -> Option<&'static str> {
        let is_there = |program: &str, question: &str| {
            let mut command = Command::new(program);
            command.arg(question).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let missing = |(program, question): &&(&'static str, &str)| !is_there(program, question);
        self.needs()
            .iter()
            .find(missing)
            .map(|(program, _)| *program)
    }

    /// Makes what can be run of the files in the folder, and says how to run it.
    fn command(self, folder: &Path) -> Vec<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let make = |text: &str| run(folder, &words(text), &[]);
        match self {
            Self::Python => vec![python(), self.file().to_owned()],
            Self::Node => words("node judge.mjs"),
            Self::Php => words("php judge.php"),
            Self::Ruby => words("ruby judge.rb"),
            Self::Go => {
                make("go build -o judge judge.go verify.go ion.go");
                words("./judge")
            }
            Self::Java => {
                make("javac -Xlint:all -Werror -d . Judge.java Verify.java Ion.java");
                words("java -cp . Judge")
            }
            Self::CSharp => {
                make(
                    "mcs -warnaserror -r:System.Numerics.dll -out:judge.exe Judge.cs Verify.cs Ion.cs",
                );
                words("mono judge.exe")
            }
            Self::Rust => {
                let source = folder.join("src");
                fs::create_dir(&source).unwrap();
                for (from, to) in [
                    ("judge.rs", "main.rs"),
                    ("verify.rs", "verify.rs"),
                    ("ion.rs", "ion.rs"),
                ] {
                    fs::rename(folder.join(from), source.join(to)).unwrap();
                }
                // The very versions that rowhook is built with, so nothing is fetched.
                let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
                let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("receiver");
                let target = target.to_str().unwrap();
                let build = words("cargo build --quiet --offline");
                run(folder, &build, &[("CARGO_TARGET_DIR", target)]);
                vec![format!("{target}/debug/receiver")]
            }
        }
    }

    /// What the page's functions say to each case; nothing where the language is not on this machine.
    pub fn verdicts(self, cases: &[Case]) -> Option<Vec<Verdicts>> {
        if let Some(program) = self.misses() {
            // Not by eprintln!, whose output cargo keeps to itself when a test passes.
            let told =
                format!("NOT RUN: the {self:?} of docs/VERIFYING.md, for want of {program}\n");
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Page::read().save(folder.path());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/receiving/judges");
        fs::copy(source.join(self.file()), folder.path().join(self.file())).unwrap();
        let command = self.command(folder.path());
        let by_json = matches!(self, Self::Python | Self::Node);
        let told = if by_json {
            serde_json::to_vec(cases).unwrap()
        } else {
            lines(cases).into_bytes()
        };
        // From a file: both sides would wait for each other over two full pipes.
        let input: PathBuf = folder.path().join("cases");
        fs::write(&input, told).unwrap();
        let output = Command::new(&command[0])
            .args(&command[1..])
            .current_dir(folder.path())
            .stdin(fs::File::open(input).unwrap())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{self:?}: {}", output.status);
        let verdicts: Vec<Verdicts> = if by_json {
            serde_json::from_slice(&output.stdout).unwrap()
        } else {
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().map(verdict).collect()
        };
        assert_eq!(verdicts.len(), cases.len(), "{self:?}");
        Some(verdicts)
    }
}

/// A case a line: what every language reads without a library.
fn lines(cases: &[Case]) -> String {
    let line = |case: &Case| {
        let headers = case
            .headers
            .iter()
            .flat_map(|(name, value)| [name, value])
            .map(String::as_str);
        let fields = [&*case.secret, &*case.uri, &*case.body]
            .into_iter()
            .chain(headers);
        let fields: Vec<String> = fields.map(|field| STANDARD.encode(field)).collect();
        format!("{}\n", fields.join("\t"))
    };
    cases.iter().map(line).collect()
}

fn verdict(line: &str) -> Verdicts {
    let (standard, ion) = line.split_once(' ').unwrap();
    Verdicts::of(standard == "1", ion == "1")
}

fn run(folder: &Path, command: &[String], variables: &[(&str, &str)]) {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .envs(variables.iter().copied())
        // Nothing is fetched for a test.
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", "off")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
