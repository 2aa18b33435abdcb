//! Verifies x-ion-signature in Rust. See docs/VERIFYING.md for when you need it.
//!
//! The signed text holds nested values as Python's str() writes them, so this reads JSON as Python does
//! (integers of any size, 1.0 apart from 1, keys in their order) and writes it as Python 3.11 does.

use std::{collections::HashMap, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// uri: as it was registered, letter by letter. header: a header's value, or "".
pub fn verify_ion<'h>(secret: &str, uri: &str, header: impl Fn(&str) -> &'h str, body: &[u8]) -> bool {
    let message = std::str::from_utf8(body)
        .ok()
        .and_then(|body| data_of(header("content-type"), body))
        .and_then(|data| message(uri, data));
    let Some(message) = message else {
        return false; // no JSON, or nothing that Python could have signed
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(message.as_bytes());
    ["x-ion-signature", "x-ion-signature-previous"].iter().any(|name| {
        let given = STANDARD.decode(header(name));
        given.is_ok_and(|given| mac.clone().verify_slice(&given).is_ok())
    })
}

/// A string's code points: halves of surrogate pairs may stand in it.
type Text = Vec<u32>;
type Members = Vec<(Text, Value)>;

/// One JSON text: its `repr` in Python, with the text of a string and the members of an object.
struct Value {
    repr: String,
    text: Option<Text>,
    members: Option<Members>,
}

/// The members of `data`, out of whatever the delivery travelled in.
fn data_of(content_type: &str, body: &str) -> Option<Members> {
    let event = if content_type == "application/x-www-form-urlencoded" {
        let mut fields = form_urlencoded::parse(body.as_bytes());
        let (_, payload) = fields.find(|(name, _)| name == "payload")?;
        read(&payload)?
    } else {
        read(body)?
    };
    let event = if content_type == "application/cloudevents+json" { find_data(event)? } else { event };
    find_data(event)?.members
}

fn find_data(event: Value) -> Option<Value> {
    let data: Text = "data".chars().map(u32::from).collect();
    event.members?.into_iter().find(|(key, _)| *key == data).map(|(_, value)| value)
}

fn message(uri: &str, data: Members) -> Option<String> {
    let mut signed = Vec::new();
    for (key, value) in data {
        if value.repr != "None" {
            let text = value.text.map_or(Some(value.repr), |text| utf8(&text))?;
            signed.push((utf8(&key)?, text));
        }
    }
    signed.sort(); // by code point, which is the order of UTF-8
    let signed: Vec<String> = signed.into_iter().map(|(key, text)| format!("{key}:{text}")).collect();
    Some(format!("{uri}?{}", signed.join("&")))
}

/// None for half of a surrogate pair.
fn utf8(text: &[u32]) -> Option<String> {
    text.iter().map(|&code| char::from_u32(code)).collect()
}

fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value()?;
    reader.skip();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, mark: char) -> Option<()> {
        self.skip();
        self.rest = self.rest.strip_prefix(mark)?;
        Some(())
    }

    /// Whether another item follows, or the closing bracket.
    fn another(&mut self, closing: char) -> Option<bool> {
        match self.take(',') {
            Some(()) => Some(true),
            None => self.take(closing).map(|()| false),
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.skip();
        let plain = |repr| Value { repr, text: None, members: None };
        match self.rest.chars().next()? {
            '"' => {
                let text = self.string()?;
                Some(Value { repr: quote(&text), text: Some(text), members: None })
            }
            '{' => self.object(),
            '[' => self.list().map(plain),
            _ => self.word().map(str::to_owned).or_else(|| self.number()).map(plain),
        }
    }

    fn list(&mut self) -> Option<String> {
        let mut items = Vec::new();
        self.take('[')?;
        let mut more = self.take(']').is_none();
        while more {
            items.push(self.value()?.repr);
            more = self.another(']')?;
        }
        Some(format!("[{}]", items.join(", ")))
    }

    fn object(&mut self) -> Option<Value> {
        let mut members = Members::new();
        let mut places = HashMap::new(); // a repeated key keeps its first place and its last value, as in Python
        self.take('{')?;
        let mut more = self.take('}').is_none();
        while more {
            self.skip();
            let key = self.string()?;
            self.take(':')?;
            let value = self.value()?;
            let place = *places.entry(key.clone()).or_insert(members.len());
            if place < members.len() {
                members[place].1 = value;
            } else {
                members.push((key, value));
            }
            more = self.another('}')?;
        }
        let shown: Vec<String> =
            members.iter().map(|(key, value)| format!("{}: {}", quote(key), value.repr)).collect();
        Some(Value { repr: format!("{{{}}}", shown.join(", ")), text: None, members: Some(members) })
    }

    fn string(&mut self) -> Option<Text> {
        let mut text = Text::new();
        self.rest = self.rest.strip_prefix('"')?;
        loop {
            let mut letters = self.rest.chars();
            let letter = letters.next()?;
            self.rest = letters.as_str();
            match letter {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                _ => text.push(letter.into()),
            }
        }
    }

    fn escape(&mut self) -> Option<u32> {
        let mark = self.rest.chars().next()?;
        self.rest = self.rest.strip_prefix(mark)?;
        Some(match mark {
            '"' | '\\' | '/' => mark.into(),
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let high = hex(self.rest)?;
                self.rest = &self.rest[4..];
                let low = self.rest.strip_prefix("\\u").and_then(hex);
                match low {
                    Some(low) if (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low) => {
                        self.rest = &self.rest[6..];
                        0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                    }
                    _ => high,
                }
            }
            _ => return None,
        })
    }

    fn word(&mut self) -> Option<&'static str> {
        let words = [
            ("true", "True"),
            ("false", "False"),
            ("null", "None"),
            ("NaN", "nan"),
            ("Infinity", "inf"),
            ("-Infinity", "-inf"),
        ];
        words.iter().find_map(|(json, python)| {
            self.rest = self.rest.strip_prefix(json)?;
            Some(*python)
        })
    }

    fn number(&mut self) -> Option<String> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let digits = number.strip_prefix('-').unwrap_or(number);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Some(if digits == "0" { digits } else { number }.to_owned());
        }
        float(number)
    }
}

fn hex(text: &str) -> Option<u32> {
    text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok())
}

fn float(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.starts_with('0') && whole.len() > 1 || fraction.is_empty() && mantissa.ends_with('.') {
        return None;
    }
    // With the point in front, since an exponent is not read beyond 60,000.
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let far = if power.starts_with('-') { -(1 << 40) } else { 1 << 40 };
    let places = power.parse::<i32>().map_or(far, i64::from) + digits.len() as i64 - fraction.len() as i64;
    let number: f64 = format!("0.{}0e{places}", digits.trim_end_matches('0')).parse().ok()?;
    if number.is_infinite() {
        return Some(format!("{sign}inf"));
    }
    if number == 0.0 {
        return Some(format!("{sign}0.0"));
    }
    // The fewest digits that are this number again, and of those the nearest: std takes the upper of two that are as near.
    let mut shortest = ryu::Buffer::new();
    let shortest = shortest.format_finite(number);
    let (mantissa, power) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{before}{after}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0');
    let exponent = before.len() as i32 - 1 + power.parse::<i32>().ok()? - leading as i32;
    Some(match exponent {
        -4..0 => format!("{sign}0.{}{digits}", "0".repeat(-exponent as usize - 1)),
        0..16 => {
            let digits = format!("{digits:0<width$}", width = exponent as usize + 2);
            let (before, after) = digits.split_at(exponent as usize + 1);
            format!("{sign}{before}.{after}")
        }
        _ => {
            let (first, more) = digits.split_at(1);
            let point = if more.is_empty() { "" } else { "." };
            format!("{sign}{first}{point}{more}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
    })
}

fn quote(text: &[u32]) -> String {
    let has = |mark: char| text.contains(&u32::from(mark));
    let mark = if has('\'') && !has('"') { '"' } else { '\'' };
    let mut out = String::from(mark);
    for &code in text {
        match char::from_u32(code) {
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some(letter) if letter == mark || letter == '\\' => out.extend(['\\', letter]),
            Some(letter) if (32..127).contains(&code) || code > 127 && printable(code) => out.push(letter),
            _ if code < 0x100 => out.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x1_0000 => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out.push(mark);
    out
}

/// Above ASCII, Python 3.11 prints a character if an odd number of edges stands at it or before it.
fn printable(code: u32) -> bool {
    EDGES.partition_point(|&edge| edge <= code) % 2 == 1
}

/// Where Unicode 14 turns from not printable to printable and back.
static EDGES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut edge = 127;
    let distances = DISTANCES.split_whitespace();
    distances
        .filter_map(|distance| u32::from_str_radix(distance, 36).ok())
        .map(|distance| {
            edge += distance;
            edge
        })
        .collect()
});

/// From one to the next, in base 36, from 127 on.
const DISTANCES: &str = "
y c 1 ju 2 6 4 7 1 1 1 k 1 b1 1 12 2 1e 2 3 1 1j 8 r 4 6 h m 1 5c 1 1c 2 1n 2 2t e 1n 2 1d 2 f 1 s 2 1 1
b 5 v 9 22 1 4h 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 p 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1
1 5 4 2 2 3 3 1 7 4 1 1 7 h a 3 1 9 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 4 2 c 7 7 1 3 1 8 2 2 2 m 1 7
1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 i a 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e l 5 d
1 3 1 n 1 g 2 9 1 3 1 4 7 2 1 3 2 1 2 4 2 a 7 m 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 6 2 1 4 2 a 1 2 d d 1 3
1 1f 1 3 1 6 4 g 2 q 1 3 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 3 c 1m 4 t 11 2 1 1 1 5 1 o 1 1 1 n 2
5 1 1 1 6 2 a 2 4 w 20 1 10 4 13 1 10 1 f 1 d 11 5i 1 1 5 1 2 ah 1 4 2 7 1 1 1 4 2 15 1 4 2 x 1 4 2 7 1
1 1 4 2 f 1 1l 1 4 2 1v 2 w 3 q 6 2e 2 6 2 hs 1 s 3 2h 7 m 9 o 9 k c d 1 3 1 2 c 2m 2 a 6 a 6 e 1 b 6 2h
7 17 5 1y a v 1 c 4 c 4 1 3 16 2 5 b 18 4 q 6 b 3 1q 2 1t 1 t 2 b 6 a 6 e 2 v 1d 25 3 1b 1 38 8 1o 3 f 3
1o 7 17 2 b 8 17 5 eu 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 h o 8 1b h 2 2 r 1 d
3 x f x f 3w 4 if p b l 1ec 2 w 1 9p 5 19 1 1 5 1 2 1k 7 2 e o 9 7 1 7 1 7 1 7 1 7 1 7 1 7 1 7 1 3i y q
1 2h c 5y q c 5 1r 1 2e 2 2v 5 17 1 2m 1 2c c 1b 1 mlp 3 1j 9 9o k 54 8 5n 5 2 1 1 1 5 o 1n 3 a 6 1k 8
1y 8 c 6 38 b u 3 26 1 b 4 x 1 1j 9 e 2 a 2 2v o s a 6 2 6 2 6 9 7 1 7 1 1o 4 3i 2 a 6 8mc c n 4 1d 6is
a6 2 2y 12 7 c 5 5 q 1 5 1 1 1 2 1 2 1 3h g cd 2 1i 7 1 w 16 6 1f 1 j 1 4 4 5 1 3r 4 5a 3 6 2 6 2 6 2 3
3 7 1 7 d 2 2 c 1 q 1 j 1 2 1 f 2 e y 3f 5 3 4 19 3 2g 1 d 3 1 1b 1a 3m t 3 1d f s 4 10 9 u 5 17 5 u 1
11 4 e 16 4e 2 a 6 10 4 10 4 14 8 1g b c 1 f 1 7 1 2 1 b 1 f 1 7 1 2 1v 8n 9 m a 8 o 6 1 16 1 9 1x 6 2 1
1 18 1 2 3 1 2 n 1 20 8 9 1c j 1 2 5 x 3 r 5 1 1s 1k 4 k 2 1e 1 2 5 8 1 3 1 t 2 3 4 a 7 9 7 1s w 13 4 c
9 1i 3 t 2 r 5 q 7 4 c 7 28 21 1j 1f d 1f 7 1a 8 a 86 v 1 16 1 3 2 2 26 14 8 16 m q 12 s k n 9 26 4 10 9
1q 1 5 d p 7 a 6 1h 1 i 8 13 9 2o 1 k b i 1 18 1t 7 1 1 1 4 1 f 1 b 6 1n 5 a 6 4 1 8 2 2 2 m 1 7 1 2 1 5
1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 2k 1 5 u 20 8 a 4m 1i 2 12 y 1x b a 6 d j 1m 6 a 1i r 2 f 4 n 55 1o
2s 2b c 8 2 1 2 8 1 2 1 u 1 2 2 c 9 a 1y 8 2 1a 2 b r 20 8 2b d 21 7b 9 1 19 1 e a t 3 w 2 m 1 e 21 7 1
2 1 18 3 1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 6 7 a 8m p 53 1 f 1e d pn 2u 33 1 5 b 5g 218 2r d tr 34h g7
6nt ft 7 v 1 a 4 29 1 a 6 u 2 6 a 1y a a 1 7 1 l 5 j j4 2j 2t 23 4 1l 7 h 1s 5 b 2 e 4qg 8 ye 16 9 6w7 4
1 7 1 2 1 83 19 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 2 4 3mo 1a 2 n 9 38 1o 6u a 13 2 22 8 34 l 1y 4a k c 2f 9
p 3r 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 84 2 ji f 5 1 f uo
v 69 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 2 8w v h 1m 5 1 yo 7 1 4 1 2 1 f 1 5h 2 g 15 24 4 a 4 2 lt 1w 24
1p 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6 1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7
1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h 1g 2 7i 18 4 2s c f 2 f 1 f 1 11 a 4u 1k t d 18 4 9 7 2 e 6 4a rc 5 g 3
d 3 38 c 2h 7 c 4 1 f c 4 1k 8 a 6 14 8 u 2 2 26 9g c e 2 5 3 5 3 7 9 t 3 b 5 6 a a 6 8 8 7 9 43 1 1j 11
a sm wyo w 37d 7 66 2 4g2 e 5rl 2e7 f2 15u 3t7 fcmt 6o
";
