//! How far an attempt has come, told by whoever gets it further.
//!
//! awc has no hook between "send this" and the answer's head, and its connector does not know which request
//! it works for. But all of it runs inside of the attempt's own future, so the attempt lays a [`Journey`] around
//! that, and the guard and the request's body note there what they do. Nothing here decides anything.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{domain::attempt::Phase, policy::proxy::Proxy};

tokio::task_local! {
    static JOURNEY: Rc<Journey>;
}

/// One attempt's way.
#[derive(Debug)]
pub(super) struct Journey {
    phase: Cell<Phase>,
    opened: Cell<bool>,
    proxy: RefCell<Option<Proxy>>,
}

impl Journey {
    /// An attempt that has done nothing yet.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            phase: Cell::new(Phase::Connect),
            opened: Cell::new(false),
            proxy: RefCell::default(),
        })
    }

    /// Runs an attempt on this way.
    pub(super) async fn around<F: Future>(self: Rc<Self>, attempt: F) -> F::Output {
        JOURNEY.scope(self, attempt).await
    }

    /// The part of the attempt that it is in.
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// A new part begins.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// The proxy that has not taken its connection yet.
    pub(super) fn proxy(&self) -> Option<Proxy> {
        self.proxy.borrow().clone()
    }

    /// Whether a connection was opened for this attempt.
    pub(super) fn has_opened(&self) -> bool {
        self.opened.get()
    }
}

/// The attempt that is under way in this task has got a connection of its own.
pub(super) fn opened() {
    note(|journey| journey.opened.set(true));
}

/// The attempt waits for a proxy to take its connection, or for none any more.
pub(super) fn waits_for(proxy: Option<&Proxy>) {
    note(|journey| *journey.proxy.borrow_mut() = proxy.cloned());
}

/// From now on `last` is the attempt that is under way in this task.
pub(super) fn follow(last: &mut Option<Rc<Journey>>) {
    let _ = JOURNEY.try_with(|journey| {
        if !last.as_ref().is_some_and(|last| Rc::ptr_eq(last, journey)) {
            *last = Some(Rc::clone(journey));
        }
    });
}

fn note(what: impl FnOnce(&Journey)) {
    // Outside of an attempt there is nobody who would read it.
    let _ = JOURNEY.try_with(|journey| what(journey));
}
