//! The body of a delivery (CONTRACT §6), from what was fixed when its event was made.
//!
//! The sender asks for it before each attempt and the API for `requestData`: both get the same bytes,
//! each time.

use std::{fmt::Write as _, ops::Range};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::{
    action::Action,
    ids::{EventId, SubscriptionId, TransactionId},
    receiver::ContentType,
    resource::{ResourceDefinition, ResourceName},
};

use super::logged_row::{LoggedRow, UnreadableRow, write_json_string};

/// Everything that a body is made of.
#[derive(Clone, Copy, Debug)]
pub struct BodyParts<'a> {
    /// The idempotency key.
    pub event_id: EventId,
    /// The subscription that fired.
    pub subscription_id: SubscriptionId,
    /// The resource's name at the time of the change.
    pub resource: &'a ResourceName,
    /// What its log row means.
    pub definition: &'a ResourceDefinition,
    /// The row operation.
    pub action: Action,
    /// The database transaction.
    pub transaction_id: TransactionId,
    /// When it committed.
    pub occurred_at: DateTime<Utc>,
    /// `data.id` as JSON text.
    pub row_id: &'a str,
    /// The logged row.
    pub row_data: &'a str,
    /// The logged old values.
    pub old_values: Option<&'a str>,
}

/// A body, and where its `data` member stands in it: signatures are made over that very text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    text: String,
    data: Range<usize>,
}

impl Body {
    /// The JSON text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of the `data` member.
    pub fn data(&self) -> &str {
        &self.text[self.data.clone()]
    }

    /// Builds the body.
    pub fn build(parts: &BodyParts<'_>) -> Result<Self, UnreadableRow> {
        let row = LoggedRow::parse(parts.definition, parts.row_data, parts.old_values)?;
        if parts.row_id.is_empty() {
            // Fan-out could not tell the key either, and says why.
            row.id(parts.definition)?;
        }
        let mut text = String::with_capacity(320 + parts.row_data.len());
        write!(
            text,
            r#"{{"event_id":{},"subscription_id":{},"resource":"{}","action":"{}","transaction_id":{},"occurred_at":"{}","data":"#,
            parts.event_id,
            parts.subscription_id,
            parts.resource.in_body(),
            parts.action.in_body(),
            parts.transaction_id,
            timestamp(parts.occurred_at),
        )
        .expect("writing to a string does not fail");
        let start = text.len();
        text.push_str("{\"id\":");
        text.push_str(parts.row_id);
        text.push_str(",\"etag\":");
        write_json_string(&mut text, &row.etag(parts.definition));
        match parts.action {
            Action::Create => {
                text.push_str(",\"old\":null,\"new\":");
                row.write_row(&mut text);
            }
            Action::Update => {
                text.push_str(",\"old\":");
                row.write_old(&mut text);
                text.push_str(",\"new\":");
                row.write_new(&mut text);
            }
            Action::Delete => {
                text.push_str(",\"old\":");
                row.write_row(&mut text);
                text.push_str(",\"new\":null");
            }
        }
        text.push('}');
        let data = start..text.len();
        text.push('}');
        Ok(Self { text, data })
    }

    /// The bytes that go over the wire for a content type.
    pub fn encoded(&self, content_type: ContentType, parts: &BodyParts<'_>) -> String {
        match content_type {
            ContentType::Json => self.text.clone(),
            // WHATWG URL standard, "application/x-www-form-urlencoded serializing".
            ContentType::Form => url::form_urlencoded::Serializer::new(String::new())
                .append_pair("payload", &self.text)
                .finish(),
            // CloudEvents 1.0 JSON event format, structured mode.
            ContentType::CloudEvents => format!(
                r#"{{"specversion":"1.0","id":"{}","source":"/rowhook/subscriptions/{}","type":"rowhook.{}.{}","time":"{}","datacontenttype":"application/json","data":{}}}"#,
                parts.event_id,
                parts.subscription_id,
                parts.resource.in_body(),
                parts.action.in_body(),
                timestamp(parts.occurred_at),
                self.text,
            ),
        }
    }
}

/// UTC, milliseconds, `Z`.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::logged_row::described;

    fn definition(key: &[&str], etag: Option<&str>) -> ResourceDefinition {
        ResourceDefinition {
            key: key.iter().map(|column| (*column).to_owned()).collect(),
            etag: etag.map(str::to_owned),
            ..described(&["id", "status", "_etag"])
        }
    }

    fn build(
        action: Action,
        definition: &ResourceDefinition,
        row_data: &str,
        old_values: Option<&str>,
    ) -> Body {
        let row = LoggedRow::parse(definition, row_data, old_values).unwrap();
        let row_id = row.id(definition).unwrap();
        Body::build(&BodyParts {
            event_id: EventId(123_456),
            subscription_id: SubscriptionId(42),
            resource: &"RUN_STEP".parse().unwrap(),
            definition,
            action,
            transaction_id: TransactionId(9_876_543),
            occurred_at: "2026-04-26T19:33:42.108455Z".parse().unwrap(),
            row_id: &row_id,
            row_data,
            old_values,
        })
        .unwrap()
    }

    #[test]
    fn an_update_holds_the_changed_columns_on_both_sides() {
        let body = build(
            Action::Update,
            &definition(&["id"], Some("_etag")),
            r#"{"id" : 1234, "status" : "complete", "n" : 1.50, "done" : null, "_etag" : "abc123"}"#,
            Some(r#"{"status":"in_progress","n":10000000000000000000000.0,"done":"x"}"#),
        );
        assert_eq!(
            body.text(),
            concat!(
                r#"{"event_id":123456,"subscription_id":42,"resource":"run_step","action":"update","#,
                r#""transaction_id":9876543,"occurred_at":"2026-04-26T19:33:42.108Z","data":"#,
                r#"{"id":1234,"etag":"abc123","#,
                r#""old":{"status":"in_progress","n":10000000000000000000000.0,"done":"x"},"#,
                r#""new":{"status":"complete","n":1.50,"done":null}}}"#
            )
        );
        assert!(body.data().starts_with(r#"{"id":1234"#) && body.data().ends_with("null}}"));
    }

    #[test]
    fn create_and_delete_hold_the_whole_row_on_one_side() {
        let definition = definition(&["id", "status"], None);
        let row = r#"{"id":1,"status":"a\"b"}"#;
        let created = build(Action::Create, &definition, row, None);
        let deleted = build(Action::Delete, &definition, row, None);
        let etag = "\"etag\":\"";
        assert!(
            created
                .text()
                .contains(r#""id":{"id":1,"status":"a\"b"},"etag":"#)
        );
        assert!(
            created
                .text()
                .ends_with(r#""old":null,"new":{"id":1,"status":"a\"b"}}}"#)
        );
        assert!(
            deleted
                .text()
                .ends_with(r#""old":{"id":1,"status":"a\"b"},"new":null}}"#)
        );
        let hash = |body: &Body| {
            let at = body.text().find(etag).unwrap() + etag.len();
            body.text()[at..at + 32].to_owned()
        };
        assert_eq!(
            hash(&created),
            hash(&deleted),
            "the same row has the same etag"
        );
    }

    #[test]
    fn a_key_that_changed_belongs_to_both_rows() {
        let definition = definition(&["id"], None);
        let parse =
            |old| LoggedRow::parse(&definition, r#"{"id":2,"status":"a"}"#, Some(old)).unwrap();
        let row = parse(r#"{"id":1}"#);
        assert_eq!(row.id(&definition).unwrap(), "2");
        assert_eq!(row.previous_id(&definition).unwrap().as_deref(), Some("1"));
        let row = parse(r#"{"status":"b"}"#);
        assert_eq!(row.previous_id(&definition).unwrap(), None);
        assert_eq!(row.changed_columns().collect::<Vec<_>>(), ["status"]);
    }
}
