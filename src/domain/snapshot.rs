//! Where a change stands in commit order, and what a point in that order has seen.
//!
//! On PostgreSQL an id from a sequence is taken before commit, so no id can be a high-water mark. A
//! point in time is a snapshot (`pg_snapshot`), and a change carries the id of its transaction. Both are of
//! an [era](super::era): in another cluster transaction ids begin anew. On SQLite writers are serialised, so
//! there the change's own id is its place.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::{era::Era, ids::ChangeId};

/// The lowest id that PostgreSQL gives a transaction.
const FIRST_XID: u64 = 3;

/// PostgreSQL's `pg_snapshot`: which transactions had ended when it was taken.
///
/// Text form `xmin:xmax:xip,…` (PostgreSQL documentation, "Transaction ID and Snapshot Information
/// Functions"), and `@ERA` behind it in any era but the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
    era: Era,
}

impl Snapshot {
    /// The very beginning of an era: everything from before is visible in it, and nothing of its own.
    pub fn beginning_of(era: Era) -> Self {
        Self {
            xmin: FIRST_XID,
            xmax: FIRST_XID,
            in_progress: Vec::new(),
            era,
        }
    }

    /// The same, taken in this era.
    pub fn in_era(self, era: Era) -> Self {
        Self { era, ..self }
    }

    /// The era that its transaction ids belong to.
    pub fn era(&self) -> Era {
        self.era
    }

    /// Whether a transaction that committed is visible in this snapshot. (One that was rolled back
    /// leaves no rows, so nobody asks about it.)
    pub fn sees(&self, era: Era, xid: u64) -> bool {
        match era.cmp(&self.era) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                xid < self.xmin
                    || (xid < self.xmax && self.in_progress.binary_search(&xid).is_err())
            }
        }
    }

    /// As PostgreSQL reads it: without the era.
    pub fn pg_text(&self) -> String {
        let running: Vec<String> = self.in_progress.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.xmin, self.xmax, running.join(","))
    }

    /// The lowest transaction id that was still running.
    pub fn xmin(&self) -> u64 {
        self.xmin
    }

    /// One past the highest transaction id that had ended.
    pub fn xmax(&self) -> u64 {
        self.xmax
    }

    /// The transactions that were running, in ascending order.
    pub fn in_progress(&self) -> &[u64] {
        &self.in_progress
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pg_text())?;
        if self.era != Era::FIRST {
            write!(f, "@{}", self.era)?;
        }
        Ok(())
    }
}

/// A text that is neither a snapshot nor a change id.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a position in the change log")]
pub struct InvalidPosition(pub String);

impl FromStr for Snapshot {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let invalid = || InvalidPosition(text.to_owned());
        let (snapshot, era) = match text.split_once('@') {
            Some((snapshot, era)) => (snapshot, Era(era.parse().map_err(|_| invalid())?)),
            None => (text, Era::FIRST),
        };
        let mut parts = snapshot.splitn(3, ':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (xmin, xmax) = number().zip(number()).ok_or_else(invalid)?;
        let list = parts.next().ok_or_else(invalid)?;
        let mut in_progress = Vec::new();
        for xid in list.split(',').filter(|part| !part.is_empty()) {
            in_progress.push(xid.parse().map_err(|_| invalid())?);
        }
        in_progress.sort_unstable();
        Ok(Self {
            xmin,
            xmax,
            in_progress,
            era,
        })
    }
}

/// A point in commit order: everything that committed before it is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// PostgreSQL.
    Snapshot(Snapshot),
    /// SQLite: every change up to this id.
    UpTo(ChangeId),
}

/// The place of one change in commit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// PostgreSQL: the transaction that wrote it.
    Transaction {
        /// The era in which it was logged.
        era: Era,
        /// The transaction's id in that era.
        xid: u64,
    },
    /// SQLite: its own id.
    Id(ChangeId),
}

impl Position {
    /// Whether a change at `place` had committed at this point. A place of the other database's kind
    /// never had: the two never meet in one store.
    pub fn sees(&self, place: Place) -> bool {
        match (self, place) {
            (Self::Snapshot(snapshot), Place::Transaction { era, xid }) => snapshot.sees(era, xid),
            (Self::UpTo(last), Place::Id(id)) => id <= *last,
            (Self::Snapshot(_), Place::Id(_)) | (Self::UpTo(_), Place::Transaction { .. }) => false,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(snapshot) => snapshot.fmt(f),
            Self::UpTo(id) => id.fmt(f),
        }
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        match text.parse::<i64>() {
            Ok(id) => Ok(Self::UpTo(ChangeId(id))),
            Err(_) => text.parse().map(Self::Snapshot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        text.parse().unwrap()
    }

    #[test]
    fn a_snapshot_sees_what_had_ended() {
        let taken = snapshot("100:110:100,104");
        for seen in [1, 99, 101, 103, 105, 109] {
            assert!(taken.sees(Era::FIRST, seen), "{seen}");
        }
        for unseen in [100, 104, 110, 111] {
            assert!(!taken.sees(Era::FIRST, unseen), "{unseen}");
        }
    }

    #[test]
    fn transaction_ids_mean_something_within_their_era() {
        let taken = snapshot("100:110:104@7");
        for (era, xid, seen) in [
            (Era::FIRST, 999, true),
            (Era::FIRST, 104, true),
            (Era(7), 103, true),
            (Era(7), 104, false),
            (Era(7), 110, false),
            (Era(9), 1, false),
        ] {
            assert_eq!(taken.sees(era, xid), seen, "{xid} of {era}");
        }
        let beginning = Snapshot::beginning_of(Era(7));
        assert!(beginning.sees(Era::FIRST, u64::MAX));
        assert!(!beginning.sees(Era(7), FIRST_XID));
        assert_eq!(beginning.to_string(), "3:3:@7");
        assert_eq!(taken.pg_text(), "100:110:104");
    }

    #[test]
    fn the_text_form_survives_a_round_trip() {
        for text in ["1:1:", "100:110:100,104", "7:9:7", "7:9:7@12", "3:3:@12"] {
            assert_eq!(snapshot(text).to_string(), text);
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        assert_eq!(
            "42".parse::<Position>().unwrap(),
            Position::UpTo(ChangeId(42))
        );
        for text in ["", "1:2", "a:b:", "1:2:x", "1:2:@", "1:2:@x"] {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
    }
}
