//! Who gets which changes, at random and against an oracle (CONTRACT §7.1): subscriptions and receivers come,
//! pause, wake, are refiltered, move and go while transactions of every shape commit and roll back, and
//! the poller is far behind, or comes and goes.
//!
//! What was committed and what was answered is known to those who did it (`writer`, `owner`); what follows from
//! it says `oracle`; what was made of it stands in `events`.

mod at_once;
mod in_turn;
mod oracle;
mod over_graphql;
mod owner;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, atomic::AtomicI64},
};

use rowhook::{
    domain::action::Action,
    store::{
        catalogue::{ResourceInstaller as _, WantedResource},
        sql::{
            catalogue::SqlResourceInstaller,
            db::{Db, Dialect},
        },
    },
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

use crate::support::{stored::number, wait::until_ok};
use oracle::{Change, Clock, History, Owed, RESOURCES};
use owner::{Management, Owner};
use writer::{TABLES, Writer};

/// Everybody, and what has been compared so far.
struct Scene {
    db: Db,
    writers: Vec<Writer>,
    owners: Vec<Owner>,
    witnesses: Vec<i32>,
    changes: usize,
    last_event: i64,
}

/// What a comparison looked at.
#[derive(Debug, Default)]
struct Compared {
    changes: usize,
    subscriptions: usize,
    owed: usize,
    not_owed: usize,
    either: usize,
}

impl std::ops::AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.changes += other.changes;
        self.subscriptions += other.subscriptions;
        self.owed += other.owed;
        self.not_owed += other.not_owed;
        self.either += other.either;
    }
}

/// The tables, in a database of either kind.
async fn make_tables(app: &DatabaseConnection) {
    for table in TABLES {
        let sql =
            format!("create table {table} (id bigint primary key, a bigint, b bigint, tag bigint)");
        app.execute_unprepared(&sql).await.unwrap();
    }
}

async fn watch_tables(db: &Db) {
    let installer = SqlResourceInstaller::new(db.clone());
    for (resource, table) in RESOURCES.iter().zip(TABLES) {
        let wanted = WantedResource {
            name: resource.parse().unwrap(),
            aliases: Vec::new(),
            table: table.into(),
            key: Vec::new(),
            etag: None,
            exclude: Vec::new(),
            on_truncate: rowhook::domain::resource::OnTruncate::Rows,
        };
        installer.install(&wanted).await.unwrap();
    }
}

impl Scene {
    /// The tables are there and watched.
    async fn new(
        db: &Db,
        app: &DatabaseConnection,
        clock: &Clock,
        management: &impl Management,
    ) -> Self {
        let tags = Arc::new(AtomicI64::new(1));
        let writer = |number| Writer::new(number, app, clock, &tags);
        Self {
            db: db.clone(),
            writers: (1..=4).map(writer).collect(),
            owners: (0..3).map(|_| Owner::default()).collect(),
            witnesses: Owner::witness(management).await,
            changes: 0,
            last_event: 0,
        }
    }

    /// Waits until everything that was committed is fanned out, and compares what came of it with what the
    /// oracle says. The subscriptions of this round are deleted by now.
    async fn compare(&mut self) -> Compared {
        let mut changes = Vec::new();
        for writer in &mut self.writers {
            assert!(!writer.is_open());
            changes.append(&mut writer.take_committed());
        }
        let mut histories = BTreeMap::new();
        for owner in &mut self.owners {
            histories.append(&mut owner.take_histories());
        }
        self.changes += changes.len();
        self.caught_up(&changes).await;
        let events = self.events(&changes).await;
        compare(&changes, &histories, events)
    }

    /// The witnesses' events are there: those of all others are written with them.
    async fn caught_up(&self, changes: &[Change]) {
        let ids: Vec<String> = self.witnesses.iter().map(ToString::to_string).collect();
        let sql = format!(
            "select count(*) from rowhook.events where subscription_id in ({})",
            ids.join(", ")
        );
        let wanted = i64::try_from(self.changes).unwrap();
        until_ok("every change is fanned out", async || {
            let found = number(&self.db, &sql).await;
            if found >= wanted {
                return Ok(());
            }
            let first = changes.first();
            Err(format!(
                "{found} of {wanted}, the round began with {first:?}"
            ))
        })
        .await;
    }

    /// The changes that each subscription got, the witnesses' left out: these are right.
    async fn events(&mut self, changes: &[Change]) -> BTreeMap<i32, BTreeSet<usize>> {
        let place = |index: usize, change: &Change| {
            let key = (RESOURCES[change.resource], change.action, change.tag);
            (key, index)
        };
        let places = changes.iter().enumerate().map(|(i, one)| place(i, one));
        let places: HashMap<_, _> = places.collect();
        assert_eq!(places.len(), changes.len());
        let sql = "select e.id, e.subscription_id, e.sequence, r.name, cast(l.action as bigint), l.row_data, \
                   (select count(*) from rowhook.events o \
                    where o.subscription_id = e.subscription_id and o.id <= e.id) \
                   from rowhook.events e join rowhook.logged_actions l on l.id = e.change_id \
                   join rowhook.resources r on r.id = l.resource_id where e.id > $1 order by e.id";
        let statement = self.db.statement(sql, [self.last_event.into()]);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        let mut got: BTreeMap<i32, BTreeSet<usize>> = BTreeMap::new();
        for row in rows {
            self.last_event = row.try_get_by_index(0).unwrap();
            let subscription: i32 = row.try_get_by_index(1).unwrap();
            let sequence: i64 = row.try_get_by_index(2).unwrap();
            let name: String = row.try_get_by_index(3).unwrap();
            let code: i64 = row.try_get_by_index(4).unwrap();
            let text: String = row.try_get_by_index(5).unwrap();
            let count: i64 = row.try_get_by_index(6).unwrap();
            assert_eq!(sequence, count, "a number of subscription {subscription}");
            let action = Action::from_code(code.try_into().unwrap()).unwrap();
            let data: serde_json::Value = serde_json::from_str(&text).unwrap();
            // On PostgreSQL an array, and it is the fourth column.
            let tag = data.get("tag").unwrap_or_else(|| &data[3]);
            let tag = tag.as_i64().unwrap();
            let place = places.get(&(name.as_str(), action, tag));
            let place = place.unwrap_or_else(|| {
                panic!("subscription {subscription} got what nobody committed now: {action} {text}")
            });
            let fresh = got.entry(subscription).or_default().insert(*place);
            assert!(
                fresh,
                "subscription {subscription} got {action} {text} twice"
            );
        }
        let witnessed = self.witnesses.iter().filter_map(|id| got.remove(id));
        assert_eq!(witnessed.map(|one| one.len()).sum::<usize>(), changes.len());
        got
    }
}

fn compare(
    changes: &[Change],
    histories: &BTreeMap<i32, History>,
    mut events: BTreeMap<i32, BTreeSet<usize>>,
) -> Compared {
    let mut compared = Compared {
        changes: changes.len(),
        subscriptions: histories.len(),
        ..Compared::default()
    };
    for (subscription, history) in histories {
        let got = events.remove(subscription).unwrap_or_default();
        for (index, change) in changes.iter().enumerate() {
            let owed = history.owes(change);
            match owed {
                Owed::Yes => compared.owed += 1,
                Owed::No => compared.not_owed += 1,
                Owed::Either => compared.either += 1,
            }
            let right = match owed {
                Owed::Yes => got.contains(&index),
                Owed::No => !got.contains(&index),
                Owed::Either => true,
            };
            assert!(
                right,
                "subscription {subscription} owed: {owed:?}, got: {}\n{change:#?}\n{history:#?}",
                got.contains(&index)
            );
        }
    }
    assert!(
        events.is_empty(),
        "subscriptions that had gone before got events: {events:?}"
    );
    compared
}

/// SQLite has one writer: a transaction of it ends before anything else is written.
fn may_stay_open(db: &Db) -> bool {
    db.dialect() == Dialect::Postgres
}
