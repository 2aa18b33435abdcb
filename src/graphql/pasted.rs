//! What a document has in it that was copied from a page, and that is no GraphQL.
//!
//! - Lines that begin with `//` are comments: manuals print `// See current webhook receivers` above a
//!   document, and whoever copies the block copies that line with it.
//! - No-break spaces are spaces: pages indent with them.
//!
//! Both become GraphQL character for character, so that the places in messages stay true. Strings stay
//! as they are.

use std::borrow::Cow;

/// What pages indent with.
const NO_BREAK_SPACE: char = '\u{a0}';

/// The document without what pages put into it.
pub fn as_graphql(source: &str) -> Cow<'_, str> {
    if !source.contains("//") && !source.contains(NO_BREAK_SPACE) {
        return Cow::Borrowed(source);
    }
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    // Whether only blanks came in this line so far.
    let mut line_begins = true;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '#' => line_end(rest),
            '/' if line_begins && rest.starts_with("//") => {
                text.push('#');
                rest = &rest[1..];
                line_end(rest)
            }
            '"' => string_end(rest),
            NO_BREAK_SPACE => {
                text.push(' ');
                rest = &rest[next.len_utf8()..];
                continue;
            }
            other => other.len_utf8(),
        };
        line_begins = match next {
            '\n' | '\r' => true,
            ' ' | '\t' | '\u{feff}' => line_begins,
            _ => false,
        };
        text.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Cow::Owned(text)
}

fn line_end(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

/// Where the string ends that the text begins with. One that is not closed ends with its line, a block
/// string with the document.
fn string_end(text: &str) -> usize {
    const BLOCK: &str = "\"\"\"";
    if text.starts_with(BLOCK) {
        let mut quotes = text.match_indices(BLOCK).skip(1);
        let end = quotes.find(|(at, _)| !text[..*at].ends_with('\\'));
        return end.map_or(text.len(), |(at, _)| at + BLOCK.len());
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_graphql_is_left_alone() {
        let source = "{ a(b: \"x\") } # c";
        assert!(matches!(as_graphql(source), Cow::Borrowed(same) if same == source));
    }

    #[test]
    fn lines_that_begin_with_slashes_are_comments() {
        for (source, read) in [
            ("// See\n{ a }", "#/ See\n{ a }"),
            ("{\r\n\t // \"x\r\n a }\r//", "{\r\n\t #/ \"x\r\n a }\r#/"),
            ("\u{feff}// § {\n{ a }", "\u{feff}#/ § {\n{ a }"),
            ("{ a } # it's \"\n// b", "{ a } # it's \"\n#/ b"),
            ("{ a(b: \"\\\"\") }\n// b", "{ a(b: \"\\\"\") }\n#/ b"),
            ("{ a(b: \"\") }\n// b", "{ a(b: \"\") }\n#/ b"),
            ("{ a(b: \"open\n// b", "{ a(b: \"open\n#/ b"),
            ("{ a(b: \"open\\\n// b", "{ a(b: \"open\\\n#/ b"),
            (
                "{ a(b: \"\"\"x\"\"\") }\n// b",
                "{ a(b: \"\"\"x\"\"\") }\n#/ b",
            ),
            ("{ a }\n\u{a0}// b", "{ a }\n #/ b"),
        ] {
            assert_eq!(as_graphql(source), read);
        }
    }

    #[test]
    fn no_break_spaces_are_spaces() {
        let pasted = "{\n\u{a0} \u{a0}a(b: \"\u{a0}\") # \u{a0}\n}";
        assert_eq!(as_graphql(pasted), "{\n   a(b: \"\u{a0}\") # \u{a0}\n}");
    }

    #[test]
    fn strings_and_the_middle_of_lines_stay() {
        for source in [
            "{ a(b: \"https://x\") }",
            "{ a // b\n }",
            "{ a(b: \"\"\"\n// text\u{a0}\n\\\"\"\"\n// text\n\"\"\") }",
            "{ a(b: \"\" c: \"\"\"\n// text\n\"\"\") }",
            "{ a(b: \"\"\"\n// open",
        ] {
            assert_eq!(as_graphql(source), source);
        }
    }
}
