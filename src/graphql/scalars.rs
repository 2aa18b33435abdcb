//! The API's own scalars: `BigInt`, `DateTime`, `JSON`.
//!
//! Each says what it accepts in its description, which clients read by introspection.

use chrono::{SecondsFormat, Utc};
use juniper::{GraphQLScalar, ParseScalarResult, ParseScalarValue, ScalarToken};
use serde_json::value::RawValue;

use super::scalar::ApiScalar;

/// A whole number of 64 bits, written as a JSON number. Clients whose numbers hold fewer digits
/// (JavaScript: 53 bits) may send it as a string of digits.
#[derive(Clone, Debug, PartialEq, Eq, GraphQLScalar)]
#[graphql(name = "BigInt", scalar = ApiScalar)]
pub struct BigInt(pub i64);

impl BigInt {
    fn to_output(&self) -> ApiScalar {
        self.0.into()
    }

    fn from_input(value: &ApiScalar) -> Result<Self, String> {
        let digits = match value {
            ApiScalar::String(digits) => digits.parse().ok(),
            other => other.as_i64(),
        };
        digits
            .map(Self)
            .ok_or_else(|| format!("{value} is no whole number of 64 bits"))
    }

    fn parse_token(token: ScalarToken<'_>) -> ParseScalarResult<ApiScalar> {
        match token {
            ScalarToken::Int(digits) => digits
                .parse::<i64>()
                .map(ApiScalar::from)
                .map_err(|_| unexpected(token)),
            ScalarToken::String(_) => <String as ParseScalarValue<ApiScalar>>::from_str(token),
            ScalarToken::Float(_) => Err(unexpected(token)),
        }
    }
}

/// A moment, in RFC 3339: `2026-04-26T19:33:42.108Z`. Read back in UTC with milliseconds; accepted with
/// any offset and any number of digits.
#[derive(Clone, Debug, PartialEq, Eq, GraphQLScalar)]
#[graphql(
    name = "DateTime",
    scalar = ApiScalar,
    parse_token(String),
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
pub struct DateTime(pub chrono::DateTime<Utc>);

impl DateTime {
    fn to_output(&self) -> ApiScalar {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true).into()
    }

    fn from_input(value: &ApiScalar) -> Result<Self, String> {
        let ApiScalar::String(text) = value else {
            return Err(format!("{value} is no RFC 3339 time; write a string"));
        };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|moment| Self(moment.with_timezone(&Utc)))
            .map_err(|_| {
                format!("{text:?} is no RFC 3339 time; write it like 2026-04-26T19:33:42.108Z")
            })
    }
}

/// Any JSON value: a number, a string, a boolean, an object or a list. Objects and lists can be given
/// in a variable or written in the document; variables inside a written one are not supported.
#[derive(Clone, Debug, GraphQLScalar)]
#[graphql(name = "JSON", scalar = ApiScalar, specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
pub struct Json(pub Box<RawValue>);

impl Json {
    /// What a literal of JSON's objects and lists is rewritten to in the document, as juniper's parser
    /// knows only scalars there: a string with this in front (see `document`).
    pub(super) const LITERAL_MARK: &str = "\u{e000}json:";

    /// Text that is known to be JSON; `None` where it is not.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// A value of the program.
    pub fn of(value: &impl serde::Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(Self)
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    fn to_output(&self) -> ApiScalar {
        ApiScalar::Json(self.0.clone())
    }

    fn from_input(value: &ApiScalar) -> Result<Self, String> {
        match value {
            ApiScalar::String(text) => match text.strip_prefix(Self::LITERAL_MARK) {
                Some(json) => Self::parse(json),
                None => Self::of(text),
            },
            other => Self::of(other),
        }
        .ok_or_else(|| format!("{value} is no JSON"))
    }

    fn parse_token(token: ScalarToken<'_>) -> ParseScalarResult<ApiScalar> {
        match token {
            ScalarToken::String(_) => <String as ParseScalarValue<ApiScalar>>::from_str(token),
            ScalarToken::Int(number) | ScalarToken::Float(number) => {
                serde_json::from_str(number).map_err(|_| unexpected(token))
            }
        }
    }
}

fn unexpected(token: ScalarToken<'_>) -> juniper::ParseError {
    juniper::ParseError::unexpected_token(juniper::parser::Token::Scalar(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_offset_are_read_and_written_in_utc() {
        let read = |text: &str| DateTime::from_input(&text.into());
        let moment = read("2026-04-26T21:33:42.108455+02:00").unwrap();
        assert_eq!(moment.to_output(), "2026-04-26T19:33:42.108Z".into());
        for wrong in ["2026-04-26", "2026-04-26T19:33:42", "yesterday"] {
            assert!(read(wrong).unwrap_err().contains("RFC 3339"), "{wrong}");
        }
        assert!(DateTime::from_input(&ApiScalar::Int(5)).is_err());
    }

    #[test]
    fn big_integers_are_numbers_or_digits() {
        assert_eq!(BigInt::from_input(&ApiScalar::Int(5)), Ok(BigInt(5)));
        assert_eq!(
            BigInt::from_input(&"9223372036854775807".into()),
            Ok(BigInt(i64::MAX))
        );
        for wrong in ["9223372036854775808", "", "1.5"] {
            assert!(BigInt::from_input(&wrong.into()).is_err(), "{wrong}");
        }
        assert!(BigInt::from_input(&ApiScalar::Float(5.0)).is_err());
    }

    #[test]
    fn json_takes_scalars_and_marked_literals() {
        let text = |scalar: ApiScalar| Json::from_input(&scalar).unwrap().text().to_owned();
        assert_eq!(text(ApiScalar::Int(5)), "5");
        assert_eq!(text("a\"b".into()), r#""a\"b""#);
        let marked = format!("{}{}", Json::LITERAL_MARK, r#"{"a": [1]}"#);
        assert_eq!(text(marked.as_str().into()), r#"{"a": [1]}"#);
    }
}
