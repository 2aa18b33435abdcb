//! Listening to PostgreSQL's notices, on a connection of its own.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use tokio::task::AbortHandle;

use super::db::Db;

/// The pause before a listener that lost its connection listens again.
const AGAIN: Duration = Duration::from_secs(1);

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
) -> Result<(), sea_orm::sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(channel).await?;
    tell(Heard::Begun);
    loop {
        let notice = listener.recv().await?;
        tell(Heard::Notice(notice.payload()));
    }
}
