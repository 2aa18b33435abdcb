//! What a filter sees of a change: `old` and `new` as CEL values, `resource` and `action`.
//!
//! A JSON number without fraction and exponent is an `int` where that holds it (64 bits, exact), else a
//! `uint` where that does, and every other number is a `double`: the nearest, of 15 to 17 digits.

use std::{
    cell::OnceCell,
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, Value,
    objects::{Key, Map},
};
use serde_json::value::RawValue;

use super::patterns;
use crate::{
    domain::{action::Action, resource::ResourceName},
    policy::logged_row::LoggedRow,
};

/// The functions that filters have: CEL's own without times, optional values and extensions.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    patterns::declare(&mut env);
    Arc::new(env)
});

/// A change as filters see it. Its values are made when the first filter asks, once for all that judge it.
pub struct FilterInput<'a> {
    row: &'a LoggedRow<'a>,
    resource: &'a ResourceName,
    action: Action,
    context: OnceCell<Context<'static, 'static>>,
}

impl<'a> FilterInput<'a> {
    /// Of a logged row.
    pub fn new(row: &'a LoggedRow<'a>, resource: &'a ResourceName, action: Action) -> Self {
        Self {
            row,
            resource,
            action,
            context: OnceCell::new(),
        }
    }

    /// Bytes of the values of both rows, as JSON.
    pub(super) fn bytes(&self) -> usize {
        let length = |(_, value): (&str, &RawValue)| value.get().len();
        let before = self.row.before(self.action).into_iter().flatten();
        let after = self.row.after(self.action).into_iter().flatten();
        before.map(length).sum::<usize>() + after.map(length).sum::<usize>()
    }

    pub(super) fn context(&self) -> &Context<'static, 'static> {
        self.context.get_or_init(|| {
            let mut context = Context::with_env(ENVIRONMENT.clone());
            let resource = self.resource.as_str().to_owned();
            context.add_variable_from_value("resource", resource);
            context.add_variable_from_value("action", self.action.as_str().to_owned());
            context.add_variable_from_value("old", object(self.row.before(self.action)));
            context.add_variable_from_value("new", object(self.row.after(self.action)));
            context
        })
    }
}

fn object<'v>(columns: Option<impl Iterator<Item = (&'v str, &'v RawValue)>>) -> Value {
    let Some(columns) = columns else {
        return Value::Null;
    };
    let members = columns.map(|(name, value)| (Key::from(name), column(value.get())));
    Value::Map(Map {
        map: Arc::new(members.collect::<HashMap<_, _>>()),
    })
}

fn column(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(json) => value(json),
        // Beyond a double, as `numeric` can be, or nested deeper than the reader goes.
        Err(_) => match text.parse::<f64>() {
            Ok(beyond) => Value::Float(beyond),
            Err(_) => Value::String(Arc::new(text.to_owned())),
        },
    }
}

fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(flag),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(uint)) => Value::UInt(uint),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text)),
        serde_json::Value::Array(items) => {
            Value::List(Arc::new(items.into_iter().map(value).collect()))
        }
        serde_json::Value::Object(members) => {
            let members = members.into_iter();
            Value::Map(Map {
                map: Arc::new(
                    members
                        .map(|(name, one)| (Key::from(name), value(one)))
                        .collect(),
                ),
            })
        }
    }
}
