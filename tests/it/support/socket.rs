//! A WebSocket client that says exactly what the test says and hears everything that comes.

use std::{net::SocketAddr, pin::Pin};

use awc::{
    error::WsClientError,
    ws::{CloseCode, CloseReason, Frame, Message},
};
use futures::{Sink, SinkExt as _, StreamExt as _, stream::LocalBoxStream};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::service::DEADLINE;

/// The subprotocol of GraphQL over WebSocket.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// An open socket.
pub struct Socket {
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
    sending: Pin<Box<dyn Sink<Message, Error = awc::error::WsProtocolError>>>,
    coming: LocalBoxStream<'static, Result<Frame, awc::error::WsProtocolError>>,
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A message.
    Message(Value),
    /// A WebSocket ping; it was not answered.
    Ping,
    /// The answer to a WebSocket ping.
    Pong(Vec<u8>),
    /// The server's farewell: code and reason.
    Closed(u16, String),
    /// The connection ended without one.
    Gone,
}

impl Socket {
    /// Opens one with these headers; the error is the HTTP status of a refusal.
    pub async fn try_open(
        to: SocketAddr,
        headers: &[(&'static str, &str)],
        protocols: &[&str],
    ) -> Result<Self, u16> {
        let mut request = awc::Client::new()
            .ws(format!("http://{to}/graphql"))
            .max_frame_size(16 * 1024 * 1024);
        if !protocols.is_empty() {
            request = request.protocols(protocols);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match timeout(DEADLINE, request.connect()).await.unwrap() {
            Ok((response, framed)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let (sending, coming) = framed.split();
                Ok(Self {
                    protocol: protocol.map(|name| name.to_str().unwrap().to_owned()),
                    sending: Box::pin(sending),
                    coming: coming.boxed_local(),
                })
            }
            Err(WsClientError::InvalidResponseStatus(status)) => Err(status.as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens one that speaks the subprotocol, and says nothing yet.
    pub async fn open(to: SocketAddr) -> Self {
        let socket = Self::try_open(to, &[], &[SUBPROTOCOL]).await.unwrap();
        assert_eq!(socket.protocol.as_deref(), Some(SUBPROTOCOL));
        socket
    }

    /// Opens one and is let in with a key.
    pub async fn with_key(to: SocketAddr, key: &str) -> Self {
        let mut socket = Self::open(to).await;
        socket
            .init(json!({"Authorization": format!("Bearer {key}")}))
            .await;
        assert_eq!(socket.message().await, json!({"type": "connection_ack"}));
        socket
    }

    /// `connection_init` with this payload.
    pub async fn init(&mut self, payload: Value) {
        self.say(json!({"type": "connection_init", "payload": payload}))
            .await;
    }

    /// `subscribe` with this document.
    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({"query": document, "variables": variables});
        self.say(json!({"id": id, "type": "subscribe", "payload": payload}))
            .await;
    }

    /// Runs an operation with one answer and returns the message with it; nothing else may be going on.
    pub async fn ask(&mut self, document: &str, variables: Value) -> Value {
        self.subscribe("ask", document, variables).await;
        let answer = self.message().await;
        assert_eq!(answer["id"], "ask", "{answer}");
        if answer["type"] == "next" {
            let end = json!({"id": "ask", "type": "complete"});
            assert_eq!(self.message().await, end, "after {answer}");
        } else {
            assert_eq!(answer["type"], "error", "{answer}");
        }
        answer
    }

    /// Says a message.
    pub async fn say(&mut self, message: Value) {
        self.send(Message::Text(message.to_string().into())).await;
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Message) {
        self.sending.send(frame).await.unwrap();
    }

    /// Says farewell.
    pub async fn close(&mut self, code: u16) {
        let reason = CloseReason::from(CloseCode::from(code));
        self.send(Message::Close(Some(reason))).await;
    }

    /// The next thing that comes.
    pub async fn next(&mut self) -> Heard {
        let next = timeout(DEADLINE, self.coming.next()).await;
        match next.expect("the server says nothing") {
            Some(Ok(Frame::Text(text))) => Heard::Message(serde_json::from_slice(&text).unwrap()),
            Some(Ok(Frame::Ping(_))) => Heard::Ping,
            Some(Ok(Frame::Pong(payload))) => Heard::Pong(payload.to_vec()),
            Some(Ok(Frame::Close(reason))) => {
                let reason = reason.expect("a farewell has a code");
                Heard::Closed(reason.code.into(), reason.description.unwrap_or_default())
            }
            Some(Ok(other)) => panic!("{other:?}"),
            None | Some(Err(_)) => Heard::Gone,
        }
    }

    /// The next message; pings on the way are answered.
    pub async fn message(&mut self) -> Value {
        loop {
            match self.next().await {
                Heard::Message(message) => return message,
                Heard::Ping => self.send(Message::Pong("".into())).await,
                other => panic!("{other:?} instead of a message"),
            }
        }
    }

    /// How the server ends the socket, whatever it says before.
    pub async fn end(&mut self) -> Heard {
        let ended = async {
            loop {
                match self.next().await {
                    ended @ (Heard::Closed(..) | Heard::Gone) => return ended,
                    Heard::Message(_) | Heard::Ping | Heard::Pong(_) => {}
                }
            }
        };
        let ended = timeout(DEADLINE, ended).await;
        ended.expect("the server does not end the socket")
    }
}
