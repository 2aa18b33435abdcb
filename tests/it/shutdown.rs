//! A stop while a receiver takes longer over its answer than a stop waits.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rowhook::app::GRACE;

use crate::support::{
    aftermath::comes_once_more, both::on_both, database::TestDatabase, house::House,
    receiver::Answer,
};

on_both!(a_receiver_that_does_not_answer_is_not_waited_for);

/// What a stop may take beyond the time that it gives to what is in flight.
const BEYOND_GRACE: Duration = Duration::from_secs(8);

/// The next process delivers it, with the same id. A signal that comes again while it stops changes nothing:
/// whoever starts rowhook may pass on a signal that the whole group got.
async fn a_receiver_that_does_not_answer_is_not_waited_for(database: TestDatabase) {
    let never: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let mut house = House::of(database).await;
    house.receiver.answer(move |_| Answer::Once(never, 200));
    house
        .register_for_items("/items", ", timeoutMs: 60000")
        .await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;

    let began = Instant::now();
    house.service.signal("TERM");
    let status = house.service.terminate().await;
    let took = began.elapsed();
    println!("stopped within {took:?}");
    assert_eq!(status.code(), Some(0));
    assert!(took >= GRACE, "what was in flight had {took:?}");
    assert!(took < GRACE + BEYOND_GRACE, "{took:?}");

    house.receiver.answer(|_| Answer::Status(200));
    never.store(true, Ordering::SeqCst);
    house.service.restart().await;
    comes_once_more(&house).await;
    house.settled(1).await;
    let event = &house.events("status: \"delivered\"").await[0];
    assert_eq!(
        event["attemptCount"], 1,
        "what was cut off was nobody's fault"
    );
    assert_eq!(house.receiver.deliveries().len(), 2);
}
