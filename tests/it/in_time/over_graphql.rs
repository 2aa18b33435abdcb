//! The same through the real binary: mutations by GraphQL while somebody else holds the poller's lease, so that
//! the service answers and nobody reads; and while it reads.

use async_trait::async_trait;
use rand::{SeedableRng as _, rngs::StdRng};
use rowhook::store::sql::db::{Db, Dialect};
use serde_json::{Value, json};

use super::{
    Scene, TABLES,
    at_once::mingle,
    make_tables,
    oracle::{Clock, RESOURCES, Setting, Span},
    owner::Management,
};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    seed::seed,
    service::{Service, Watched},
    stored::run,
    wait::until,
};

on_both!(mutations_by_graphql);

/// Of each owner in each part.
const MUTATIONS: usize = 12;

struct ByGraphQl<'a> {
    service: &'a Service,
    clock: &'a Clock,
}

impl ByGraphQl<'_> {
    /// The record that the mutation returns, and its span.
    async fn mutate(&self, what: &str, record: &str, input: Value) -> (Value, Span) {
        let kind = format!("{}{}", what[..1].to_uppercase(), &what[1..]);
        let document = format!(
            "mutation($input: {kind}Input!) {{ {what}(input: $input) {{ {record} {{ id _etag }} }} }}"
        );
        let variables = json!({"input": input});
        let called = self.clock.tick();
        let answer = self.service.try_graphql_with(&document, &variables).await;
        let answered = self.clock.tick();
        assert!(answer["errors"].is_null(), "{document} {input}\n{answer}");
        let made = answer["data"][what][record].clone();
        (made, Span { called, answered })
    }

    async fn etag(&self, record: &str, id: i32) -> Value {
        let read = format!("{{ {record}(id: {id}) {{ _etag }} }}");
        self.service.graphql(&read).await[record]["_etag"].take()
    }
}

fn id(record: &Value) -> i32 {
    record["id"].as_i64().unwrap().try_into().unwrap()
}

/// The fields that say what a subscription is, on top of others.
fn with_setting(mut input: Value, active: bool, setting: &Setting) -> Value {
    input["active"] = json!(active);
    input["resource"] = json!(RESOURCES[setting.resource]);
    input["action"] = json!(setting.action.as_str());
    input["changedFields"] = json!(setting.changed_fields);
    input["filter"] = json!(setting.filter.as_ref().map(ToString::to_string));
    input
}

#[async_trait(?Send)]
impl Management for ByGraphQl<'_> {
    async fn create_receiver(&self) -> i32 {
        // Nobody listens there; what is owed waits.
        let input = json!({"name": "somebody's", "webhookUri": "http://127.0.0.1:9/hook"});
        let made = self.mutate("createWebhookReceiver", "webhookReceiver", input);
        id(&made.await.0)
    }

    async fn set_receiver(&self, id: i32, active: bool) -> Span {
        let etag = self.etag("webhookReceiver", id).await;
        let input = json!({"id": id, "etag": etag, "active": active});
        let set = self.mutate("updateWebhookReceiver", "webhookReceiver", input);
        set.await.1
    }

    async fn delete_receiver(&self, id: i32) -> Span {
        let input = json!({"id": id});
        let gone = self.mutate("deleteWebhookReceiver", "webhookReceiver", input);
        gone.await.1
    }

    async fn create_subscription(
        &self,
        receiver: i32,
        active: bool,
        setting: &Setting,
    ) -> (i32, Span) {
        let input = with_setting(json!({"receiverId": receiver}), active, setting);
        let made = self.mutate("createWebhookSubscription", "webhookSubscription", input);
        let (made, span) = made.await;
        (id(&made), span)
    }

    async fn set_subscription(&self, id: i32, active: bool, setting: &Setting) -> Span {
        let etag = self.etag("webhookSubscription", id).await;
        let input = with_setting(json!({"id": id, "etag": etag}), active, setting);
        let set = self.mutate("updateWebhookSubscription", "webhookSubscription", input);
        set.await.1
    }

    async fn delete_subscription(&self, id: i32) -> Span {
        let input = json!({"id": id});
        let gone = self.mutate("deleteWebhookSubscription", "webhookSubscription", input);
        gone.await.1
    }
}

async fn mutations_by_graphql(database: TestDatabase) {
    let seed = seed();
    println!("ROWHOOK_TEST_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let app = database.application().await;
    make_tables(&app).await;
    let watched = RESOURCES.iter().zip(TABLES).map(|(name, table)| Watched {
        name,
        table,
        more: "",
    });
    let watched: Vec<Watched> = watched.collect();
    let mut service = Service::start(&database.url, "", &watched).await;
    let db = Db::connect(&database.url, 2).await.unwrap();
    let clock = Clock::default();
    let by = |service| ByGraphQl {
        service,
        clock: &clock,
    };
    let mut scene = Scene::new(&db, &app, &clock, &by(&service)).await;
    // It reads.
    mingle(&mut scene, &by(&service), &mut chance, MUTATIONS).await;
    let reading = scene.compare().await;
    // Nobody does.
    take_the_pollers_lease(&db).await;
    until("it stands by", || {
        service
            .log_text()
            .contains("another instance reads changes now")
    })
    .await;
    mingle(&mut scene, &by(&service), &mut chance, MUTATIONS).await;
    service.kill9();
    run(&db, "delete from rowhook.leases where kind = 'poller'", []).await;
    service.restart().await;
    let not_reading = scene.compare().await;
    println!("reading: {reading:?}\nnot reading: {not_reading:?}");
    assert!(reading.owed + not_reading.owed > 0);
}

async fn take_the_pollers_lease(db: &Db) {
    let far = match db.dialect() {
        Dialect::Postgres => "now() + interval '1 hour'",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+1 hour')",
    };
    let sql = format!(
        "update rowhook.leases set holder = 'the test', expires_at = {far} where kind = 'poller'"
    );
    run(db, &sql, []).await;
}
