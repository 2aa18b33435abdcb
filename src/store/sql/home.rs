//! The thread that the database's connections live on.
//!
//! A socket is read through the runtime that opened it, and connections are shared by all stages. A
//! stage whose thread hangs is given up and gets another thread; a connection that had been opened there
//! would hang with it, for whoever is handed it next. So connections are opened on a thread where
//! nothing else runs: stages only wait for them.

use std::{
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{runtime::Handle, sync::oneshot, task::AbortHandle};

use crate::store::StoreError;

/// The thread. It ends with the last clone.
#[derive(Clone)]
pub struct Home {
    runtime: Handle,
    _lives: Arc<oneshot::Sender<()>>,
}

impl Home {
    /// Starts it.
    pub fn start() -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| {
            StoreError::Unavailable(format!("no thread for connections: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let (lives, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("rowhook-db".to_owned())
            .spawn(move || {
                // Nothing is sent: the other end is dropped.
                let _ended = runtime.block_on(ended);
            })
            .map_err(failed)?;
        Ok(Self {
            runtime: handle,
            _lives: Arc::new(lives),
        })
    }

    /// Runs the future where it is awaited, but what it opens and starts belongs to this thread.
    pub fn with<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        AtHome {
            future: self.keep(Box::pin(future)),
        }
    }

    /// Runs the future on this thread, beside everything else.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(future).abort_handle()
    }

    /// Keeps something whose drop starts work: it must find this thread, wherever it is dropped.
    pub fn keep<T>(&self, value: T) -> Kept<T> {
        Kept {
            value: Some(value),
            home: self.clone(),
        }
    }
}

/// Something that is dropped as if on the thread.
pub struct Kept<T> {
    /// `None` once it was taken out.
    value: Option<T>,
    home: Home,
}

const THERE: &str = "only taking it out consumes it";

impl<T> Kept<T> {
    /// Takes it out.
    pub fn take(mut self) -> T {
        self.value.take().expect(THERE)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(THERE)
    }
}

impl<T> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(THERE)
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        let _there = self.home.runtime.enter();
        drop(self.value.take());
    }
}

struct AtHome<F> {
    future: Kept<Pin<Box<F>>>,
}

impl<F: Future> Future for AtHome<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let runtime = self.future.home.runtime.clone();
        let _there = runtime.enter();
        self.future.as_mut().poll(cx)
    }
}
