//! What comes from outside, changed at random: whatever it is, nothing panics, nothing takes long, and what is accepted is
//! what it was taken for.
//!
//! Each target begins with its corpus (`fuzz/corpus/TARGET/`) and goes on with what mutations make of it: some hundreds or
//! thousands in each run of the tests, for as long as one likes by `fuzz/run`. The seed is printed; `ROWHOOK_TEST_SEED`
//! repeats a run. What a target fails on is written down beside the message, to be mended and then put into the corpus.
//! No crate gives more on a stable toolchain: what guides libFuzzer is instrumentation that only nightly has.

mod documents;
mod pure;
mod signature;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::support::seed::seed;

/// Longer inputs are cut: what is long is slow, and rarely new.
const LONGEST: usize = 4096;
/// Pieces that mean something somewhere.
const WORDS: [&str; 40] = [
    "\0",
    "\u{7f}",
    "\r\n",
    "\t",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{a0}",
    "é",
    "🎉",
    "%00",
    "%",
    "//",
    "/*",
    "#",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "$",
    "@",
    ":",
    "-",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "2147483648",
    "null",
    "true",
    "...",
    "NaN",
    "",
    "\"\"\"",
    "=",
];

/// The inputs of one run.
struct Inputs {
    target: &'static str,
    seed: u64,
    random: StdRng,
    corpus: Vec<String>,
    next: usize,
    last: String,
    left: usize,
    until: Option<Instant>,
}

impl Inputs {
    /// The corpus of a target and so many mutations, or as many as `ROWHOOK_FUZZ_MINUTES` give time for.
    fn of(target: &'static str, mutations: usize) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        let files =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let read = |path| std::fs::read_to_string(path).unwrap();
        let corpus: Vec<String> = paths.into_iter().map(read).collect();
        assert!(!corpus.is_empty(), "{folder:?} is empty");
        let minutes = std::env::var("ROWHOOK_FUZZ_MINUTES").ok();
        let minutes = minutes.map(|text| {
            text.parse::<u64>()
                .expect("ROWHOOK_FUZZ_MINUTES is no whole number")
        });
        let seed = seed();
        println!("{target}: ROWHOOK_TEST_SEED={seed}");
        Self {
            target,
            seed,
            random: StdRng::seed_from_u64(seed),
            corpus,
            next: 0,
            last: String::new(),
            left: mutations,
            until: minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes)),
        }
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.random.random_range(0..=text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn piece<'a>(&mut self, text: &'a str) -> &'a str {
        let (one, other) = (self.place(text), self.place(text));
        &text[one.min(other)..one.max(other)]
    }

    fn any(&mut self) -> String {
        self.corpus.choose(&mut self.random).unwrap().clone()
    }

    /// One to four changes of one of the corpus.
    fn mutation(&mut self) -> String {
        let mut text = self.any();
        for _ in 0..self.random.random_range(1..=4) {
            let at = self.place(&text);
            match self.random.random_range(0..8) {
                0 => text.insert_str(at, WORDS.choose(&mut self.random).unwrap()),
                1 => {
                    let other = self.any();
                    let piece = self.piece(&other);
                    text.insert_str(at, piece);
                }
                2 => {
                    let to = self.place(&text);
                    text.replace_range(at.min(to)..at.max(to), "");
                }
                3 => text.truncate(at),
                4 => {
                    let times = self.random.random_range(2..40);
                    let piece = self.piece(&text).repeat(times);
                    text.insert_str(at, &piece);
                }
                5 => {
                    if let Some(char::MIN..=char::MAX) = text[at..].chars().next() {
                        text.remove(at);
                        text.insert(at, self.random.random_range('\0'..='\u{2fff}'));
                    }
                }
                6 => text.insert(at, self.random.random_range(' '..='~')),
                _ => {
                    let to = self.place(&text);
                    let word = WORDS.choose(&mut self.random).unwrap();
                    text.replace_range(at.min(to)..at.max(to), word);
                }
            }
        }
        while text.len() > LONGEST || !text.is_char_boundary(text.len()) {
            text.pop();
        }
        text
    }
}

impl Drop for Inputs {
    /// What a target fails on is written down.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let name = format!("rowhook-fuzz-{}-{}", self.target, self.seed);
            let path = std::env::temp_dir().join(name);
            // Panicking twice would end the process.
            let written = std::fs::write(&path, &self.last);
            println!(
                "{} fails on {:?}: {} ({written:?})",
                self.target,
                self.last,
                path.display()
            );
        }
    }
}

impl Iterator for Inputs {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if let Some(input) = self.corpus.get(self.next) {
            self.next += 1;
            self.last.clone_from(input);
            return Some(input.clone());
        }
        match self.until {
            Some(until) if Instant::now() >= until => return None,
            Some(_) => {}
            None if self.left == 0 => return None,
            None => self.left -= 1,
        }
        self.last = self.mutation();
        Some(self.last.clone())
    }
}
