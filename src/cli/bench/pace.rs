//! How the application writes: as fast as rowhook keeps up, and when all that it wrote has become events.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use crate::sample::load::{Load, LoadTable};

use super::{
    super::Failure,
    house::{House, Registered},
    sink_process::Sink,
};

/// Connections on which the application commits at once.
const WRITERS: usize = 4;
/// How often the sink is asked what has come.
const LOOK: Duration = Duration::from_millis(10);

/// A load that waits while too much is on its way.
#[derive(Clone, Copy, Debug)]
pub struct Paced {
    /// Rows in one transaction.
    pub rows: u64,
    /// Deliveries that follow from one row.
    pub deliveries_per_row: u64,
    /// Deliveries that may be on their way.
    pub on_their_way: u64,
    /// For how long.
    pub time: Duration,
}

impl Paced {
    /// Commits rows on several connections until the time is over, and tells how many transactions that were. The next
    /// one waits while more than `on_their_way` deliveries have not come.
    pub async fn write(self, load: &Load, sink: &mut Sink) -> Result<u64, Failure> {
        let (came, sent) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0_u64)));
        let end = Instant::now() + self.time;
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (load, came, sent) = (load.clone(), came.clone(), sent.clone());
                tokio::task::spawn_local(async move {
                    while Instant::now() < end {
                        let commits = sent.get();
                        let owed = (commits + 1) * self.rows * self.deliveries_per_row;
                        if owed > came.get() + self.on_their_way {
                            tokio::time::sleep(LOOK / 10).await;
                            continue;
                        }
                        sent.set(commits + 1);
                        let first = commits * self.rows + 1;
                        let insert = load.insert(LoadTable::Items, first, self.rows);
                        insert.await.map_err(Failure::of_work)?;
                    }
                    Ok::<_, Failure>(())
                })
            })
            .collect();
        while Instant::now() < end {
            sink.look().await?;
            came.set(sink.receipts.len() as u64);
            tokio::time::sleep(LOOK).await;
        }
        for writer in writers {
            writer.await.map_err(Failure::of_work)??;
        }
        Ok(sent.get())
    }
}

/// The sink's receiver that tells how far fan-out is.
pub const MARKER: u32 = 1_000_000;

/// Waits until all that was committed so far has become events: a change that comes after it does so after it.
pub async fn until_fanned_out(
    house: &House,
    sink: &mut Sink,
    patience: Duration,
) -> Result<(), Failure> {
    let marker = Registered::plain(sink.uri(MARKER), LoadTable::Others);
    house.register(&marker).await?;
    let insert = house.load.insert(LoadTable::Others, 1, 1);
    insert.await.map_err(Failure::of_work)?;
    let mut looked = 0;
    let seen = sink
        .wait(patience, |receipts| {
            let new = &receipts[looked..];
            looked = receipts.len();
            new.iter().any(|receipt| receipt.receiver == MARKER)
        })
        .await?;
    if seen {
        Ok(())
    } else {
        Err(Failure::of_work(format!(
            "changes were not fanned out within {patience:?}; the end of rowhook's log:\n{}",
            house.log()
        )))
    }
}

/// Commits rows from the first on, so many at once.
pub async fn write_all(load: &Load, rows: u64, at_once: u64) -> Result<(), Failure> {
    let mut first = 1;
    while first <= rows {
        let count = at_once.min(rows + 1 - first);
        let insert = load.insert(LoadTable::Items, first, count);
        insert.await.map_err(Failure::of_work)?;
        first += count;
    }
    Ok(())
}
