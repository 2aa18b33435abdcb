//! Client certificates: whether a certificate and a key can be used together, and what a certificate says.
//!
//! The management API asks here before it saves a pair, so that a mistake is told to whoever makes it and not
//! to the log of failed deliveries. What is saved is written anew from what was read: only the certificates and
//! the one key, nothing that stood around them. Whether a receiver accepts the certificate, only it can tell.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SigningKey},
};
use x509_parser::{certificate::X509Certificate, parse_x509_certificate};

use crate::domain::client_identity::ClientIdentity;

/// Bytes of a certificate's PEM text with its chain, at most: ten times what chains have.
pub const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;
/// Bytes of a key's PEM text at most: RSA with 8192 bits has 6.5 KiB.
pub const MAX_KEY_BYTES: usize = 16 * 1024;
/// Characters in a line of PEM (RFC 7468).
const PEM_LINE: usize = 64;

/// What is wrong with a pair. The texts complete "clientCertificate …" or "clientKey …", and none holds anything
/// of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The certificate's text is too long.
    #[error(
        "must have at most {MAX_CERTIFICATE_BYTES} bytes; give the certificate and its chain, not a bundle of CAs"
    )]
    CertificateTooLong,
    /// A key where everybody who may read the receiver would see it.
    #[error(
        "holds a private key, and it is shown to whoever may read the receiver; put the key into clientKey alone, and \
         consider it known to whoever saw this request"
    )]
    KeyInCertificate,
    /// No certificate.
    #[error(
        "holds no certificate; give the PEM text, which begins with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// The certificate's text breaks off or is no PEM.
    #[error(
        "is not readable as PEM; give whole blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    )]
    CertificatePem,
    /// One of the certificates is none.
    #[error("holds no X.509 certificate in block {number}")]
    BadCertificate {
        /// Its place, from 1.
        number: usize,
    },
    /// Its time is over.
    #[error("expired at {at}; give one that is valid")]
    Expired {
        /// When.
        at: String,
    },
    /// Its time has not come.
    #[error("is not valid before {at}, and until then the receiver would refuse it; set it then")]
    NotYetValid {
        /// When it comes.
        at: String,
    },
    /// The key's text is too long.
    #[error("must have at most {MAX_KEY_BYTES} bytes")]
    KeyTooLong,
    /// The key is locked.
    #[error(
        "is encrypted with a passphrase; give it without one (openssl pkey -in KEY writes it so), rowhook encrypts it itself"
    )]
    KeyEncrypted,
    /// No key.
    #[error(
        "holds no private key; give the PEM text, which begins with -----BEGIN PRIVATE KEY-----"
    )]
    NoKey,
    /// A key that this TLS can not use.
    #[error(
        "is of no kind that rowhook can use: RSA with 2048 to 8192 bits, ECDSA on P-256 or P-384, Ed25519"
    )]
    KeyKind,
    /// It is another certificate's.
    #[error("is not the key of the first certificate in clientCertificate{}", .of.map(|number| format!(", but of certificate {number}: that one must come first")).unwrap_or_default())]
    Mismatch {
        /// The place of the certificate that it is the key of, from 1.
        of: Option<usize>,
    },
}

impl Unusable {
    /// Whether the key is at fault, and not the certificate.
    pub fn is_of_key(&self) -> bool {
        match self {
            Self::CertificateTooLong
            | Self::KeyInCertificate
            | Self::NoCertificate
            | Self::CertificatePem
            | Self::BadCertificate { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. } => false,
            Self::KeyTooLong
            | Self::KeyEncrypted
            | Self::NoKey
            | Self::KeyKind
            | Self::Mismatch { .. } => true,
        }
    }
}

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whom it names: `CN=rowhook, O=Example`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// It is valid from then on.
    pub not_before: DateTime<Utc>,
    /// And until then.
    pub not_after: DateTime<Utc>,
}

/// Whether rowhook can show this certificate with this key; both PEM.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn check(certificate: &str, key: &str, now: DateTime<Utc>) -> Result<ClientIdentity, Unusable> {
    let chain = read_chain(certificate)?;
    let parsed = chain
        .iter()
        .enumerate()
        .map(|(at, der)| parse(der).ok_or(Unusable::BadCertificate { number: at + 1 }))
        .collect::<Result<Vec<_>, _>>()?;
    let facts = facts_in(&parsed[0]).ok_or(Unusable::BadCertificate { number: 1 })?;
    if facts.not_after < now {
        return Err(Unusable::Expired {
            at: moment(facts.not_after),
        });
    }
    if facts.not_before > now {
        return Err(Unusable::NotYetValid {
            at: moment(facts.not_before),
        });
    }
    let key = read_key(key)?;
    let signing = signing_key(&key)?;
    // A kind of key that does not tell its public half is taken at its word.
    if let Some(public) = signing.public_key() {
        let of = parsed
            .iter()
            .position(|one| one.public_key().raw == public.as_ref());
        if of != Some(0) {
            return Err(Unusable::Mismatch {
                of: of.map(|at| at + 1),
            });
        }
    }
    let certificate = chain.iter().map(|der| to_pem("CERTIFICATE", der)).collect();
    let label = match &key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let key = to_pem(label, key.secret_der());
    Ok(ClientIdentity::new(certificate, key))
}

/// What the first certificate of a stored chain says; none where it can not be read.
pub fn facts(certificate: &str) -> Option<CertificateFacts> {
    let chain = read_chain(certificate).ok()?;
    facts_in(&parse(&chain[0])?)
}

/// A stored pair as TLS uses it.
///
/// # Errors
///
/// Where it could not have been saved.
pub fn certified_key(identity: &ClientIdentity) -> Result<CertifiedKey, Unusable> {
    let chain = read_chain(identity.certificate())?;
    let key = read_key(identity.expose_key())?;
    Ok(CertifiedKey::new(chain, signing_key(&key)?))
}

fn read_chain(text: &str) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    if text.len() > MAX_CERTIFICATE_BYTES {
        return Err(Unusable::CertificateTooLong);
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(Unusable::KeyInCertificate);
    }
    let chain = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Unusable::CertificatePem)?;
    if chain.is_empty() {
        return Err(Unusable::NoCertificate);
    }
    Ok(chain)
}

fn read_key(text: &str) -> Result<PrivateKeyDer<'static>, Unusable> {
    if text.len() > MAX_KEY_BYTES {
        return Err(Unusable::KeyTooLong);
    }
    if text.contains("ENCRYPTED") {
        return Err(Unusable::KeyEncrypted);
    }
    // The decoder's own words may show a line of the text.
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| Unusable::NoKey)
}

fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, Unusable> {
    any_supported_type(key).map_err(|_| Unusable::KeyKind)
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    let (rest, certificate) = parse_x509_certificate(der).ok()?;
    rest.is_empty().then_some(certificate)
}

fn facts_in(certificate: &X509Certificate<'_>) -> Option<CertificateFacts> {
    let validity = certificate.validity();
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0);
    Some(CertificateFacts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: at(validity.not_before.timestamp())?,
        not_after: at(validity.not_after.timestamp())?,
    })
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}
