//! One operation on a socket, in a task of its own, so that none waits for a client that reads slowly: it
//! may hold a transaction.
//!
//! `connection` starts it and hears what it answers. It looks at the key first, so a key that was revoked
//! runs nothing more, and a panic becomes an error.

use std::{panic::AssertUnwindSafe, sync::Arc};

use actix_web::rt;
use futures::{FutureExt as _, StreamExt as _};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::graphql::{Api, ApiError, Request, Response, refusal};

use super::{
    super::{auth::Authenticator, graphql::panicked},
    protocol::Number,
};

/// What a task tells its socket.
pub enum Event {
    /// An operation answered.
    Answered(Number, Response),
    /// An operation has nothing more to say.
    Ended(Number),
    /// The key was revoked.
    KeyGone,
}

/// A task that ends with its socket.
pub struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// Runs this on the socket's thread.
    pub fn of(work: impl Future<Output = ()> + 'static) -> Self {
        Self(rt::spawn(work))
    }

    /// Whether it has come to its end.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// One operation on its way.
pub struct Operation {
    /// The socket's own number for it.
    pub number: Number,
    /// What is to run.
    pub request: Request,
    /// Whoever holds it asks.
    pub key: Arc<str>,
    /// Where it runs.
    pub api: Arc<Api>,
    /// Tells whose key it is.
    pub authenticator: Arc<dyn Authenticator>,
    /// Where its answers go.
    pub tell: mpsc::Sender<Event>,
}

impl Operation {
    /// Runs it to its end.
    pub async fn run(self) {
        let (number, tell) = (self.number, self.tell.clone());
        self.answer().await;
        told(&tell, Event::Ended(number)).await;
    }

    async fn answer(self) {
        let tell = self.tell;
        let answered = |response| Event::Answered(self.number, response);
        // The key may have been revoked, or have another role, since the socket was opened.
        let caller = match self.authenticator.authenticate(&self.key).await {
            Ok(Some(caller)) => caller,
            Ok(None) => return told(&tell, Event::KeyGone).await,
            Err(error) => {
                let refused = refusal(&[ApiError::from(error).into()]);
                return told(&tell, answered(Response::Refused(refused))).await;
            }
        };
        let mut responses = self.api.responses(self.request, caller);
        loop {
            // Whatever the operation touched was its own, but for the stores, whose transactions end
            // unwritten.
            match AssertUnwindSafe(responses.next()).catch_unwind().await {
                Ok(Some(response)) => told(&tell, answered(response)).await,
                Ok(None) => return,
                Err(_) => {
                    let fault = refusal(&[panicked().into()]);
                    return told(&tell, answered(Response::Refused(fault))).await;
                }
            }
        }
    }
}

/// Without a socket nobody wants to know.
async fn told(tell: &mpsc::Sender<Event>, event: Event) {
    let _ended = tell.send(event).await;
}

/// Tells when nobody holds the key any more. That it can not be told now is no verdict on it.
pub async fn check_key(
    authenticator: Arc<dyn Authenticator>,
    key: Arc<str>,
    tell: mpsc::Sender<Event>,
) {
    if let Ok(None) = authenticator.authenticate(&key).await {
        told(&tell, Event::KeyGone).await;
    }
}
