//! How large an expression may be, and how much work. The parser and the interpreter recurse, and a stack that
//! overflows or memory that is not there takes the whole process along: so this is looked at before an
//! expression is parsed, and before it runs.
//!
//! What an expression can make is bounded by its text and by the row alone. Only `+` makes anything longer
//! than what it is made of, so there are few; and no loop makes a list of anything but the elements that it
//! was given, so that loops behind loops go over ever fewer.

use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, EntryExpr, Expr, operators as op},
};

use super::fault::{FilterFault, Place};

/// Bytes of an expression.
pub const MAX_BYTES: usize = 4096;
/// Names, numbers, texts and operators of an expression: what bounds how deep its tree can get before
/// anybody has seen the tree.
pub const MAX_TOKENS: usize = 600;
/// Levels of the tree. One takes the interpreter up to 40 KiB of stack in a build without optimisation.
pub const MAX_DEPTH: usize = 24;

/// Sums of an expression, texts and lists that are joined included.
pub const MAX_SUMS: usize = 16;
/// Regular expressions of an expression.
pub const MAX_PATTERNS: usize = 4;
/// Bytes of a change's old and new row that a filter reads, both together.
pub const MAX_ROW: usize = 4 << 20;
/// The same for an expression with a loop: what it does for each element may go over the whole row.
pub const MAX_LOOPED_ROW: usize = 32 << 10;

/// Refuses what is too large to be parsed.
pub(super) fn check_text(text: &str) -> Result<(), FilterFault> {
    if text.len() > MAX_BYTES {
        return Err(FilterFault::whole(format!(
            "is {} bytes long; at most {MAX_BYTES} are allowed",
            text.len()
        )));
    }
    if text.trim().is_empty() {
        return Err(FilterFault::whole(
            "is empty; null means that every change fires",
        ));
    }
    match token_after(text, MAX_TOKENS) {
        Some(byte) => Err(FilterFault::at(
            Place::of_byte(text, byte),
            format!(
                "has more than {MAX_TOKENS} names, texts, numbers and operators; a list does with fewer \
                 (`new.status in ['a', 'b']`)"
            ),
        )),
        None => Ok(()),
    }
}

/// Where the token begins that follows the first `count` ones.
fn token_after(text: &str, count: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let (mut at, mut found) = (0, 0);
    while at < bytes.len() {
        let begin = at;
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..]
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(bytes.len() - at);
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            quote @ (b'\'' | b'"') => at = after_text(bytes, at, quote, false),
            byte if is_word(byte) => {
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                if let Some(quote @ (b'\'' | b'"')) = bytes.get(at) {
                    let is_raw = matches!(
                        &bytes[begin..at],
                        b"r" | b"R" | b"br" | b"bR" | b"Br" | b"BR"
                    );
                    at = after_text(bytes, at, *quote, is_raw);
                }
            }
            // `==`, `>=` and `&&` are one each.
            b'=' | b'!' | b'<' | b'>' | b'&' | b'|' => {
                at += if matches!(bytes.get(at + 1), Some(b'=' | b'&' | b'|')) {
                    2
                } else {
                    1
                };
            }
            _ => at += 1,
        }
        found += 1;
        if found > count {
            return Some(begin);
        }
    }
    None
}

/// The end of the text that begins at a quote.
fn after_text(bytes: &[u8], begin: usize, quote: u8, is_raw: bool) -> usize {
    let triple = [quote; 3];
    let end: &[u8] = if bytes[begin..].starts_with(&triple) {
        &triple
    } else {
        &triple[..1]
    };
    let mut at = begin + end.len();
    while at < bytes.len() {
        if bytes[at..].starts_with(end) {
            return at + end.len();
        }
        // A text ends with its line unless it has three quotes; the parser says so, and nothing hides behind.
        if end.len() == 1 && bytes[at] == b'\n' {
            return at;
        }
        at += if bytes[at] == b'\\' && !is_raw { 2 } else { 1 };
    }
    bytes.len()
}

/// Refuses a tree that is too deep to run. It recurses itself: only on the stack that the parser had.
pub(super) fn check_depth(text: &str, tree: &IdedExpr) -> Result<(), FilterFault> {
    let depth = depth(tree);
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(FilterFault::at(
        Place::of_byte(text, 0),
        format!("is nested {depth} levels deep; at most {MAX_DEPTH} are allowed"),
    ))
}

/// Refuses what could make very much of a small row. Whether there is a loop is returned.
pub(super) fn check_work(tree: &IdedExpr) -> Result<bool, FilterFault> {
    let mut work = Work::default();
    work.add(tree);
    if work.makes_lists {
        return Err(FilterFault::whole(
            "uses map, which can make very much of a little; ask for the elements themselves with exists, all \
             or filter",
        ));
    }
    for (count, most, what) in [
        (work.sums, MAX_SUMS, "sums (`+`)"),
        (
            work.patterns,
            MAX_PATTERNS,
            "regular expressions (`matches`)",
        ),
    ] {
        if count > most {
            let message = format!("has {count} {what}; at most {most} are allowed");
            return Err(FilterFault::whole(message));
        }
    }
    Ok(work.loops)
}

#[derive(Default)]
struct Work {
    sums: usize,
    patterns: usize,
    loops: bool,
    makes_lists: bool,
}

impl Work {
    fn add(&mut self, tree: &IdedExpr) {
        match &tree.expr {
            Expr::Call(call) if call.func_name == op::ADD => self.sums += 1,
            Expr::Call(call) if call.func_name == "matches" => self.patterns += 1,
            Expr::Comprehension(one) => {
                self.loops = true;
                self.makes_lists |= makes_a_list(one);
            }
            _ => {}
        }
        for part in parts(&tree.expr) {
            self.add(part);
        }
    }
}

/// Whether a loop gathers anything but the elements that it goes over: `map` does, `filter` does not.
fn makes_a_list(one: &ComprehensionExpr) -> bool {
    let mut step = &one.loop_step.expr;
    if let Expr::Call(call) = step
        && call.func_name == op::CONDITIONAL
        && let Some(chosen) = call.args.get(1)
    {
        step = &chosen.expr;
    }
    if !matches!(one.accu_init.expr, Expr::List(_)) {
        return false;
    }
    let gathered = match step {
        Expr::Call(call) if call.func_name == op::ADD => call.args.last(),
        _ => None,
    };
    let Some(Expr::List(gathered)) = gathered.map(|list| &list.expr) else {
        return true;
    };
    !matches!(
        gathered.elements.as_slice(),
        [only] if matches!(&only.expr, Expr::Ident(name) if *name == one.iter_var)
    )
}

fn depth(tree: &IdedExpr) -> usize {
    1 + parts(&tree.expr).into_iter().map(depth).max().unwrap_or(0)
}

/// The expressions of which this one is made.
pub(super) fn parts(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(one) => vec![
            &one.iter_range,
            &one.accu_init,
            &one.loop_cond,
            &one.loop_step,
            &one.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(made) => entries(&made.entries),
    }
}

fn entries(entries: &[cel::common::ast::IdedEntryExpr]) -> Vec<&IdedExpr> {
    let mut parts = Vec::with_capacity(entries.len() * 2);
    for entry in entries {
        match &entry.expr {
            EntryExpr::StructField(field) => parts.push(&field.value),
            EntryExpr::MapEntry(entry) => parts.extend([&entry.key, &entry.value]),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> usize {
        (0..)
            .find(|count| token_after(text, *count).is_none())
            .unwrap()
    }

    #[test]
    fn tokens_are_counted_as_cel_writes_them() {
        assert_eq!(tokens("new.status == 'a b + c'"), 5);
        assert_eq!(tokens("a>=b&&!c||[[d]]"), 12);
        assert_eq!(tokens("a // b + c\n+ d"), 3);
        assert_eq!(tokens(r"r'\' + a"), 3);
        assert_eq!(tokens(r"'\' + a' + b"), 3);
        assert_eq!(tokens("'''a ' b''' + c"), 3);
        assert_eq!(
            tokens("'open\n + a"),
            3,
            "a text that is not closed hides nothing"
        );
        assert_eq!(tokens("// 'open\n a + b"), 3);
    }
}
