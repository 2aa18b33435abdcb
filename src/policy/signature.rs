//! The two signatures of a delivery, made and verified.
//!
//! The sender asks for them once per attempt, with the very bytes that it sends; `rowhook verify` and the
//! example receiver verify with the same functions. Pure: no clock, no randomness, no logging, and no
//! change to what it is given. Whether a timestamp is fresh is the verifier's own question.
//!
//! - `x-ion-signature`: [`ion_message`], then [`ion_signature`] (the developer guide's "Signature
//!   verification").
//! - `webhook-signature`: [`standard_signature`] (Standard Webhooks specification, "Signature scheme").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::{
    domain::shared_secret::SharedSecret,
    policy::{
        python_json::{self, MAX_DEPTH, MAX_INTEGER_DIGITS, ReadError, Value},
        python_repr::{self, LoneSurrogate},
    },
};

/// The version of the Standard Webhooks scheme that a shared secret serves (HMAC-SHA256).
const STANDARD_VERSION: &str = "v1,";

/// Why the guide's function would raise on a `data` instead of giving a signature. Such an event carries
/// the Standard Webhooks signature alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// Python's `int()` refuses the number.
    #[error(
        "it holds an integer of {digits} digits, and Python reads at most {MAX_INTEGER_DIGITS}"
    )]
    IntegerTooLong {
        /// How many digits the integer has.
        digits: usize,
    },
    /// Python's recursion limit stands against it.
    #[error("its values are nested more than {MAX_DEPTH} deep, and Python may not read that")]
    TooDeep,
    /// A key or a text value of `data` itself has no UTF-8 form.
    #[error("a key or a text in it holds half of a surrogate pair, which UTF-8 can not write")]
    LoneSurrogate,
    /// `data` is some other JSON value.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// `data` is no JSON at all.
    #[error("it is not JSON: byte {offset} can not stand where it does")]
    Malformed {
        /// Where reading stopped, in bytes from the start of `data`.
        offset: usize,
    },
}

impl From<ReadError> for Unsignable {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::IntegerTooLong { digits } => Self::IntegerTooLong { digits },
            ReadError::TooDeep => Self::TooDeep,
            ReadError::Malformed { offset } => Self::Malformed { offset },
        }
    }
}

impl From<LoneSurrogate> for Unsignable {
    fn from(LoneSurrogate: LoneSurrogate) -> Self {
        Self::LoneSurrogate
    }
}

/// The text that `x-ion-signature` signs: `webhook_uri?`, then `key:value` of each non-null member of
/// `data`, sorted by key, joined with `&`; each value as Python's `str()` writes what `json.loads` reads.
///
/// `data_json` is the text of the body's `data`, letter by letter as it is sent: the order of keys inside
/// its values and the notation of its numbers are part of what is signed.
///
/// Source: the developer guide's `verify_signature`, run by CPython 3.11. It sorts the members by key; the
/// formula that the guide prints above it sorts the finished `key:value` texts, which differs only where a
/// key is the start of another one that goes on with a character below `:`.
///
/// # Errors
///
/// Where that function would raise; see [`Unsignable`].
pub fn ion_message(webhook_uri: &str, data_json: &str) -> Result<String, Unsignable> {
    let Value::Dict(members) = python_json::read(data_json)? else {
        return Err(Unsignable::NotAnObject);
    };
    let mut signed = Vec::with_capacity(members.len());
    for (key, value) in &members {
        if !matches!(value, Value::None) {
            signed.push((python_repr::utf8(key)?, value));
        }
    }
    // The order of UTF-8 bytes is the order of code points, by which Python compares strings.
    signed.sort_unstable_by_key(|&(key, _)| key);

    // Python spaces out separators that the JSON text may leave out: an eighth more is usually enough.
    let room = webhook_uri.len() + data_json.len() + data_json.len() / 8 + 16;
    let mut message = String::with_capacity(room);
    message.push_str(webhook_uri);
    message.push('?');
    for (place, (key, value)) in signed.into_iter().enumerate() {
        if place > 0 {
            message.push('&');
        }
        message.push_str(key);
        message.push(':');
        python_repr::push_str(&mut message, value)?;
    }
    Ok(message)
}

/// The `x-ion-signature` of an [`ion_message`]: base64(HMAC-SHA1(key = the secret's whole text, prefix
/// included, as UTF-8; message as UTF-8)).
///
/// Source: the developer guide, "Signature verification". SHA-1 is the guide's choice; as an HMAC it is
/// not open to SHA-1's collisions.
#[must_use]
pub fn ion_signature(secret: &SharedSecret, message: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// One signature of the `webhook-signature` header: `v1,` and base64(HMAC-SHA256(key = the bytes that the
/// secret's base64 stands for; `webhook_id.timestamp.body`)). During a rotation the header holds the new
/// and the old secret's, separated by a space.
///
/// Source: Standard Webhooks specification, "Signature scheme".
#[must_use]
pub fn standard_signature(
    secret: &SharedSecret,
    webhook_id: &str,
    timestamp_seconds: i64,
    body: &[u8],
) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.webhook_key())
        .expect("HMAC takes a key of any length");
    mac.update(format!("{webhook_id}.{timestamp_seconds}.").as_bytes());
    mac.update(body);
    let mut signature = String::from(STANDARD_VERSION);
    STANDARD.encode_string(mac.finalize().into_bytes(), &mut signature);
    signature
}

/// Whether `header` is the `x-ion-signature` of an [`ion_message`].
///
/// Takes the same time for every header of the right length.
#[must_use]
pub fn verify_ion(secret: &SharedSecret, message: &str, header: &str) -> bool {
    let expected = ion_signature(secret, message);
    expected.as_bytes().ct_eq(header.as_bytes()).into()
}

/// Whether `header`, a `webhook-signature`, holds the signature of these bytes among the space-separated
/// ones that it may carry. Those of other versions are passed over, as the specification asks.
///
/// Takes the same time wherever in the header the right signature stands, and whatever the wrong ones are.
/// It does not judge the age of `timestamp_seconds`: that needs a clock, and the caller has one.
#[must_use]
pub fn verify_standard(
    secret: &SharedSecret,
    webhook_id: &str,
    timestamp_seconds: i64,
    body: &[u8],
    header: &str,
) -> bool {
    let expected = standard_signature(secret, webhook_id, timestamp_seconds, body);
    let mut found = Choice::from(0);
    for signature in header.split(' ') {
        found |= expected.as_bytes().ct_eq(signature.as_bytes());
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://example.com/hook";

    fn secret(text: &str) -> SharedSecret {
        SharedSecret::parse(text).expect("a valid secret")
    }

    fn spec_secret() -> SharedSecret {
        secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    #[test]
    fn the_guides_example_signs_as_in_python() {
        let data = r#"{"id": 1234, "etag": "abc123", "old": {"status": "in_progress"}, "new": {"status": "complete", "completed_at": "2026-04-26T19:33:42.108Z"}}"#;
        let message = ion_message(URI, data).expect("signable");
        assert_eq!(
            message,
            "https://example.com/hook?etag:abc123&id:1234\
             &new:{'status': 'complete', 'completed_at': '2026-04-26T19:33:42.108Z'}\
             &old:{'status': 'in_progress'}"
        );
        // Both computed by the guide's function under CPython 3.11.
        assert_eq!(
            ion_signature(&spec_secret(), &message),
            "zs6k/jN1qvhcjO9zsaWnS3pXqKk="
        );
        let data = r#"{"id":12345678901234567890123,"etag":"it's","old":null,"new":{"n":1.50,"e":1E5,"t":"it's \"ok\"\n\u00a0é🎉","b":[true,false,null,-0,-0.0,1e400]}}"#;
        let message = ion_message("https://example.com/hook?x=1&y=é", data).expect("signable");
        assert_eq!(
            message,
            "https://example.com/hook?x=1&y=é?etag:it's&id:12345678901234567890123\
             &new:{'n': 1.5, 'e': 100000.0, 't': 'it\\'s \"ok\"\\n\\xa0é🎉', \
             'b': [True, False, None, 0, -0.0, inf]}"
        );
        assert_eq!(
            ion_signature(&spec_secret(), &message),
            "2bA3NwGUj2/sqnErciN67DVF5+0="
        );
    }

    #[test]
    fn members_are_sorted_by_code_point_and_nulls_left_out() {
        let message = |data: &str| ion_message("u", data);
        assert_eq!(message("{}").as_deref(), Ok("u?"));
        assert_eq!(message(r#"{"a":null}"#).as_deref(), Ok("u?"));
        assert_eq!(
            message("{\"\u{ff5e}\":1,\"b\":2,\"\u{1f389}\":3,\"B\":4,\"\":5}").as_deref(),
            Ok("u?:5&B:4&b:2&\u{ff5e}:1&\u{1f389}:3")
        );
        // By key, not by the finished text: `!` comes before `:`.
        assert_eq!(message(r#"{"a!":1,"a":2}"#).as_deref(), Ok("u?a:2&a!:1"));
        assert_eq!(message(r#"{"a":1,"b":2,"a":null}"#).as_deref(), Ok("u?b:2"));
        assert_eq!(message(r#"{"a":null,"a":3}"#).as_deref(), Ok("u?a:3"));
    }

    #[test]
    fn what_python_refuses_is_unsignable() {
        let refused = |data: &str| ion_message("u", data).expect_err("unsignable");
        let long = "1".repeat(4301);
        assert_eq!(
            refused(&format!(r#"{{"a":1,"a":[-{long}],"a":2}}"#)),
            Unsignable::IntegerTooLong { digits: 4301 }
        );
        assert_eq!(
            refused(&format!("{{\"a\":{}", "[".repeat(1000))),
            Unsignable::TooDeep
        );
        assert_eq!(refused(r#"{"a":"\udfff"}"#), Unsignable::LoneSurrogate);
        assert_eq!(refused(r#"{"\ud800":1}"#), Unsignable::LoneSurrogate);
        assert_eq!(refused("[1]"), Unsignable::NotAnObject);
        assert_eq!(refused("null"), Unsignable::NotAnObject);
        assert_eq!(refused(r#"{"a":}"#), Unsignable::Malformed { offset: 5 });
        // Escaped in `repr`, left out with its null: Python signs these.
        assert_eq!(
            ion_message("u", r#"{"a":["\ud800"],"\ud800":null}"#).as_deref(),
            Ok(r"u?a:['\ud800']")
        );
    }

    #[test]
    fn reasons_are_for_people() {
        assert_eq!(
            Unsignable::IntegerTooLong { digits: 5000 }.to_string(),
            "it holds an integer of 5000 digits, and Python reads at most 4300"
        );
    }

    #[test]
    fn the_ion_signature_is_verified() {
        let secret = spec_secret();
        let message = ion_message(URI, r#"{"id":1}"#).expect("signable");
        let signature = ion_signature(&secret, &message);
        assert!(verify_ion(&secret, &message, &signature));
        assert!(!verify_ion(&secret, &format!("{message}0"), &signature));
        assert!(!verify_ion(&SharedSecret::generate(), &message, &signature));
        assert!(!verify_ion(&secret, &message, ""));
        assert!(!verify_ion(&secret, &message, &signature[..27]));
        assert!(!verify_ion(&secret, &message, &format!(" {signature}")));
    }

    // The vector that the reference implementations of Standard Webhooks publish with their own tests.
    const SPEC_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SPEC_TIMESTAMP: i64 = 1_614_265_330;
    const SPEC_BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SPEC_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_vector_of_standard_webhooks() {
        assert_eq!(
            standard_signature(&spec_secret(), SPEC_ID, SPEC_TIMESTAMP, SPEC_BODY),
            SPEC_SIGNATURE
        );
    }

    #[test]
    fn one_right_signature_among_several_is_enough() {
        let verify = |header: &str| {
            verify_standard(&spec_secret(), SPEC_ID, SPEC_TIMESTAMP, SPEC_BODY, header)
        };
        let other = standard_signature(
            &SharedSecret::generate(),
            SPEC_ID,
            SPEC_TIMESTAMP,
            SPEC_BODY,
        );
        assert!(verify(SPEC_SIGNATURE));
        assert!(verify(&format!("{other} {SPEC_SIGNATURE}")));
        assert!(verify(&format!("{SPEC_SIGNATURE} {other}")));
        assert!(verify(&format!("v1a,AAAA v2,BBBB {SPEC_SIGNATURE}")));
        assert!(!verify(&other));
        assert!(!verify(""));
        assert!(!verify("v1,"));
        assert!(!verify(&SPEC_SIGNATURE.replace("v1,", "v2,")));
        assert!(!verify(&SPEC_SIGNATURE.replace("v1,", "")));
        assert!(!verify(&format!("{SPEC_SIGNATURE},{other}")));
    }

    #[test]
    fn each_signed_part_counts() {
        let verify = |id: &str, timestamp: i64, body: &[u8]| {
            verify_standard(&spec_secret(), id, timestamp, body, SPEC_SIGNATURE)
        };
        assert!(verify(SPEC_ID, SPEC_TIMESTAMP, SPEC_BODY));
        assert!(!verify("msg_", SPEC_TIMESTAMP, SPEC_BODY));
        assert!(!verify(SPEC_ID, SPEC_TIMESTAMP + 1, SPEC_BODY));
        assert!(!verify(SPEC_ID, SPEC_TIMESTAMP, br#"{"test": 2432232315}"#));
    }
}
