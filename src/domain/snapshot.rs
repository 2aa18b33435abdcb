//! Where a change stands in commit order, and what a point in that order has seen.
//!
//! On PostgreSQL an id from a sequence is taken before commit, so no id can be a high-water mark. A
//! point in time is a snapshot (`pg_snapshot`), and a change carries the id of its transaction. On
//! SQLite writers are serialised, so there the change's own id is its place.

use std::{fmt, str::FromStr};

use super::ids::ChangeId;

/// PostgreSQL's `pg_snapshot`: which transactions had ended when it was taken.
///
/// Text form `xmin:xmax:xip,…` (PostgreSQL documentation, "Transaction ID and Snapshot Information
/// Functions").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
}

impl Snapshot {
    /// Whether a transaction that committed is visible in this snapshot. (One that was rolled back
    /// leaves no rows, so nobody asks about it.)
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && self.in_progress.binary_search(&xid).is_err())
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
        write!(f, "{}:{}:", self.xmin, self.xmax)?;
        for (index, xid) in self.in_progress.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{xid}")?;
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
        let mut parts = text.splitn(3, ':');
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
    Transaction(u64),
    /// SQLite: its own id.
    Id(ChangeId),
}

impl Position {
    /// Whether a change at `place` had committed at this point. A place of the other database's kind
    /// never had: the two never meet in one store.
    pub fn sees(&self, place: Place) -> bool {
        match (self, place) {
            (Self::Snapshot(snapshot), Place::Transaction(xid)) => snapshot.sees(xid),
            (Self::UpTo(last), Place::Id(id)) => id <= *last,
            (Self::Snapshot(_), Place::Id(_)) | (Self::UpTo(_), Place::Transaction(_)) => false,
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
            assert!(taken.sees(seen), "{seen}");
        }
        for unseen in [100, 104, 110, 111] {
            assert!(!taken.sees(unseen), "{unseen}");
        }
    }

    #[test]
    fn the_text_form_survives_a_round_trip() {
        for text in ["1:1:", "100:110:100,104", "7:9:7"] {
            assert_eq!(snapshot(text).to_string(), text);
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        assert_eq!(
            "42".parse::<Position>().unwrap(),
            Position::UpTo(ChangeId(42))
        );
        for text in ["", "1:2", "a:b:", "1:2:x"] {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
    }
}
