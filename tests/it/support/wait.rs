//! Waiting for a signal, never for a while: each wait has a deadline that only a failure meets.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

/// What a wait may take on a machine that has other things to do, or stands still for a while itself. What a test
/// lets pass on purpose, such as a keeper's patience, is much shorter, so that one bad moment does not add up to it.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The pause between two looks at something that does not call.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until the condition holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_ok(what, async || if holds() { Ok(()) } else { Err("") }).await;
}

/// Looks until it is well; the reason why it is not is told when the time is up.
pub async fn until_ok<T, E: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(reason) if began.elapsed() > DEADLINE => panic!("{what}: {reason:?}"),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// The next thing that is told and meant.
pub async fn heard<T, U>(
    what: &str,
    told: &mut UnboundedReceiver<T>,
    mut meant: impl FnMut(T) -> Option<U>,
) -> U {
    let listen = async {
        loop {
            let told = told.recv().await.expect("whoever tells is there");
            if let Some(meant) = meant(told) {
                return meant;
            }
        }
    };
    tokio::time::timeout(DEADLINE, listen)
        .await
        .unwrap_or_else(|_| panic!("{what} was not heard of"))
}
