//! A delivery as its receiver reads it: out of what the content type wraps around it, and into its parts.
//!
//! The other side of `body.rs`, for `rowhook listen`, `rowhook verify` and the demo. It knows nothing but
//! the bytes that came.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Why bytes are no delivery of rowhook.
#[derive(Debug, thiserror::Error)]
pub enum NotADelivery {
    /// They are no text.
    #[error("the body is not UTF-8")]
    NotText,
    /// A form, but without the field that rowhook sends.
    #[error("the form has no field `payload`")]
    NoPayload,
    /// Some other JSON, or none.
    #[error("the body is not what rowhook sends: {0}")]
    OtherJson(#[from] serde_json::Error),
}

/// The members that matter to a receiver.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// The idempotency key.
    pub event_id: i64,
    /// The resource in lower case.
    pub resource: String,
    /// The action in lower case.
    pub action: String,
    /// The text of `data`, letter by letter.
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// What `data` always has.
#[derive(Debug, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
}

impl Envelope<'_> {
    /// `data.id` as JSON text.
    pub fn row_id(&self) -> Result<String, NotADelivery> {
        let data: Data<'_> = serde_json::from_str(self.data.get())?;
        Ok(data.id.get().to_owned())
    }
}

/// The envelope in a body of [`inner_json`].
pub fn envelope(json: &str) -> Result<Envelope<'_>, NotADelivery> {
    Ok(serde_json::from_str(json)?)
}

/// The JSON body inside a request's bytes, whatever the receiver's content type is (CONTRACT §6): as they
/// are, in the form field `payload`, or as the data of a CloudEvent in structured mode.
pub fn inner_json(bytes: &[u8]) -> Result<Cow<'_, str>, NotADelivery> {
    #[derive(Deserialize)]
    struct CloudEvent<'a> {
        #[serde(rename = "specversion")]
        _version: Cow<'a, str>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NotADelivery::NotText)?;
    if !text.trim_start().starts_with('{') {
        // WHATWG URL standard, "application/x-www-form-urlencoded parsing".
        let mut fields = url::form_urlencoded::parse(bytes);
        let payload = fields.find(|(name, _)| name == "payload");
        let (_, payload) = payload.ok_or(NotADelivery::NoPayload)?;
        return Ok(Cow::Owned(payload.into_owned()));
    }
    Ok(match serde_json::from_str::<CloudEvent<'_>>(text) {
        Ok(event) => Cow::Borrowed(event.data.get()),
        Err(_) => Cow::Borrowed(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"event_id":7,"resource":"run","action":"update","data":{"id": 1.50,"old":{"specversion":"a+b"},"new":null}}"#;

    #[test]
    fn every_content_type_wraps_the_same_body() {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", BODY)
            .finish();
        let cloud_event = format!(r#"{{"specversion":"1.0","id":"7","data":{BODY}}}"#);
        for wrapped in [BODY, &form, &cloud_event] {
            let json = inner_json(wrapped.as_bytes()).unwrap();
            assert_eq!(json, BODY);
            let envelope = envelope(&json).unwrap();
            assert_eq!(envelope.event_id, 7);
            assert_eq!(envelope.row_id().unwrap(), "1.50");
        }
    }

    #[test]
    fn anything_else_is_told() {
        for (bytes, why) in [
            (&b"\xff"[..], "UTF-8"),
            (b"hello=1", "payload"),
            (b"{\"event_id\":1}", "not what rowhook sends"),
        ] {
            let read = inner_json(bytes).and_then(|json| envelope(&json).map(|one| one.event_id));
            let error = read.unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
