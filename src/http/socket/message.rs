//! The messages of `graphql-transport-ws`, in and out, as JSON texts.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::graphql::Request;

use super::super::{auth, graphql};

/// What a client may say.
#[derive(Debug)]
pub enum ClientMessage {
    /// It wants to begin; with a key, where the payload holds one.
    ConnectionInit {
        /// The key.
        key: Option<String>,
    },
    /// It wants to hear a pong, with this payload.
    Ping {
        /// A JSON text.
        payload: Option<Value>,
    },
    /// It answers a ping.
    Pong,
    /// It wants an operation run.
    Subscribe {
        /// The operation's name on this socket.
        id: String,
        /// The operation.
        request: Request,
    },
    /// It wants no more of an operation.
    Complete {
        /// The operation's name on this socket.
        id: String,
    },
}

impl ClientMessage {
    /// Reads a message; the error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let message: Value = serde_json::from_str(text)
            .map_err(|error| format!("the message is no JSON: {error}"))?;
        let Value::Object(mut message) = message else {
            return Err("a message must be a JSON object".to_owned());
        };
        let Some(Value::String(kind)) = message.remove("type") else {
            return Err("a message needs a string \"type\"".to_owned());
        };
        match kind.as_str() {
            "connection_init" => Ok(Self::ConnectionInit {
                key: payload(&mut message)?.and_then(|payload| key(&payload)),
            }),
            "ping" => Ok(Self::Ping {
                payload: payload(&mut message)?.map(Value::Object),
            }),
            "pong" => payload(&mut message).map(|_| Self::Pong),
            "subscribe" => {
                let id = id(&mut message)?;
                let Some(payload) = payload(&mut message)? else {
                    return Err("\"subscribe\" needs a \"payload\" with the operation".to_owned());
                };
                let request = graphql::from_members(payload)?;
                Ok(Self::Subscribe { id, request })
            }
            "complete" => Ok(Self::Complete {
                id: id(&mut message)?,
            }),
            other => Err(format!("there is no message type {other:?} for clients")),
        }
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err("the message needs an \"id\": a string that is not empty".to_owned()),
    }
}

fn payload(message: &mut Map<String, Value>) -> Result<Option<Map<String, Value>>, String> {
    match message.remove("payload") {
        Some(Value::Object(payload)) => Ok(Some(payload)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err("\"payload\" must be a JSON object".to_owned()),
    }
}

/// The key in a payload of `connection_init`.
fn key(payload: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let key = match text("Authorization").or_else(|| text("authorization")) {
        Some(value) => auth::credentials(value)?,
        None => text("apiKey").or_else(|| text("key"))?.trim(),
    };
    (!key.is_empty()).then(|| key.to_owned())
}

/// The client may begin.
pub fn connection_ack() -> String {
    r#"{"type":"connection_ack"}"#.to_owned()
}

/// The answer to a ping.
pub fn pong(payload: Option<&Value>) -> String {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        None => r#"{"type":"pong"}"#.to_owned(),
    }
}

/// What an operation answers; `response` is a GraphQL response as JSON.
pub fn next(id: &str, response: &str) -> String {
    format!(
        r#"{{"id":{},"type":"next","payload":{response}}}"#,
        quoted(id)
    )
}

/// An operation was not run, or not to its end; `refusal` is a GraphQL response with errors alone.
pub fn error(id: &str, refusal: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        errors: &'a RawValue,
    }
    let refusal: Refusal<'_> =
        serde_json::from_str(refusal).expect("a response without data has errors");
    format!(
        r#"{{"id":{},"type":"error","payload":{}}}"#,
        quoted(id),
        refusal.errors
    )
}

/// An operation has ended well.
pub fn complete(id: &str) -> String {
    format!(r#"{{"id":{},"type":"complete"}}"#, quoted(id))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_spelled_in_several_ways() {
        for (payload, expected) in [
            (r#"{"Authorization":"Bearer k"}"#, Some("k")),
            (r#"{"authorization":"token k"}"#, Some("k")),
            (r#"{"Authorization":"k"}"#, Some("k")),
            (r#"{"apiKey":"k"}"#, Some("k")),
            (r#"{"key":" k "}"#, Some("k")),
            (r#"{"Authorization":"Basic eDp5","key":"k"}"#, None),
            (r#"{"key":""}"#, None),
            (r#"{"key":7}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let text = format!(r#"{{"type":"connection_init","payload":{payload}}}"#);
            let Ok(ClientMessage::ConnectionInit { key }) = ClientMessage::read(&text) else {
                panic!("{text}");
            };
            assert_eq!(key.as_deref(), expected, "{payload}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "[]",
            "7",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"start"}"#,
            r#"{"type":"next","id":"a"}"#,
            r#"{"type":"connection_init","payload":"k"}"#,
            r#"{"type":"ping","payload":7}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":7,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"a"}"#,
            r#"{"type":"subscribe","id":"a","payload":{}}"#,
            r#"{"type":"subscribe","id":"a","payload":{"query":"{a}","variables":7}}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(ClientMessage::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_and_answers_are_json() {
        assert_eq!(
            next("a\"b", r#"{"data":null}"#),
            r#"{"id":"a\"b","type":"next","payload":{"data":null}}"#
        );
        assert_eq!(
            error("a", r#"{"errors":[{"message":"x"}]}"#),
            r#"{"id":"a","type":"error","payload":[{"message":"x"}]}"#
        );
        assert_eq!(complete("ü"), r#"{"id":"ü","type":"complete"}"#);
    }
}
