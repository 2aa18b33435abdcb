//! What follows from a message: the rules of `graphql-transport-ws`, without a wire and without time.
//!
//! `connection` hands in what the client says and what operations answer, and does what it is told.

use std::collections::HashMap;

use crate::graphql::{ApiError, Code, Request, Response, refusal};

use super::message::{self, ClientMessage};

/// An operation on this socket. Numbers are never used again, while clients use their ids again as soon
/// as an operation has ended: an answer that comes late is not taken for the new one's.
pub type Number = u64;

/// One socket's state.
#[derive(Debug)]
pub struct Protocol {
    phase: Phase,
    /// The client's ids of the operations in flight.
    running: HashMap<Number, String>,
    most: usize,
    next_number: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// `connection_init` has not come.
    Opened,
    /// It has come, and its key is being looked at.
    Asked,
    /// The client may run operations.
    Admitted,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Send this text.
    Send(String),
    /// Look at the key, then call [`Protocol::admitted`] or close. `None`: the message holds none.
    CheckKey(Option<String>),
    /// Run this operation.
    Start(Number, Request),
    /// Stop this operation.
    Stop(Number),
    /// Close the socket.
    Close(Closing),
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The client said what is no message.
    Invalid(String),
    /// It gave no key, or asked for an operation before it was let in.
    Unauthorized,
    /// Nobody holds its key, or no longer.
    Forbidden,
    /// It does not speak our subprotocol.
    NoSubprotocol,
    /// `connection_init` did not come in time.
    InitTimeout,
    /// An operation of this id is in flight.
    SubscriberExists(String),
    /// `connection_init` came twice.
    TooManyInits,
    /// A message was too large.
    TooLarge,
    /// What came is no WebSocket traffic, or its text is not UTF-8.
    Broken(String),
    /// The keys can not be read just now.
    TryAgain,
    /// rowhook stops.
    GoingAway,
}

impl Closing {
    /// The close code: the protocol's own, and RFC 6455's for the rest.
    pub fn code(&self) -> u16 {
        match self {
            Self::Invalid(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::NoSubprotocol => 4406,
            Self::InitTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInits => 4429,
            Self::GoingAway => 1001,
            Self::Broken(_) => 1002,
            Self::TooLarge => 1009,
            Self::TryAgain => 1013,
        }
    }

    /// The words that go with it.
    pub fn reason(&self) -> String {
        match self {
            Self::Invalid(what) | Self::Broken(what) => what.clone(),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden => "Forbidden".to_owned(),
            Self::NoSubprotocol => "Subprotocol not acceptable".to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::SubscriberExists(id) => format!("Subscriber for {id} already exists"),
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
            Self::TooLarge => "a message may have 1 MiB at most".to_owned(),
            Self::TryAgain => "rowhook can not reach its database just now".to_owned(),
            Self::GoingAway => "rowhook is stopping".to_owned(),
        }
    }
}

impl Protocol {
    /// A socket that was just opened; so many operations may be in flight.
    pub fn new(most: usize) -> Self {
        Self {
            phase: Phase::Opened,
            running: HashMap::new(),
            most,
            next_number: 0,
        }
    }

    /// The client said something.
    pub fn received(&mut self, text: &str) -> Option<Action> {
        let message = match ClientMessage::read(text) {
            Ok(message) => message,
            Err(wrong) => return Some(Action::Close(Closing::Invalid(wrong))),
        };
        match message {
            ClientMessage::ConnectionInit { key } => Some(match self.phase {
                Phase::Opened => {
                    self.phase = Phase::Asked;
                    Action::CheckKey(key)
                }
                Phase::Asked | Phase::Admitted => Action::Close(Closing::TooManyInits),
            }),
            ClientMessage::Ping { payload } => Some(Action::Send(message::pong(payload.as_ref()))),
            ClientMessage::Pong => None,
            ClientMessage::Subscribe { id, request } => Some(self.subscribe(id, request)),
            ClientMessage::Complete { id } => {
                // An unknown one has just ended: its answer and this message crossed.
                let number = self.number(&id)?;
                self.running.remove(&number);
                Some(Action::Stop(number))
            }
        }
    }

    fn subscribe(&mut self, id: String, request: Request) -> Action {
        if self.phase != Phase::Admitted {
            return Action::Close(Closing::Unauthorized);
        }
        if self.number(&id).is_some() {
            return Action::Close(Closing::SubscriberExists(id));
        }
        if self.running.len() >= self.most {
            let fault = format!(
                "{} operations are in flight on this WebSocket, and no more may be: wait for one to end, \
                 or open another",
                self.most
            );
            let fault = ApiError::new(Code::Limit, fault);
            return Action::Send(message::error(&id, &refusal(&[fault.into()])));
        }
        let number = self.next_number;
        self.next_number += 1;
        self.running.insert(number, id);
        Action::Start(number, request)
    }

    fn number(&self, id: &str) -> Option<Number> {
        let mut running = self.running.iter();
        running.find_map(|(number, other)| (other == id).then_some(*number))
    }

    /// The key is good: what to send.
    pub fn admitted(&mut self) -> String {
        self.phase = Phase::Admitted;
        message::connection_ack()
    }

    /// An operation answered: what to send, if anybody still wants it. Everything but
    /// [`Response::Executed`] ends it.
    pub fn answered(&mut self, number: Number, response: &Response) -> Option<String> {
        match response {
            Response::Executed(body) => {
                let id = self.running.get(&number)?;
                Some(message::next(id, body))
            }
            Response::Refused(body) | Response::NotAllowed(body) => {
                let id = self.running.remove(&number)?;
                Some(message::error(&id, body))
            }
        }
    }

    /// An operation has nothing more to answer: what to send.
    pub fn ended(&mut self, number: Number) -> Option<String> {
        let id = self.running.remove(&number)?;
        Some(message::complete(&id))
    }

    /// Whether `connection_init` has yet to come.
    pub fn awaits_init(&self) -> bool {
        self.phase == Phase::Opened
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INIT: &str = r#"{"type":"connection_init","payload":{"key":"k"}}"#;

    fn subscribe(id: &str) -> String {
        format!(r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"{{a}}"}}}}"#)
    }

    fn open() -> Protocol {
        let mut protocol = Protocol::new(2);
        let asked = protocol.received(INIT);
        assert!(matches!(asked, Some(Action::CheckKey(Some(key))) if key == "k"));
        assert_eq!(protocol.admitted(), r#"{"type":"connection_ack"}"#);
        protocol
    }

    fn start(protocol: &mut Protocol, id: &str) -> Number {
        match protocol.received(&subscribe(id)) {
            Some(Action::Start(number, request)) => {
                assert_eq!(request.query, "{a}");
                number
            }
            other => panic!("{other:?}"),
        }
    }

    fn closed(action: Option<Action>) -> u16 {
        match action {
            Some(Action::Close(closing)) => closing.code(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_runs_before_the_client_is_let_in() {
        let mut protocol = Protocol::new(2);
        assert!(protocol.awaits_init());
        assert_eq!(closed(protocol.received(&subscribe("a"))), 4401);
        protocol.received(INIT);
        assert!(!protocol.awaits_init());
        assert_eq!(closed(protocol.received(&subscribe("a"))), 4401);
        assert_eq!(closed(protocol.received(INIT)), 4429);
        assert_eq!(closed(open().received(INIT)), 4429);
    }

    #[test]
    fn pings_are_answered_at_any_time() {
        let mut protocol = Protocol::new(2);
        let answer = protocol.received(r#"{"type":"ping","payload":{"b":1,"a":2}}"#);
        assert!(
            matches!(answer, Some(Action::Send(text)) if text == r#"{"type":"pong","payload":{"b":1,"a":2}}"#)
        );
        let answer = protocol.received(r#"{"type":"ping"}"#);
        assert!(matches!(answer, Some(Action::Send(text)) if text == r#"{"type":"pong"}"#));
        assert!(protocol.received(r#"{"type":"pong"}"#).is_none());
    }

    #[test]
    fn an_operation_answers_once_or_often_and_ends_once() {
        let mut protocol = open();
        let number = start(&mut protocol, "a");
        let data = Response::Executed(r#"{"data":1}"#.to_owned());
        for _ in 0..2 {
            assert_eq!(
                protocol.answered(number, &data).unwrap(),
                r#"{"id":"a","type":"next","payload":{"data":1}}"#
            );
        }
        assert_eq!(
            protocol.ended(number).unwrap(),
            r#"{"id":"a","type":"complete"}"#
        );
        assert_eq!(protocol.ended(number), None);
        assert_eq!(protocol.answered(number, &data), None);
        assert!(protocol.is_idle());
    }

    #[test]
    fn an_error_is_the_last_word() {
        let mut protocol = open();
        let number = start(&mut protocol, "a");
        let refused = Response::Refused(r#"{"errors":[]}"#.to_owned());
        assert_eq!(
            protocol.answered(number, &refused).unwrap(),
            r#"{"id":"a","type":"error","payload":[]}"#
        );
        assert_eq!(protocol.ended(number), None);
    }

    #[test]
    fn late_answers_are_not_taken_for_those_of_a_new_operation() {
        let mut protocol = open();
        let old = start(&mut protocol, "a");
        let stopped = protocol.received(r#"{"id":"a","type":"complete"}"#);
        assert!(matches!(stopped, Some(Action::Stop(number)) if number == old));
        let again = protocol.received(r#"{"id":"a","type":"complete"}"#);
        assert!(again.is_none(), "it had ended");
        start(&mut protocol, "a");
        let late = Response::Executed("{}".to_owned());
        assert_eq!(protocol.answered(old, &late), None);
        assert_eq!(protocol.ended(old), None);
        assert!(!protocol.is_idle());
    }

    #[test]
    fn ids_are_unique_and_operations_are_few() {
        let mut protocol = open();
        start(&mut protocol, "a");
        start(&mut protocol, "b");
        let Some(Action::Send(text)) = protocol.received(&subscribe("c")) else {
            panic!("it is one too many");
        };
        assert!(
            text.starts_with(r#"{"id":"c","type":"error","payload":[{"#),
            "{text}"
        );
        assert!(text.contains(r#""code":"LIMIT""#), "{text}");
        let Some(Action::Close(closing)) = protocol.received(&subscribe("b")) else {
            panic!("b is in flight");
        };
        assert_eq!(closing.code(), 4409);
        assert_eq!(closing.reason(), "Subscriber for b already exists");
    }

    #[test]
    fn what_is_no_message_closes() {
        assert_eq!(closed(open().received("{")), 4400);
        assert_eq!(
            closed(open().received(r#"{"type":"connection_ack"}"#)),
            4400
        );
    }
}
