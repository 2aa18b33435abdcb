//! The schema of rowhook's own tables as it stands in a database, and whether this program can work with it.
//!
//! While a fleet is upgraded, programs of two releases work on one schema, which the newer one has migrated. So each
//! migration after the first release says in its name what it means for those that do not know it:
//! `m0014_expand_WORDS` leaves all that they use as it was, and `m0017_contract_0014_WORDS` takes away what programs use
//! that do not know `m0014`. The name is what every release can read, it is written in the same transaction as the
//! change itself, and it goes when that is taken back.

use chrono::{DateTime, Utc};

/// The migrations up to this one are the first release's, which every program knows; their names say nothing.
const FIRST_RELEASE: u16 = 15;

/// What a migration means for a program that does not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It works as before.
    Expand,
    /// It works if it knows the migration with this number.
    Contract { needs: u16 },
}

/// `0014` of `0014_words`, and `words`.
fn split_number(text: &str) -> Option<(u16, &str)> {
    let (number, words) = text.split_once('_')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| number.parse().ok())??;
    Some((number, words))
}

fn number(name: &str) -> Option<u16> {
    Some(split_number(name.strip_prefix('m')?)?.0)
}

fn step(name: &str) -> Option<Step> {
    let (own, words) = split_number(name.strip_prefix('m')?)?;
    if let Some(words) = words.strip_prefix("expand_") {
        return (!words.is_empty()).then_some(Step::Expand);
    }
    let (needs, words) = split_number(words.strip_prefix("contract_")?)?;
    (needs < own && !words.is_empty()).then_some(Step::Contract { needs })
}

/// Whether a migration has the name that it should have.
pub fn is_well_named(name: &str) -> bool {
    number(name).is_some_and(|number| number <= FIRST_RELEASE) || step(name).is_some()
}

/// How a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is in the database.
    Applied,
    /// It is not.
    Pending,
    /// It is in the database, and a newer program than this one has put it there.
    Unknown,
}

impl State {
    /// For people and scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// Since when it is in the database.
    pub applied_at: Option<DateTime<Utc>>,
}

/// Why this program can not work with the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooNew {
    /// What it uses was taken away.
    #[error(
        "this rowhook is too old for its tables: a newer one has applied migration {applied}, which needs programs \
         that know m{needs:04}, and this one knows none after {newest}; start the newer release here"
    )]
    Contracted {
        /// The migration.
        applied: String,
        /// The number of what a program has to know.
        needs: u16,
        /// The newest that this program knows.
        newest: String,
    },
    /// The migration says of no other program that it may work on.
    #[error(
        "this rowhook is too old for its tables: it does not know migration {applied}, whose name does not say that \
         older programs may work on; start the release here that has applied it"
    )]
    Unmarked {
        /// The migration.
        applied: String,
    },
}

/// Every migration that is known or applied, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    migrations: Vec<Migration>,
}

impl Schema {
    /// Of the names that this program knows, in order, and those that the database holds.
    pub fn new<'a>(
        known: impl IntoIterator<Item = &'a str>,
        mut applied: Vec<(String, DateTime<Utc>)>,
    ) -> Self {
        let mut migrations = Vec::new();
        for name in known {
            let at = applied.iter().position(|(one, _)| one == name);
            let applied_at = at.map(|at| applied.swap_remove(at).1);
            let state = applied_at.map_or(State::Pending, |_| State::Applied);
            migrations.push(Migration {
                name: name.to_owned(),
                state,
                applied_at,
            });
        }
        applied.sort();
        migrations.extend(applied.into_iter().map(|(name, at)| Migration {
            name,
            state: State::Unknown,
            applied_at: Some(at),
        }));
        Self { migrations }
    }

    /// Them.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    fn of(&self, state: State) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(move |one| one.state == state)
    }

    /// How many stand so.
    pub fn count(&self, state: State) -> usize {
        self.of(state).count()
    }

    /// The newest one that this program does not know.
    pub fn newest_unknown(&self) -> Option<&str> {
        self.of(State::Unknown).last().map(|one| &*one.name)
    }

    /// Whether this program can work with what newer ones have applied.
    pub fn is_not_too_new(&self) -> Result<(), TooNew> {
        let known = self.migrations.iter().rev();
        let newest = known
            .skip_while(|one| one.state == State::Unknown)
            .map(|one| &*one.name)
            .next()
            .unwrap_or_default();
        for unknown in self.of(State::Unknown) {
            match step(&unknown.name) {
                Some(Step::Expand) => {}
                Some(Step::Contract { needs })
                    if number(newest).is_some_and(|own| own >= needs) => {}
                Some(Step::Contract { needs }) => {
                    return Err(TooNew::Contracted {
                        applied: unknown.name.clone(),
                        needs,
                        newest: newest.to_owned(),
                    });
                }
                None => {
                    return Err(TooNew::Unmarked {
                        applied: unknown.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_migration_means() {
        for (name, meant) in [
            ("m0014_expand_due", Some(Step::Expand)),
            (
                "m0017_contract_0014_due",
                Some(Step::Contract { needs: 14 }),
            ),
            ("m0017_contract_0017_due", None),
            ("m0017_contract_0018_due", None),
            ("m0017_contract_14_due", None),
            ("m0017_contract_due", None),
            ("m0017_contract_0014_", None),
            ("m0017_expand_", None),
            ("m0017_expanded", None),
            ("m17_expand_due", None),
            ("m+017_expand_due", None),
            ("expand_due", None),
            ("", None),
        ] {
            assert_eq!(step(name), meant, "{name}");
        }
        assert!(is_well_named("m0013_delivery_history"));
        assert!(!is_well_named("m0016_delivery_history"));
        assert!(is_well_named("m0016_expand_delivery_history"));
    }

    #[test]
    fn a_program_works_with_what_newer_ones_left_it() {
        let fits = |applied: &[&str]| {
            let applied = applied
                .iter()
                .map(|name| ((*name).to_owned(), DateTime::UNIX_EPOCH));
            Schema::new(["m0001_a", "m0014_expand_b"], applied.collect()).is_not_too_new()
        };
        let known = ["m0001_a", "m0014_expand_b"];
        assert_eq!(fits(&[]), Ok(()));
        assert_eq!(fits(&known), Ok(()));
        assert_eq!(fits(&["m0001_a", "m0015_expand_c"]), Ok(()));
        let contract = [&known[..], &["m0016_contract_0014_a", "m0015_expand_c"]].concat();
        assert_eq!(fits(&contract), Ok(()));
        assert_eq!(
            fits(&[&contract[..], &["m0017_contract_0015_c"]].concat()),
            Err(TooNew::Contracted {
                applied: "m0017_contract_0015_c".to_owned(),
                needs: 15,
                newest: "m0014_expand_b".to_owned(),
            })
        );
        assert_eq!(
            fits(&["m0001_a", "later"]),
            Err(TooNew::Unmarked {
                applied: "later".to_owned()
            })
        );
    }

    #[test]
    fn each_migration_stands_in_its_place() {
        let at = DateTime::UNIX_EPOCH;
        let applied = ["m0016_x", "m0002_b", "m0015_x"].map(|name| (name.to_owned(), at));
        let schema = Schema::new(["m0001_a", "m0002_b"], applied.to_vec());
        let shown: Vec<_> = schema
            .migrations()
            .iter()
            .map(|one| (&*one.name, one.state, one.applied_at.is_some()))
            .collect();
        assert_eq!(
            shown,
            [
                ("m0001_a", State::Pending, false),
                ("m0002_b", State::Applied, true),
                ("m0015_x", State::Unknown, true),
                ("m0016_x", State::Unknown, true),
            ]
        );
        assert_eq!(schema.newest_unknown(), Some("m0016_x"));
        assert_eq!(schema.count(State::Unknown), 2);
    }
}
