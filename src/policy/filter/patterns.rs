//! `matches`: regular expressions in filters, kept once they are compiled, and bounded in size.
//!
//! The search takes time in proportion to the text and to the pattern, whatever they are (no backtracking), so
//! their sizes are all there is to bound.

use std::{cell::RefCell, collections::HashMap};

use cel::{
    Env, ExecutionError,
    common::types::{CelBool, CelString},
};
use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take. `(?i)` and classes of letters of all scripts fit well.
const MAX_COMPILED: usize = 1 << 18;
/// Bytes of a text that is searched.
const MAX_TEXT: usize = 64 << 10;
/// Patterns that a thread keeps. Filters hold few; only patterns out of rows can be many.
const KEPT: usize = 256;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
}

/// A pattern, or what is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            // The last line says what, those above draw the pattern.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
}

fn matches(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    if text.inner().len() > MAX_TEXT {
        let message = format!("the text is longer than {MAX_TEXT} bytes");
        return Err(ExecutionError::function_error("matches", message));
    }
    PATTERNS.with_borrow_mut(|kept| {
        if let Some(regex) = kept.get(pattern.inner()) {
            return Ok(CelBool::from(regex.is_match(text.inner())));
        }
        let regex = compile(pattern.inner())
            .map_err(|error| ExecutionError::function_error("matches", error))?;
        let matched = regex.is_match(text.inner());
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(pattern.inner().to_owned(), regex);
        Ok(CelBool::from(matched))
    })
}

/// Teaches an environment `text.matches(pattern)` and `matches(text, pattern)`.
pub(super) fn declare(env: &mut Env) {
    cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>)
        .expect("the crate is built without its own");
    cel::add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, id = "matches")
        .expect("the crate is built without its own");
}
