//! A batch of records comes out of the database as it went in.

use chrono::{DateTime, Utc};
use rowhook::store::sql::records::{Batch, Columns, Field, Kind, unfold};
use sea_orm::ConnectionTrait as _;

use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    what_is_bound_is_what_is_read,
    a_batch_without_records_is_none
);

const COLUMNS: Columns<3> = [
    ("number", Kind::Integer),
    ("words", Kind::Text),
    ("moment", Kind::Time),
];

type Record<'a> = (Option<i64>, Option<&'a str>, Option<DateTime<Utc>>);

async fn come_back(database: &TestDatabase, records: &[Record<'_>]) {
    let db = database.migrated().await;
    let mut batch = Batch::new(db.dialect(), &COLUMNS);
    for (number, words, moment) in records {
        let record: [Field<'_>; 3] = [(*number).into(), (*words).into(), (*moment).into()];
        batch.push(record);
    }
    let sql = format!(
        "with {} select number, words, moment from b where position >= $1 order by position",
        unfold(db.dialect(), 1, &COLUMNS)
    );
    let values = std::iter::once(0_i64.into()).chain(batch.into_values());
    let rows = db.query_all_raw(db.statement(&sql, values)).await.unwrap();
    assert_eq!(rows.len(), records.len());
    for (row, (number, words, moment)) in rows.iter().zip(records) {
        let read: Option<String> = row.try_get("", "words").unwrap();
        assert_eq!(read.as_deref(), *words);
        assert_eq!(row.try_get::<Option<i64>>("", "number").unwrap(), *number);
        let read: Option<DateTime<Utc>> = row.try_get("", "moment").unwrap();
        assert_eq!(read, *moment);
    }
}

async fn what_is_bound_is_what_is_read(database: TestDatabase) {
    let moment = "2026-11-22T15:00:00.123456Z".parse().ok();
    let early = "0001-02-03T04:05:06Z".parse().ok();
    let hostile = [
        "",
        " ",
        "NULL",
        "null",
        "{}",
        "{a,b}",
        "a,b",
        "\"",
        "\\",
        "\\\"",
        "\\\\",
        "a\"b\\c",
        "'",
        "\n\t\r",
        "\u{1}\u{7f}",
        "é🎉\u{2028}",
        "[1]",
        "$1",
    ];
    let mut records: Vec<Record<'_>> = vec![
        (None, None, None),
        (Some(i64::MIN), Some("lowest"), early),
        (Some(i64::MAX), Some("highest"), moment),
    ];
    records.extend(hostile.map(|words| (Some(0), Some(words), None)));
    come_back(&database, &records).await;
}

async fn a_batch_without_records_is_none(database: TestDatabase) {
    come_back(&database, &[]).await;
}
