//! The certificate that rowhook shows to a receiver: what the API tells of it, and the rules for setting it.

use chrono::Utc;
use juniper::{GraphQLObject, Nullable};

use crate::{
    policy::client_certificate::{check, facts},
    store::receivers::ClientIdentityChange,
};

use super::{
    context::Context,
    error::{ApiError, InputPath},
    scalar::ApiScalar,
    scalars::DateTime,
};

/// A certificate that rowhook shows to a receiver which asks for one (mutual TLS). Its private key is read by
/// nobody.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookClientCertificate", context = Context, scalar = ApiScalar)]
pub struct WebhookClientCertificate {
    /// The PEM text of the certificate and, after it, its chain.
    pub pem: String,
    /// Whom it names, as in `CN=rowhook, O=Example`; null where it can not be read.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// It is valid from then on.
    pub valid_from: Option<DateTime>,
    /// It is valid until then. rowhook goes on showing it after that, and the receiver decides.
    pub valid_until: Option<DateTime>,
}

impl From<&str> for WebhookClientCertificate {
    fn from(pem: &str) -> Self {
        let facts = facts(pem);
        let facts = facts.as_ref();
        Self {
            pem: pem.to_owned(),
            subject: facts.map(|facts| facts.subject.clone()),
            issuer: facts.map(|facts| facts.issuer.clone()),
            valid_from: facts.map(|facts| DateTime(facts.not_before)),
            valid_until: facts.map(|facts| DateTime(facts.not_after)),
        }
    }
}

/// What the two input fields say together. A certificate and its key are set at once; null for the certificate
/// removes both.
pub fn change(
    certificate: Nullable<String>,
    key: Nullable<String>,
    input: &InputPath,
) -> Result<ClientIdentityChange, ApiError> {
    let certificate_at = input.field("clientCertificate");
    let key_at = input.field("clientKey");
    match (certificate, key) {
        (Nullable::ImplicitNull, Nullable::ImplicitNull) => Ok(ClientIdentityChange::Keep),
        (Nullable::ExplicitNull, Nullable::ImplicitNull | Nullable::ExplicitNull) => {
            Ok(ClientIdentityChange::Remove)
        }
        (Nullable::Some(certificate), Nullable::Some(key)) => {
            match check(&certificate, &key, Utc::now()) {
                Ok(identity) => Ok(ClientIdentityChange::Set(identity)),
                Err(fault) if fault.is_of_key() => Err(key_at.refuse(fault)),
                Err(fault) => Err(certificate_at.refuse(fault)),
            }
        }
        (Nullable::Some(_), _) => {
            Err(key_at
                .refuse("must be given with clientCertificate, since it can not be read back"))
        }
        (Nullable::ExplicitNull, Nullable::Some(_)) => Err(certificate_at.refuse(
            "can not be null where clientKey is given; a key without its certificate is of no use",
        )),
        (Nullable::ImplicitNull, Nullable::Some(_)) => {
            Err(certificate_at.refuse("must be given with clientKey"))
        }
        (Nullable::ImplicitNull, Nullable::ExplicitNull) => {
            Err(key_at.refuse("can not be removed alone; null for clientCertificate removes both"))
        }
    }
}
