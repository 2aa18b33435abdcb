//! One open socket: reads messages, does what `protocol` says, runs operations, notices a peer that is
//! gone.
//!
//! Each operation is a task of its own (`operation`). What it answers goes through a channel for one
//! answer, so a socket holds at most one answer per operation in flight, beside the few that wait to be
//! written. Nothing more is read while one of those is not taken.

use std::{collections::HashMap, sync::Arc};

use actix_web::web;
use actix_ws::{CloseCode, CloseReason, Item, Message, MessageStream, ProtocolError, Session};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

use crate::graphql::{Api, Request};

use super::{
    super::{
        HttpState,
        auth::{self, Authenticator, Denied},
        graphql::LARGEST_BODY,
    },
    SocketLimits,
    operation::{self, Event, Operation, Task},
    protocol::{Action, Closing, Number, Protocol},
};

/// An open socket.
pub struct Connection {
    session: Session,
    messages: MessageStream,
    /// What has come of a message in several frames.
    fragments: Option<Vec<u8>>,
    protocol: Protocol,
    /// Whoever holds it asks.
    key: Option<Arc<str>>,
    operations: HashMap<Number, Task>,
    /// Looks whether the key is still good.
    key_check: Option<Task>,
    tell: mpsc::Sender<Event>,
    told: mpsc::Receiver<Event>,
    api: Arc<Api>,
    authenticator: Arc<dyn Authenticator>,
    limits: SocketLimits,
    closing: watch::Receiver<bool>,
}

/// The socket has ended.
enum Ended {
    /// The peer is gone, or has said farewell.
    Gone,
    /// The peer has to be told why.
    Because(Closing),
}

type Turn = Result<(), Ended>;

impl From<Closing> for Ended {
    fn from(closing: Closing) -> Self {
        Self::Because(closing)
    }
}

impl Connection {
    /// A socket whose upgrade carried this key.
    pub fn new(
        session: Session,
        messages: MessageStream,
        state: &web::Data<HttpState>,
        key: Option<String>,
    ) -> Self {
        let limits = state.sockets.limits;
        let (tell, told) = mpsc::channel(1);
        Self {
            session,
            messages: messages.max_frame_size(LARGEST_BODY),
            fragments: None,
            protocol: Protocol::new(limits.operations),
            key: key.map(Arc::from),
            operations: HashMap::new(),
            key_check: None,
            tell,
            told,
            api: state.api.clone(),
            authenticator: state.authenticator.clone(),
            limits,
            closing: state.sockets.closing.subscribe(),
        }
    }

    /// Serves it to its end.
    pub async fn run(mut self) {
        match self.serve().await {
            Ended::Gone => {}
            Ended::Because(closing) => self.close(closing).await,
        }
    }

    /// Tells the peer why, and ends.
    pub async fn close(self, closing: Closing) {
        let Self {
            session,
            mut messages,
            operations,
            limits,
            ..
        } = self;
        drop(operations);
        tracing::debug!(code = closing.code(), reason = %closing.reason(), "a WebSocket is closed");
        let reason = CloseReason {
            code: CloseCode::from(closing.code()),
            description: Some(closing.reason()),
        };
        let farewell = async {
            if session.close(Some(reason)).await.is_err() {
                return;
            }
            // Until the peer has closed its side: what it sent and nobody read would make a reset of the
            // farewell.
            while let Some(Ok(_)) = messages.recv().await {}
        };
        // Whoever does not take it in this time knows by the connection's end.
        let _gone = timeout(limits.last_answers, farewell).await;
    }

    async fn serve(&mut self) -> Ended {
        let limits = self.limits;
        let opened = Instant::now();
        let mut heard = opened;
        let mut last_call = None;
        let mut heartbeat = interval_at(opened + limits.ping_every, limits.ping_every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut closing = self.closing.clone();
        loop {
            if last_call.is_some() && self.protocol.is_idle() {
                return Closing::GoingAway.into();
            }
            let turn = tokio::select! {
                message = self.messages.recv(), if last_call.is_none() => {
                    heard = Instant::now();
                    self.received(message).await
                }
                Some(event) = self.told.recv() => self.event(event).await,
                _ = heartbeat.tick() => {
                    if heard.elapsed() >= limits.silent_for {
                        return Ended::Gone;
                    }
                    self.beat().await
                }
                () = sleep_until(opened + limits.init_within), if self.protocol.awaits_init() => {
                    Err(Closing::InitTimeout.into())
                }
                _ = closing.wait_for(|closing| *closing), if last_call.is_none() => {
                    last_call = Some(Instant::now() + limits.last_answers);
                    Ok(())
                }
                () = sleep_until(last_call.unwrap_or(opened)), if last_call.is_some() => {
                    Err(Closing::GoingAway.into())
                }
            };
            if let Err(ended) = turn {
                return ended;
            }
        }
    }

    async fn received(&mut self, message: Option<Result<Message, ProtocolError>>) -> Turn {
        let message = match message {
            None | Some(Err(ProtocolError::Io(_))) => return Err(Ended::Gone),
            Some(Err(ProtocolError::Overflow)) => return Err(Closing::TooLarge.into()),
            Some(Err(broken)) => return Err(Closing::Broken(broken.to_string()).into()),
            Some(Ok(message)) => message,
        };
        match message {
            Message::Text(text) => self.heard(&text).await,
            Message::Continuation(item) => match self.fragment(item)? {
                Some(text) => self.heard(&text).await,
                None => Ok(()),
            },
            Message::Binary(_) => Err(not_text()),
            Message::Ping(payload) => {
                let mut session = self.session.clone();
                self.sent(session.pong(&payload)).await
            }
            Message::Pong(_) | Message::Nop => Ok(()),
            Message::Close(reason) => {
                let session = self.session.clone();
                let _gone = timeout(self.limits.last_answers, session.close(reason)).await;
                Err(Ended::Gone)
            }
        }
    }

    /// Puts messages together that come in several frames. By hand, so that a message of a million tiny
    /// frames costs no more than its letters.
    fn fragment(&mut self, item: Item) -> Result<Option<String>, Ended> {
        let (bytes, last) = match item {
            Item::FirstBinary(_) => return Err(not_text()),
            Item::FirstText(bytes) => {
                self.fragments = Some(Vec::new());
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        // The codec lets no continuation through that continues nothing.
        let fragments = self.fragments.get_or_insert_default();
        if fragments.len() + bytes.len() > LARGEST_BODY {
            return Err(Closing::TooLarge.into());
        }
        fragments.extend_from_slice(&bytes);
        if !last {
            return Ok(None);
        }
        let whole = self.fragments.take().unwrap_or_default();
        let text = String::from_utf8(whole);
        text.map(Some)
            .map_err(|_| Closing::Broken("the text is not UTF-8".to_owned()).into())
    }

    async fn heard(&mut self, text: &str) -> Turn {
        match self.protocol.received(text) {
            None => Ok(()),
            Some(Action::Send(text)) => self.send(text).await,
            Some(Action::CheckKey(key)) => self.let_in(key).await,
            Some(Action::Start(number, request)) => {
                let task = self.start(number, request)?;
                self.operations.insert(number, task);
                Ok(())
            }
            Some(Action::Stop(number)) => {
                self.operations.remove(&number);
                Ok(())
            }
            Some(Action::Close(closing)) => Err(closing.into()),
        }
    }

    async fn let_in(&mut self, given: Option<String>) -> Turn {
        // A key in the message is the one that is meant; a proxy may have set the header.
        if let Some(given) = given {
            self.key = Some(given.into());
        }
        let key = self.key.as_deref().ok_or(Closing::Unauthorized)?;
        match auth::holder(key, &*self.authenticator).await {
            Ok(_) => {
                let ack = self.protocol.admitted();
                self.send(ack).await
            }
            Err(Denied::NoKey) => Err(Closing::Unauthorized.into()),
            Err(Denied::UnknownKey) => Err(Closing::Forbidden.into()),
            Err(Denied::Unavailable(error)) => {
                tracing::warn!(%error, "a WebSocket's key could not be looked up");
                Err(Closing::TryAgain.into())
            }
        }
    }

    fn start(&self, number: Number, request: Request) -> Result<Task, Ended> {
        let key = self.key.clone().ok_or(Closing::Unauthorized)?;
        let operation = Operation {
            number,
            request,
            key,
            api: self.api.clone(),
            authenticator: self.authenticator.clone(),
            tell: self.tell.clone(),
        };
        Ok(Task::of(operation.run()))
    }

    async fn event(&mut self, event: Event) -> Turn {
        let text = match event {
            Event::Answered(number, response) => self.protocol.answered(number, &response),
            Event::Ended(number) => {
                self.operations.remove(&number);
                self.protocol.ended(number)
            }
            Event::KeyGone => return Err(Closing::Forbidden.into()),
        };
        match text {
            Some(text) => self.send(text).await,
            None => Ok(()),
        }
    }

    async fn beat(&mut self) -> Turn {
        let checked = self
            .key_check
            .as_ref()
            .is_none_or(|task| task.is_finished());
        if let Some(key) = self.key.clone()
            && !self.protocol.is_idle()
            && checked
        {
            // What is in flight for so long may go on for hours.
            let authenticator = self.authenticator.clone();
            let check = operation::check_key(authenticator, key, self.tell.clone());
            self.key_check = Some(Task::of(check));
        }
        let mut session = self.session.clone();
        self.sent(session.ping(b"")).await
    }

    async fn send(&mut self, text: String) -> Turn {
        let mut session = self.session.clone();
        self.sent(session.text(text)).await
    }

    /// Waits until a message is on its way, but not for ever.
    async fn sent(&self, sending: impl Future<Output = Result<(), actix_ws::Closed>>) -> Turn {
        let mut closing = self.closing.clone();
        let stop = async {
            let _never_dropped = closing.wait_for(|closing| *closing).await;
            tokio::time::sleep(self.limits.last_answers).await;
        };
        tokio::select! {
            sent = timeout(self.limits.send_within, sending) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(actix_ws::Closed)) | Err(_) => Err(Ended::Gone),
            },
            () = stop => Err(Ended::Gone),
        }
    }
}

fn not_text() -> Ended {
    Closing::Invalid("messages are JSON in text frames; this one is binary".to_owned()).into()
}
