//! Writes a Python value as CPython 3.11's `str()` and `repr()` write it.
//!
//! `policy::signature` calls it with what `policy::python_json` read. It only appends to the text it is
//! given, never recurses (so no input can overflow the stack), and knows nothing of signatures.
//!
//! The rules are those of CPython 3.11's `unicode_repr` (`Objects/unicodeobject.c`), `list_repr` and
//! `dict_repr`.

use std::slice;

use crate::policy::{
    python_float,
    python_json::{Text, Value},
    python_printable::is_printable,
};

/// The text holds half of a surrogate pair, so it has no UTF-8 form: Python's `.encode("utf-8")` raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneSurrogate;

/// Appends `str(value)`: a string is itself, anything else its `repr`.
///
/// # Errors
///
/// When the value is a string that has no UTF-8 form. Strings inside a list or a dict always have one:
/// `repr` escapes what UTF-8 can not hold.
pub fn push_str(out: &mut String, value: &Value<'_>) -> Result<(), LoneSurrogate> {
    match value {
        Value::Str(text) => out.push_str(utf8(text)?),
        other => push_repr(out, other),
    }
    Ok(())
}

/// The text itself, where it has a UTF-8 form.
///
/// # Errors
///
/// When it has none.
pub fn utf8<'value>(text: &'value Text<'_>) -> Result<&'value str, LoneSurrogate> {
    match text {
        Text::Utf8(text) => Ok(text),
        Text::CodePoints(_) => Err(LoneSurrogate),
    }
}

/// Appends `repr(value)`.
pub fn push_repr(out: &mut String, value: &Value<'_>) {
    let mut open: Vec<Open<'_, '_>> = begin(out, value).into_iter().collect();
    while let Some(container) = open.last_mut() {
        match container.next(out) {
            Some(inner) => open.extend(begin(out, inner)),
            None => {
                out.push(container.closing_bracket());
                open.pop();
            }
        }
    }
}

/// Appends a value that is no container, or the opening bracket of one.
fn begin<'value, 'text>(
    out: &mut String,
    value: &'value Value<'text>,
) -> Option<Open<'value, 'text>> {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(digits) => out.push_str(digits),
        Value::Float(number) => python_float::push_repr(out, *number),
        Value::Str(text) => push_text_repr(out, text),
        Value::List(items) => {
            out.push('[');
            return Some(Open::List("", items.iter()));
        }
        Value::Dict(members) => {
            out.push('{');
            return Some(Open::Dict("", members.iter()));
        }
    }
    None
}

/// A container that is being written: what goes before its next value, and the values still to come.
enum Open<'value, 'text> {
    List(&'static str, slice::Iter<'value, Value<'text>>),
    Dict(
        &'static str,
        indexmap::map::Iter<'value, Text<'text>, Value<'text>>,
    ),
}

impl<'value, 'text> Open<'value, 'text> {
    /// Appends all that goes before the next value, and returns that value.
    fn next(&mut self, out: &mut String) -> Option<&'value Value<'text>> {
        match self {
            Self::List(separator, items) => {
                let item = items.next()?;
                out.push_str(separator);
                *separator = ", ";
                Some(item)
            }
            Self::Dict(separator, members) => {
                let (key, member) = members.next()?;
                out.push_str(separator);
                *separator = ", ";
                push_text_repr(out, key);
                out.push_str(": ");
                Some(member)
            }
        }
    }

    fn closing_bracket(&self) -> char {
        match self {
            Self::List(..) => ']',
            Self::Dict(..) => '}',
        }
    }
}

/// Appends `repr` of a string: in single quotes, unless it holds one and no double quote.
fn push_text_repr(out: &mut String, text: &Text<'_>) {
    if let Text::Utf8(text) = text
        && is_plain(text)
    {
        out.push('\'');
        out.push_str(text);
        out.push('\'');
        return;
    }
    let has = |quote: char| match text {
        Text::Utf8(text) => text.contains(quote),
        Text::CodePoints(code_points) => code_points.contains(&u32::from(quote)),
    };
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    out.push(quote);
    match text {
        Text::Utf8(text) => push_escaped(out, text, quote),
        Text::CodePoints(code_points) => {
            for &code_point in code_points {
                match char::from_u32(code_point) {
                    Some(character) if stands_for_itself(character, quote) => out.push(character),
                    _ => push_escape(out, code_point),
                }
            }
        }
    }
    out.push(quote);
}

/// Whether a text is what nearly all keys and most values are: ASCII that stands for itself whatever the
/// quotes around it. One look at its bytes spares the looks for quotes and the walk over its characters.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'\'' && byte != b'\\')
}

/// Appends a text run by run, each as long as nothing in it needs an escape.
fn push_escaped(out: &mut String, text: &str, quote: char) {
    let mut run_start = 0;
    for (at, character) in text.char_indices() {
        if !stands_for_itself(character, quote) {
            out.push_str(&text[run_start..at]);
            push_escape(out, character.into());
            run_start = at + character.len_utf8();
        }
    }
    out.push_str(&text[run_start..]);
}

fn stands_for_itself(character: char, quote: char) -> bool {
    match character {
        '\\' => false,
        ' '..='~' => character != quote,
        _ => is_printable(character),
    }
}

/// Appends the escape of a code point, the shortest that fits: `\n`, `\x7f`, `\u2028`, `\U000e0001`.
fn push_escape(out: &mut String, code_point: u32) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('\\');
    let (letter, digits) = match code_point {
        0x09 => return out.push('t'),
        0x0a => return out.push('n'),
        0x0d => return out.push('r'),
        0x22 | 0x27 | 0x5c => return out.extend(char::from_u32(code_point)),
        0..=0xff => ('x', 2),
        0x100..=0xffff => ('u', 4),
        _ => ('U', 8),
    };
    out.push(letter);
    for place in (0..digits).rev() {
        let digit = (code_point >> (4 * place)) & 0xf;
        out.push(char::from(HEX[digit as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::python_json::{MAX_DEPTH, read};

    fn repr(json: &str) -> String {
        let mut out = String::new();
        push_repr(&mut out, &read(json).expect("JSON"));
        out
    }

    fn str(json: &str) -> Result<String, LoneSurrogate> {
        let mut out = String::new();
        push_str(&mut out, &read(json).expect("JSON")).map(|()| out)
    }

    #[test]
    fn containers_look_as_in_python() {
        assert_eq!(repr("{}"), "{}");
        assert_eq!(repr("[]"), "[]");
        assert_eq!(repr("[[],{},[1]]"), "[[], {}, [1]]");
        assert_eq!(
            repr(r#"{"status":"complete","n":1.5,"ok":true,"no":false,"x":null,"l":[1,-0,"a"]}"#),
            "{'status': 'complete', 'n': 1.5, 'ok': True, 'no': False, 'x': None, 'l': [1, 0, 'a']}"
        );
        assert_eq!(
            repr(r#"{"a":{"b":{"c":1},"d":2},"e":3}"#),
            "{'a': {'b': {'c': 1}, 'd': 2}, 'e': 3}"
        );
    }

    #[test]
    fn quotes_follow_the_text() {
        assert_eq!(repr(r#""plain""#), "'plain'");
        assert_eq!(repr(r#""it's""#), r#""it's""#);
        assert_eq!(repr(r#""say \"it\"""#), r#"'say "it"'"#);
        assert_eq!(repr(r#""it's \"it\"""#), r#"'it\'s "it"'"#);
        assert_eq!(repr(r#""it's \ud800""#), r#""it's \ud800""#);
        assert_eq!(repr(r#""it's \"\ud800\"""#), r#"'it\'s "\ud800"'"#);
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        assert_eq!(
            repr(r#""\\ \t\n\r\b\f\u0000\u001f\u007f\u0080\u00a0\u00ad""#),
            r"'\\ \t\n\r\x08\x0c\x00\x1f\x7f\x80\xa0\xad'"
        );
        assert_eq!(
            repr("\"\u{e9}\u{2028}\u{e000}\u{ffff}\u{1f389}\u{e0001}\u{10ffff}\""),
            "'\u{e9}\\u2028\\ue000\\uffff\u{1f389}\\U000e0001\\U0010ffff'"
        );
    }

    #[test]
    fn str_of_a_string_is_itself_and_of_the_rest_its_repr() {
        assert_eq!(str(r#""it's\n""#).as_deref(), Ok("it's\n"));
        assert_eq!(str("[\"a\"]").as_deref(), Ok("['a']"));
        assert_eq!(str("null").as_deref(), Ok("None"));
        assert_eq!(str(r#""\ud800""#), Err(LoneSurrogate));
        assert_eq!(str(r#"["\ud800"]"#).as_deref(), Ok(r"['\ud800']"));
    }

    #[test]
    fn the_deepest_value_fits_a_small_stack() {
        let write = || {
            let json = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
            assert_eq!(repr(&json), json);
            let json = format!(
                "{}{{}}{}",
                "{\"k\":".repeat(MAX_DEPTH - 1),
                "}".repeat(MAX_DEPTH - 1)
            );
            assert_eq!(repr(&json).len(), json.len() + MAX_DEPTH - 1);
        };
        std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(write)
            .expect("a thread")
            .join()
            .expect("no overflow");
    }
}
