//! What every value of the API is at bottom: juniper's `ScalarValue` with 64-bit integers and JSON.
//!
//! juniper's own turns integers above 32 bits into floats, which loses event ids. Used by every type of
//! this directory; knows nothing of them.

use std::{fmt, fmt::Display};

use juniper::ScalarValue;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// A leaf value, on its way in or out.
#[derive(Clone, Debug, Serialize, ScalarValue)]
#[serde(untagged)]
pub enum ApiScalar {
    /// A whole number of 32 bits: GraphQL's `Int`.
    #[value(to_int, to_float)]
    Int(i32),
    /// A whole number that `Int` can not hold: `BigInt`.
    Long(i64),
    /// GraphQL's `Float`.
    #[value(to_float)]
    Float(f64),
    /// GraphQL's `String`, and everything that is written as one.
    #[value(as_str, to_string)]
    String(String),
    /// GraphQL's `Boolean`.
    #[value(to_bool)]
    Boolean(bool),
    /// Any JSON, letter by letter as it was written: no digit of a number is lost on the way.
    Json(Box<RawValue>),
}

impl ApiScalar {
    /// The whole number that this is, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::Long(number) => Some(*number),
            Self::Float(_) | Self::String(_) | Self::Boolean(_) | Self::Json(_) => None,
        }
    }
}

impl PartialEq for ApiScalar {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Json(a), Self::Json(b)) => a.get() == b.get(),
            _ => false,
        }
    }
}

impl Display for ApiScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::Long(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::String(text) => text.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Json(json) => json.get().fmt(f),
        }
    }
}

impl From<i32> for ApiScalar {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<i64> for ApiScalar {
    fn from(number: i64) -> Self {
        i32::try_from(number).map_or(Self::Long(number), Self::Int)
    }
}

impl From<f64> for ApiScalar {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<String> for ApiScalar {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&str> for ApiScalar {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for ApiScalar {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl TryFrom<ApiScalar> for String {
    type Error = ApiScalar;

    fn try_from(value: ApiScalar) -> Result<Self, ApiScalar> {
        match value {
            ApiScalar::String(text) => Ok(text),
            other => Err(other),
        }
    }
}

impl<'de> Deserialize<'de> for ApiScalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Reads the scalars of a request's `variables`.
struct ScalarVisitor;

impl de::Visitor<'_> for ScalarVisitor {
    type Value = ApiScalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a string or a boolean")
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<ApiScalar, E> {
        Ok(ApiScalar::Boolean(truth))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ApiScalar, E> {
        Ok(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<ApiScalar, E> {
        // What no i64 holds can only be meant as a float: no id is that high.
        Ok(i64::try_from(number).map_or(ApiScalar::Float(number as f64), ApiScalar::from))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<ApiScalar, E> {
        Ok(ApiScalar::Float(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ApiScalar, E> {
        Ok(text.into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<ApiScalar, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ApiScalar {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        assert_eq!(read("7"), ApiScalar::Int(7));
        assert_eq!(
            read("9007199254740993"),
            ApiScalar::Long(9_007_199_254_740_993)
        );
        assert_eq!(read("9007199254740993").to_string(), "9007199254740993");
        assert_eq!(read("7").as_i64(), Some(7));
        assert_eq!(read("7.0").as_i64(), None);
    }

    #[test]
    fn a_long_is_a_float_to_juniper_and_never_a_wrong_int() {
        assert_eq!(ApiScalar::Long(1 << 40).try_to_int(), None);
        assert_eq!(
            ApiScalar::Long(1 << 40).try_to_float(),
            None,
            "a Float argument of that size is refused, not rounded"
        );
        assert_eq!(ApiScalar::Int(3).try_to_float(), Some(3.0));
    }

    #[test]
    fn json_goes_out_as_it_came() {
        let json = RawValue::from_string("{\"b\":1.50,\"a\":12345678901234567890}".to_owned());
        let scalar = ApiScalar::Json(json.unwrap());
        assert_eq!(
            serde_json::to_string(&scalar).unwrap(),
            "{\"b\":1.50,\"a\":12345678901234567890}"
        );
    }
}
