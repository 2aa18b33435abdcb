//! A window of hundreds of thousands of changes: read in pages with bounded memory, and from where it was after
//! a kill; small transactions beside it are told before it when they committed before it, and after it when
//! they committed after it.
//!
//! `ROWHOOK_TEST_LARGE_WINDOW` sets another number of changes, such as 1000000.

use std::time::Instant;

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, Statement, TransactionTrait as _};

use crate::support::{
    both::on_both, database::TestDatabase, house::House, ledger::Ledger, receiver::Delivery,
    service::Watched, wait::until_ok,
};

on_both!(a_large_window_survives_a_kill_in_its_middle);

/// Changes of the bulk transaction in the everyday suite.
const EVERYDAY: i64 = 150_000;
/// Of so many changes one fires.
const FIRES: i64 = 1000;
/// The bulk transaction writes in so many statements.
const PARTS: i64 = 3;
/// What the process may take more while it reads the window, whose text alone is more than this in the
/// everyday suite.
const MEMORY: u64 = 40 << 20;
/// Changes of a page.
const PAGE: i64 = 1000;

fn size() -> i64 {
    let set = std::env::var("ROWHOOK_TEST_LARGE_WINDOW").ok();
    set.map_or(EVERYDAY, |set| set.parse().unwrap())
}

/// The pages of the cursor, written down by a trigger of the test's.
fn steps_sql(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "create table public.steps (id bigint generated always as identity, window_to text,
                window_after bigint, window_last bigint);
             create function public.note_step() returns trigger language plpgsql as $$ begin
                insert into public.steps (window_to, window_after, window_last)
                values (new.window_to, new.window_after, new.window_last);
                return null; end $$;
             create trigger note_step after update on rowhook.capture_cursor
                for each row execute function public.note_step()"
        }
        Dialect::Sqlite => {
            "create table steps (id integer primary key, window_to text, window_after integer,
                window_last integer);
             create trigger note_step after update on rowhook_capture_cursor begin
                insert into steps (window_to, window_after, window_last)
                values (new.window_to, new.window_after, new.window_last); end"
        }
    }
}

/// One part of the bulk transaction: rows as the triggers write them, mostly CREATEs that nobody asked for.
async fn write_part(bulk: &DatabaseTransaction, dialect: Dialect, part: i64) {
    let (first, last) = (part * size() / PARTS + 1, (part + 1) * size() / PARTS);
    let pad = "x".repeat(300);
    let (log, resources, series, text) = match dialect {
        Dialect::Postgres => (
            "rowhook.logged_actions",
            "rowhook.resources",
            format!("generate_series({first}, {last}) s (g)"),
            "text",
        ),
        Dialect::Sqlite => (
            "rowhook_logged_actions",
            "rowhook_resources",
            format!(
                "(with recursive s (g) as (select {first} union all select g + 1 from s where g < {last})
                  select g from s) s"
            ),
            "text",
        ),
    };
    let sql = format!(
        "insert into {log} (resource_id, action, row_data, old_values)
         select (select id from {resources} where name = 'BULK'),
                case when g % {FIRES} = 0 then 2 else 1 end,
                '{{\"id\":' || cast(g as {text}) || ',\"n\":1,\"pad\":\"{pad}\"}}',
                case when g % {FIRES} = 0 then '{{\"n\":0}}' end
         from {series}"
    );
    bulk.execute_unprepared(&sql).await.unwrap();
}

async fn steps(house: &House) -> Vec<(Option<String>, i64, i64)> {
    let schema = match house.dialect {
        Dialect::Postgres => "public.",
        Dialect::Sqlite => "",
    };
    let sql = format!(
        "select window_to, coalesce(window_after, 0), coalesce(window_last, 0)
         from {schema}steps order by id"
    );
    let statement = Statement::from_string(house.app.get_database_backend(), sql);
    let rows = house.app.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
                row.try_get_by_index(2).unwrap(),
            )
        })
        .collect()
}

/// The most memory that the process ever had, in bytes.
fn peak_memory(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() << 10
}

async fn a_large_window_survives_a_kill_in_its_middle(database: TestDatabase) {
    let (sql, table) = match database.dialect {
        Dialect::Postgres => (
            "create table bulk (id bigint primary key, n int, pad text)",
            "public.bulk",
        ),
        Dialect::Sqlite => (
            "create table bulk (id integer primary key, n integer, pad text)",
            "bulk",
        ),
    };
    let watched = Watched {
        name: "BULK",
        table,
        more: "",
    };
    let mut house = House::with(database, "", sql, &[watched]).await;
    house.register_for_items("/items", "").await;
    let receiver = house.register("/bulk", "").await;
    house.subscribe(receiver, "BULK", "UPDATE", "").await;
    house.sql(steps_sql(house.dialect)).await;
    house
        .sql("insert into items values (1, 0, 'before'), (2, 0, 'before')")
        .await;
    house.receiver.wait_for_events(2).await;
    let small = async || {
        house
            .sql("update items set n = n + 1 where id = 1; update items set n = n + 1 where id = 2")
            .await;
    };

    // One that was open before and stays so to the end, and the bulk one with small ones between its parts.
    let old = match house.dialect {
        Dialect::Postgres => Some(house.app.begin().await.unwrap()),
        Dialect::Sqlite => None,
    };
    if let Some(old) = &old {
        let insert = "insert into items values (3, 0, 'old')";
        old.execute_unprepared(insert).await.unwrap();
    }
    let began = Instant::now();
    let bulk = house.app.begin().await.unwrap();
    let mut before_it = 2;
    for part in 0..PARTS {
        write_part(&bulk, house.dialect, part).await;
        if house.dialect == Dialect::Postgres {
            small().await;
            before_it += 2;
            // It holds nobody up.
            house.receiver.wait_for_events(before_it).await;
        }
    }
    let peak = peak_memory(house.service.process());
    bulk.commit().await.unwrap();
    println!("{} changes written in {:?}", size(), began.elapsed());
    let began = Instant::now();
    let deep = async |share: i64| {
        until_ok("it is deep in the window", async || {
            let steps = steps(&house).await;
            let last = steps.last().cloned().unwrap_or_default();
            match last.0 {
                Some(_) if last.1 > last.2 - size() + size() * share / 10 => Ok(()),
                _ => Err(last),
            }
        })
        .await;
    };
    small().await;
    deep(2).await;
    small().await;
    deep(4).await;
    let more = peak_memory(house.service.process()).saturating_sub(peak);
    house.service.kill9();
    let until_kill = steps(&house).await;
    println!(
        "killed after {:?} at {:?}, peak memory grew by {more} bytes",
        began.elapsed(),
        until_kill.last()
    );
    assert!(more < MEMORY, "peak memory grew by {more} bytes");
    for _ in 0..3 {
        house.sql("update items set n = n + 1").await;
    }
    let began = Instant::now();
    house.service.restart().await;
    let fired = usize::try_from(size() / FIRES).unwrap();
    let items = before_it + 4 + 6;
    house.receiver.wait_for_events(fired + items).await;
    println!("the rest came {:?} after the restart", began.elapsed());
    house.settled(fired + items).await;
    if let Some(old) = old {
        old.commit().await.unwrap();
        house.receiver.wait_for_events(fired + items + 1).await;
        house.settled(fired + items + 1).await;
    }
    assert_resumed(&until_kill, &steps(&house).await);
    assert_told(&house, before_it, fired).await;
}

/// The process after the kill went on inside the window where the one before had got to.
fn assert_resumed(until_kill: &[(Option<String>, i64, i64)], all: &[(Option<String>, i64, i64)]) {
    let (window, after, last) = until_kill.last().unwrap();
    assert!(window.is_some(), "killed inside the window");
    let rest: Vec<_> = all[until_kill.len()..]
        .iter()
        .take_while(|step| step.0 == *window)
        .collect();
    // The takeover, and then each page.
    assert_eq!(rest[0].1, *after, "{:?}", rest[0]);
    assert!(rest.is_sorted_by(|one, next| one.1 < next.1), "{rest:?}");
    assert!(rest.iter().all(|step| step.2 == *last));
    let of_window = all.iter().filter(|step| step.0 == *window).count();
    let pages = usize::try_from(size() / PAGE).unwrap();
    assert!(
        of_window <= pages + pages / 10 + 5,
        "{of_window} steps for {pages} pages"
    );
}

/// Nothing is lost, doubled or out of order.
async fn assert_told(house: &House, before_it: usize, fired: usize) {
    let deliveries = house.receiver.deliveries();
    let (bulk, items): (Vec<Delivery>, Vec<Delivery>) =
        deliveries.into_iter().partition(|one| one.path == "/bulk");
    Ledger::read(&house.app).await.compare(&items);
    let mut events: Vec<(i64, i64)> = bulk
        .iter()
        .map(|one| (one.event_id(), one.data()["id"].as_i64().unwrap()))
        .collect();
    events.sort_unstable();
    events.dedup();
    let rows: Vec<i64> = events.iter().map(|(_, row)| *row).collect();
    let wanted: Vec<i64> = (1..).map(|n| n * FIRES).take(fired).collect();
    assert_eq!(rows, wanted);
    let transactions = bulk.iter().map(|one| &one.body["transaction_id"]);
    let mut transactions: Vec<String> = transactions.map(ToString::to_string).collect();
    transactions.sort_unstable();
    transactions.dedup();
    assert_eq!(transactions.len(), 1, "{transactions:?}");
    let (first, last) = (events[0].0, events[events.len() - 1].0);
    let mut items: Vec<i64> = items.iter().map(Delivery::event_id).collect();
    items.sort_unstable();
    items.dedup();
    let before = items.iter().filter(|event| **event < first).count();
    let amidst = items
        .iter()
        .filter(|event| **event > first && **event < last);
    assert_eq!((before, amidst.count()), (before_it, 0));
}
