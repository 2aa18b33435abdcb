//! The log of events: each filter and all of them together, newest first, with every attempt.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::{
        action::Action,
        event::{EventState, EventStatus},
        ids::{EventId, ReceiverId, SubscriptionId, TransactionId},
    },
    store::{
        StoreError,
        event_log::{EventFilter, EventLog as _},
        page::{PageRequest, SortKey},
        sql::{db::Db, event_log::SqlEventLog},
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow, Value},
};

on_both!(
    an_event_has_its_change_and_its_resource,
    each_filter_narrows_and_together_they_narrow_more,
    pages_run_from_the_newest,
    attempts_come_in_order_and_whole,
    an_event_without_an_attempt_has_its_reason,
    what_can_not_be_read_is_named,
);

/// As a later release may write it: with a member that this one does not know.
const DEFINITION: &str = r#"{"table":"public.run_steps","columns":[{"name":"id","data_type":"integer",
    "collation":"C"}],"key":["id"],"etag":null,"exclude":[],"on_truncate":"rows","partitions":["p1"]}"#;

fn start() -> DateTime<Utc> {
    "2026-04-26T19:33:42.108765Z".parse().unwrap()
}

fn event() -> EventRow {
    EventRow {
        subscription_id: 1,
        receiver_id: 1,
        sequence: None,
        change_id: None,
        resource_id: 1,
        action: 2,
        transaction_id: 77,
        occurred_at: start(),
        row_id: "1234".to_owned(),
        state: 0,
        attempt_count: 0,
    }
}

async fn log_on(database: &TestDatabase) -> (Db, SqlEventLog) {
    let db = database.migrated().await;
    stored::insert_resource(&db, "RUN_STEP", DEFINITION, false).await;
    (db.clone(), SqlEventLog::new(db))
}

async fn an_event_has_its_change_and_its_resource(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    let row = r#"{"b": 1.50, "a": 12345678901234567890}"#;
    let change = stored::insert_logged_row(&db, 1, row, Some(r#"{"b": 2}"#)).await;
    let mut ids = Vec::new();
    for subscription_id in [4, 5] {
        let event = EventRow {
            subscription_id,
            receiver_id: 3,
            sequence: Some(9),
            change_id: Some(change),
            ..event()
        };
        ids.push(stored::insert_event(&db, event).await);
    }
    let found = log.event(EventId(ids[0])).await.unwrap().unwrap();
    assert_eq!(found.id, EventId(ids[0]));
    assert_eq!(found.sequence, Some(9));
    assert_eq!(found.subscription_id, SubscriptionId(4));
    assert_eq!(found.receiver_id, ReceiverId(3));
    assert_eq!(found.resource.as_str(), "RUN_STEP");
    assert_eq!(found.definition.table, "public.run_steps");
    assert_eq!(found.definition.columns[0].name, "id");
    assert_eq!(
        (found.action, found.state),
        (Action::Update, EventState::Ready)
    );
    assert_eq!(found.transaction_id, TransactionId(77));
    assert_eq!(found.row_id, "1234");
    assert_eq!((found.occurred_at, found.created_at), (start(), start()));
    // Letter by letter: the body is made from it.
    assert_eq!(found.row_data.as_deref(), Some(row));
    assert_eq!(found.old_values.as_deref(), Some(r#"{"b": 2}"#));
    assert_eq!(found.next_attempt_at, None);
    // One change may belong to several events of a list.
    let both = log.events(&EventFilter::default(), 10, 0).await.unwrap();
    assert_eq!(both[0].id, EventId(ids[1]));
    assert!(
        both.iter()
            .all(|event| event.row_data.as_deref() == Some(row))
    );
    stored::run(&db, "delete from rowhook.logged_actions", []).await;
    let found = log.event(EventId(ids[0])).await.unwrap().unwrap();
    assert_eq!((found.row_data, found.old_values), (None, None));
    assert!(log.event(EventId(99)).await.unwrap().is_none());
}

async fn each_filter_narrows_and_together_they_narrow_more(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    // The same name in two versions, and another name.
    stored::insert_resource(&db, "RUN_STEP", DEFINITION, true).await;
    stored::insert_resource(&db, "PART", DEFINITION, true).await;
    let later = start() + TimeDelta::milliseconds(1);
    let variants = [
        event(),
        EventRow {
            subscription_id: 2,
            ..event()
        },
        EventRow {
            receiver_id: 2,
            ..event()
        },
        EventRow {
            resource_id: 2,
            ..event()
        },
        EventRow {
            resource_id: 3,
            ..event()
        },
        EventRow {
            action: 3,
            ..event()
        },
        EventRow {
            transaction_id: 78,
            ..event()
        },
        EventRow {
            row_id: "\"a\"".to_owned(),
            ..event()
        },
        EventRow {
            occurred_at: later,
            ..event()
        },
        EventRow {
            state: 1,
            ..event()
        },
        EventRow {
            state: 2,
            ..event()
        },
        EventRow {
            state: 3,
            ..event()
        },
        EventRow {
            state: 4,
            ..event()
        },
        EventRow {
            state: 5,
            ..event()
        },
    ];
    let all: Vec<i64> = (1..=14).collect();
    for variant in variants {
        stored::insert_event(&db, variant).await;
    }
    let without = |gone: &[i64]| -> Vec<i64> {
        all.iter()
            .copied()
            .filter(|id| !gone.contains(id))
            .collect()
    };
    let none = EventFilter::default;
    let cases = [
        (none(), all.clone()),
        (
            EventFilter {
                subscription_id: Some(SubscriptionId(2)),
                ..none()
            },
            vec![2],
        ),
        (
            EventFilter {
                receiver_id: Some(ReceiverId(2)),
                ..none()
            },
            vec![3],
        ),
        (
            EventFilter {
                resource: Some("RUN_STEP".parse().unwrap()),
                ..none()
            },
            without(&[5]),
        ),
        (
            EventFilter {
                resource: Some("PART".parse().unwrap()),
                ..none()
            },
            vec![5],
        ),
        (
            EventFilter {
                resource: Some("NOTHING".parse().unwrap()),
                ..none()
            },
            vec![],
        ),
        (
            EventFilter {
                action: Some(Action::Delete),
                ..none()
            },
            vec![6],
        ),
        (
            EventFilter {
                transaction_id: Some(TransactionId(78)),
                ..none()
            },
            vec![7],
        ),
        (
            EventFilter {
                row_id: Some("\"a\"".to_owned()),
                ..none()
            },
            vec![8],
        ),
        (
            EventFilter {
                occurred_after: Some(later),
                ..none()
            },
            vec![9],
        ),
        (
            EventFilter {
                occurred_before: Some(later),
                ..none()
            },
            without(&[9]),
        ),
        (
            EventFilter {
                occurred_after: Some(start()),
                ..none()
            },
            all.clone(),
        ),
        (
            EventFilter {
                occurred_before: Some(start()),
                ..none()
            },
            vec![],
        ),
        (
            EventFilter {
                status: Some(EventStatus::Pending),
                ..none()
            },
            without(&[12, 13, 14]),
        ),
        (
            EventFilter {
                status: Some(EventStatus::Delivered),
                ..none()
            },
            vec![12],
        ),
        (
            EventFilter {
                status: Some(EventStatus::Failed),
                ..none()
            },
            vec![13],
        ),
        (
            EventFilter {
                status: Some(EventStatus::Cancelled),
                ..none()
            },
            vec![14],
        ),
        (
            EventFilter {
                subscription_id: Some(SubscriptionId(1)),
                receiver_id: Some(ReceiverId(1)),
                status: Some(EventStatus::Pending),
                resource: Some("RUN_STEP".parse().unwrap()),
                action: Some(Action::Update),
                transaction_id: Some(TransactionId(77)),
                row_id: Some("1234".to_owned()),
                occurred_after: Some(start()),
                occurred_before: Some(later),
            },
            vec![1, 4, 10, 11],
        ),
    ];
    for (filter, expected) in cases {
        let mut newest_first = expected.clone();
        newest_first.reverse();
        let ids = |found: Vec<rowhook::store::event_log::LoggedEvent>| -> Vec<i64> {
            found.into_iter().map(|event| event.id.0).collect()
        };
        let found = log.events(&filter, 1000, 0).await.unwrap();
        assert_eq!(ids(found), newest_first, "{filter:?}");
        let cut = log.events(&filter, 2, 1).await.unwrap();
        let part: Vec<i64> = newest_first.iter().copied().skip(1).take(2).collect();
        assert_eq!(ids(cut), part, "{filter:?}");
        let page = log.event_page(&filter, FIRST_THREE).await.unwrap();
        assert_eq!(
            log.count(&filter).await.unwrap(),
            expected.len() as u64,
            "{filter:?}"
        );
        assert_eq!(page.has_next, expected.len() > 3, "{filter:?}");
    }
}

const FIRST_THREE: PageRequest = PageRequest {
    after: None,
    before: None,
    limit: 3,
    backward: false,
    key: SortKey::Id,
    descending: true,
};

async fn pages_run_from_the_newest(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    for _ in 0..5 {
        stored::insert_event(&db, event()).await;
    }
    let page = async |request| {
        let page = log
            .event_page(&EventFilter::default(), request)
            .await
            .unwrap();
        let ids: Vec<i64> = page.items.iter().map(|event| event.id.0).collect();
        (ids, page.has_previous, page.has_next)
    };
    assert_eq!(page(FIRST_THREE).await, (vec![5, 4, 3], false, true));
    // New ones come on top and move nothing.
    stored::insert_event(&db, event()).await;
    let next = PageRequest {
        after: Some(3.into()),
        ..FIRST_THREE
    };
    assert_eq!(page(next).await, (vec![2, 1], true, false));
    let back = PageRequest {
        before: Some(2.into()),
        backward: true,
        limit: 2,
        ..FIRST_THREE
    };
    assert_eq!(page(back).await, (vec![4, 3], true, true));
    // Beyond either end there is nothing, and the list on the other side.
    let beyond = PageRequest {
        after: Some(1.into()),
        ..FIRST_THREE
    };
    assert_eq!(page(beyond).await, (vec![], true, false));
    let beyond = PageRequest {
        before: Some(6.into()),
        backward: true,
        ..FIRST_THREE
    };
    assert_eq!(page(beyond).await, (vec![], false, true));
    // The same from the oldest.
    let oldest_first = PageRequest {
        descending: false,
        ..FIRST_THREE
    };
    let after = |id: i64| PageRequest {
        after: Some(id.into()),
        ..oldest_first.clone()
    };
    let before = |id: i64| PageRequest {
        before: Some(id.into()),
        backward: true,
        ..oldest_first.clone()
    };
    assert_eq!(
        page(oldest_first.clone()).await,
        (vec![1, 2, 3], false, true)
    );
    assert_eq!(page(after(3)).await, (vec![4, 5, 6], true, false));
    assert_eq!(page(after(6)).await, (vec![], true, false));
    assert_eq!(page(before(5)).await, (vec![2, 3, 4], true, true));
    assert_eq!(page(before(1)).await, (vec![], false, true));
}

async fn attempts_come_in_order_and_whole(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    let failed = EventRow {
        state: 1,
        attempt_count: 3,
        ..event()
    };
    let id = stored::insert_event(&db, failed).await;
    let other = stored::insert_event(&db, event()).await;
    let earlier = "insert into rowhook.attempts (event_id, number, attempted_at, duration_ms, \
                   response_status, response_headers, response_data, error) \
                   values ($1, $2, $3, 20, $4, $5, $6, $7)";
    let headers = r#"[["set-cookie","a"],["set-cookie","b"]]"#;
    // Written out of order, and beside another event's.
    for (event, number, status) in [(id, 2, Some(503)), (other, 1, Some(200)), (id, 1, None)] {
        let answered = status.is_some();
        let values: [Value; 7] = [
            event.into(),
            number.into(),
            start().into(),
            status.into(),
            answered.then_some(headers).into(),
            answered.then_some("busy").into(),
            "why".into(),
        ];
        stored::run(&db, earlier, values).await;
    }
    let latest = "update rowhook.events set attempted_at = $2, duration_ms = 1500, \
                  response_status = 500, response_data = 'oops', error = 'no', due_at = $3 \
                  where id = $1";
    let (at, due) = (
        start() + TimeDelta::seconds(9),
        start() + TimeDelta::seconds(20),
    );
    stored::run(&db, latest, [id.into(), at.into(), due.into()]).await;

    let all = log.attempts(EventId(id)).await.unwrap();
    let numbers: Vec<i32> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let (first, second, third) = (&all[0].1, &all[1].1, &all[2].1);
    assert_eq!(first.answer, None);
    assert_eq!(first.error.as_deref(), Some("why"));
    assert_eq!(
        (first.started_at, first.duration),
        (start(), Duration::from_millis(20))
    );
    let answer = second.answer.as_ref().unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (503, "busy"));
    let cookie = |value: &str| ("set-cookie".to_owned(), value.to_owned());
    assert_eq!(answer.headers, [cookie("a"), cookie("b")]);
    let answer = third.answer.as_ref().unwrap();
    assert_eq!((answer.status, answer.headers.len()), (500, 0));
    assert_eq!(
        (third.started_at, third.duration),
        (at, Duration::from_millis(1500))
    );

    let event = log.event(EventId(id)).await.unwrap().unwrap();
    assert_eq!(event.last_attempt.as_ref(), Some(third));
    assert_eq!((event.error, event.attempt_count), (None, 3));
    assert_eq!(event.next_attempt_at, Some(due));
    assert_eq!(log.attempts(EventId(99)).await.unwrap(), []);
}

async fn an_event_without_an_attempt_has_its_reason(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    let id = stored::insert_event(
        &db,
        EventRow {
            state: 4,
            ..event()
        },
    )
    .await;
    stored::run(&db, "update rowhook.events set error = 'too large'", []).await;
    let found = log.event(EventId(id)).await.unwrap().unwrap();
    assert_eq!(found.state, EventState::Failed);
    assert_eq!(found.last_attempt, None);
    assert_eq!(found.error.as_deref(), Some("too large"));
    assert_eq!(log.attempts(EventId(id)).await.unwrap(), []);
}

async fn what_can_not_be_read_is_named(database: TestDatabase) {
    let (db, log) = log_on(&database).await;
    let id = stored::insert_event(&db, event()).await;
    for (spoil, place) in [
        (
            "update rowhook.events set state = 17",
            "events 1, column state",
        ),
        (
            "update rowhook.events set state = 0, action = 9",
            "events 1, column action",
        ),
        (
            "update rowhook.events set action = 1, resource_id = 8",
            "events 1, column resource_id",
        ),
        (
            "update rowhook.events set resource_id = 1, response_status = 200, \
             attempted_at = created_at, response_headers = '{'",
            "events 1, column response_headers",
        ),
        (
            "update rowhook.resources set definition = '{}'",
            "resources 1, column definition",
        ),
    ] {
        stored::run(&db, spoil, []).await;
        let error = log.event(EventId(id)).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt(text) if text.starts_with(place)),
            "{error}"
        );
    }
}
