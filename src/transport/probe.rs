//! One GET of rowhook's own health, for `rowhook healthcheck`.
//!
//! Its client is its own: no address guard, since the address is the operator's and mostly this machine, and no
//! TLS, since the service speaks none. So it needs no certificate authorities, and an image without them is
//! not taken for ill. Redirects are answers, as everywhere.

use std::{io, time::Duration};

use awc::{
    Client, Connector,
    error::{ConnectError, SendRequestError},
};

/// An answer to [`get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The time was up.
    #[error("no answer within {} s: it hangs, or the machine is overloaded", .0.as_secs())]
    Silent(Duration),
    /// Nobody took the connection.
    #[error("nothing listens there: start the service, or name the address that it listens on")]
    Refused,
    /// Something else went wrong on the way.
    #[error("no HTTP answer ({0}): name the address that the service listens on")]
    NoAnswer(String),
}

/// Asks `uri`, which begins with `http://`, within `timeout` in all.
///
/// # Errors
///
/// When no answer came, with the reason in words.
pub async fn get(uri: &str, timeout: Duration) -> Result<Health, ProbeError> {
    let client = Client::builder()
        .connector(Connector::new().timeout(timeout))
        .timeout(timeout)
        .disable_redirects()
        .finish();
    let exchange = async {
        let sent = client.get(uri).no_decompress().send().await;
        let mut answer = sent.map_err(|error| reason(error, timeout))?;
        let body = answer.body().await;
        let body = body.map_err(|error| ProbeError::NoAnswer(error.to_string()))?;
        Ok(Health {
            status: answer.status().as_u16(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    };
    tokio::time::timeout(timeout, exchange)
        .await
        .unwrap_or(Err(ProbeError::Silent(timeout)))
}

fn reason(error: SendRequestError, timeout: Duration) -> ProbeError {
    match error {
        SendRequestError::Connect(ConnectError::Io(error))
            if error.kind() == io::ErrorKind::ConnectionRefused =>
        {
            ProbeError::Refused
        }
        SendRequestError::Timeout | SendRequestError::Connect(ConnectError::Timeout) => {
            ProbeError::Silent(timeout)
        }
        SendRequestError::Connect(error) => ProbeError::NoAnswer(error.to_string()),
        other => ProbeError::NoAnswer(other.to_string()),
    }
}
