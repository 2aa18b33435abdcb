//! Lists of many events: whatever they are narrowed by, a page of them is found by reading about as many
//! events as it has.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::{
        action::Action,
        event::EventStatus,
        ids::{ReceiverId, SubscriptionId, TransactionId},
    },
    policy::logged_row::row_hash,
    store::{
        event_log::{EventFilter, EventLog as _},
        sql::{
            db::{Db, Dialect},
            event_lists::{Walk, ids_of_sql, ids_sql},
            event_log::SqlEventLog,
        },
    },
};
use sea_orm::{ConnectionTrait as _, Value};

use super::plans::plan;
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, run},
};

on_both!(a_page_of_many_events_is_found_through_an_index);

const EVENTS: i64 = 200_000;
/// Written with one statement.
const PIECE: i64 = 10_000;
/// What a page of 100 may read beside its own events.
const READ: i64 = 2_000;

fn start() -> DateTime<Utc> {
    "2026-04-26T19:00:00Z".parse().unwrap()
}

/// 40 subscriptions of 10 receivers, 5000 rows, three changes in a transaction, one change in a second. Most
/// are delivered, some failed or cancelled long ago, the last 500 are pending. `RARE` has 20, all of them old.
async fn many(db: &Db) {
    for name in ["RUN_STEP", "RARE"] {
        let definition = r#"{"table":"public.t","columns":[],"key":["id"],"etag":null,"exclude":[],
            "on_truncate":"rows"}"#;
        stored::insert_resource(db, name, definition, true).await;
    }
    let at = match db.dialect() {
        Dialect::Postgres => "$2 + i * interval '1 second'",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', $2, '+' || i || ' seconds')",
    };
    let sql = format!(
        "with recursive n(i) as (select $3 + 1 union all select i + 1 from n where i < $3 + {PIECE})
         insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
             transaction_id, occurred_at, created_at, row_id, row_hash, state)
         select i % 40 + 1, i % 40 / 4 + 1, i, i, case when i <= 20 then 2 else 1 end, case when i % 3 = 0
                then 1 else 2 end, i / 3, {at}, {at}, cast(i % 5000 as text),
                case when i % 5000 = 7 then $1 else i % 5000 end,
                case when i > {EVENTS} - 500 then 0 when i % 5000 = 1 and i < 100000 then 4
                     when i % 5000 = 2 and i < 100000 then 5 else 3 end
         from n"
    );
    for piece in 0..EVENTS / PIECE {
        let row: Value = row_hash("public.t", "7").into();
        run(db, &sql, [row, start().into(), (piece * PIECE).into()]).await;
    }
    let learn = match db.dialect() {
        Dialect::Postgres => "vacuum analyze rowhook.events",
        Dialect::Sqlite => "analyze",
    };
    db.execute_unprepared(learn).await.unwrap();
}

/// Every kind of list that the console and the API's users ask for, with how many events it has.
fn filters() -> Vec<(EventFilter, u64)> {
    let none = EventFilter::default;
    let status = |status| EventFilter {
        status: Some(status),
        ..none()
    };
    let of = |receiver| EventFilter {
        receiver_id: Some(ReceiverId(receiver)),
        ..none()
    };
    let subscription = |id| EventFilter {
        subscription_id: Some(SubscriptionId(id)),
        ..none()
    };
    let at = |seconds| Some(start() + TimeDelta::seconds(seconds));
    vec![
        (none(), 200_000),
        (status(EventStatus::Delivered), 199_460),
        (status(EventStatus::Failed), 20),
        (status(EventStatus::Cancelled), 20),
        (status(EventStatus::Pending), 500),
        (of(3), 20_000),
        (
            EventFilter {
                status: Some(EventStatus::Failed),
                ..of(1)
            },
            20,
        ),
        (
            EventFilter {
                status: Some(EventStatus::Cancelled),
                ..of(3)
            },
            0,
        ),
        (subscription(7), 5_000),
        (
            EventFilter {
                status: Some(EventStatus::Failed),
                ..subscription(2)
            },
            20,
        ),
        (
            EventFilter {
                status: Some(EventStatus::Pending),
                ..subscription(9)
            },
            12,
        ),
        (
            EventFilter {
                resource: Some("RARE".parse().unwrap()),
                ..none()
            },
            20,
        ),
        (
            EventFilter {
                resource: Some("RARE".parse().unwrap()),
                action: Some(Action::Create),
                ..none()
            },
            6,
        ),
        (
            EventFilter {
                action: Some(Action::Delete),
                ..none()
            },
            0,
        ),
        (
            EventFilter {
                resource: Some("RARE".parse().unwrap()),
                status: Some(EventStatus::Delivered),
                ..none()
            },
            18,
        ),
        (
            EventFilter {
                transaction_id: Some(TransactionId(500)),
                ..none()
            },
            3,
        ),
        (
            EventFilter {
                row_id: Some("7".to_owned()),
                ..none()
            },
            40,
        ),
        (
            EventFilter {
                row_id: Some("7".to_owned()),
                status: Some(EventStatus::Failed),
                receiver_id: Some(ReceiverId(2)),
                ..none()
            },
            0,
        ),
        (
            EventFilter {
                occurred_after: at(1000),
                occurred_before: at(2000),
                ..none()
            },
            1000,
        ),
        (
            EventFilter {
                occurred_before: at(50),
                ..none()
            },
            49,
        ),
        (
            EventFilter {
                occurred_after: at(EVENTS - 9),
                ..none()
            },
            10,
        ),
    ]
}

async fn a_page_of_many_events_is_found_through_an_index(database: TestDatabase) {
    let db = database.migrated().await;
    many(&db).await;
    let log = SqlEventLog::new(db.clone());
    for (filter, wanted) in filters() {
        assert_eq!(log.count(&filter).await.unwrap(), wanted, "{filter:?}");
        let found = log.events(&filter, 100, 0).await.unwrap();
        assert_eq!(found.len() as u64, wanted.min(100), "{filter:?}");
        assert!(
            found.is_sorted_by(|one, next| one.id.0 > next.id.0),
            "{filter:?}"
        );
        let (sql, values) = ids_sql(&db, &Walk::newest(&filter, 100)).await.unwrap();
        let plan = plan(&db, &sql, values).await;
        let delivered = filter
            .status
            .is_none_or(|status| status == EventStatus::Delivered);
        let whole_log = delivered
            && filter.row_id.is_none()
            && filter.transaction_id.is_none()
            && filter.receiver_id.is_none()
            && filter.subscription_id.is_none();
        let read = reads(&plan, whole_log);
        assert!(read <= READ, "{filter:?}: {read}\n{sql}\n{plan}");
    }
    the_newest_of_each_subscription(&db, &log).await;
}

/// Those of several subscriptions are found with one question.
async fn the_newest_of_each_subscription(db: &Db, log: &SqlEventLog) {
    let ids: Vec<SubscriptionId> = (0..=12).map(SubscriptionId).collect();
    let found: HashMap<SubscriptionId, Vec<i64>> = log
        .events_of(&ids, 5, 2)
        .await
        .unwrap()
        .into_iter()
        .map(|(id, events)| (id, events.iter().map(|event| event.id.0).collect()))
        .collect();
    assert_eq!(found.len(), 12, "there is no subscription 0");
    for (id, events) in found {
        let filter = EventFilter {
            subscription_id: Some(id),
            ..EventFilter::default()
        };
        let alone = log.events(&filter, 5, 2).await.unwrap();
        let alone: Vec<i64> = alone.iter().map(|event| event.id.0).collect();
        assert_eq!(events, alone);
        assert_eq!(events.len(), 5);
    }
    let sql = ids_of_sql(db.dialect(), 5, 2);
    let value: Value = match db.dialect() {
        Dialect::Postgres => vec![1_i64, 2, 3].into(),
        Dialect::Sqlite => "[1,2,3]".into(),
    };
    let plan = plan(db, &sql, vec![value]).await;
    assert!(reads(&plan, false) <= READ, "{plan}");
}

/// How many events a plan reads. SQLite does not tell; there a look at the whole table counts as the table,
/// but for a walk along the primary key where most of the log matches.
fn reads(plan: &str, whole_log: bool) -> i64 {
    let mut read = 0;
    let mut scan = 0;
    for line in plan.lines() {
        let number = |after: &str| -> Option<i64> {
            let rest = line.split_once(after)?.1;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        };
        if line.contains("Scan") {
            let loops = number("loops=").unwrap_or(1);
            scan = loops;
            read += number("rows=").unwrap_or(0) * loops;
        }
        read += number("Rows Removed by Filter: ").unwrap_or(0) * scan;
        if line.contains("Seq Scan on events") {
            read += EVENTS;
        }
        let whole = line.contains("SCAN e") && !line.contains("USING");
        if whole && (!whole_log || plan.contains("USE TEMP B-TREE FOR ORDER BY")) {
            read += EVENTS;
        }
    }
    read
}
