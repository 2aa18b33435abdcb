//! What each subscription is owed, by nothing but when calls were made and when they were answered.
//!
//! It knows no snapshot, no interval and no id of the log. A commit and a mutation each took effect at some
//! moment between call and answer; what a change is owed follows from the orders that these moments can have
//! (CONTRACT §7.1). Where they leave two, either is right.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use rowhook::domain::action::Action;

/// The watched tables' resources.
pub const RESOURCES: [&str; 2] = ["LEFT", "RIGHT"];

/// One of them, the first one more often, so that changes and subscriptions meet.
pub fn random_resource(chance: &mut StdRng) -> usize {
    usize::from(chance.random_bool(0.2))
}

/// Ticks that every task shares: what ended before another thing began has the lower one.
#[derive(Clone, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A call and its answer; what it did took effect between them.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub called: u64,
    pub answered: u64,
}

/// What a row holds beside its id and its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    pub a: i64,
    pub b: i64,
}

/// A change that was committed.
#[derive(Clone, Debug)]
pub struct Change {
    pub resource: usize,
    pub action: Action,
    /// Its own number, which it wrote into the row; a DELETE has that of the row that went.
    pub tag: i64,
    pub old: Option<Values>,
    pub new: Option<Values>,
    pub committed: Span,
}

/// A comparison of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    of_new: bool,
    column: char,
    at_least: i64,
}

impl Filter {
    fn holds(&self, change: &Change) -> bool {
        let row = if self.of_new { change.new } else { change.old };
        let row = row.expect("it looks at a row that every change of its action has");
        let value = if self.column == 'a' { row.a } else { row.b };
        value >= self.at_least
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = if self.of_new { "new" } else { "old" };
        write!(f, "{row}.{} >= {}", self.column, self.at_least)
    }
}

/// What a subscription asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub resource: usize,
    pub action: Action,
    pub changed_fields: Option<Vec<String>>,
    pub filter: Option<Filter>,
}

impl Setting {
    pub fn plain(resource: usize, action: Action) -> Self {
        Self {
            resource,
            action,
            changed_fields: None,
            filter: None,
        }
    }

    pub fn random(chance: &mut StdRng) -> Self {
        let action = if chance.random() {
            Action::Update
        } else {
            *Action::ALL.choose(chance).unwrap()
        };
        let fields: [&[&str]; 3] = [&["a"], &["b"], &["b", "a"]];
        let fields = fields.choose(chance).unwrap().iter();
        let fields = fields.map(|name| (*name).to_owned()).collect();
        let filter = Filter {
            of_new: match action {
                Action::Create => true,
                Action::Update => chance.random(),
                Action::Delete => false,
            },
            column: if chance.random() { 'a' } else { 'b' },
            at_least: chance.random_range(0..=3),
        };
        Self {
            resource: random_resource(chance),
            action,
            // The API takes them for UPDATE alone.
            changed_fields: (action == Action::Update && chance.random_bool(0.5)).then_some(fields),
            filter: chance.random_bool(0.4).then_some(filter),
        }
    }

    fn fires(&self, change: &Change) -> bool {
        let changed = |field: &String| match (change.old, change.new) {
            (Some(old), Some(new)) if field == "a" => old.a != new.a,
            (Some(old), Some(new)) => old.b != new.b,
            _ => unreachable!("an UPDATE has both"),
        };
        let fields = self.changed_fields.as_ref();
        self.resource == change.resource
            && self.action == change.action
            && fields.is_none_or(|fields| fields.iter().any(changed))
            && self.filter.as_ref().is_none_or(|one| one.holds(change))
    }
}

/// What a change is to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    Yes,
    No,
    /// The commit and a mutation were under way at the same time.
    Either,
}

/// What was in force from which mutation on; nothing before the first.
#[derive(Clone, Debug, Default)]
pub struct History(Vec<(Span, Option<Setting>)>);

impl History {
    /// After this mutation this is in force. Mutations of one subscription come one after the other.
    pub fn add(&mut self, span: Span, in_force: Option<Setting>) {
        self.0.push((span, in_force));
    }

    pub fn owes(&self, change: &Change) -> Owed {
        let mut verdicts = Vec::new();
        for index in 0..=self.0.len() {
            // In force from this mutation (none: since ever) to the next.
            let from = index.checked_sub(1).map(|index| &self.0[index]);
            let begun = from.is_none_or(|(span, _)| span.called < change.committed.answered);
            let to = self.0.get(index);
            let over = to.is_some_and(|(span, _)| span.answered < change.committed.called);
            if begun && !over {
                let setting = from.and_then(|(_, setting)| setting.as_ref());
                verdicts.push(setting.is_some_and(|setting| setting.fires(change)));
            }
        }
        match (verdicts.contains(&true), verdicts.contains(&false)) {
            (true, false) => Owed::Yes,
            (false, _) => Owed::No,
            (true, true) => Owed::Either,
        }
    }
}
