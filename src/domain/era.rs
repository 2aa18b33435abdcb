//! Which cluster's transactions a change and a snapshot speak of.
//!
//! A dump that is restored into another PostgreSQL cluster brings transaction ids along that mean nothing there. They
//! compare rightly among themselves, so each restore begins a new era: what was logged before it has an id up to the
//! era's, what is logged after it a higher one, since the sequence was restored too. `rowhook rebase` writes them down.

use std::{fmt, str::FromStr};

use super::ids::ChangeId;

/// The last change that was restored from another cluster; 0 where none ever was. It names the time since then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Era(pub i64);

impl Era {
    /// Before any restore.
    pub const FIRST: Self = Self(0);
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The eras that restores began, in their order; the first one goes without saying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eras(Vec<Era>);

impl Eras {
    /// The present one.
    pub fn newest(&self) -> Era {
        self.0.last().copied().unwrap_or_default()
    }

    /// The one that followed; `None`: it is the present one.
    pub fn after(&self, era: Era) -> Option<Era> {
        self.0.iter().copied().find(|next| *next > era)
    }

    /// The one in which a change was logged.
    pub fn of(&self, change: ChangeId) -> Era {
        let before = |era: &&Era| era.0 < change.0;
        self.0.iter().rfind(before).copied().unwrap_or_default()
    }
}

/// A text that does not list eras.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no list of eras")]
pub struct InvalidEras(pub String);

impl FromStr for Eras {
    type Err = InvalidEras;

    /// Change ids in ascending order with commas between them.
    fn from_str(text: &str) -> Result<Self, InvalidEras> {
        let eras: Result<Vec<Era>, _> = text
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map(Era))
            .collect();
        match eras {
            Ok(eras) if eras.is_sorted() => Ok(Self(eras)),
            Ok(_) | Err(_) => Err(InvalidEras(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_belongs_to_the_era_that_began_before_it() {
        let eras: Eras = "10,20".parse().unwrap();
        let of = |id| eras.of(ChangeId(id)).0;
        assert_eq!([1, 10, 11, 20, 21].map(of), [0, 0, 10, 10, 20]);
        assert_eq!(eras.newest(), Era(20));
        assert_eq!(eras.after(Era::FIRST), Some(Era(10)));
        assert_eq!(eras.after(Era(10)), Some(Era(20)));
        assert_eq!(eras.after(Era(20)), None);
    }

    #[test]
    fn most_databases_have_one_era() {
        let eras: Eras = "".parse().unwrap();
        assert_eq!((eras.newest(), eras.after(Era::FIRST)), (Era(0), None));
        assert_eq!(eras.of(ChangeId(7)), Era::FIRST);
        for text in ["x", "20,10"] {
            assert!(text.parse::<Eras>().is_err(), "{text}");
        }
    }
}
