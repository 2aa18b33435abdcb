//! `webhookPipeline`: what an instance tells of itself.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rowhook::{
    domain::instance::{CaptureRole, Stage, StageState},
    graphql::Instance,
};
use serde_json::json;

use super::House;
use crate::support::{both::on_both, database::TestDatabase, house::House as Running};

on_both!(
    an_instance_tells_of_itself,
    why_it_is_not_ready_is_told,
    a_running_instance_is_up,
);

const READ: &str = "{ webhookPipeline { instance ready notReadyReason capture
    stages { name state restarts lastEnd } } }";

/// When each of them started.
pub const STARTED_AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// An instance of which there is little to tell.
pub struct Quiet;

#[async_trait]
impl Instance for Quiet {
    fn name(&self) -> &str {
        "here/1/0"
    }

    fn started_at(&self) -> DateTime<Utc> {
        STARTED_AT
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage {
            name: "cdc_poller",
            state: StageState::Up,
            restarts: 0,
            last_end: None,
        }]
    }

    fn capture(&self) -> CaptureRole {
        CaptureRole::Polling
    }

    async fn ready(&self) -> Result<(), Vec<String>> {
        Ok(())
    }
}

struct InTrouble;

#[async_trait]
impl Instance for InTrouble {
    fn name(&self) -> &str {
        "there/2/0"
    }

    fn started_at(&self) -> DateTime<Utc> {
        STARTED_AT
    }

    fn stages(&self) -> Vec<Stage> {
        let stage = |name, state, last_end| Stage {
            name,
            state,
            restarts: 7,
            last_end: Some(last_end),
        };
        vec![
            stage("cdc_poller", StageState::Failing, "panicked"),
            stage("fan_out", StageState::Starting, "stood still"),
        ]
    }

    fn capture(&self) -> CaptureRole {
        CaptureRole::Failing("no".to_owned())
    }

    async fn ready(&self) -> Result<(), Vec<String>> {
        Err(vec!["capture fails: no".to_owned(), "and more".to_owned()])
    }
}

async fn an_instance_tells_of_itself(database: TestDatabase) {
    let house = House::of(database).await;
    let told = house.ask_as(&house.viewer, READ, json!({})).await;
    assert_eq!(
        told["data"]["webhookPipeline"],
        json!({"instance": "here/1/0", "ready": true, "notReadyReason": null, "capture": "POLLING", "stages": [
            {"name": "cdc_poller", "state": "UP", "restarts": 0, "lastEnd": null}]}),
        "{told}"
    );
}

async fn why_it_is_not_ready_is_told(database: TestDatabase) {
    let house = House::with(database, |services| {
        services.instance = Arc::new(InTrouble);
    });
    let told = house.await.data(READ, json!({})).await;
    assert_eq!(
        told["webhookPipeline"],
        json!({"instance": "there/2/0", "ready": false, "notReadyReason": "capture fails: no; and more",
            "capture": "FAILING", "stages": [
                {"name": "cdc_poller", "state": "FAILING", "restarts": 7, "lastEnd": "panicked"},
                {"name": "fan_out", "state": "STARTING", "restarts": 7, "lastEnd": "stood still"}]})
    );
}

/// The built binary: all of its stages are there, and it is the instance that reads.
async fn a_running_instance_is_up(database: TestDatabase) {
    let house = Running::of(database).await;
    let read = "{ webhookCapture { poller } webhookPipeline { instance ready notReadyReason capture
        stages { name state } } }";
    let told = house.service.graphql(read).await;
    let pipeline = &told["webhookPipeline"];
    assert_eq!(pipeline["ready"], true, "{told}");
    assert_eq!(pipeline["capture"], "POLLING");
    assert_eq!(pipeline["instance"], told["webhookCapture"]["poller"]);
    let stages = pipeline["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 8, "{told}");
    assert!(stages.iter().all(|stage| stage["state"] == "UP"), "{told}");
}
