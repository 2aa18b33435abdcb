//! TLS: whom rowhook trusts, and what went wrong in words.
//!
//! The composition root builds one client configuration here and hands it to every thread's
//! transport, which shares its session cache. Certificate checks are never switched off. For a receiver that
//! has a client certificate it is this one with the certificate added.

use std::{io, sync::Arc};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, pem::PemObject},
    sign::SingleCertAndKey,
};

use crate::{
    domain::{attempt::SendError, client_identity::ClientIdentity},
    policy::client_certificate::certified_key,
};

/// Why no TLS configuration could be made. The texts tell the operator what to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsSettingsError {
    /// Neither the system nor the configuration names a certificate authority.
    #[error(
        "no certificate authority to trust: install the system's CA certificates (or point \
         SSL_CERT_FILE to them), or set receivers.ca_bundle{}",
        .detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default()
    )]
    NoRoots {
        /// What the system's store said.
        detail: Option<String>,
    },
    /// The bundle is no PEM.
    #[error("receivers.ca_bundle is not readable as PEM: {detail}")]
    Pem {
        /// The decoder's words.
        detail: String,
    },
    /// The bundle holds no certificate.
    #[error("receivers.ca_bundle holds no CERTIFICATE block")]
    EmptyBundle,
    /// A certificate of the bundle is broken.
    #[error("certificate {number} of receivers.ca_bundle can not be used: {detail}")]
    BadCertificate {
        /// Its place in the bundle, from 1.
        number: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// The crypto provider can not do the protocol versions.
    #[error("TLS can not be set up: {detail}")]
    Provider {
        /// The library's words.
        detail: String,
    },
}

/// The configuration for deliveries: the system's roots and, if given, those of a PEM bundle.
///
/// A broken certificate among the system's is passed over, as everywhere; one in the bundle is an
/// error, because the operator named it.
pub fn client_config(ca_bundle: Option<&[u8]>) -> Result<ClientConfig, TlsSettingsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(pem) = ca_bundle {
        add_bundle(&mut roots, pem)?;
    }
    if roots.is_empty() {
        return Err(TlsSettingsError::NoRoots {
            detail: system.errors.first().map(ToString::to_string),
        });
    }
    // Named rather than taken from the process default, so that no order of start-up matters.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsSettingsError::Provider {
            detail: error.to_string(),
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Not HTTP/2: docs/ARCHITECTURE.md says what goes wrong with it in awc.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The configuration for a receiver that may ask for a certificate.
///
/// # Errors
///
/// Where the pair can not be used, which saving it has ruled out.
pub(super) fn showing(
    base: &ClientConfig,
    identity: &ClientIdentity,
) -> Result<ClientConfig, SendError> {
    let pair = certified_key(identity).map_err(|fault| SendError::Local {
        detail: format!("the receiver's client certificate can not be used: it {fault}"),
    })?;
    let mut config = base.clone();
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(pair));
    // A session speaks for the certificate that it was begun with.
    config.resumption = Resumption::default();
    Ok(config)
}

fn add_bundle(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsSettingsError> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsSettingsError::Pem {
            detail: error.to_string(),
        })?;
        count += 1;
        roots
            .add(certificate)
            .map_err(|error| TlsSettingsError::BadCertificate {
                number: count,
                detail: error.to_string(),
            })?;
    }
    if count == 0 {
        return Err(TlsSettingsError::EmptyBundle);
    }
    Ok(())
}

/// The TLS fault inside an I/O error, if there is one.
pub(super) fn fault_in(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// A TLS fault in words that tell the receiver's owner what to mend; `showing`: whether rowhook has a certificate
/// for this receiver.
pub(super) fn words(fault: &Error, showing: bool) -> String {
    match fault {
        Error::InvalidCertificate(fault) => certificate_words(fault),
        Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers there speaks no TLS; check the port, or whether it wants http".to_owned()
        }
        Error::AlertReceived(alert) if is_about_our_certificate(*alert) => {
            if showing {
                format!(
                    "the receiver asks for a client certificate and does not accept the one that it is shown \
                     ({alert:?}); check that the receiver trusts its issuer, and when it expires"
                )
            } else {
                format!(
                    "the receiver asks for a client certificate ({alert:?}), and none is set; set \
                     clientCertificate and clientKey of the receiver"
                )
            }
        }
        // What OpenSSL says with TLS 1.2 where it gets no certificate, among other things.
        Error::AlertReceived(AlertDescription::HandshakeFailure) if !showing => {
            format!(
                "the receiver asks for a client certificate, or has no TLS version or cipher in common with \
                 rowhook ({fault}); set clientCertificate and clientKey of the receiver, or offer TLS 1.2 or 1.3"
            )
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not serve this host name".to_owned()
        }
        Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        )
        | Error::PeerIncompatible(_) => {
            format!(
                "the server and rowhook have no TLS version or cipher in common ({fault}); it must offer TLS 1.2 or 1.3"
            )
        }
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server does not offer HTTP/1.1".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server broke the handshake off ({alert:?})"),
        other => other.to_string(),
    }
}

/// What a server says of a client's certificate, or of its lack. rowhook's side of a handshake has nothing else
/// that a server could say it of.
fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

fn certificate_words(fault: &CertificateError) -> String {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; check its dates and both clocks".to_owned()
        }
        CertificateError::UnknownIssuer => "the server's certificate is from an unknown issuer; \
             serve the whole chain, or add its CA to receivers.ca_bundle"
            .to_owned(),
        CertificateError::BadSignature => "the server's certificate is not signed by the key of \
             the CA that it names; if that CA has been renewed, put the new one into \
             receivers.ca_bundle"
            .to_owned(),
        CertificateError::NotValidForName => {
            "the server's certificate is for another host name".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "the server's certificate is for no host name at all (no subjectAltName)".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the server's certificate is for another host name (it is for {})",
            presented.join(", ")
        ),
        CertificateError::Revoked => "the server's certificate has been revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server shows a CA's certificate as its own; issue a certificate for the server"
                .to_owned()
        }
        other => format!("the server's certificate can not be accepted: {other}"),
    }
}
