//! A certificate authority of the test's own, and servers that present what it issued.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

/// What a client shows.
pub struct ClientPair {
    pub certificate: String,
    pub key: String,
}

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The dates of a certificate.
#[derive(Clone, Copy)]
pub enum Dates {
    Valid,
    Expired,
    Future,
}

impl Dates {
    fn of(self, params: &mut CertificateParams) {
        let (first, last) = match self {
            Self::Valid => (2020, 4000),
            Self::Expired => (2020, 2021),
            Self::Future => (3999, 4000),
        };
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 1, 1);
    }
}

/// Whether a server asks for a client certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Politely,
    AndDemands,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("rowhook test CA")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server with a certificate for a name or an IP address.
    pub fn acceptor(&self, name: &str, dates: Dates) -> TlsAcceptor {
        self.build(name, dates, Asks::Nothing)
    }

    /// The same, which demands a client certificate.
    pub fn demanding_acceptor(&self, name: &str) -> TlsAcceptor {
        self.build(name, Dates::Valid, Asks::AndDemands)
    }

    /// The same, which asks for one and lets those in who have none.
    pub fn asking_acceptor(&self, name: &str) -> TlsAcceptor {
        self.build(name, Dates::Valid, Asks::Politely)
    }

    /// A certificate for a client of this name, with its key.
    pub fn client(&self, name: &str, dates: Dates) -> ClientPair {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        dates.of(&mut params);
        let key = KeyPair::generate().unwrap();
        ClientPair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn build(&self, name: &str, dates: Dates, asks: Asks) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        dates.of(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks != Asks::Nothing {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).unwrap();
            let mut verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            if asks == Asks::Politely {
                verifier = verifier.allow_unauthenticated();
            }
            let verifier = verifier.build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
