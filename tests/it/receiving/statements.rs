//! The page's SQL, on both databases.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement, TransactionTrait as _};

use crate::support::{both::on_both, database::TestDatabase};

use super::page::Page;

on_both!(
    a_note_goes_in_once_and_goes_with_the_rollback,
    the_gaps_are_what_is_missing,
);

async fn tables(database: &TestDatabase, page: &Page) -> DatabaseConnection {
    if let Some(path) = database.url.strip_prefix("sqlite://") {
        std::fs::File::create_new(path).unwrap();
    }
    let db = database.application().await;
    // `if not exists`: a service runs it at each start.
    for _ in 0..2 {
        db.execute_unprepared(page.block("once.sql")).await.unwrap();
    }
    db
}

async fn a_note_goes_in_once_and_goes_with_the_rollback(database: TestDatabase) {
    let page = Page::read();
    let db = tables(&database, &page).await;
    let note = page.block("note.sql");
    let failing = db.begin().await.unwrap();
    let noted = failing.execute_unprepared(note).await.unwrap();
    assert_eq!(noted.rows_affected(), 1);
    failing.rollback().await.unwrap();
    for (time, rows) in [(1, 1), (2, 0), (3, 0)] {
        let noted = db.execute_unprepared(note).await.unwrap();
        assert_eq!(noted.rows_affected(), rows, "time {time}");
    }
}

async fn the_gaps_are_what_is_missing(database: TestDatabase) {
    let page = Page::read();
    let db = tables(&database, &page).await;
    let came = [
        (42, Some(3)),
        (42, Some(4)),
        (42, Some(8)),
        (42, None),
        (43, Some(1)),
        (43, Some(2)),
        (44, Some(2)),
    ];
    for (event, (subscription, sequence)) in came.into_iter().enumerate() {
        let sequence = sequence.map_or("null".to_owned(), |number: i64| number.to_string());
        let note = page.block("note.sql").replace(
            "(123456, 42, 871)",
            &format!("({event}, {subscription}, {sequence})"),
        );
        db.execute_unprepared(&note).await.unwrap();
    }
    let query = Statement::from_string(db.get_database_backend(), page.block("gaps.sql"));
    let rows = db.query_all_raw(query).await.unwrap();
    let gaps: Vec<[i64; 3]> = rows
        .iter()
        .map(|row| [0, 1, 2].map(|column| row.try_get_by_index(column).unwrap()))
        .collect();
    assert_eq!(gaps, [[42, 1, 2], [42, 5, 7], [44, 1, 1]]);
}
