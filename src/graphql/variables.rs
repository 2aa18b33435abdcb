//! A request's `variables`, as juniper takes them.
//!
//! A value is read in the light of the type that its variable is declared with: at places of type JSON
//! it stays JSON, anywhere else it becomes what GraphQL makes of it. Whether it fits is juniper's to say.

use std::collections::HashMap;

use indexmap::IndexMap;
use juniper::{InputValue, SchemaType, Variables};
use serde_json::{Map, Value};

use super::{
    document::Declared,
    error::{ApiError, Code, InputPath},
    scalar::ApiScalar,
    scalars::Json,
};

/// The variables of a request.
pub fn read(
    variables: Map<String, Value>,
    declared: &HashMap<String, Declared>,
    schema: &SchemaType<ApiScalar>,
) -> Variables<ApiScalar> {
    variables
        .into_iter()
        .map(|(name, value)| {
            let value = input(value, declared.get(&name), schema);
            (name, value)
        })
        .collect()
}

/// Refuses the character NUL, which PostgreSQL can not store in a text.
pub fn check_texts(source: &str, variables: &Map<String, Value>) -> Result<(), ApiError> {
    const WHY: &str = "holds the character NUL (U+0000), which no text may hold";
    if source.contains('\0') || source.contains("\\u0000") {
        return Err(ApiError::new(
            Code::Validation,
            format!("the document {WHY}"),
        ));
    }
    let at = variables
        .iter()
        .find_map(|(name, value)| nul(value, InputPath::argument(name)));
    at.map_or(Ok(()), |at| Err(at.refuse(WHY)))
}

/// Where a value holds a NUL.
fn nul(value: &Value, at: InputPath) -> Option<InputPath> {
    match value {
        Value::String(text) => text.contains('\0').then_some(at),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| nul(item, at.index(index)))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') {
                return Some(at.clone());
            }
            nul(member, at.field(name))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn input(
    value: Value,
    expected: Option<&Declared>,
    schema: &SchemaType<ApiScalar>,
) -> InputValue<ApiScalar> {
    let is_json = expected.is_some_and(|declared| declared.name == "JSON");
    let lists = expected.map_or(0, |declared| declared.lists);
    match value {
        Value::Null => InputValue::Null,
        Value::Array(items) if lists > 0 || !is_json => {
            let inner = expected.map(|declared| Declared {
                lists: lists.saturating_sub(1),
                name: declared.name.clone(),
            });
            let items = items.into_iter();
            InputValue::list(
                items
                    .map(|item| input(item, inner.as_ref(), schema))
                    .collect(),
            )
        }
        json if is_json => match Json::of(&json) {
            Some(json) => InputValue::scalar(ApiScalar::Json(json.0)),
            None => InputValue::Null,
        },
        Value::Array(_) => InputValue::Null,
        Value::Bool(truth) => InputValue::scalar(truth),
        Value::Number(number) => InputValue::Scalar(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            // What no i64 holds can only be meant as a float: no id is that high.
            (None, float) => float.unwrap_or(f64::NAN).into(),
        }),
        Value::String(text) => InputValue::scalar(text),
        Value::Object(fields) => {
            let meta = expected.and_then(|declared| schema.concrete_type_by_name(&declared.name));
            let fields = fields.into_iter().map(|(name, value)| {
                let field = meta.and_then(|meta| meta.input_field_by_name(&name));
                let inner = field.map(|field| Declared::of(&field.arg_type));
                let value = input(value, inner.as_ref(), schema);
                (name, value)
            });
            InputValue::object(fields.collect::<IndexMap<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::resource::Catalogue, graphql::schema};

    #[test]
    fn objects_stay_json_where_json_is_expected() {
        let schema = schema::build(&Catalogue::default());
        let declared = |name: &str| Declared {
            lists: 0,
            name: name.to_owned(),
        };
        let types = HashMap::from([("f".to_owned(), declared("WebhookEventFilters"))]);
        let Value::Object(variables) = serde_json::json!({
            "f": {"rowId": {"b": 9_007_199_254_740_993_i64, "a": [1]}, "subscriptionId": 7},
            "unknown": {"a": [1]},
        }) else {
            unreachable!()
        };
        let read = read(variables, &types, &schema.schema);
        let filters = read["f"].to_object_value().unwrap();
        let Some(ApiScalar::Json(json)) = filters["rowId"].as_scalar() else {
            panic!("{:?}", filters["rowId"]);
        };
        assert_eq!(json.get(), r#"{"b":9007199254740993,"a":[1]}"#);
        assert_eq!(
            filters["subscriptionId"].as_scalar(),
            Some(&ApiScalar::Int(7))
        );
        assert!(read["unknown"].to_object_value().is_some());
    }
}
