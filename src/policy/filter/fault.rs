//! What is wrong with an expression, and where: in words, with the line it stands on and a caret.

use std::fmt;

/// Letters of a line that are shown at most.
const SHOWN: usize = 72;

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFault {
    /// What is wrong, as the end of a sentence that begins with the expression: "names no column …".
    pub message: String,
    /// Where; none when it is the expression as a whole.
    pub place: Option<Place>,
    /// Whether it is the machine's fault, and may be over at the next try.
    passing: bool,
}

/// A place in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The letter in the line, from 1.
    pub column: usize,
    /// The line, or a part of a long one, and below it a caret at the place.
    excerpt: String,
}

impl Place {
    /// The place of a byte of the text; past its end it is the end.
    pub(super) fn of_byte(text: &str, byte: usize) -> Self {
        let byte = (0..=byte.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let before = &text[..byte];
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        Self::at(text, line, before[begin..].chars().count() + 1)
    }

    /// The place of a letter in a line, both from 1.
    pub(super) fn at(text: &str, line: usize, column: usize) -> Self {
        let letters: Vec<char> = text
            .split('\n')
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let offset = column.saturating_sub(1).min(letters.len());
        // What stands around the place, when the line is long.
        let first = offset
            .saturating_sub(SHOWN / 2)
            .min(letters.len().saturating_sub(SHOWN));
        let shown: String = letters[first..].iter().take(SHOWN).collect();
        let caret = " ".repeat(offset - first);
        Self {
            line,
            column,
            excerpt: format!("{}\n{caret}^", shown.trim_end()),
        }
    }
}

impl FilterFault {
    /// A fault of the whole expression.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            passing: false,
        }
    }

    /// No fault of the expression: it could not be looked at.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            passing: true,
            ..Self::whole(message)
        }
    }

    /// Whether the next try may find none.
    pub(super) fn is_passing(&self) -> bool {
        self.passing
    }

    /// A fault at a place.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            ..Self::whole(message)
        }
    }
}

impl fmt::Display for FilterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.place {
            Some(place) => write!(
                f,
                " (line {}, column {})\n{}",
                place.line, place.column, place.excerpt
            ),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterFault {}

/// The parser's first complaint in our words.
pub(super) fn of_parser(text: &str, errors: &cel::ParseErrors) -> FilterFault {
    let Some(first) = errors.errors.first() else {
        return FilterFault::whole("is no CEL expression");
    };
    let message = in_words(&first.msg);
    let (line, column) = first.pos;
    match (usize::try_from(line), usize::try_from(column)) {
        (Ok(line), Ok(column)) if line > 0 => {
            FilterFault::at(Place::at(text, line, column.max(1)), message)
        }
        _ => FilterFault::whole(message),
    }
}

/// ANTLR names tokens and what it expects instead, a list of everything mostly.
fn in_words(message: &str) -> String {
    if message.contains("Recursion limit") {
        return "is nested too deep".to_owned();
    }
    let said = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if let Some(token) = said.strip_prefix("token recognition error at: '") {
        let token = token.strip_suffix('\'').unwrap_or(token);
        return match token.chars().next() {
            Some('=') => "can not be read: `=` sets nothing here; `==` compares".to_owned(),
            Some('&') => "can not be read: write `&&` for and".to_owned(),
            Some('|') => "can not be read: write `||` for or".to_owned(),
            Some('\'' | '"') => "can not be read: a text is not closed".to_owned(),
            _ => format!("can not be read at `{}`", token.trim()),
        };
    }
    if said.contains("input '<EOF>'") {
        return "ends too early".to_owned();
    }
    let short = said.split(" expecting {").next().unwrap_or(said);
    format!("can not be read: {short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_its_line() {
        let place = Place::of_byte("a == 'é'\n  && b", "a == 'é'\n  && ".len());
        assert_eq!((place.line, place.column), (2, 6));
        assert_eq!(place.excerpt, "  && b\n     ^");
        let end = Place::of_byte("a ==", 400);
        assert_eq!((end.line, end.column), (1, 5));
        let inside = Place::of_byte("'é'", 2);
        assert_eq!(inside.column, 2, "in the middle of a letter");
    }

    #[test]
    fn of_a_long_line_a_part_is_shown() {
        let text = format!("{}HERE{}", "x".repeat(300), "y".repeat(300));
        let place = Place::of_byte(&text, 300);
        assert_eq!(place.column, 301);
        let (line, caret) = place.excerpt.split_once('\n').unwrap();
        assert_eq!(line.len(), SHOWN);
        assert_eq!(&line[caret.len() - 1..caret.len() + 3], "HERE");
    }
}
