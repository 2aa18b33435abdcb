//! Makes JSON texts that tell readers of JSON apart: those where Python's rules differ from the next
//! library's. `signatures.rs` asks for them; the same seed makes the same texts. Not all of them are JSON.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::IndexedRandom};

/// Nesting that rowhook signs, so that Python must read it, and nesting that no Python program reads. What
/// lies between depends on how deep in its own calls the program is.
const READ_BY_ALL: usize = 800;
const READ_BY_NONE: usize = 1001;

/// Numbers where rounding, notation or the kind of the number is at stake.
const CORNER_NUMBERS: &[&str] = &[
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "-0E-5",
    "1E5",
    "1e5",
    "1.50",
    "100e-2",
    "1e400",
    "-1e400",
    "1e-400",
    "-1e-400",
    "5e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "NaN",
    "Infinity",
    "-Infinity",
    "9007199254740993.0",
    "9999999999999998.0",
    "9999999999999999.0",
    "1e15",
    "1e16",
    "1e17",
    "1e22",
    "1e23",
    "0.001",
    "0.0001",
    "0.00001",
    "0.00012345",
    "0.000012345",
    "123456789012345680.0",
    "1993235479789326.25",
    "1993235479789326.75",
    "18446744073709551616",
    "-9223372036854775809",
    "1e00000000000000000000000000000005",
    "1e99999999999999999999999999",
    "1e-99999999999999999999999999",
];

/// Texts that stand close to the grammar's edges.
const CORNER_DOCUMENTS: &[&str] = &[
    "{}",
    " \t\r\n{ } \n",
    "[]",
    "null",
    "\"text\"",
    "1",
    "",
    "{",
    "{\"a\":1,}",
    "{\"a\":[1,]}",
    "{\"a\":01}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":+1}",
    "{\"a\":-}",
    "{\"a\":1e}",
    "{\"a\":-NaN}",
    "{\"a\":nan}",
    "{\"a\":\"\t\"}",
    "{\"a\":\"\u{7f}\"}",
    "{\"a\":\"\\x41\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u+123\"}",
    "{\"a\":\"\\ud800\\u\"}",
    "{\"a\":\"\\ud800\\u00zz\"}",
    "{\"a\":[\"\\ud83d\\ude00\", \"\\ud83d\", \"\\ude00\\ud83d\", \"\\ud83d\\ud83d\\ude00\"]}",
    "{\"a\":\"\\ud83d\\ude00\"}",
    "{\"a\":\"\\ud83d\"}",
    "{\"\\ud83d\":1}",
    "{\"\\ud83d\":null}",
    "{\"\\ud83d\":null,\"\\ud83d\":1}",
    "{'a':1}",
    "{a:1}",
    "{\"a\":1}x",
    "{\"a\":1}\u{a0}",
    "\u{feff}{\"a\":1}",
    "{\"a\":\u{2003}1}",
    "{\"a\":\u{661}}",
    "{\"a\":1,\"b\":2,\"a\":3,\"b\":null}",
    "{\"a!\":1,\"a\":2,\"a9\":3,\"a:\":4,\"a;\":5}",
    "{\"\u{1f389}\":1,\"\u{ffff}\":2,\"\u{e000}\":3,\"\":4}",
    "{\"x\":{\"a\":1,\"b\":2,\"a\":{\"b\":1,\"b\":[]}}}",
];

/// Keys that meet each other often, so that repeated ones and neighbours in the order come up.
const COMMON_KEYS: &[&str] = &[
    "\"id\"",
    "\"etag\"",
    "\"old\"",
    "\"new\"",
    "\"a\"",
    "\"a!\"",
    "\"A\"",
    "\"\\u0061\"",
    "\"\"",
];

/// The source of the texts. Its generator is a named one, so that a seed means the same texts under each
/// version of `rand`, and a light one, since an unoptimised build spends most of its time in it.
pub struct JsonDocuments {
    random: Xoshiro256PlusPlus,
}

impl JsonDocuments {
    /// The source whose texts the seed decides.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// The randomness itself, for what else a test draws.
    pub fn random(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.random
    }

    /// The texts that each run sees: the corners, and every code point that there is.
    pub fn fixed() -> Vec<String> {
        let mut documents: Vec<String> = CORNER_DOCUMENTS.iter().map(ToString::to_string).collect();
        for number in CORNER_NUMBERS {
            documents.push(format!("{{\"a\":{number},\"b\":[{number}]}}"));
        }
        for digits in [4299, 4300, 4301] {
            let digits = "7".repeat(digits);
            documents.push(format!("{{\"a\":{digits}}}"));
            documents.push(format!("{{\"a\":[-{digits}]}}"));
            documents.push(format!("{{\"a\":{digits}.5}}"));
        }
        let zeros = "0".repeat(700_000);
        documents.push(format!("{{\"a\":0.{zeros}125e700003}}"));
        documents.push(format!("{{\"a\":25{zeros}.0e-700001}}"));
        for depth in [READ_BY_ALL, READ_BY_NONE, 100_000] {
            documents.push(nested(depth, |_| true));
            documents.push(nested(depth, |_| false));
        }
        documents.extend((0..0x11_0000).step_by(1024).map(code_points));
        documents
    }

    /// The next random text.
    pub fn document(&mut self) -> String {
        match self.random.random_range(0..10_000) {
            0..20 => self.nested_document(),
            20 => self.document_with_long_text(),
            21 => self.document_with_many_keys(),
            22..130 => self.value(0),
            130..1200 => {
                let document = self.object(0);
                self.damaged(&document)
            }
            _ => self.object(0),
        }
    }

    /// A text of printable and other characters as JSON, without half surrogate pairs, that every reader
    /// of JSON takes.
    pub fn portable_string(&mut self) -> String {
        let style = *[
            Style::Plain,
            Style::Quotes,
            Style::Anything,
            Style::Controls,
        ]
        .choose(&mut self.random)
        .expect("not empty");
        let length = self.random.random_range(0..200);
        self.string(style, length)
    }

    fn nested_document(&mut self) -> String {
        let depth = if self.random.random_bool(0.7) {
            self.random.random_range(2..=READ_BY_ALL)
        } else {
            self.random.random_range(READ_BY_NONE..3000)
        };
        let kinds: Vec<bool> = (0..depth).map(|_| self.random.random()).collect();
        nested(depth, |level| kinds[level])
    }

    fn document_with_long_text(&mut self) -> String {
        let style = self.style();
        let length = self.random.random_range(50_000..200_000);
        let text = self.string(style, length);
        if self.random.random() {
            format!("{{\"a\":{text}}}")
        } else {
            format!("{{\"a\":[{text}]}}")
        }
    }

    fn document_with_many_keys(&mut self) -> String {
        let kinds = self.random.random_range(1..20_000);
        let members: Vec<String> = (0..20_000)
            .map(|place| format!("\"k{}\":{place}", self.random.random_range(0..kinds)))
            .collect();
        let members = members.join(",");
        if self.random.random() {
            format!("{{{members}}}")
        } else {
            format!("{{\"a\":{{{members}}}}}")
        }
    }

    /// The text with a character or two taken out, put in or replaced.
    fn damaged(&mut self, document: &str) -> String {
        const INSERTED: &[char] = &[
            '"', '\'', '\\', '{', '}', '[', ']', ',', ':', '.', '-', '+', 'e', '0', '7', 'u', 'n',
            ' ', '\n', '\t', '\0', '\u{1f}', '\u{7f}', '\u{a0}', '\u{feff}',
        ];
        let mut characters: Vec<char> = document.chars().collect();
        for _ in 0..self.random.random_range(1..=2) {
            let at = self.random.random_range(0..=characters.len());
            let inserted = *INSERTED.choose(&mut self.random).expect("not empty");
            let replaced = match self.random.random_range(0..3) {
                0 => at..at,
                _ => at..(at + 1).min(characters.len()),
            };
            let by = (self.random.random_range(0..3) > 0).then_some(inserted);
            characters.splice(replaced, by);
        }
        characters.into_iter().collect()
    }

    fn space(&mut self) -> &'static str {
        match self.random.random_range(0..12) {
            0..3 => " ",
            3 => "\n\t",
            4 => "\r\n  ",
            _ => "",
        }
    }

    fn object(&mut self, depth: u32) -> String {
        let mut text = String::from("{");
        text.push_str(self.space());
        for place in 0..self.random.random_range(0..7) {
            if place > 0 {
                text.push(',');
                text.push_str(self.space());
            }
            text.push_str(&self.key());
            text.push_str(self.space());
            text.push(':');
            text.push_str(self.space());
            text.push_str(&self.value(depth + 1));
            text.push_str(self.space());
        }
        text.push('}');
        text
    }

    fn key(&mut self) -> String {
        if self.random.random_bool(0.6) {
            (*COMMON_KEYS.choose(&mut self.random).expect("not empty")).to_owned()
        } else {
            let style = self.style();
            let length = self.random.random_range(0..6);
            self.string(style, length)
        }
    }

    fn list(&mut self, depth: u32) -> String {
        let mut text = String::from("[");
        text.push_str(self.space());
        for place in 0..self.random.random_range(0..5) {
            if place > 0 {
                text.push(',');
                text.push_str(self.space());
            }
            text.push_str(&self.value(depth + 1));
            text.push_str(self.space());
        }
        text.push(']');
        text
    }

    fn value(&mut self, depth: u32) -> String {
        match self.random.random_range(0..100) {
            0..15 if depth < 6 => self.object(depth),
            15..28 if depth < 6 => self.list(depth),
            28..33 => "null".to_owned(),
            33..36 => "true".to_owned(),
            36..39 => "false".to_owned(),
            39..70 => self.number(),
            _ => {
                let style = self.style();
                let length = self.random.random_range(0..20);
                self.string(style, length)
            }
        }
    }

    fn number(&mut self) -> String {
        let random = &mut self.random;
        match random.random_range(0..100) {
            0..12 => random.random_range(-1000_i32..1000).to_string(),
            12..20 => random.random::<i64>().to_string(),
            20..28 => random.random::<i128>().to_string(),
            28 if random.random_bool(0.15) => {
                let digits = random.random_range(4295..4306);
                format!("-{}", self.digits(digits))
            }
            28..45 => self.float_of_random_bits(),
            45..60 => {
                // Half-way cases: a quarter or half at the end of what 53 bits can hold.
                let quarters = random.random_range(1_u64 << 50..1 << 53);
                let fraction = ["0", "25", "5", "75"][(quarters % 4) as usize];
                format!("{}.{fraction}", quarters / 4)
            }
            60..85 => {
                let (whole, fraction) = (random.random_range(1..22), random.random_range(1..25));
                let exponent = random.random_range(-340_i32..340);
                let mark = ["e", "E", "e+", "E-", "e-00"]
                    .choose(random)
                    .expect("not empty");
                let exponent = if mark.len() > 1 {
                    exponent.abs()
                } else {
                    exponent
                };
                let (whole, fraction) = (self.digits(whole), self.digits(fraction));
                match self.random.random_range(0..3) {
                    0 => format!("{whole}.{fraction}"),
                    1 => format!("-{whole}{mark}{exponent}"),
                    _ => format!("{whole}.{fraction}{mark}{exponent}"),
                }
            }
            _ => (*CORNER_NUMBERS.choose(random).expect("not empty")).to_owned(),
        }
    }

    fn float_of_random_bits(&mut self) -> String {
        let bits = match self.random.random_range(0..4) {
            // Below the normal numbers.
            0 => self.random.random_range(0..1_u64 << 52),
            // Between 1e-5 and 1e17, where the notation changes.
            1 => self
                .random
                .random_range(0x3ee4_f8b5_88e3_68f1..0x4376_3457_85d8_a000),
            _ => self.random.random(),
        };
        let float = f64::from_bits(bits);
        if !float.is_finite() {
            return "-Infinity".to_owned();
        }
        match self.random.random_range(0..4) {
            0 => format!("{float:?}"),
            1 => format!("{float:e}"),
            2 => format!("{float:.30e}"),
            _ => format!("{float:.1}"),
        }
    }

    /// That many digits, the first of them no zero.
    fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|place| {
                let least = u32::from(place == 0);
                char::from_digit(self.random.random_range(least..10), 10).expect("a digit")
            })
            .collect()
    }

    fn style(&mut self) -> Style {
        match self.random.random_range(0..100) {
            0..30 => Style::Plain,
            30..50 => Style::Quotes,
            50..75 => Style::Anything,
            75..85 => Style::LowerPlanes,
            85..96 => Style::Controls,
            _ => Style::Halves,
        }
    }

    /// A JSON string of `length` code points or escapes.
    fn string(&mut self, style: Style, length: usize) -> String {
        let mut text = String::from("\"");
        for _ in 0..length {
            let random = &mut self.random;
            let code_point = match style {
                Style::Plain => random.random_range(0x20..0x7f),
                Style::Quotes => *[0x22, 0x27, 0x27, 0x5c, 0x2f, 0x61, 0xe9]
                    .choose(random)
                    .expect("not empty"),
                Style::Anything => u32::from(random.random::<char>()),
                Style::LowerPlanes => u32::from(random.random_range('\0'..'\u{3400}')),
                Style::Controls => random.random_range(0..0x110),
                Style::Halves => random.random_range(0xd7f0..0xe010),
            };
            let escaped = random.random_bool(0.1);
            push_code_point(&mut text, code_point, escaped);
        }
        text.push('"');
        text
    }
}

/// What a string is made of.
#[derive(Clone, Copy)]
enum Style {
    /// Printable ASCII.
    Plain,
    /// Mostly quotes and backslashes.
    Quotes,
    /// Any character of any plane.
    Anything,
    /// The scripts of the first planes, whose ranges of printable characters are small.
    LowerPlanes,
    /// ASCII, its controls and Latin-1.
    Controls,
    /// Halves of surrogate pairs, some of which meet.
    Halves,
}

/// Writes a code point as itself where JSON allows it, else (or if asked to) as an escape.
fn push_code_point(text: &mut String, code_point: u32, escaped: bool) {
    let short = match code_point {
        0x08 => Some('b'),
        0x09 => Some('t'),
        0x0a => Some('n'),
        0x0c => Some('f'),
        0x0d => Some('r'),
        0x22 => Some('"'),
        0x2f if escaped => Some('/'),
        0x5c => Some('\\'),
        _ => None,
    };
    match (short, char::from_u32(code_point)) {
        (Some(letter), _) if !escaped || letter == '/' => text.extend(['\\', letter]),
        (_, Some(character)) if !escaped && character >= ' ' => text.push(character),
        (_, Some(character)) => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
        (_, None) => text.push_str(&format!("\\u{code_point:04X}")),
    }
}

/// An object of that depth in all, its inner levels lists or objects.
fn nested(depth: usize, is_list: impl Fn(usize) -> bool) -> String {
    let mut text = String::from("{\"a\":");
    for level in 1..depth {
        text.push_str(if is_list(level) { "[" } else { "{\"k\":" });
    }
    text.push('1');
    for level in (1..depth).rev() {
        text.push(if is_list(level) { ']' } else { '}' });
    }
    text.push('}');
    text
}

/// 1,024 code points from `first` on, as a text and as a key. No high half meets a low one: the blocks of
/// surrogates begin at multiples of 1,024.
fn code_points(first: u32) -> String {
    let mut text = String::from("\"");
    for code_point in first..first + 1024 {
        push_code_point(&mut text, code_point, false);
    }
    text.push('"');
    format!("{{\"a\":[{text}],\"b\":{{{text}:1}}}}")
}
