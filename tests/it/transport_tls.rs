//! TLS with certificates of our own: whom the transport trusts, and its words for each fault.

use std::sync::Arc;

use rowhook::{
    domain::attempt::{Answer, SendError},
    transport::{
        TransportSettings,
        tls::{self, TlsSettingsError},
    },
};
use tokio_rustls::TlsAcceptor;

use crate::{
    support::{
        certificates::{Authority, Dates},
        names::Names,
        raw_server::{OK, RawServer},
    },
    transport::{LONG, request, settings, transport_of},
};

async fn tls_server(acceptor: TlsAcceptor) -> RawServer {
    RawServer::start(move |server, stream| {
        let acceptor = acceptor.clone();
        async move {
            // A handshake that the client breaks off is what half of these tests are about.
            if let Ok(stream) = acceptor.accept(stream).await {
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                server.answer_all(stream, OK).await;
            }
        }
    })
    .await
}

pub fn trusting(authority: &Authority, server: &RawServer) -> TransportSettings {
    TransportSettings {
        tls: Arc::new(tls::client_config(Some(authority.pem().as_bytes())).unwrap()),
        resolver: Names::always(&[server.address]),
        allow_http: false,
        ..settings()
    }
}

async fn post(settings: TransportSettings) -> Result<Answer, SendError> {
    transport_of(settings)
        .post(request("https://hooks.test/", LONG))
        .await
}

async fn tls_words(settings: TransportSettings) -> String {
    match post(settings).await {
        Err(SendError::Tls { host, detail }) => {
            assert_eq!(host, "hooks.test");
            detail
        }
        other => panic!("expected a TLS fault: {other:?}"),
    }
}

#[actix_rt::test]
async fn an_authority_of_the_bundle_is_trusted_and_the_connection_kept() {
    let authority = Authority::new();
    let server = tls_server(authority.acceptor("hooks.test", Dates::Valid)).await;
    let transport = transport_of(trusting(&authority, &server));
    for _ in 0..3 {
        let answer = transport.post(request("https://hooks.test/", LONG)).await;
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 1);
    let received = server.received().pop().unwrap();
    assert_eq!(received.header("host"), Some("hooks.test"));
}

#[actix_rt::test]
async fn a_bundle_may_hold_several_authorities() {
    let authority = Authority::new();
    let server = tls_server(authority.acceptor("hooks.test", Dates::Valid)).await;
    let bundle = format!("# ours\n{}{}", Authority::new().pem(), authority.pem());
    let settings = TransportSettings {
        tls: Arc::new(tls::client_config(Some(bundle.as_bytes())).unwrap()),
        ..trusting(&authority, &server)
    };
    assert!(post(settings).await.is_ok());
}

#[actix_rt::test]
async fn a_certificate_may_be_for_an_ip_address() {
    let authority = Authority::new();
    let server = tls_server(authority.acceptor("127.0.0.1", Dates::Valid)).await;
    let transport = transport_of(trusting(&authority, &server));
    let uri = format!("https://{}/", server.address);
    let answer = transport.post(request(uri, LONG)).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[actix_rt::test]
async fn each_fault_of_a_certificate_has_its_words() {
    let authority = Authority::new();
    let stranger = Authority::named("somebody else's CA");
    let namesake = Authority::new();
    for (acceptor, expected) in [
        (
            authority.acceptor("hooks.test", Dates::Expired),
            "has expired",
        ),
        (
            authority.acceptor("hooks.test", Dates::Future),
            "is not valid yet",
        ),
        (
            stranger.acceptor("hooks.test", Dates::Valid),
            "unknown issuer",
        ),
        (
            namesake.acceptor("hooks.test", Dates::Valid),
            "if that CA has been renewed",
        ),
        (
            authority.acceptor("other.test", Dates::Valid),
            "for another host name (it is for DnsName(\"other.test\"))",
        ),
        (
            authority.demanding_acceptor("hooks.test"),
            "asks for a client certificate (CertificateRequired), and none is set",
        ),
    ] {
        let server = tls_server(acceptor).await;
        let words = tls_words(trusting(&authority, &server)).await;
        assert!(words.contains(expected), "{words}");
        assert_eq!(server.received().len(), 0);
    }
}

#[actix_rt::test]
async fn a_server_without_tls_is_told_so() {
    let authority = Authority::new();
    let plain = RawServer::start(|_, mut stream| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let _ = stream.read(&mut [0; 16]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let words = tls_words(trusting(&authority, &plain)).await;
    assert!(words.contains("speaks no TLS"), "{words}");
    let closing = RawServer::start(|_, stream| async move { drop(stream) }).await;
    let words = tls_words(trusting(&authority, &closing)).await;
    assert!(words.contains("during the handshake"), "{words}");
}

#[test]
fn a_bundle_that_can_not_be_used_is_refused() {
    let of = |pem: &str| {
        tls::client_config(Some(pem.as_bytes()))
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(of(""), TlsSettingsError::EmptyBundle);
    assert_eq!(of("just text"), TlsSettingsError::EmptyBundle);
    let cut = Authority::new().pem();
    assert!(matches!(
        of(&cut[..cut.len() - 30]),
        TlsSettingsError::Pem { .. }
    ));
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = format!("{}{empty}", Authority::new().pem());
    assert!(matches!(
        of(&broken),
        TlsSettingsError::BadCertificate { number: 2, .. }
    ));
}
