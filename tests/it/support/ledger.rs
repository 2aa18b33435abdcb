//! What has committed in `items`, by the tables themselves, and whether the deliveries are just that.
//!
//! A row starts with `n` 0 and every change adds 1, so a row whose count is 3 owes one CREATE and the
//! UPDATEs to 1, 2 and 3, in this order; a count in `gone` owes a DELETE after them. What was rolled back
//! is in no count, and a writer that was cut off in a commit need not know what became of it.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};

use super::receiver::Delivery;

/// One change of a row: the action, and the count before and after it.
type Change = (&'static str, Option<i64>, Option<i64>);

/// The committed changes of each row, in order.
#[derive(Debug)]
pub struct Ledger(BTreeMap<i64, Vec<Change>>);

/// How the deliveries went.
#[derive(Clone, Copy, Debug)]
pub struct Faithful {
    /// Different events.
    pub events: usize,
    /// Requests beyond the first of an event.
    pub duplicates: usize,
}

impl Ledger {
    /// Reads the tables.
    pub async fn read(app: &DatabaseConnection) -> Self {
        let mut rows = BTreeMap::new();
        for (id, n) in counts(app, "items").await {
            rows.insert(id, of_row(n, false));
        }
        for (id, n) in counts(app, "gone").await {
            let before = rows.insert(id, of_row(n, true));
            assert!(before.is_none(), "row {id} is there and gone");
        }
        Self(rows)
    }

    /// How many changes there are.
    pub fn changes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Checks that the deliveries to one receiver with a subscription to each action are these changes:
    /// none is missing, none too many, each row's in order at every receipt, the numbers of each
    /// subscription without a gap, and an event that came twice the same both times.
    pub fn compare(&self, deliveries: &[Delivery]) -> Faithful {
        let mut texts: BTreeMap<i64, &str> = BTreeMap::new();
        let mut rows: BTreeMap<i64, Vec<&Delivery>> = BTreeMap::new();
        let mut numbers: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for delivery in deliveries {
            let (event, row) = (delivery.event_id(), delivery.data()["id"].as_i64().unwrap());
            let of_row = rows.entry(row).or_default();
            let last = of_row.last().map_or(0, |last| last.event_id());
            assert!(
                event >= last,
                "row {row}: event {event} came after event {last}"
            );
            match texts.insert(event, &delivery.text) {
                Some(before) => assert_eq!(before, delivery.text, "one event, two bodies"),
                None => {
                    of_row.push(delivery);
                    let of_subscription = numbers.entry(delivery.subscription_id()).or_default();
                    of_subscription.push(delivery.sequence());
                }
            }
        }
        for (subscription, mut numbers) in numbers {
            numbers.sort_unstable();
            let whole: Vec<i64> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, whole, "the numbers of subscription {subscription}");
        }
        for (row, owed) in &self.0 {
            let came: Vec<Change> = rows
                .remove(row)
                .unwrap_or_default()
                .into_iter()
                .map(change)
                .collect();
            assert_eq!(came, *owed, "row {row}: what came, and what was committed");
        }
        assert!(rows.is_empty(), "nobody committed {rows:?}");
        Faithful {
            events: texts.len(),
            duplicates: deliveries.len() - texts.len(),
        }
    }
}

fn of_row(n: i64, gone: bool) -> Vec<Change> {
    let updates = (1..=n).map(|n| ("update", Some(n - 1), Some(n)));
    std::iter::once(("create", None, Some(0)))
        .chain(updates)
        .chain(gone.then_some(("delete", Some(n), None)))
        .collect()
}

fn change(delivery: &Delivery) -> Change {
    let data = delivery.data();
    let action = ["create", "update", "delete"]
        .into_iter()
        .find(|action| *action == delivery.action())
        .unwrap();
    (action, data["old"]["n"].as_i64(), data["new"]["n"].as_i64())
}

async fn counts(app: &DatabaseConnection, table: &str) -> Vec<(i64, i64)> {
    let sql = format!("select id, n from {table}");
    let statement = Statement::from_string(app.get_database_backend(), sql);
    let rows = app.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get("", "id").unwrap(),
                row.try_get("", "n").unwrap(),
            )
        })
        .collect()
}
