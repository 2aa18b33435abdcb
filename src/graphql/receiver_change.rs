//! What becomes of a receiver's fields, and the rules that each must keep.
//!
//! Creating and updating share them: both inputs become a [`ReceiverChange`] over the fields as they are,
//! the default ones for a new receiver. Absent leaves a field, null sets it back to its default.

use std::{ops::RangeInclusive, time::Duration};

use juniper::Nullable;

use crate::{
    domain::receiver::{ContentType, Ordering, RateLimit, Receiver, RetryOverrides},
    store::receivers::{ClientIdentityChange, ReceiverFields},
};

use super::{
    client_certificate,
    context::UriCheck,
    error::{ApiError, InputPath},
    receiver_input::{
        CreateWebhookReceiverInput, UpdateWebhookReceiverInput, WebhookOrdering,
        WebhookRateLimitInput, WebhookRetryPolicyInput,
    },
    validate::{no_longer, text, whole, within},
};

const NAME_CHARACTERS: usize = 255;
const DESCRIPTION_CHARACTERS: usize = 10_000;
/// One request a day is the slowest throttle: below that a receiver is better made inactive.
const PER_SECOND: RangeInclusive<f64> = 0.000_01..=100_000.0;
const BURST: RangeInclusive<i32> = 1..=100_000;
const MAX_IN_FLIGHT: RangeInclusive<i32> = 1..=1000;
const TIMEOUT_MS: RangeInclusive<i32> = 100..=60_000;
const MAX_ATTEMPTS: RangeInclusive<i32> = 1..=100;
/// A millisecond to seven days.
const DELAY_MS: RangeInclusive<i32> = 1..=604_800_000;
const MULTIPLIER: RangeInclusive<f64> = 1.0..=100.0;
const RESPONSE_CODE: RangeInclusive<i32> = 100..=599;

/// What is to become of each field.
#[derive(Clone, Debug)]
pub struct ReceiverChange {
    name: Nullable<String>,
    webhook_uri: Nullable<String>,
    description: Nullable<String>,
    content_type: Nullable<String>,
    expected_response_code: Nullable<i32>,
    active: Nullable<bool>,
    rate_limit: Nullable<WebhookRateLimitInput>,
    max_in_flight: Nullable<i32>,
    timeout_ms: Nullable<i32>,
    retry_policy: Nullable<WebhookRetryPolicyInput>,
    ordering: Nullable<WebhookOrdering>,
    client_certificate: Nullable<String>,
    client_key: Nullable<String>,
}

impl From<CreateWebhookReceiverInput> for ReceiverChange {
    fn from(input: CreateWebhookReceiverInput) -> Self {
        Self {
            name: Nullable::Some(input.name),
            webhook_uri: Nullable::Some(input.webhook_uri),
            description: given(input.description),
            content_type: given(input.content_type),
            expected_response_code: given(input.expected_response_code),
            active: given(input.active),
            rate_limit: given(input.rate_limit),
            max_in_flight: given(input.max_in_flight),
            timeout_ms: given(input.timeout_ms),
            retry_policy: given(input.retry_policy),
            ordering: given(input.ordering),
            client_certificate: given(input.client_certificate),
            client_key: given(input.client_key),
        }
    }
}

impl From<UpdateWebhookReceiverInput> for ReceiverChange {
    fn from(input: UpdateWebhookReceiverInput) -> Self {
        Self {
            name: input.name,
            webhook_uri: input.webhook_uri,
            description: input.description,
            content_type: input.content_type,
            expected_response_code: input.expected_response_code,
            active: input.active,
            rate_limit: input.rate_limit,
            max_in_flight: input.max_in_flight,
            timeout_ms: input.timeout_ms,
            retry_policy: input.retry_policy,
            ordering: input.ordering,
            client_certificate: input.client_certificate,
            client_key: input.client_key,
        }
    }
}

fn given<T>(value: Option<T>) -> Nullable<T> {
    value.map_or(Nullable::ImplicitNull, Nullable::Some)
}

/// Whether the client said nothing of a field; null says something.
pub fn is_absent<T>(field: &Nullable<T>) -> bool {
    matches!(field, Nullable::ImplicitNull)
}

impl ReceiverChange {
    /// Whether it pauses or resumes the receiver and does nothing else.
    pub fn is_of_active_alone(&self) -> bool {
        // Every field by name: a new one that is not thought of here does not compile.
        let Self {
            name,
            webhook_uri,
            description,
            content_type,
            expected_response_code,
            active,
            rate_limit,
            max_in_flight,
            timeout_ms,
            retry_policy,
            ordering,
            client_certificate,
            client_key,
        } = self;
        !is_absent(active)
            && is_absent(name)
            && is_absent(webhook_uri)
            && is_absent(description)
            && is_absent(content_type)
            && is_absent(expected_response_code)
            && is_absent(rate_limit)
            && is_absent(max_in_flight)
            && is_absent(timeout_ms)
            && is_absent(retry_policy)
            && is_absent(ordering)
            && is_absent(client_certificate)
            && is_absent(client_key)
    }

    /// The fields after the change. Only what the change gives is checked: a receiver whose URI has
    /// since become forbidden can still be made inactive.
    pub fn over(
        self,
        base: ReceiverFields,
        check_uri: &UriCheck,
    ) -> Result<ReceiverFields, ApiError> {
        let new = FieldsOfNew::default();
        let at = |field: &str| InputPath::argument("input").field(field);
        Ok(ReceiverFields {
            name: set(self.name, base.name, never_null(&at("name")), |name| {
                text(&name, NAME_CHARACTERS, &at("name"))
            })?,
            webhook_uri: set(
                self.webhook_uri,
                base.webhook_uri,
                never_null(&at("webhookUri")),
                |uri| allowed_uri(uri, check_uri, &at("webhookUri")),
            )?,
            description: set(self.description, base.description, Ok(None), |words| {
                no_longer(&words, DESCRIPTION_CHARACTERS, &at("description")).map(|()| Some(words))
            })?,
            content_type: set(
                self.content_type,
                base.content_type,
                Ok(ContentType::default()),
                |word| content_type(&word, &at("contentType")),
            )?,
            expected_response_code: set(
                self.expected_response_code,
                base.expected_response_code,
                Ok(new.expected_response_code),
                |code| response_code(code, &at("expectedResponseCode")),
            )?,
            active: set(self.active, base.active, Ok(new.active), Ok)?,
            rate_limit: set(self.rate_limit, base.rate_limit, Ok(None), |limit| {
                rate_limit(limit, &at("rateLimit")).map(Some)
            })?,
            max_in_flight: set(self.max_in_flight, base.max_in_flight, Ok(None), |most| {
                whole(most, MAX_IN_FLIGHT, &at("maxInFlight")).map(Some)
            })?,
            timeout: set(self.timeout_ms, base.timeout, Ok(None), |timeout| {
                milliseconds(timeout, TIMEOUT_MS, &at("timeoutMs")).map(Some)
            })?,
            retry: set(
                self.retry_policy,
                base.retry,
                Ok(RetryOverrides::default()),
                |policy| retry(policy, base.retry, &at("retryPolicy")),
            )?,
            ordering: set(
                self.ordering,
                base.ordering,
                Ok(Ordering::default()),
                |ordering| Ok(ordering.into()),
            )?,
            client_identity: client_certificate::change(
                self.client_certificate,
                self.client_key,
                &InputPath::argument("input"),
            )?,
        })
    }
}

/// The defaults that are no zero of their type.
struct FieldsOfNew {
    expected_response_code: u16,
    active: bool,
}

impl Default for FieldsOfNew {
    fn default() -> Self {
        Self {
            expected_response_code: 200,
            active: true,
        }
    }
}

/// The fields of a receiver that does not exist yet. Its name and URI are always given.
pub fn fields_of_new() -> ReceiverFields {
    let new = FieldsOfNew::default();
    ReceiverFields {
        name: String::new(),
        description: None,
        webhook_uri: String::new(),
        content_type: ContentType::default(),
        expected_response_code: new.expected_response_code,
        active: new.active,
        rate_limit: None,
        max_in_flight: None,
        timeout: None,
        retry: RetryOverrides::default(),
        ordering: Ordering::default(),
        client_identity: ClientIdentityChange::Keep,
    }
}

/// The fields of a receiver as they are.
pub fn fields_of(receiver: Receiver) -> ReceiverFields {
    ReceiverFields {
        name: receiver.name,
        description: receiver.description,
        webhook_uri: receiver.webhook_uri,
        content_type: receiver.content_type,
        expected_response_code: receiver.expected_response_code,
        active: receiver.active,
        rate_limit: receiver.rate_limit,
        max_in_flight: receiver.max_in_flight,
        timeout: receiver.timeout,
        retry: receiver.retry,
        ordering: receiver.ordering,
        client_identity: ClientIdentityChange::Keep,
    }
}

/// The three states of an input field: absent, null, a value.
fn set<T, U>(
    given: Nullable<U>,
    as_it_is: T,
    when_null: Result<T, ApiError>,
    read: impl FnOnce(U) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    match given {
        Nullable::ImplicitNull => Ok(as_it_is),
        Nullable::ExplicitNull => when_null,
        Nullable::Some(value) => read(value),
    }
}

fn never_null<T>(at: &InputPath) -> Result<T, ApiError> {
    Err(at.refuse("can not be null; leave it out to keep it as it is"))
}

fn allowed_uri(uri: String, check: &UriCheck, at: &InputPath) -> Result<String, ApiError> {
    match check(&uri) {
        Ok(()) => Ok(uri),
        Err(reason) => Err(at.refuse(reason)),
    }
}

fn content_type(word: &str, at: &InputPath) -> Result<ContentType, ApiError> {
    word.parse()
        .map_err(|unknown| at.refuse(format!("is unknown: {unknown}")))
}

fn response_code(code: i32, at: &InputPath) -> Result<u16, ApiError> {
    let code = whole(code, RESPONSE_CODE, at)?;
    Ok(u16::try_from(code).expect("the range ends far below 65535"))
}

fn rate_limit(limit: WebhookRateLimitInput, at: &InputPath) -> Result<RateLimit, ApiError> {
    let per_second = within(limit.per_second, &PER_SECOND, &at.field("perSecond"))?;
    let burst = match limit.burst {
        Some(burst) => whole(burst, BURST, &at.field("burst"))?,
        None => RateLimit::default_burst(per_second),
    };
    Ok(RateLimit { per_second, burst })
}

fn retry(
    policy: WebhookRetryPolicyInput,
    base: RetryOverrides,
    at: &InputPath,
) -> Result<RetryOverrides, ApiError> {
    let at = |field: &str| at.field(field);
    Ok(RetryOverrides {
        max_attempts: set(policy.max_attempts, base.max_attempts, Ok(None), |most| {
            whole(most, MAX_ATTEMPTS, &at("maxAttempts")).map(Some)
        })?,
        initial_delay: set(
            policy.initial_delay_ms,
            base.initial_delay,
            Ok(None),
            |delay| milliseconds(delay, DELAY_MS, &at("initialDelayMs")).map(Some),
        )?,
        multiplier: set(policy.multiplier, base.multiplier, Ok(None), |multiplier| {
            within(multiplier, &MULTIPLIER, &at("multiplier")).map(Some)
        })?,
        max_delay: set(policy.max_delay_ms, base.max_delay, Ok(None), |delay| {
            milliseconds(delay, DELAY_MS, &at("maxDelayMs")).map(Some)
        })?,
    })
}

fn milliseconds(
    value: i32,
    range: RangeInclusive<i32>,
    at: &InputPath,
) -> Result<Duration, ApiError> {
    whole(value, range, at).map(|ms| Duration::from_millis(ms.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn nothing() -> ReceiverChange {
        ReceiverChange {
            name: Nullable::ImplicitNull,
            webhook_uri: Nullable::ImplicitNull,
            description: Nullable::ImplicitNull,
            content_type: Nullable::ImplicitNull,
            expected_response_code: Nullable::ImplicitNull,
            active: Nullable::ImplicitNull,
            rate_limit: Nullable::ImplicitNull,
            max_in_flight: Nullable::ImplicitNull,
            timeout_ms: Nullable::ImplicitNull,
            retry_policy: Nullable::ImplicitNull,
            ordering: Nullable::ImplicitNull,
            client_certificate: Nullable::ImplicitNull,
            client_key: Nullable::ImplicitNull,
        }
    }

    fn far_from_default() -> ReceiverFields {
        ReceiverFields {
            name: "a".to_owned(),
            description: Some("b".to_owned()),
            webhook_uri: "https://old.example".to_owned(),
            content_type: ContentType::Form,
            expected_response_code: 204,
            active: false,
            rate_limit: Some(RateLimit {
                per_second: 2.0,
                burst: 1,
            }),
            max_in_flight: Some(3),
            timeout: Some(Duration::from_millis(700)),
            retry: RetryOverrides {
                max_attempts: Some(3),
                multiplier: Some(2.0),
                ..RetryOverrides::default()
            },
            ordering: Ordering::None,
            client_identity: ClientIdentityChange::Keep,
        }
    }

    fn over(change: ReceiverChange) -> Result<ReceiverFields, ApiError> {
        let only_new: UriCheck = Arc::new(|uri| {
            if uri.contains("new") {
                Ok(())
            } else {
                Err("is not new".to_owned())
            }
        });
        change.over(far_from_default(), &only_new)
    }

    #[test]
    fn absent_leaves_and_does_not_judge_again() {
        assert_eq!(over(nothing()), Ok(far_from_default()));
    }

    #[test]
    fn null_sets_back_to_the_default() {
        let fields = over(ReceiverChange {
            description: Nullable::ExplicitNull,
            content_type: Nullable::ExplicitNull,
            expected_response_code: Nullable::ExplicitNull,
            active: Nullable::ExplicitNull,
            rate_limit: Nullable::ExplicitNull,
            max_in_flight: Nullable::ExplicitNull,
            timeout_ms: Nullable::ExplicitNull,
            retry_policy: Nullable::ExplicitNull,
            ordering: Nullable::ExplicitNull,
            client_certificate: Nullable::ExplicitNull,
            ..nothing()
        });
        let expected = ReceiverFields {
            name: "a".to_owned(),
            webhook_uri: "https://old.example".to_owned(),
            client_identity: ClientIdentityChange::Remove,
            ..fields_of_new()
        };
        assert_eq!(fields, Ok(expected));
    }

    #[test]
    fn retry_settings_change_one_by_one() {
        let fields = over(ReceiverChange {
            retry_policy: Nullable::Some(WebhookRetryPolicyInput {
                max_attempts: Nullable::ImplicitNull,
                initial_delay_ms: Nullable::Some(250),
                multiplier: Nullable::ExplicitNull,
                max_delay_ms: Nullable::ImplicitNull,
            }),
            ..nothing()
        });
        let expected = RetryOverrides {
            max_attempts: Some(3),
            initial_delay: Some(Duration::from_millis(250)),
            multiplier: None,
            max_delay: None,
        };
        assert_eq!(fields.unwrap().retry, expected);
    }

    #[test]
    fn what_can_not_be_null_says_so() {
        for (change, field) in [
            (
                ReceiverChange {
                    name: Nullable::ExplicitNull,
                    ..nothing()
                },
                "name",
            ),
            (
                ReceiverChange {
                    webhook_uri: Nullable::ExplicitNull,
                    ..nothing()
                },
                "webhookUri",
            ),
        ] {
            let path = InputPath::argument("input").field(field);
            assert_eq!(over(change).unwrap_err().path, Some(path));
        }
    }

    #[test]
    fn a_new_uri_is_judged() {
        let with = |uri: &str| {
            over(ReceiverChange {
                webhook_uri: Nullable::Some(uri.to_owned()),
                ..nothing()
            })
        };
        assert!(with("https://new.example").is_ok());
        let refused = with("https://other.example").unwrap_err();
        assert_eq!(refused.message, "input.webhookUri is not new");
    }
}
