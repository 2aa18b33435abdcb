//! The door by which others tell the dispatcher of this instance that a receiver has something to do: a
//! hint that spares its event the wait for the next look at the database.

use crate::domain::ids::ReceiverId;

use super::{
    dispatcher::Dispatcher,
    messages::{Hints, Slot, Wake},
};

/// Wakes senders of this instance. It is made before the pipeline, and does nothing until that runs.
#[derive(Clone, Default)]
pub struct Wakes {
    pub(super) hints: Hints,
    pub(super) dispatcher: Slot<Dispatcher>,
}

impl Wakes {
    /// There may be something to do for these receivers. Where another instance sends to one it is found
    /// there within a second, as it would be without this.
    pub fn wake(&self, receivers: impl IntoIterator<Item = ReceiverId>) {
        self.hints.add(receivers);
        if let Some(dispatcher) = self.dispatcher.get() {
            // Full is fine: a wake-up waits in it already.
            let _hint = dispatcher.try_send(Wake);
        }
    }
}
