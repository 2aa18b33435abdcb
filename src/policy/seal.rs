//! Secrets at rest: shared secrets and header values are stored as authenticated ciphertext.
//!
//! The stores hand plain text in before they write and sealed text in after they read; the configuration
//! makes the one [`Sealer`] of the process. A sealed text is `v1.<key id>.<base64(nonce ‖ ciphertext)>`:
//! XChaCha20-Poly1305 with a random 24-byte nonce (wide enough to be drawn at random for ever) and the
//! text's purpose as associated data, so that a header value can not be passed off as a shared secret.
//! The key id tells which key opens a text, so a key is changed by making the new one current and keeping
//! the old one among the previous ones.
//!
//! Nothing here writes, and neither an error nor a `Debug` holds a key or a plain text.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};

/// Bytes of a sealing key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// The only format so far.
const VERSION: &str = "v1";
/// Keeps the key id's hash apart from any other use of the key.
const KEY_ID_DOMAIN: &[u8] = b"rowhook sealing key id v1\0";

/// What a sealed text is for; it opens only for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A receiver's shared secret.
    SharedSecret,
    /// The value of a receiver's custom header.
    HeaderValue,
    /// The private key of a receiver's client certificate.
    ClientKey,
}

impl Purpose {
    /// The associated data. Stored texts depend on it: it never changes.
    fn associated_data(self) -> &'static [u8] {
        match self {
            Self::SharedSecret => b"rowhook v1 shared secret",
            Self::HeaderValue => b"rowhook v1 header value",
            Self::ClientKey => b"rowhook v1 client key",
        }
    }
}

/// Why a text could not be sealed or opened. None of them holds anything of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is no sealed text at all.
    #[error("it is not a sealed text")]
    Malformed,
    /// It was sealed with a key that this process was not given.
    #[error(
        "it was sealed with key {key_id}, which is not configured; give the secret_key that it was \
         sealed with"
    )]
    UnknownKey {
        /// The id of that key, which tells nothing about it.
        key_id: String,
    },
    /// The key is there, but the text was changed, cut or stored for another purpose.
    #[error("it was changed after it was sealed, or sealed for another purpose")]
    Tampered,
    /// The cipher refused the text: it is longer than any secret can be.
    #[error("it is too long to be sealed")]
    TooLong,
}

/// A text that is no sealing key. It holds nothing of the text, which may be a mistyped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSealingKey {
    /// It is not base64.
    #[error(
        "it must be base64 (standard alphabet, padded) of {KEY_BYTES} random bytes; `openssl rand -base64 {KEY_BYTES}` makes one"
    )]
    Base64,
    /// It is base64 of too few or too many bytes.
    #[error(
        "it must be base64 of {KEY_BYTES} bytes, this is base64 of {bytes}; `openssl rand -base64 {KEY_BYTES}` makes one"
    )]
    Length {
        /// How many bytes it holds.
        bytes: usize,
    },
}

/// Reads a sealing key as the configuration or a key file holds it: base64 of 32 bytes.
pub fn parse_key(text: &str) -> Result<[u8; KEY_BYTES], InvalidSealingKey> {
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| InvalidSealingKey::Base64)?;
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| InvalidSealingKey::Length { bytes: length })
}

/// One key and its name in sealed texts.
struct SealingKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl SealingKey {
    fn new(key: [u8; KEY_BYTES]) -> Self {
        let mut hash = Sha256::new();
        hash.update(KEY_ID_DOMAIN);
        hash.update(key);
        let id = hash.finalize()[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            id,
            cipher: XChaCha20Poly1305::new(&key.into()),
        }
    }
}

/// Seals with the current key, opens with any it was given.
pub struct Sealer {
    current: SealingKey,
    previous: Vec<SealingKey>,
}

impl Sealer {
    /// A sealer that seals with `current` and also opens what the previous keys sealed.
    pub fn new(current: [u8; KEY_BYTES], previous: Vec<[u8; KEY_BYTES]>) -> Self {
        Self {
            current: SealingKey::new(current),
            previous: previous.into_iter().map(SealingKey::new).collect(),
        }
    }

    /// The id of the key that seals, as sealed texts carry it.
    pub fn current_key_id(&self) -> &str {
        &self.current.id
    }

    /// Seals a text for one purpose. Each call draws a fresh nonce, so equal texts do not look equal.
    pub fn seal(&self, purpose: Purpose, plain: &str) -> Result<String, SealError> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: purpose.associated_data(),
        };
        let ciphertext = self
            .current
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::TooLong)?;
        let mut sealed = nonce.to_vec();
        sealed.extend(ciphertext);
        let id = &self.current.id;
        Ok(format!("{VERSION}.{id}.{}", STANDARD.encode(sealed)))
    }

    /// Whether a sealed text was sealed with the current key, as far as it says.
    pub fn is_current(&self, sealed: &str) -> bool {
        sealed.split('.').nth(1) == Some(self.current.id.as_str())
    }

    /// Opens a text that was sealed for the same purpose.
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Result<String, SealError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(VERSION), Some(key_id), Some(encoded)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError::Malformed);
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| SealError::Malformed)?;
        let (nonce, ciphertext) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Malformed)?;
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == key_id)
            .ok_or_else(|| SealError::UnknownKey {
                key_id: key_id.chars().take(16).collect(),
            })?;
        let payload = Payload {
            msg: ciphertext,
            aad: purpose.associated_data(),
        };
        let plain = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SealError::Tampered)?;
        String::from_utf8(plain).map_err(|_| SealError::Tampered)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("current", &self.current.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_do not show this";

    fn sealer() -> Sealer {
        Sealer::new([7; KEY_BYTES], vec![])
    }

    #[test]
    fn what_is_sealed_opens_again_and_looks_different_each_time() {
        let sealer = sealer();
        let first = sealer.seal(Purpose::SharedSecret, SECRET).unwrap();
        let second = sealer.seal(Purpose::SharedSecret, SECRET).unwrap();
        assert_ne!(first, second);
        assert!(!first.contains("whsec"));
        for sealed in [first, second] {
            assert_eq!(sealer.open(Purpose::SharedSecret, &sealed).unwrap(), SECRET);
        }
        let empty = sealer.seal(Purpose::HeaderValue, "").unwrap();
        assert_eq!(sealer.open(Purpose::HeaderValue, &empty).unwrap(), "");
    }

    #[test]
    fn a_text_opens_only_for_its_purpose() {
        let sealer = sealer();
        let sealed = sealer.seal(Purpose::HeaderValue, SECRET).unwrap();
        assert_eq!(
            sealer.open(Purpose::SharedSecret, &sealed),
            Err(SealError::Tampered)
        );
    }

    #[test]
    fn a_previous_key_still_opens_and_no_longer_seals() {
        let old = sealer();
        let sealed = old.seal(Purpose::SharedSecret, SECRET).unwrap();
        let rotated = Sealer::new([8; KEY_BYTES], vec![[7; KEY_BYTES]]);
        assert_eq!(
            rotated.open(Purpose::SharedSecret, &sealed).unwrap(),
            SECRET
        );
        let anew = rotated.seal(Purpose::SharedSecret, SECRET).unwrap();
        assert_eq!(
            old.open(Purpose::SharedSecret, &anew),
            Err(SealError::UnknownKey {
                key_id: rotated.current_key_id().to_owned()
            })
        );
    }

    #[test]
    fn a_change_of_any_part_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal(Purpose::SharedSecret, SECRET).unwrap();
        let (head, encoded) = sealed.rsplit_once('.').unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let text = format!("{head}.{}", STANDARD.encode(changed));
            assert_eq!(
                sealer.open(Purpose::SharedSecret, &text),
                Err(SealError::Tampered),
                "byte {index}"
            );
        }
        let cut = format!("{head}.{}", STANDARD.encode(&bytes[..bytes.len() - 1]));
        assert_eq!(
            sealer.open(Purpose::SharedSecret, &cut),
            Err(SealError::Tampered)
        );
    }

    #[test]
    fn what_is_no_sealed_text_is_told_apart() {
        let sealer = sealer();
        let id = sealer.current_key_id();
        for text in [
            "",
            SECRET,
            "v1",
            "v2.x.AAAA",
            &format!("v1.{id}.%"),
            &format!("v1.{id}.AAAA"),
        ] {
            assert_eq!(
                sealer.open(Purpose::SharedSecret, text),
                Err(SealError::Malformed),
                "{text:?}"
            );
        }
    }

    /// Stored texts outlive releases. This one was made by another implementation of the cipher (Python's
    /// `cryptography` behind an HChaCha20 of its own).
    #[test]
    fn the_format_does_not_change() {
        assert_eq!(sealer().current_key_id(), KEY_ID_OF_SEVENS);
        assert_eq!(
            sealer()
                .open(Purpose::SharedSecret, SEALED_WITH_SEVENS)
                .unwrap(),
            "whsec_golden"
        );
    }

    const KEY_ID_OF_SEVENS: &str = "757e5997";
    const SEALED_WITH_SEVENS: &str =
        "v1.757e5997.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX33/Y4JlDPMpJo+Qp0HxpeLRi/Y2aCH1o37TCvQ==";

    #[test]
    fn neither_debug_nor_errors_show_a_secret() {
        let sealer = sealer();
        assert_eq!(
            format!("{sealer:?}"),
            format!("Sealer {{ current: {KEY_ID_OF_SEVENS:?}, .. }}")
        );
        let errors = [
            format!("{:?}", sealer.open(Purpose::SharedSecret, SECRET)),
            format!("{:?}", parse_key(SECRET)),
        ];
        for error in errors {
            assert!(!error.contains("do not show"), "{error}");
        }
    }

    #[test]
    fn a_key_is_base64_of_32_bytes() {
        let text = STANDARD.encode([9u8; KEY_BYTES]);
        assert_eq!(parse_key(&text), Ok([9; KEY_BYTES]));
        assert_eq!(parse_key(&format!(" {text}\n")), Ok([9; KEY_BYTES]));
        assert_eq!(parse_key("secret!"), Err(InvalidSealingKey::Base64));
        assert_eq!(
            parse_key(&STANDARD.encode([9u8; 16])),
            Err(InvalidSealingKey::Length { bytes: 16 })
        );
    }
}
