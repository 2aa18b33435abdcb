//! A poller that lost its leadership between reading a page and writing it writes nothing: no event, no
//! number, no cursor.

use chrono::Utc;
use rowhook::{
    domain::{
        action::Action,
        event::{NewEvent, RowHashes},
        ids::{ReceiverId, SubscriptionId},
    },
    store::{
        StoreError,
        change_log::{ChangeLog as _, ChangePage, Cursor, FanOutStore as _},
        sql::{
            change_log::SqlChangeLog, db::Db, fan_out::SqlFanOut, page_connection::PageConnection,
        },
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{committed_change, texts},
};

on_both!(
    whoever_was_overtaken_in_the_middle_of_a_page_writes_nothing,
    a_takeover_alone_fences,
    the_rest_of_a_page_is_fenced_too,
);

/// What an instance that polls has.
struct Poller {
    log: SqlChangeLog,
    events: SqlFanOut,
}

impl Poller {
    fn of(db: &Db) -> Self {
        let pages = PageConnection::new(db.clone());
        Self {
            log: SqlChangeLog::new(pages.clone()),
            events: SqlFanOut::new(pages),
        }
    }

    async fn takes_over(&self) -> Cursor {
        self.log.take_over().await.unwrap()
    }

    async fn reads(&self, cursor: &Cursor) -> ChangePage {
        let page = self.log.read(cursor, 1000).await.unwrap();
        assert_eq!(page.changes.len(), CHANGES);
        page
    }

    /// Writes an event of each of these changes for subscription 1.
    async fn writes(
        &self,
        cursor: &Cursor,
        page: &ChangePage,
        changes: std::ops::Range<usize>,
    ) -> Result<Cursor, StoreError> {
        let next = page.cursor_after(cursor, changes.end);
        let events: Vec<NewEvent> = page.changes[changes]
            .iter()
            .map(|change| NewEvent {
                subscription_id: SubscriptionId(1),
                receiver_id: ReceiverId(1),
                change_id: change.id,
                resource_id: change.resource_id,
                action: Action::Update,
                transaction_id: change.transaction_id,
                occurred_at: Utc::now(),
                row_id: "1".into(),
                rows: RowHashes {
                    row: 1,
                    previous: None,
                },
            })
            .collect();
        self.events.commit_page(cursor, &next, &events).await?;
        Ok(next)
    }
}

const CHANGES: usize = 4;

async fn two_pollers(database: &TestDatabase) -> (Db, Poller, Poller) {
    let db = database.migrated().await;
    for _ in 0..CHANGES {
        committed_change(&db).await;
    }
    let (one, other) = (Poller::of(&db), Poller::of(&db));
    (db, one, other)
}

/// Everything that a page writes, as text.
async fn written(db: &Db) -> Vec<String> {
    let mut all = Vec::new();
    for sql in [
        "select cast(change_id as text) || '/' || cast(sequence as text) from rowhook.events order by id",
        "select cast(last_sequence as text) from rowhook.subscription_sequences",
        "select cast(epoch as text) || ' ' || watermark || ' ' || coalesce(window_to, '-') || ' ' || \
         coalesce(cast(window_after as text), '-') from rowhook.capture_cursor",
    ] {
        all.extend(texts(db, sql).await);
    }
    all
}

fn assert_fenced(result: &Result<Cursor, StoreError>) {
    assert!(matches!(result, Err(StoreError::Fenced)), "{result:?}");
}

async fn whoever_was_overtaken_in_the_middle_of_a_page_writes_nothing(database: TestDatabase) {
    let (db, first, second) = two_pollers(&database).await;
    let cursor = first.takes_over().await;
    let page = first.reads(&cursor).await;
    let overtaken = second.takes_over().await;
    let same = second.reads(&overtaken).await;
    second.writes(&overtaken, &same, 0..CHANGES).await.unwrap();
    let before = written(&db).await;
    assert_eq!(before[..CHANGES], ["1/1", "2/2", "3/3", "4/4"]);
    assert_fenced(&first.writes(&cursor, &page, 0..CHANGES).await);
    assert_eq!(written(&db).await, before);
    // Not even the watermark of an empty page.
    let empty = ChangePage {
        changes: Vec::new(),
        ..page
    };
    assert_fenced(&first.writes(&cursor, &empty, 0..0).await);
    assert_eq!(written(&db).await, before);
}

async fn a_takeover_alone_fences(database: TestDatabase) {
    let (db, first, second) = two_pollers(&database).await;
    let cursor = first.takes_over().await;
    let page = first.reads(&cursor).await;
    let overtaken = second.takes_over().await;
    let before = written(&db).await;
    assert_fenced(&first.writes(&cursor, &page, 0..CHANGES).await);
    assert_eq!(written(&db).await, before);
    // What it did not write the second one finds.
    let same = second.reads(&overtaken).await;
    second.writes(&overtaken, &same, 0..CHANGES).await.unwrap();
    assert_eq!(written(&db).await[..CHANGES], ["1/1", "2/2", "3/3", "4/4"]);
}

async fn the_rest_of_a_page_is_fenced_too(database: TestDatabase) {
    let (db, first, second) = two_pollers(&database).await;
    let cursor = first.takes_over().await;
    let page = first.reads(&cursor).await;
    let half_way = first.writes(&cursor, &page, 0..2).await.unwrap();
    let overtaken = second.takes_over().await;
    assert_eq!(
        overtaken.window, half_way.window,
        "the second goes on there"
    );
    assert_fenced(&first.writes(&half_way, &page, 2..CHANGES).await);
    let rest = second.log.read(&overtaken, 1000).await.unwrap();
    assert_eq!(rest.changes.len(), CHANGES - 2);
    second.writes(&overtaken, &rest, 0..2).await.unwrap();
    assert_eq!(written(&db).await[..CHANGES], ["1/1", "2/2", "3/3", "4/4"]);
    // And of the first, which tries again with what it knew before, nothing.
    let before = written(&db).await;
    assert_fenced(&first.writes(&cursor, &page, 0..CHANGES).await);
    assert_fenced(&first.writes(&half_way, &page, 2..CHANGES).await);
    assert_eq!(written(&db).await, before);
}
