//! Whether what was delivered is what `support::rivals` committed, by the application's own audit of it: the
//! same changes, each once, each key's in its order, each transaction with an id of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};
use serde_json::Value;

use super::{ledger::Faithful, receiver::Delivery};

#[derive(Debug)]
struct Owed {
    action: String,
    was: Option<String>,
    tag: String,
}

/// What was committed, by `key:count`, and how far each key was counted.
pub struct Audit {
    owed: BTreeMap<String, Owed>,
    keys: BTreeMap<i64, i64>,
    dialect: Dialect,
}

impl Audit {
    pub async fn read(app: &DatabaseConnection, dialect: Dialect) -> Self {
        let rows = async |sql: &str| -> Vec<QueryResult> {
            let statement = Statement::from_string(app.get_database_backend(), sql);
            app.query_all_raw(statement).await.unwrap()
        };
        let mut owed = BTreeMap::new();
        for row in rows("select action, at, was, tag from audit").await {
            let one = Owed {
                action: row.try_get_by_index(0).unwrap(),
                was: row.try_get_by_index(2).unwrap(),
                tag: row.try_get_by_index(3).unwrap(),
            };
            let before = owed.insert(row.try_get_by_index(1).unwrap(), one);
            assert!(before.is_none(), "one count, two changes");
        }
        let keys = rows("select key, n from keys").await;
        let pair = |row: &QueryResult| {
            let key = row.try_get_by_index(0).unwrap();
            (key, row.try_get_by_index(1).unwrap())
        };
        Self {
            owed,
            keys: keys.iter().map(pair).collect(),
            dialect,
        }
    }

    /// How many changes there are.
    pub fn changes(&self) -> usize {
        self.owed.len()
    }

    /// Checks the deliveries to one receiver with a subscription to each action.
    pub fn compare(&self, deliveries: &[Delivery]) -> Faithful {
        let mut texts: HashMap<i64, &str> = HashMap::new();
        let mut missing: BTreeSet<&String> = self.owed.keys().collect();
        let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
        let mut numbers: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        let mut transactions: BTreeMap<&str, i64> = BTreeMap::new();
        for delivery in deliveries {
            let before = texts.insert(delivery.event_id(), &delivery.text);
            let again = before.is_some();
            if let Some(before) = before {
                assert_eq!(before, delivery.text, "one event, two bodies");
            }
            let (at, was) = told(delivery);
            // Each key counts on by one, at every receipt; what comes again is the last one.
            for of_key in std::iter::once(&at).chain(&was) {
                let (key, n) = split(of_key);
                let last = counted.entry(key).or_default();
                let right = n == *last + i64::from(!again);
                assert!(
                    right,
                    "key {key}: {n} came after {last}, {again}: {delivery:?}"
                );
                *last = n;
            }
            if again {
                continue;
            }
            let owed = self.owed.get(&at);
            let owed = owed.unwrap_or_else(|| panic!("nobody committed {}", delivery.text));
            assert!(missing.remove(&at), "{at} came as two events");
            assert_eq!(delivery.action(), owed.action, "{at}");
            assert_eq!(was, owed.was, "{at}");
            let data = delivery.data();
            let tag = data["new"]["tag"].as_str();
            assert!(tag.is_none_or(|tag| tag == owed.tag), "{owed:?} {data}");
            let id = delivery.body["transaction_id"].as_i64().unwrap();
            let before = transactions.entry(&owed.tag).or_insert(id);
            assert_eq!(*before, id, "two ids for the changes of {}", owed.tag);
            let of_subscription = numbers.entry(delivery.subscription_id()).or_default();
            assert!(
                of_subscription.insert(delivery.sequence()),
                "a number came twice"
            );
        }
        assert!(
            missing.is_empty(),
            "{} are missing: {missing:?}",
            missing.len()
        );
        assert_eq!(counted, self.keys);
        for (subscription, numbers) in numbers {
            let whole: BTreeSet<i64> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, whole, "the numbers of subscription {subscription}");
        }
        // On SQLite two quick ones may share one.
        if self.dialect == Dialect::Postgres {
            let ids: BTreeSet<i64> = transactions.values().copied().collect();
            assert_eq!(ids.len(), transactions.len(), "transactions share an id");
        }
        Faithful {
            events: texts.len(),
            duplicates: deliveries.len() - texts.len(),
        }
    }
}

/// The count of the row's key, and that of the key that it had before.
fn told(delivery: &Delivery) -> (String, Option<String>) {
    let data = delivery.data();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if delivery.action() == "delete" {
        // It tells of the change before it.
        let (key, n) = split(data["old"]["at"].as_str().unwrap());
        return (format!("{key}:{}", n + 1), None);
    }
    let new = &data["new"];
    (text(&new["at"]).unwrap(), text(&new["was"]))
}

fn split(at: &str) -> (i64, i64) {
    let (key, n) = at.split_once(':').unwrap();
    (key.parse().unwrap(), n.parse().unwrap())
}
