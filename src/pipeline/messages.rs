//! Everything that crosses a wall between two rooms.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Actor, Addr, Handler, Message, dev::ToEnvelope};
use tokio::sync::watch;

use crate::{
    domain::{attempt::Outcome, ids::ReceiverId},
    store::{
        StoreError,
        change_log::{ChangePage, Cursor},
    },
};

/// Room 1 to room 2: changes that were read under this cursor. Answered when their events and the
/// cursor are written, with the cursor that follows.
#[derive(Debug, Message)]
#[rtype(result = "Result<Cursor, StoreError>")]
pub struct FanOutPage {
    /// The cursor that the page was read under.
    pub cursor: Cursor,
    /// The changes.
    pub page: ChangePage,
}

/// Room 2 to room 3, and the dispatcher to a sender: there may be something to do. A full mailbox is a
/// success: a wake-up is waiting in it.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Wake;

/// Room 3 to room 4: what came of events. Answered when all was tried, with those that could not be written.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Vec<Arc<Outcome>>")]
pub struct Record(pub Vec<Arc<Outcome>>);

/// The guardian to a stage: finish what you have begun, then stop.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Finish;

/// Receivers that fan-out made events for since the dispatcher last looked: a hint beside [`Wake`], so
/// that it need not ask the database. Losing it costs a second.
#[derive(Clone, Debug, Default)]
pub struct Hints(Arc<Mutex<HashSet<ReceiverId>>>);

impl Hints {
    /// Adds receivers.
    pub fn add(&self, receivers: impl IntoIterator<Item = ReceiverId>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(receivers);
    }

    /// Takes all of them.
    pub fn take(&self) -> HashSet<ReceiverId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a stage can be reached now. The guardian's factory puts each new incarnation here.
pub struct Slot<A: Actor>(watch::Sender<Option<Addr<A>>>);

impl<A: Actor> Clone for Slot<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Actor> Default for Slot<A> {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl<A: Actor> Slot<A> {
    /// Puts a new incarnation here.
    pub fn put(&self, address: Addr<A>) {
        self.0.send_replace(Some(address));
    }

    /// The present incarnation; its mailbox may be closed by the time it is used.
    pub fn get(&self) -> Option<Addr<A>> {
        self.0.borrow().clone()
    }

    /// Asks the present incarnation. `None`: there is none, or it ended or was replaced before it had
    /// answered, and may have acted or not. One whose thread hangs is replaced, but never ends.
    pub async fn ask<M>(&self, message: M) -> Option<M::Result>
    where
        M: Message<Result: Send> + Send + 'static,
        A: Handler<M, Context: ToEnvelope<A, M>>,
    {
        let mut incarnations = self.0.subscribe();
        let present = incarnations.borrow_and_update().clone()?;
        tokio::select! {
            biased;
            answer = present.send(message) => answer.ok(),
            _ = incarnations.changed() => None,
        }
    }
}
