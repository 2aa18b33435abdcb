//! Reads a JSON text into the value that CPython 3.11's `json.loads` makes of it.
//!
//! `policy::signature` hands in the body's `data`, `policy::python_repr` writes the result. It is no
//! general JSON reader: it keeps what a signature by Python's rules depends on and other readers lose:
//! integers of any size as text, `1.0` apart from `1`, `NaN` and the infinities, half surrogate pairs,
//! the place of a repeated key. It never recurses, so no input can overflow the stack, and its work is
//! linear in the text.
//!
//! The rules are those of CPython 3.11's `Modules/_json.c` (the scanner) and `Lib/json/decoder.py`.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::policy::python_float;

/// Most digits of an integer: CPython's `sys.int_info.default_max_str_digits`, the bound of `int()` since
/// CVE-2020-10735. The sign is no digit.
pub const MAX_INTEGER_DIGITS: usize = 4300;

/// Deepest nesting that is read, the outermost object counted as one.
///
/// CPython's bound is its recursion limit of 1,000, which the frames of the receiver's own program share:
/// 995 levels are read at the top of a bare script, fewer under a web framework. 800 leaves that framework
/// about 190 frames.
pub const MAX_DEPTH: usize = 800;

/// A Python value, borrowing from the JSON text where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'text> {
    /// `None`, from `null`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int`: its decimal digits as Python would print them, so without the sign of `-0`.
    Int(&'text str),
    /// A `float`: any number with a fraction or an exponent, and `NaN`, `Infinity`, `-Infinity`.
    Float(f64),
    /// A `str`.
    Str(Text<'text>),
    /// A `list`.
    List(Vec<Value<'text>>),
    /// A `dict`: a repeated key has its first place and its last value.
    Dict(Dict<'text>),
}

/// A Python `dict` whose keys are all `str`.
pub type Dict<'text> = IndexMap<Text<'text>, Value<'text>>;

/// A Python `str`, which unlike Rust's may hold halves of surrogate pairs (written `\ud800` in JSON).
///
/// Equality and hashing lean on [`Text::CodePoints`] always holding at least one half.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Text<'text> {
    /// A text that has a UTF-8 form.
    Utf8(Cow<'text, str>),
    /// A text that has none, since it holds at least one half of a surrogate pair: its code points.
    CodePoints(Vec<u32>),
}

/// Why `json.loads` would raise (or, in a receiver's framework, could).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// `ValueError`: an integer over [`MAX_INTEGER_DIGITS`].
    #[error("an integer of {digits} digits, Python reads at most {MAX_INTEGER_DIGITS}")]
    IntegerTooLong {
        /// How many digits it has.
        digits: usize,
    },
    /// `RecursionError`: nesting over [`MAX_DEPTH`].
    #[error("nesting deeper than {MAX_DEPTH}")]
    TooDeep,
    /// `JSONDecodeError`: not JSON.
    #[error("not JSON at byte {offset}")]
    Malformed {
        /// The byte that can not stand where it stands.
        offset: usize,
    },
}

/// Reads `text` as `json.loads` does.
///
/// # Errors
///
/// Where `json.loads` raises, with the reason; and for nesting between [`MAX_DEPTH`] and what one
/// particular Python program still reads.
pub fn read(text: &str) -> Result<Value<'_>, ReadError> {
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<Open<'_>> = Vec::new();
    loop {
        reader.skip_whitespace();
        let value = match reader.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                if open.len() == MAX_DEPTH {
                    return Err(ReadError::TooDeep);
                }
                reader.at += 1;
                match reader.begin(bracket)? {
                    Begun::Open(container) => {
                        open.push(container);
                        continue;
                    }
                    Begun::Empty(value) => value,
                }
            }
            _ => reader.scalar()?,
        };
        if let Some(outermost) = reader.place(value, &mut open)? {
            return Ok(outermost);
        }
    }
}

/// A container whose end has not been read yet.
enum Open<'text> {
    List(Vec<Value<'text>>),
    /// The members so far, and the key of the value that is read next.
    Dict(Dict<'text>, Text<'text>),
}

/// What an opening bracket turned out to begin.
enum Begun<'text> {
    Open(Open<'text>),
    Empty(Value<'text>),
}

/// The text and how far it has been read. `at` always stands on a character boundary: it only moves over
/// whole ASCII tokens and over runs that end before an ASCII byte.
struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Reader<'text> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn malformed<T>(&self) -> Result<T, ReadError> {
        Err(ReadError::Malformed { offset: self.at })
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Behind an opening bracket: up to the first value, or to the bracket that closes it again.
    fn begin(&mut self, bracket: u8) -> Result<Begun<'text>, ReadError> {
        self.skip_whitespace();
        Ok(match bracket {
            b'[' if self.eat(b']') => Begun::Empty(Value::List(Vec::new())),
            b'[' => Begun::Open(Open::List(Vec::new())),
            _ if self.eat(b'}') => Begun::Empty(Value::Dict(Dict::new())),
            _ => Begun::Open(Open::Dict(Dict::new(), self.key()?)),
        })
    }

    /// Puts a finished value into the container it stands in, and closes the containers that end behind
    /// it. Returns the outermost value once it is finished and nothing follows it.
    fn place(
        &mut self,
        mut value: Value<'text>,
        open: &mut Vec<Open<'text>>,
    ) -> Result<Option<Value<'text>>, ReadError> {
        loop {
            self.skip_whitespace();
            match open.pop() {
                None if self.at == self.text.len() => return Ok(Some(value)),
                None => return self.malformed(),
                Some(Open::List(mut items)) => {
                    items.push(value);
                    if self.eat(b',') {
                        open.push(Open::List(items));
                        return Ok(None);
                    }
                    if !self.eat(b']') {
                        return self.malformed();
                    }
                    value = Value::List(items);
                }
                Some(Open::Dict(mut members, key)) => {
                    members.insert(key, value);
                    if self.eat(b',') {
                        self.skip_whitespace();
                        let next = self.key()?;
                        open.push(Open::Dict(members, next));
                        return Ok(None);
                    }
                    if !self.eat(b'}') {
                        return self.malformed();
                    }
                    value = Value::Dict(members);
                }
            }
        }
    }

    /// A key and the colon behind it.
    fn key(&mut self) -> Result<Text<'text>, ReadError> {
        if !self.eat(b'"') {
            return self.malformed();
        }
        let key = self.string()?;
        self.skip_whitespace();
        if !self.eat(b':') {
            return self.malformed();
        }
        Ok(key)
    }

    /// A value that is no container.
    fn scalar(&mut self) -> Result<Value<'text>, ReadError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string().map(Value::Str)
            }
            Some(b'n') if self.eat_word("null") => Ok(Value::None),
            Some(b't') if self.eat_word("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.eat_word("false") => Ok(Value::Bool(false)),
            Some(b'N') if self.eat_word("NaN") => Ok(Value::Float(f64::NAN)),
            Some(b'I') if self.eat_word("Infinity") => Ok(Value::Float(f64::INFINITY)),
            Some(b'-') if self.eat_word("-Infinity") => Ok(Value::Float(f64::NEG_INFINITY)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.malformed(),
        }
    }

    /// A number: an `int` unless it has a fraction or an exponent, as `_match_number_unicode` decides.
    fn number(&mut self) -> Result<Value<'text>, ReadError> {
        let start = self.at;
        self.eat(b'-');
        let digits_start = self.at;
        if !self.eat(b'0') {
            self.digits()?;
        }
        let digits = self.at - digits_start;
        let mut is_float = false;
        if self.eat(b'.') {
            is_float = true;
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            is_float = true;
            let _signed = self.eat(b'-') || self.eat(b'+');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if is_float {
            Ok(Value::Float(python_float::read(text)))
        } else if digits > MAX_INTEGER_DIGITS {
            Err(ReadError::IntegerTooLong { digits })
        } else if text == "-0" {
            Ok(Value::Int("0"))
        } else {
            Ok(Value::Int(text))
        }
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            self.malformed()
        } else {
            Ok(())
        }
    }

    /// A string, from behind its opening quote to behind its closing one.
    fn string(&mut self) -> Result<Text<'text>, ReadError> {
        let first = self.plain_run();
        if self.eat(b'"') {
            return Ok(Text::Utf8(Cow::Borrowed(first)));
        }
        let mut built = Built::Utf8(first.to_owned());
        loop {
            if self.eat(b'"') {
                return Ok(built.into_text());
            }
            // The run ended at a quote, a backslash, a bare control character or the end of the text;
            // the last two are refused (`strict=True`).
            if !self.eat(b'\\') {
                return self.malformed();
            }
            let escaped = self.escaped()?;
            built.push(escaped);
            built.push_run(self.plain_run());
        }
    }

    /// The longest run that stands for itself, up to a quote, a backslash or a control character.
    fn plain_run(&mut self) -> &'text str {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        self.at += rest
            .iter()
            .position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
            .unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    /// The code point that an escape stands for, from behind its backslash.
    fn escaped(&mut self) -> Result<u32, ReadError> {
        let Some(letter) = self.peek() else {
            return self.malformed();
        };
        let code_point = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return self.malformed(),
        };
        self.at += 1;
        Ok(u32::from(code_point))
    }

    /// The code point of `\uXXXX`, from behind the `u`. Two escapes make one code point where the first is
    /// a high surrogate and the very next a low one; any other half stays alone.
    fn unicode_escape(&mut self) -> Result<u32, ReadError> {
        let first = self.four_hex_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(first);
        }
        let behind_first = self.at;
        if !self.eat_word("\\u") {
            return Ok(first);
        }
        let second = self.four_hex_digits()?;
        if (0xdc00..0xe000).contains(&second) {
            return Ok(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
        self.at = behind_first;
        Ok(first)
    }

    fn four_hex_digits(&mut self) -> Result<u32, ReadError> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.malformed();
            };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// A string with escapes, while it is built.
enum Built {
    Utf8(String),
    CodePoints(Vec<u32>),
}

impl Built {
    fn push(&mut self, code_point: u32) {
        match (&mut *self, char::from_u32(code_point)) {
            (Self::Utf8(text), Some(character)) => text.push(character),
            (Self::Utf8(text), None) => {
                let mut code_points: Vec<u32> = text.chars().map(u32::from).collect();
                code_points.push(code_point);
                *self = Self::CodePoints(code_points);
            }
            (Self::CodePoints(code_points), _) => code_points.push(code_point),
        }
    }

    fn push_run(&mut self, run: &str) {
        match self {
            Self::Utf8(text) => text.push_str(run),
            Self::CodePoints(code_points) => code_points.extend(run.chars().map(u32::from)),
        }
    }

    fn into_text<'text>(self) -> Text<'text> {
        match self {
            Self::Utf8(text) => Text::Utf8(Cow::Owned(text)),
            Self::CodePoints(code_points) => Text::CodePoints(code_points),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf8(text: &str) -> Value<'_> {
        Value::Str(Text::Utf8(Cow::Borrowed(text)))
    }

    fn offset_of_fault(text: &str) -> usize {
        match read(text) {
            Err(ReadError::Malformed { offset }) => offset,
            other => panic!("{text:?} is not JSON, yet {other:?}"),
        }
    }

    #[test]
    fn integers_keep_their_digits_and_floats_are_told_apart() {
        assert_eq!(read("12"), Ok(Value::Int("12")));
        assert_eq!(read(" -0 "), Ok(Value::Int("0")));
        assert_eq!(
            read("340282366920938463463374607431768211456"),
            Ok(Value::Int("340282366920938463463374607431768211456"))
        );
        assert_eq!(read("1.0"), Ok(Value::Float(1.0)));
        assert_eq!(read("1E5"), Ok(Value::Float(100_000.0)));
        assert_eq!(read("1e400"), Ok(Value::Float(f64::INFINITY)));
        assert_eq!(read("-1e-400"), Ok(Value::Float(-0.0)));
        assert_eq!(read("-Infinity"), Ok(Value::Float(f64::NEG_INFINITY)));
        assert!(matches!(read("NaN"), Ok(Value::Float(nan)) if nan.is_nan()));
    }

    #[test]
    fn the_sign_is_no_digit() {
        let longest = format!("-{}", "9".repeat(MAX_INTEGER_DIGITS));
        assert_eq!(read(&longest), Ok(Value::Int(&longest)));
        assert_eq!(
            read(&format!("{longest}9")),
            Err(ReadError::IntegerTooLong { digits: 4301 })
        );
        assert!(matches!(
            read(&format!("{longest}9.5")),
            Ok(Value::Float(_))
        ));
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let Ok(Value::Str(Text::Utf8(text))) = read("\"pi\u{f1}ata \u{1f389}\"") else {
            panic!("a string");
        };
        assert!(matches!(text, Cow::Borrowed("pi\u{f1}ata \u{1f389}")));
    }

    #[test]
    fn escapes_stand_for_code_points() {
        assert_eq!(
            read(r#""\"\\\/\b\f\n\r\t\u0041\u00E9""#),
            Ok(utf8("\"\\/\u{8}\u{c}\n\r\tA\u{e9}"))
        );
        assert_eq!(read(r#""\ud83c\uDF89""#), Ok(utf8("\u{1f389}")));
    }

    #[test]
    fn half_surrogate_pairs_stay() {
        let code_points = |text: &str| match read(text) {
            Ok(Value::Str(Text::CodePoints(code_points))) => code_points,
            other => panic!("{text} holds half a pair, yet {other:?}"),
        };
        assert_eq!(code_points(r#""\ud800""#), [0xd800]);
        assert_eq!(code_points(r#""é\udc00x""#), [0xe9, 0xdc00, 0x78]);
        assert_eq!(code_points(r#""\ud800\u0041""#), [0xd800, 0x41]);
        assert_eq!(
            code_points(r#""\ud83c\ud83c\udf89!""#),
            [0xd83c, 0x1f389, 0x21]
        );
    }

    #[test]
    fn a_repeated_key_has_its_first_place_and_its_last_value() {
        let Ok(Value::Dict(dict)) = read(r#"{"a":1,"b":2,"\u0061":3}"#) else {
            panic!("an object");
        };
        let members: Vec<_> = dict.into_iter().collect();
        assert_eq!(
            members,
            [
                (Text::Utf8("a".into()), Value::Int("3")),
                (Text::Utf8("b".into()), Value::Int("2"))
            ]
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(ReadError::TooDeep));
        let objects = "{\"k\":".repeat(MAX_DEPTH + 1);
        assert_eq!(read(&objects), Err(ReadError::TooDeep));
        assert_eq!(read(&"[".repeat(10_000_000)), Err(ReadError::TooDeep));
    }

    #[test]
    fn what_json_loads_refuses_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "[,]",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":}",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1.e5",
            "1e",
            "1e+",
            "0x1",
            "-NaN",
            "1 2",
            "[1 2]",
            "[1}",
            "{\"a\":1]",
            "\"",
            "\"\\",
            "\"\\u00\"",
            "\"\\x41\"",
            "\"a\nb\"",
            "\"\u{1}\"",
            "\"\\ud800\\u00\"",
            "\u{feff}{}",
            "\u{a0}1",
            "'a'",
            "True",
            "[",
            "{\"a\":[1",
            "/* */1",
            "\u{661}",
        ] {
            offset_of_fault(text);
        }
        assert_eq!(offset_of_fault("[1, x]"), 4);
        assert_eq!(offset_of_fault("{} {}"), 3);
    }
}
