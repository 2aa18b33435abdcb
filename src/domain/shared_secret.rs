//! The secret that a receiver shares with rowhook, the key of both signatures.
//!
//! Made once when a receiver is created or its secret rotated, shown to its owner once, kept encrypted by
//! the store, read by `policy::signature`. It never prints itself: no `Display`, no serde, and a `Debug`
//! that hides the text, so a secret can reach a log, an error or a metric only through a call of
//! [`SharedSecret::expose`] that a reader can search for.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What every secret starts with (Standard Webhooks specification, "Signature scheme").
const PREFIX: &str = "whsec_";

/// Bytes of randomness in a generated secret: the width of SHA-256, and above SHA-1's.
const GENERATED_BYTES: usize = 32;

/// Fewest and most key bytes that the Standard Webhooks specification allows (192 to 512 bits).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver's secret: `whsec_` and the base64 of its key bytes.
///
/// Holds only text that [`SharedSecret::parse`] accepts. There is deliberately no `PartialEq`: secrets are
/// compared through the signatures they make, in constant time.
#[derive(Clone)]
pub struct SharedSecret(String);

/// A text that is no shared secret. It carries nothing of the text, which may be a mistyped secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSharedSecret {
    /// The text does not start with `whsec_`.
    #[error("a shared secret starts with `whsec_`")]
    Prefix,
    /// What follows the prefix is not padded base64 in the standard alphabet.
    #[error("what follows `whsec_` in a shared secret must be base64 (standard alphabet, padded)")]
    Base64,
    /// The decoded key is too short or too long.
    #[error("a shared secret must hold 24 to 64 bytes, this one holds {bytes}")]
    Length {
        /// How many bytes the text holds.
        bytes: usize,
    },
}

impl SharedSecret {
    /// Makes a new secret from 32 bytes of the thread's cryptographic generator, which the operating
    /// system seeds.
    #[must_use]
    pub fn generate() -> Self {
        let key: [u8; GENERATED_BYTES] = rand::random();
        let mut text = String::with_capacity(PREFIX.len() + GENERATED_BYTES.div_ceil(3) * 4);
        text.push_str(PREFIX);
        STANDARD.encode_string(key, &mut text);
        Self(text)
    }

    /// Takes a secret as its owner wrote it or as the store decrypted it.
    ///
    /// # Errors
    ///
    /// When the prefix is missing, the rest is not base64, or the key is not 24 to 64 bytes long.
    pub fn parse(text: &str) -> Result<Self, InvalidSharedSecret> {
        let encoded = text
            .strip_prefix(PREFIX)
            .ok_or(InvalidSharedSecret::Prefix)?;
        let key = STANDARD
            .decode(encoded)
            .map_err(|_| InvalidSharedSecret::Base64)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(InvalidSharedSecret::Length { bytes: key.len() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole text, prefix included: what the owner is shown once, what the store encrypts, and the key
    /// of `x-ion-signature`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key of `webhook-signature`: the bytes that the base64 after `whsec_` stands for
    /// (Standard Webhooks specification, "Signature scheme").
    #[must_use]
    pub fn webhook_key(&self) -> Vec<u8> {
        STANDARD
            .decode(&self.0[PREFIX.len()..])
            .expect("a SharedSecret holds only text whose base64 was decoded when it was made")
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedSecret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_reads_back() {
        let secret = SharedSecret::generate();
        assert!(secret.expose().starts_with("whsec_"));
        assert_eq!(secret.expose().len(), "whsec_".len() + 44);
        let again = SharedSecret::parse(secret.expose()).expect("a generated secret parses");
        assert_eq!(again.expose(), secret.expose());
        assert_eq!(again.webhook_key().len(), 32);
        assert_eq!(again.webhook_key(), secret.webhook_key());
    }

    #[test]
    fn generated_secrets_differ() {
        assert_ne!(
            SharedSecret::generate().expose(),
            SharedSecret::generate().expose()
        );
    }

    #[test]
    fn the_key_is_the_decoded_rest() {
        let secret = SharedSecret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").expect("valid");
        assert_eq!(secret.webhook_key(), (0u8..24).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_secret_is_refused_with_its_reason() {
        let refused = |text: &str| SharedSecret::parse(text).expect_err("not a secret");
        assert_eq!(refused(""), InvalidSharedSecret::Prefix);
        assert_eq!(
            refused("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            InvalidSharedSecret::Prefix
        );
        assert_eq!(
            refused("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            InvalidSharedSecret::Prefix
        );
        for rest in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",  // a character short
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", // the URL alphabet
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA", // no padding
        ] {
            assert_eq!(
                refused(&format!("whsec_{rest}")),
                InvalidSharedSecret::Base64
            );
        }
        assert_eq!(refused("whsec_"), InvalidSharedSecret::Length { bytes: 0 });
        let long = STANDARD.encode([7u8; 65]);
        assert_eq!(
            refused(&format!("whsec_{long}")),
            InvalidSharedSecret::Length { bytes: 65 }
        );
    }

    #[test]
    fn debug_hides_the_secret() {
        let secret = SharedSecret::generate();
        assert_eq!(format!("{secret:?}"), "SharedSecret(hidden)");
        let text = format!("{:?}", SharedSecret::parse("whsec_hunter2"));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
