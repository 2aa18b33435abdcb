//! Whose key a request carries. Asked before anything else of the request is looked at.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    domain::api_key::Identity,
    store::{StoreError, api_keys::ApiKeyStore},
};

/// Tells whose key it is.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The holder of a key; `None` when nobody holds it. An error means that it can not be told now, which
    /// is no verdict on the key.
    async fn authenticate(&self, key: &str) -> Result<Option<Identity>, StoreError>;
}

/// The configured `admin_key` first, then the stored keys.
pub struct KeyAuthenticator {
    /// A hash, so that the comparison takes the same time for keys of any length.
    admin_key: Option<[u8; 32]>,
    keys: Arc<dyn ApiKeyStore>,
}

impl KeyAuthenticator {
    /// `admin_key` is the configuration's; an empty one counts as none.
    pub fn new(admin_key: Option<&str>, keys: Arc<dyn ApiKeyStore>) -> Self {
        Self {
            admin_key: admin_key.filter(|key| !key.is_empty()).map(hash),
            keys,
        }
    }
}

#[async_trait]
impl Authenticator for KeyAuthenticator {
    async fn authenticate(&self, key: &str) -> Result<Option<Identity>, StoreError> {
        if let Some(admin_key) = &self.admin_key
            && bool::from(admin_key.ct_eq(&hash(key)))
        {
            return Ok(Some(Identity::configured_admin()));
        }
        self.keys.authenticate(key).await
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Why a request is not let in.
#[derive(Debug)]
pub enum Denied {
    /// It carries no key.
    NoKey,
    /// It carries one that nobody holds.
    UnknownKey,
    /// The stored keys can not be read just now.
    Unavailable(StoreError),
}

/// The holder of the key in a request's `Authorization`.
pub async fn caller(
    request: &HttpRequest,
    authenticator: &dyn Authenticator,
) -> Result<Identity, Denied> {
    holder(key(request).ok_or(Denied::NoKey)?, authenticator).await
}

/// The holder of a key.
pub async fn holder(key: &str, authenticator: &dyn Authenticator) -> Result<Identity, Denied> {
    match authenticator.authenticate(key).await {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) => Err(Denied::UnknownKey),
        Err(error) => Err(Denied::Unavailable(error)),
    }
}

/// The key in a request's `Authorization`.
pub fn key(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    credentials(value)
}

/// `Bearer KEY`, `Token KEY` or the bare key; the scheme in any case (RFC 9110 §11.1).
pub fn credentials(value: &str) -> Option<&str> {
    let value = value.trim();
    let key = match value.split_once(' ') {
        Some((scheme, key))
            if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") =>
        {
            key.trim()
        }
        Some(_) => return None,
        None => value,
    };
    let scheme_alone = key.eq_ignore_ascii_case("bearer") || key.eq_ignore_ascii_case("token");
    (!key.is_empty() && !scheme_alone).then_some(key)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::{
        domain::{api_key::Role, ids::ApiKeyId},
        store::api_keys::{ApiKey, LastAdminKey},
    };

    fn sent(value: &str) -> HttpRequest {
        TestRequest::default()
            .insert_header((header::AUTHORIZATION, value))
            .to_http_request()
    }

    #[test]
    fn three_spellings_of_a_key() {
        for value in ["Bearer k", "bearer k", "Token k", "TOKEN  k", "k"] {
            assert_eq!(key(&sent(value)), Some("k"), "{value}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic dTpw", "a b"] {
            assert_eq!(key(&sent(value)), None, "{value}");
        }
        assert_eq!(key(&TestRequest::default().to_http_request()), None);
        let twice = TestRequest::default()
            .append_header((header::AUTHORIZATION, "Bearer a"))
            .append_header((header::AUTHORIZATION, "Bearer b"))
            .to_http_request();
        assert_eq!(key(&twice), None, "which of the two?");
    }

    struct NoKeys;

    #[async_trait]
    impl ApiKeyStore for NoKeys {
        async fn create_key(&self, _: &str, _: Role) -> Result<(ApiKey, String), StoreError> {
            unreachable!("no test makes keys")
        }

        async fn authenticate(&self, _: &str) -> Result<Option<Identity>, StoreError> {
            Ok(None)
        }

        async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
            Ok(Vec::new())
        }

        async fn revoke_key(&self, id: ApiKeyId, _: LastAdminKey) -> Result<ApiKey, StoreError> {
            Err(StoreError::NotFound {
                what: "API key",
                id: id.0.into(),
            })
        }
    }

    #[tokio::test]
    async fn the_configured_key_is_the_admin_and_an_empty_one_is_none() {
        let holder = |admin_key: Option<&'static str>, key: &'static str| async move {
            let authenticator = KeyAuthenticator::new(admin_key, Arc::new(NoKeys));
            authenticator.authenticate(key).await.unwrap()
        };
        assert_eq!(
            holder(Some("s"), "s").await,
            Some(Identity::configured_admin())
        );
        assert_eq!(holder(Some("s"), "t").await, None);
        assert_eq!(holder(Some(""), "").await, None);
        assert_eq!(holder(None, "").await, None);
    }
}
