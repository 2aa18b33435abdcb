//! What rowhook shows to a receiver that asks who calls (mutual TLS): a certificate, and the private key that
//! proves that it is rowhook's.
//!
//! Checked by `policy::client_certificate` when it is saved, its key kept encrypted by the store, shown by the
//! transport. Like a shared secret, the key never prints itself.

use std::fmt;

use sha2::{Digest, Sha256};

/// A certificate with its chain, and its private key.
#[derive(Clone)]
pub struct ClientIdentity {
    certificate: String,
    key: String,
    fingerprint: [u8; 32],
}

impl ClientIdentity {
    /// Of two PEM texts that have been checked: the chain, the receiver's certificate first, and the key.
    pub fn new(certificate: String, key: String) -> Self {
        let mut hash = Sha256::new();
        hash.update(certificate.as_bytes());
        // No PEM text holds a NUL, so no two pairs look alike.
        hash.update([0]);
        hash.update(key.as_bytes());
        Self {
            certificate,
            key,
            fingerprint: hash.finalize().into(),
        }
    }

    /// The certificate and its chain, PEM. Nothing of it is secret.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The private key, PEM: for the store that seals it and for TLS.
    pub fn expose_key(&self) -> &str {
        &self.key
    }

    /// The same for the same certificate and key, and for nothing else: connections are shared by it.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}
