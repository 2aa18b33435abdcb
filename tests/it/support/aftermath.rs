//! What must hold around a fault, whichever it was.

use super::{house::House, wait::until_ok};

/// Waits until one request was answered well and rowhook has read the answer, written down or not.
pub async fn answer_is_read(house: &House) {
    let answered = "rowhook_attempts_total{outcome=\"delivered\"} 1";
    until_ok("the answer was read", async || {
        let (_, metrics) = house.service.http("GET", "/metrics", "").await.unwrap();
        if metrics.contains(answered) {
            Ok(())
        } else {
            Err(metrics)
        }
    })
    .await;
}

/// The one delivery comes once more, as the same event.
pub async fn comes_once_more(house: &House) {
    let twice = house
        .receiver
        .wait_until("it comes again", |all| all.len() == 2)
        .await;
    assert_eq!(twice[0].text, twice[1].text);
    assert_eq!(
        twice[0].headers["webhook-id"],
        twice[1].headers["webhook-id"]
    );
}

/// Each event took one attempt, the receiver is well, and no stage had to be started again.
pub async fn nobody_is_charged(house: &House, receiver: i64) {
    for event in house.events("").await {
        assert_eq!(event["attemptCount"], 1, "{event}");
        assert!(event["error"].is_null(), "{event}");
    }
    let read = format!("{{ webhookReceiver(id: {receiver}) {{ health }} }}");
    let data = house.service.graphql(&read).await;
    assert_eq!(data["webhookReceiver"]["health"], "HEALTHY");
    let (_, metrics) = house.service.http("GET", "/metrics", "").await.unwrap();
    let restarts = "rowhook_actor_restarts_total{";
    assert!(!metrics.contains(restarts), "{metrics}");
}

/// Whoever reads the log is told, by so many lines at most.
pub fn told_within(house: &House, most: usize) {
    let log = house.service.log_text();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"))
        .collect();
    assert!((1..=most).contains(&told.len()), "{}", told.join("\n"));
}
