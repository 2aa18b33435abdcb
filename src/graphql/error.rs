//! What the user reads when something does not work: the one place that turns failures into messages
//! with an `extensions.code`.
//!
//! Resolvers return [`ApiError`]; what juniper itself finds wrong with a document becomes one too. An
//! internal failure is logged here, with an id that the message repeats, and shows nothing else of it.

use std::fmt;

use juniper::{FieldError, GraphQLError, IntoFieldError, Object, ParseError, RuleError, Value};
use serde::Serialize;

use crate::store::StoreError;

use super::scalar::ApiScalar;

/// `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// No key, or one that is not known.
    Unauthenticated,
    /// The key's role may not do this.
    Forbidden,
    /// There is no such record.
    NotFound,
    /// The record has changed since it was read, or there already is such a record.
    Conflict,
    /// The request asks for something that can not be; the message says what to mend.
    Validation,
    /// The request is larger than one request may be.
    Limit,
    /// rowhook's own fault.
    Internal,
}

impl Code {
    /// The word in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Validation => "VALIDATION",
            Self::Limit => "LIMIT",
            Self::Internal => "INTERNAL",
        }
    }
}

/// A step from an argument to the value inside it that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A field of an input object, or an argument.
    Field(String),
    /// A place in a list, from 0.
    Index(i32),
}

/// Where in the request's input the fault is: `["input", "rateLimit", "perSecond"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct InputPath(Vec<Step>);

impl InputPath {
    /// An argument.
    pub fn argument(name: &str) -> Self {
        Self::default().field(name)
    }

    /// A field of the value here.
    pub fn field(&self, name: &str) -> Self {
        self.then(Step::Field(name.to_owned()))
    }

    /// An element of the list here.
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(i32::try_from(index).unwrap_or(i32::MAX)))
    }

    /// The value here is refused; `why` begins with what is wrong, as in "must not be empty".
    pub fn refuse(&self, why: impl fmt::Display) -> ApiError {
        ApiError {
            code: Code::Validation,
            message: format!("{self} {why}"),
            path: Some(self.clone()),
        }
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for InputPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A failure as the user reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// `extensions.code`.
    pub code: Code,
    /// What happened, to which thing, and what to do.
    pub message: String,
    /// `extensions.path`: the part of the input that is at fault.
    pub path: Option<InputPath>,
}

impl ApiError {
    /// A failure that no part of the input explains.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: None,
        }
    }

    /// There is no such record.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what} with id {id}"))
    }

    /// rowhook's own fault: the details go to the log under a random id, the user gets the id.
    pub fn internal(details: &dyn fmt::Display) -> Self {
        Self::logged("something went wrong inside rowhook", details)
    }

    fn logged(what: &str, details: &dyn fmt::Display) -> Self {
        let id = format!("{:016x}", rand::random::<u64>());
        tracing::error!(error_id = %id, "a request to the API failed: {details}");
        let message =
            format!("{what}; whoever runs rowhook finds the details in its log under the id {id}");
        Self::new(Code::Internal, message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what, id } => Self::not_found(what, id),
            StoreError::Conflict | StoreError::HeaderTaken { .. } => {
                Self::new(Code::Conflict, error.to_string())
            }
            StoreError::LastAdminKey { id } => Self::new(
                Code::Conflict,
                format!(
                    "API key {id} is the last way in for an admin: make another key with role admin \
                     (createApiKey, rowhook keys create) or set admin_key in the configuration, then \
                     revoke this one"
                ),
            ),
            StoreError::Unavailable(_) => Self::logged(
                "rowhook can not reach its database just now: try again in a moment",
                &error,
            ),
            StoreError::Fenced
            | StoreError::ForeignCluster
            | StoreError::Corrupt(_)
            | StoreError::Refused(_) => Self::internal(&error),
        }
    }
}

impl IntoFieldError<ApiScalar> for ApiError {
    fn into_field_error(self) -> FieldError<ApiScalar> {
        let mut extensions = Object::with_capacity(2);
        extensions.add_field("code", Value::scalar(self.code.as_str()));
        if let Some(path) = self.path {
            let steps = path.0.into_iter().map(|step| match step {
                Step::Field(name) => Value::scalar(name),
                Step::Index(index) => Value::scalar(index),
            });
            extensions.add_field("path", Value::list(steps.collect()));
        }
        FieldError::new(self.message, Value::object(extensions))
    }
}

/// A place in the client's document, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl From<&juniper::parser::SourcePosition> for Location {
    fn from(position: &juniper::parser::SourcePosition) -> Self {
        Self {
            line: position.line() + 1,
            column: position.column() + 1,
        }
    }
}

/// Something wrong with a request before any of it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// What is wrong.
    pub error: ApiError,
    /// Where in the document.
    pub locations: Vec<Location>,
}

impl From<ApiError> for RequestError {
    fn from(error: ApiError) -> Self {
        Self {
            error,
            locations: Vec::new(),
        }
    }
}

/// What juniper found wrong with a document or its variables.
pub(super) fn document_errors(error: &GraphQLError) -> Vec<RequestError> {
    let whole = |message: &str| vec![ApiError::new(Code::Validation, message).into()];
    match error {
        GraphQLError::ParseError(fault) => vec![parse_error(fault)],
        GraphQLError::ValidationError(faults) => faults.iter().map(rule_error).collect(),
        GraphQLError::NoOperationProvided => whole("the document holds no operation"),
        GraphQLError::MultipleOperationsProvided => {
            whole("the document holds several operations; name the one to run in operationName")
        }
        GraphQLError::UnknownOperationName => {
            whole("the document holds no operation of the name given in operationName")
        }
        GraphQLError::IsSubscription => whole(
            "a GraphQL subscription needs a WebSocket (subprotocol graphql-transport-ws) to /graphql; over \
             plain HTTP queries and mutations run",
        ),
        GraphQLError::NotSubscription => whole("a GraphQL subscription was expected here"),
        GraphQLError::NotSupported(_) => {
            whole("this schema has no operations of that kind; use a query or a mutation")
        }
    }
}

fn parse_error(fault: &juniper::Spanning<ParseError>) -> RequestError {
    let limit = matches!(
        fault.item,
        ParseError::DepthLimitExceeded(_)
            | ParseError::TokenLimitExceeded(_)
            | ParseError::FieldLimitExceeded(_)
    );
    let error = if limit {
        ApiError::new(
            Code::Limit,
            format!("{}; split it into several requests", fault.item),
        )
    } else {
        ApiError::new(
            Code::Validation,
            format!("the document can not be read: {}", fault.item),
        )
    };
    RequestError {
        error,
        locations: vec![(&fault.span.start).into()],
    }
}

/// juniper's message for a document whose aliases and fragments overlap too much to be checked.
const TOO_MANY_OVERLAPS: &str = "Document has too many overlapping fields to validate";

fn rule_error(fault: &RuleError) -> RequestError {
    let code = match fault.message() {
        TOO_MANY_OVERLAPS => Code::Limit,
        _ => Code::Validation,
    };
    RequestError {
        error: ApiError {
            code,
            message: without_texts(fault.message()),
            path: variable_path(fault.message()),
        },
        locations: fault.locations().iter().map(Location::from).collect(),
    }
}

/// juniper repeats the value of a variable that it finds wrong. One that should be a text may hold a header's
/// value, so it is left out; the place is named all the same.
fn without_texts(message: &str) -> String {
    match message.split_once("Expected input scalar `String`. Got: ") {
        Some((place, _)) => format!("{place}Expected input scalar `String`."),
        None => message.to_owned(),
    }
}

/// The part of a variable that juniper's message names: it keeps no other record of it.
/// `Variable "$input" got invalid value. In field "a": In element #1: Expected …`
fn variable_path(message: &str) -> Option<InputPath> {
    let rest = message.strip_prefix("Variable \"$")?;
    let (variable, mut rest) = rest.split_once('"')?;
    let mut path = InputPath::argument(variable);
    if let Some(places) = rest.strip_prefix(" got invalid value. ") {
        rest = places;
    }
    loop {
        if let Some((field, after)) = rest
            .strip_prefix("In field \"")
            .and_then(|rest| rest.split_once("\": "))
        {
            path = path.field(field);
            rest = after;
        } else if let Some((index, after)) = rest
            .strip_prefix("In element #")
            .and_then(|rest| rest.split_once(": "))
        {
            path = path.index(index.parse().ok()?);
            rest = after;
        } else {
            return Some(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_like_the_input() {
        let path = InputPath::argument("input").field("changedFields").index(2);
        assert_eq!(path.to_string(), "input.changedFields[2]");
        assert_eq!(
            serde_json::to_string(&path).unwrap(),
            r#"["input","changedFields",2]"#
        );
    }

    #[test]
    fn the_place_in_a_variable_is_read_from_junipers_message() {
        let path = |message: &str| variable_path(message).map(|path| path.to_string());
        assert_eq!(
            path(
                r#"Variable "$input" got invalid value. In field "a": In element #1: Expected "Int", found null."#
            ),
            Some("input.a[1]".to_owned())
        );
        assert_eq!(
            path(r#"Variable "$input" of required type "X!" was not provided."#),
            Some("input".to_owned())
        );
        assert_eq!(path("Unknown field \"x\" on type \"Query\""), None);
    }

    #[test]
    fn a_wrong_text_is_not_repeated() {
        let message = "Variable \"$value\" got invalid value. Expected input scalar `String`. \
                       Got: `[\"hunter2\"]`. Details: Expected GraphQL scalar, found: [\"hunter2\"]";
        assert_eq!(
            without_texts(message),
            "Variable \"$value\" got invalid value. Expected input scalar `String`."
        );
        let other = "Expected input scalar `Int`. Got: `1.5`.";
        assert_eq!(without_texts(other), other);
    }

    #[test]
    fn an_internal_failure_shows_an_id_and_nothing_else() {
        let shown = ApiError::from(StoreError::Corrupt("password=hunter2".to_owned()));
        assert_eq!(shown.code, Code::Internal);
        assert!(!shown.message.contains("hunter2"), "{}", shown.message);
        let other = ApiError::from(StoreError::Corrupt("password=hunter2".to_owned()));
        assert_ne!(shown.message, other.message, "each failure has its own id");
    }
}
