//! Headers: what a receiver's gateway wants to see with each delivery.

use juniper::{GraphQLInputObject, GraphQLObject, Nullable, graphql_object};

use crate::{
    domain::{
        api_key::Role,
        ids::{HeaderId, ReceiverId},
        receiver,
    },
    store::{StoreError, receivers::HeaderChange},
};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    receiver::{ReceiverNode, changed_since, existing, named},
    scalar::ApiScalar,
    validate::no_longer,
};

const KEY_CHARACTERS: usize = 256;
/// What common servers take in one header field.
const VALUE_CHARACTERS: usize = 8192;

/// What a viewer sees of a value.
const MASK: &str = "••••";

/// Headers that say how one connection carries a message, or that rowhook sets itself.
const RESERVED: [&str; 15] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Families of headers that rowhook sets itself.
const RESERVED_PREFIXES: [&str; 3] = ["x-ion-signature", "webhook-", "x-rowhook-"];

/// A header's value as a key with this role sees it.
pub fn shown_value(role: Role, value: &str) -> &str {
    match role {
        Role::Viewer => MASK,
        Role::Operator | Role::Admin => value,
    }
}

/// A header as the API shows it.
#[derive(Clone, Debug)]
pub struct WebhookHeader(receiver::WebhookHeader);

impl From<receiver::WebhookHeader> for WebhookHeader {
    fn from(header: receiver::WebhookHeader) -> Self {
        Self(header)
    }
}

/// An HTTP header that is sent with each delivery to its receiver.
#[graphql_object]
#[graphql(name = "WebhookHeader", context = Context, scalar = ApiScalar)]
impl WebhookHeader {
    /// The header's id.
    fn id(&self) -> i32 {
        self.0.id.0
    }

    /// The header's name, in lower case.
    fn key(&self) -> &str {
        &self.0.key
    }

    /// The header's value; `••••` for keys with role viewer.
    fn value(&self, context: &Context) -> &str {
        shown_value(context.caller.role, &self.0.value)
    }

    /// The receiver that it is sent to.
    async fn receiver(&self, context: &Context) -> Result<ReceiverNode, ApiError> {
        owner(context, self.0.receiver_id).await
    }

    /// Changes with each change of the record; give it as `etag` to updateWebhookHeader.
    #[graphql(name = "_etag")]
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// A header for a receiver.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "AddHeaderToWebhookReceiverInput", scalar = ApiScalar)]
pub struct AddHeaderToWebhookReceiverInput {
    /// The receiver's id.
    pub receiver_id: i32,
    /// The header's name, a token by RFC 9110 of at most 256 characters; stored in lower case. Names that
    /// belong to the connection or to rowhook itself are refused: hop-by-hop headers, host,
    /// content-length, content-type, content-encoding, user-agent, x-ion-signature…, webhook-…,
    /// x-rowhook-….
    pub key: String,
    /// The header's value: ASCII without control characters, at most 8192 characters.
    pub value: String,
}

/// A header for a receiver.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "CreateWebhookHeaderInput", scalar = ApiScalar)]
pub struct CreateWebhookHeaderInput {
    /// The receiver's id.
    pub receiver_id: i32,
    /// The header's name, a token by RFC 9110 of at most 256 characters; stored in lower case. Names that
    /// belong to the connection or to rowhook itself are refused: hop-by-hop headers, host,
    /// content-length, content-type, content-encoding, user-agent, x-ion-signature…, webhook-…,
    /// x-rowhook-….
    pub key: String,
    /// The header's value: ASCII without control characters, at most 8192 characters.
    pub value: String,
}

/// A change of a header. What is absent stays as it is.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "UpdateWebhookHeaderInput", scalar = ApiScalar)]
pub struct UpdateWebhookHeaderInput {
    /// The header's id.
    pub id: i32,
    /// The `_etag` that was read; the update fails with CONFLICT when the header has changed since.
    pub etag: String,
    /// The header's name, by the rules of createWebhookHeader; can not be null.
    pub key: Nullable<String>,
    /// The header's value: ASCII without control characters, at most 8192 characters; can not be null.
    pub value: Nullable<String>,
}

/// Which header goes.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "DeleteWebhookHeaderInput", scalar = ApiScalar)]
pub struct DeleteWebhookHeaderInput {
    /// The header's id.
    pub id: i32,
}

/// Which header of which receiver goes.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "RemoveHeaderFromWebhookReceiverInput", scalar = ApiScalar)]
pub struct RemoveHeaderFromWebhookReceiverInput {
    /// The receiver's id.
    pub receiver_id: i32,
    /// The header's id.
    pub header_id: i32,
}

/// What a mutation of a header returns.
#[derive(GraphQLObject)]
#[graphql(name = "WebhookHeaderPayload", context = Context, scalar = ApiScalar)]
pub struct WebhookHeaderPayload {
    /// The header; one that was removed as it was.
    pub webhook_header: WebhookHeader,
    /// Its receiver as it is now.
    pub webhook_receiver: ReceiverNode,
}

/// A header as two mutations take it.
pub struct NewHeader {
    receiver_id: i32,
    key: String,
    value: String,
}

impl From<AddHeaderToWebhookReceiverInput> for NewHeader {
    fn from(input: AddHeaderToWebhookReceiverInput) -> Self {
        Self {
            receiver_id: input.receiver_id,
            key: input.key,
            value: input.value,
        }
    }
}

impl From<CreateWebhookHeaderInput> for NewHeader {
    fn from(input: CreateWebhookHeaderInput) -> Self {
        Self {
            receiver_id: input.receiver_id,
            key: input.key,
            value: input.value,
        }
    }
}

/// `addHeaderToWebhookReceiver` and `createWebhookHeader`: `action` is the one that was asked for.
pub async fn add(
    context: &Context,
    action: &str,
    new: NewHeader,
) -> Result<WebhookHeaderPayload, ApiError> {
    context.require(Role::Admin, action)?;
    let at = InputPath::argument("input");
    let key = header_name(&new.key, &at.field("key"))?;
    let value = header_value(&new.value, &at.field("value"))?;
    let id = ReceiverId(new.receiver_id);
    let store = &context.services.receivers;
    let added = store
        .add_header(id, &key, value, &context.caller.author)
        .await
        .map_err(taken)?;
    payload(context, added).await
}

/// `updateWebhookHeader`.
pub async fn update(
    context: &Context,
    input: UpdateWebhookHeaderInput,
) -> Result<WebhookHeaderPayload, ApiError> {
    context.require(Role::Admin, "updateWebhookHeader")?;
    let at = |field: &str| InputPath::argument("input").field(field);
    let never_null = |field: &str| {
        let at = at(field);
        at.refuse("can not be null; leave it out to keep it as it is")
    };
    let key = match input.key {
        Nullable::ImplicitNull => None,
        Nullable::ExplicitNull => return Err(never_null("key")),
        Nullable::Some(key) => Some(header_name(&key, &at("key"))?),
    };
    let value = match input.value {
        Nullable::ImplicitNull => None,
        Nullable::ExplicitNull => return Err(never_null("value")),
        Nullable::Some(value) => Some(header_value(&value, &at("value"))?.to_owned()),
    };
    let store = &context.services.receivers;
    let change = HeaderChange { key, value };
    let changed = store
        .update_header(
            HeaderId(input.id),
            &input.etag,
            change,
            &context.caller.author,
        )
        .await
        .map_err(|error| match error {
            StoreError::Conflict => changed_since("webhook header", input.id),
            other => taken(other),
        })?;
    payload(context, changed).await
}

/// `removeHeaderFromWebhookReceiver`.
pub async fn remove(
    context: &Context,
    input: &RemoveHeaderFromWebhookReceiverInput,
) -> Result<WebhookHeaderPayload, ApiError> {
    context.require(Role::Admin, "removeHeaderFromWebhookReceiver")?;
    let receiver = ReceiverId(input.receiver_id);
    let store = &context.services.receivers;
    let removed = store
        .remove_header(HeaderId(input.header_id), Some(receiver))
        .await?;
    payload(context, removed).await
}

/// `deleteWebhookHeader`.
pub async fn delete(
    context: &Context,
    input: &DeleteWebhookHeaderInput,
) -> Result<WebhookHeaderPayload, ApiError> {
    context.require(Role::Admin, "deleteWebhookHeader")?;
    let store = &context.services.receivers;
    let removed = store.remove_header(HeaderId(input.id), None).await?;
    payload(context, removed).await
}

/// A receiver has one header of a name.
fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::HeaderTaken { .. } => ApiError {
            code: Code::Conflict,
            message: format!("{error}; change that one (updateWebhookHeader) or delete it first"),
            path: Some(InputPath::argument("input").field("key")),
        },
        other => other.into(),
    }
}

async fn payload(
    context: &Context,
    header: receiver::WebhookHeader,
) -> Result<WebhookHeaderPayload, ApiError> {
    context.forget_loaded();
    let receiver = existing(context, header.receiver_id).await?;
    Ok(WebhookHeaderPayload {
        webhook_header: header.into(),
        webhook_receiver: receiver.into(),
    })
}

/// The receiver of a record that can not be without one.
pub async fn owner(context: &Context, id: ReceiverId) -> Result<ReceiverNode, ApiError> {
    match named(context, id).await? {
        Some(receiver) => Ok(receiver.into()),
        None => Err(ApiError::internal(&format_args!(
            "a record names receiver {id}, which the store does not know"
        ))),
    }
}

/// A header name in lower case, if deliveries may carry it.
fn header_name(name: &str, at: &InputPath) -> Result<String, ApiError> {
    no_longer(name, KEY_CHARACTERS, at)?;
    // RFC 9110 §5.6.2, tchar.
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(tchar) {
        return Err(at.refuse(format!(
            "is no header name: {name:?}; use letters, digits and hyphens, as in X-Api-Key"
        )));
    }
    let name = name.to_ascii_lowercase();
    let reserved = RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES
            .iter()
            .any(|family| name.starts_with(family));
    if reserved {
        return Err(at.refuse(format!(
            "can not be {name}: that header belongs to the connection or to rowhook itself"
        )));
    }
    Ok(name)
}

/// A header value, if a header can carry it (RFC 9110 §5.5).
fn header_value<'a>(value: &'a str, at: &InputPath) -> Result<&'a str, ApiError> {
    no_longer(value, VALUE_CHARACTERS, at)?;
    let value = value.trim_matches([' ', '\t']);
    let field_char = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    if value.bytes().all(field_char) {
        Ok(value)
    } else {
        // The value is a secret: the message does not repeat it.
        Err(at.refuse("must be ASCII without line breaks or other control characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_in_lower_case() {
        let at = InputPath::argument("key");
        assert_eq!(header_name("X-Api-Key", &at), Ok("x-api-key".to_owned()));
        assert_eq!(
            header_name("Authorization", &at),
            Ok("authorization".to_owned())
        );
        for wrong in ["", "a b", "a:b", "a\r\nb", "ä", "a\"b", "(a)"] {
            assert_eq!(
                header_name(wrong, &at).unwrap_err().path.as_ref(),
                Some(&at)
            );
        }
        assert!(header_name(&"a".repeat(257), &at).is_err());
    }

    #[test]
    fn reserved_names_are_refused_in_any_case() {
        let at = InputPath::argument("key");
        for reserved in RESERVED.into_iter().chain([
            "Host",
            "Content-Length",
            "X-Ion-Signature",
            "x-ion-signature-previous",
            "Webhook-Id",
            "x-rowhook-sequence",
        ]) {
            let error = header_name(reserved, &at).unwrap_err();
            assert!(error.message.contains("belongs to"), "{reserved}");
        }
    }

    #[test]
    fn values_carry_no_second_header() {
        let at = InputPath::argument("value");
        assert_eq!(header_value(" Bearer a\tb ", &at), Ok("Bearer a\tb"));
        assert_eq!(header_value("", &at), Ok(""));
        for wrong in ["a\r\nx: y", "a\nb", "a\0b", "a\u{7f}", "ä"] {
            let error = header_value(wrong, &at).unwrap_err();
            assert!(!error.message.contains(wrong), "does not repeat it");
        }
        assert!(header_value(&"a".repeat(8193), &at).is_err());
    }
}
