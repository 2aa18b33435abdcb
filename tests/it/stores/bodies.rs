//! What bodies are made from is read up to so many bytes, however many events are asked for.

use rowhook::{
    domain::ids::EventId,
    store::{event_queue::EventQueue as _, sql::event_queue::SqlEventQueue},
};

use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(bodies_are_read_up_to_a_size);

async fn bodies_are_read_up_to_a_size(database: TestDatabase) {
    let db = database.migrated().await;
    // Row 3 tells of 50 bytes before its change too; 6 is settled.
    for id in 1..=6 {
        let old = if id == 3 {
            "x".repeat(50)
        } else {
            String::new()
        };
        let state = if id == 6 { 3 } else { 0 };
        run(
            &db,
            "insert into rowhook.logged_actions (resource_id, action, row_data, old_values) values (1, 2, $1, $2)",
            ["x".repeat(100).into(), old.into()],
        )
        .await;
        run(
            &db,
            "insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
                 transaction_id, occurred_at, created_at, row_id, row_hash, state)
             values (1, 1, $1, $1, 1, 2, $1, $2, $2, '1', $1, $3)",
            [id.into(), chrono::Utc::now().into(), state.into()],
        )
        .await;
    }
    let queue = SqlEventQueue::new(db.clone());
    let load = async |most: u64| {
        let ids: Vec<EventId> = (1..=6).rev().map(EventId).collect();
        let loaded = queue.load(&ids, most).await.unwrap();
        let bodies: Vec<(i64, usize)> = loaded
            .events
            .iter()
            .map(|event| (event.id.0, event.row_data.len()))
            .collect();
        let later: Vec<i64> = loaded.later.iter().map(|id| id.0).collect();
        (bodies, later)
    };
    assert_eq!(
        load(0).await,
        (vec![(1, 100)], vec![2, 3, 4, 5]),
        "never none"
    );
    let first_three = vec![(1, 100), (2, 100), (3, 100)];
    assert_eq!(load(349).await, (first_three.clone(), vec![4, 5]));
    let mut first_four = first_three;
    first_four.push((4, 100));
    assert_eq!(load(350).await, (first_four, vec![5]));
    assert_eq!(load(9999).await.1, Vec::<i64>::new());
}
