//! Listening to PostgreSQL's notices, on a connection of its own.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{self, Executor as _, postgres::PgListener};
use tokio::{task::AbortHandle, time::timeout};

use crate::store::StoreError;

use super::{
    connect::{self, ANSWERS_WITHIN, Purpose, only_one},
    db::Db,
};

/// The pause before a listener that lost its connection listens again.
const AGAIN: Duration = Duration::from_secs(1);
/// After so long without a notice the server is asked whether it is there. Whoever only listens would never find out that a
/// firewall has forgotten the connection, and being asked keeps it in mind.
const SILENCE: Duration = Duration::from_secs(5);

/// Why notices are not heard for a while.
#[derive(Debug, thiserror::Error)]
enum ListeningError {
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the connection that listens does not answer")]
    Hangs,
}

/// What is told to whoever listens.
pub(super) enum Heard<'a> {
    /// It listens from now on: what came before may have been missed.
    Begun,
    /// A notice, with its payload.
    Notice(&'a str),
}

/// Listens for as long as it lives.
pub(super) struct Listening(AbortHandle);

impl Listening {
    /// Begins to listen on a channel. A connection that can not be had, or ends, is made again.
    pub(super) fn on(
        db: &Db,
        channel: &'static str,
        mut tell: impl FnMut(Heard<'_>) + Send + 'static,
    ) -> Self {
        let url = db.url().to_owned();
        let task = db.home().spawn(async move {
            loop {
                if let Err(error) = tell_each(&url, channel, &mut tell).await {
                    tracing::debug!(channel, %error, "notices are not heard; all goes by its ticks");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        Self(task)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn tell_each(
    url: &str,
    channel: &str,
    tell: &mut (impl FnMut(Heard<'_>) + Send),
) -> Result<(), ListeningError> {
    // It serves to open a connection anew.
    let pool = connect::postgres(url, only_one(), Purpose::Serving, Arc::default()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(channel).await?;
    tell(Heard::Begun);
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => tell(Heard::Notice(notice.payload())),
            // Its connection ended, and there is another one.
            Ok(Ok(None)) => tell(Heard::Begun),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                let asked = timeout(ANSWERS_WITHIN, listener.execute("select 1")).await;
                asked.map_err(|_| ListeningError::Hangs)??;
            }
        }
    }
}
