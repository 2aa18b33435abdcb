//! A resolver whose answers the test decides, and which counts how often it was asked.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::future::{FutureExt, LocalBoxFuture};
use rowhook::transport::Resolve;

/// What a look-up does.
#[derive(Clone, Debug)]
pub enum Lookup {
    Found(Vec<SocketAddr>),
    Failed,
    Silent,
}

/// Answers each look-up with the next entry; the last one stays.
pub struct Names {
    answers: Mutex<Vec<Lookup>>,
    asked: AtomicUsize,
}

impl Names {
    pub fn new(mut answers: Vec<Lookup>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: AtomicUsize::new(0),
        })
    }

    pub fn always(addresses: &[SocketAddr]) -> Arc<Self> {
        Self::new(vec![Lookup::Found(addresses.to_vec())])
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Names {
    fn lookup(&self, _: String, _: u16) -> LocalBoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        };
        async move {
            // As the real one: ready only after another task has run, so that others can join.
            tokio::task::spawn_local(async {}).await.unwrap();
            match answer.unwrap() {
                Lookup::Found(addresses) => Ok(addresses),
                Lookup::Failed => Err(io::Error::other(
                    "failed to lookup address information: Name or service not known",
                )),
                Lookup::Silent => std::future::pending().await,
            }
        }
        .boxed_local()
    }
}
