//! The schema with which a document is parsed before it is changed: it knows no field, so that juniper's
//! parser, which is led by the schema, takes every value as it stands.

use juniper::{GraphQLScalar, ParseScalarResult, ScalarToken, graphql_object};

use super::scalar::ApiScalar;

/// The root of the bare schema.
pub struct Bare;

/// Its fields have names that no document of ours asks for; they bring the scalars in.
#[graphql_object]
#[graphql(name = "Bare", scalar = ApiScalar)]
impl Bare {
    fn whole() -> AnyInt {
        AnyInt
    }

    fn fraction() -> f64 {
        0.0
    }
}

/// An integer of any size: juniper's own `Int` would refuse a document with a 64-bit one.
#[derive(Clone, Debug, GraphQLScalar)]
#[graphql(name = "Int", scalar = ApiScalar)]
struct AnyInt;

impl AnyInt {
    fn to_output(&self) -> ApiScalar {
        ApiScalar::Int(0)
    }

    fn from_input(value: &ApiScalar) -> Result<Self, String> {
        value
            .as_i64()
            .map(|_| Self)
            .ok_or_else(|| format!("{value} is no integer"))
    }

    fn parse_token(token: ScalarToken<'_>) -> ParseScalarResult<ApiScalar> {
        let number = match token {
            ScalarToken::Int(digits) => serde_json::from_str(digits).ok(),
            ScalarToken::Float(_) | ScalarToken::String(_) => None,
        };
        number.ok_or_else(|| {
            juniper::ParseError::unexpected_token(juniper::parser::Token::Scalar(token))
        })
    }
}
