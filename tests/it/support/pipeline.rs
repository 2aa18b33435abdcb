//! The pipeline in this process, on a database of its own, with a network that the test plays
//! (`support::network`) and trouble on order (`support::troubles`).
//!
//! Changes are written into the log as the triggers would; each carries its number in commit order.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rowhook::{
    domain::{
        action::Action,
        api_key::Author,
        ids::ReceiverId,
        receiver::{ContentType, Ordering, RetryOverrides, RetryPolicy},
        resource::LiveCatalogue,
        retention::Keep,
        shared_secret::SharedSecret,
    },
    pipeline::{
        Pipeline, PipelineParts, PipelineSettings,
        catalogue_watch::WatchedCatalogue,
        guardian::GuardianSettings,
        lifeline::Patience,
        reconciler::ReconcilerSettings,
        retention::RetentionSettings,
        sender::DeliveryDefaults,
        status::{StageKind, Status},
        wakes::Wakes,
    },
    policy::{receiver_health::HealthPolicy, seal::Sealer},
    store::{
        change_log::{ChangeLog, FanOutStore},
        delivery_targets::DeliveryTargets,
        event_queue::{EventQueue, OutcomeLog},
        leases::LeaseStore,
        receivers::{ClientIdentityChange, ReceiverFields, ReceiverStore},
        sql::{
            capture_notes::SqlCaptureNotes, catalogue::SqlResourceInstaller,
            change_log::SqlChangeLog, db::Db, event_queue::SqlEventQueue, fan_out::SqlFanOut,
            instances::SqlInstances, leases::SqlLeases, outcomes::SqlOutcomes,
            page_connection::PageConnection, receivers::SqlManagementStore,
            reconciliation::SqlReconciliation, retention::SqlRetention,
        },
        subscriptions::{NewSubscription, SubscriptionStore},
    },
    telemetry::Metrics,
};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{
    database::TestDatabase,
    network::{Network, Reply},
    stored::{insert_resource, number, run, texts},
    troubles::{Troubled, Troubles},
    wait::{DEADLINE, until, until_ok},
};

/// What a change does to its row.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// It changes in place.
    Row(i64),
    /// Its key changes from the first to the second.
    Rekey(i64, i64),
}

/// A migrated database, what works on it, and the pipeline while it runs.
pub struct World {
    pub db: Db,
    pub network: Network,
    pub troubles: Troubles,
    pub parts: PipelineParts,
    pub settings: PipelineSettings,
    pub management: Arc<SqlManagementStore>,
    /// Of the pipeline that runs, or ran last.
    pub status: Status,
    running: Option<Pipeline>,
    starts: u32,
    changes: i64,
    resource: i32,
    // The last field, so that the database goes when everybody has left it.
    _database: TestDatabase,
}

/// Retries come fast, and a stage that hangs is found in a few seconds; a healthy one on a busy
/// machine is not.
fn settings() -> PipelineSettings {
    PipelineSettings {
        guardian: GuardianSettings {
            patience: Patience {
                without_beat: Duration::from_secs(15),
                in_work: Duration::from_secs(15),
            },
            ..GuardianSettings::default()
        },
        delivery: DeliveryDefaults {
            timeout: DEADLINE,
            max_in_flight: 4,
            retry: RetryPolicy {
                max_attempts: 20,
                initial_delay: Duration::from_millis(50),
                multiplier: 1.2,
                max_delay: Duration::from_millis(200),
            },
            max_payload: 1 << 20,
            // Nobody is probed who is not meant to be: many tests let their receivers fail again and again.
            health: HealthPolicy {
                failures: u32::MAX,
                ..HealthPolicy::default()
            },
        },
        events_per_commit: 100,
        sender_threads: 2,
        retention: RetentionSettings {
            events: Keep::Forever,
            changes: Keep::Forever,
            rows_per_step: 100,
            first_pass: Duration::ZERO,
            between_passes: Duration::from_millis(20),
        },
        look_at_tables: Duration::from_secs(60),
        reconciler: ReconcilerSettings {
            newest: 1000,
            keep: Keep::Forever,
            first_round: Duration::from_secs(600),
            between_rounds: Duration::from_secs(600),
        },
    }
}

/// Every pause the same, and so many attempts.
pub fn retries(delay: Duration, attempts: u32) -> RetryOverrides {
    RetryOverrides {
        max_attempts: Some(attempts),
        initial_delay: Some(delay),
        multiplier: Some(1.0),
        max_delay: Some(Duration::from_secs(2 * 3600)),
    }
}

impl World {
    pub async fn on(database: TestDatabase) -> Self {
        // Few connections: many of these worlds stand beside each other on one server.
        let db = Db::connect(&database.url, 5).await.unwrap();
        db.migrate_up().await.unwrap();
        let definition = r#"{"table":"things","columns":[{"name":"id","data_type":"bigint"},
            {"name":"n","data_type":"bigint"}],"key":["id"],"etag":null,"exclude":[],
            "on_truncate":"rows"}"#;
        let resource = insert_resource(&db, "THING", definition, true).await;
        let sealer = Arc::new(Sealer::new([3; 32], vec![]));
        let management = Arc::new(SqlManagementStore::new(db.clone(), sealer));
        let troubles = Troubles::default();
        let network = Network::new(troubles.clone());
        Self {
            parts: parts(&db, &management, &troubles, &network),
            db,
            network,
            troubles,
            settings: settings(),
            management,
            status: Status::new(Metrics::default()),
            running: None,
            starts: 0,
            changes: 0,
            resource,
            _database: database,
        }
    }

    /// Started, with a receiver whose first attempt of this change fails; the next one is due in an hour.
    pub async fn that_waits_after(database: TestDatabase, change: i64) -> Self {
        let mut world = Self::on(database).await;
        world
            .receiver_with("left", |fields| {
                fields.retry = retries(Duration::from_secs(3600), 3);
            })
            .await;
        world.network.script(move |post| {
            let fails = (post.change, post.attempt) == (change, 1);
            Reply::Status(if fails { 503 } else { 200 })
        });
        world.start();
        world
    }

    /// A receiver that subscribes to every change.
    pub async fn receiver(&self, name: &str) -> ReceiverId {
        self.receiver_with(name, |_| {}).await
    }

    pub async fn receiver_with(
        &self,
        name: &str,
        set: impl FnOnce(&mut ReceiverFields),
    ) -> ReceiverId {
        let mut fields = ReceiverFields {
            name: name.to_owned(),
            description: None,
            webhook_uri: format!("https://{name}.example.com/hook"),
            content_type: ContentType::Json,
            expected_response_code: 200,
            active: true,
            rate_limit: None,
            max_in_flight: None,
            timeout: None,
            retry: RetryOverrides::default(),
            ordering: Ordering::PerRow,
            client_identity: ClientIdentityChange::Keep,
        };
        set(&mut fields);
        let (secret, by) = (SharedSecret::generate(), Author::rowhook());
        let receiver = self.management.create_receiver(fields, &secret, &by).await;
        let receiver_id = receiver.unwrap().id;
        let subscription = NewSubscription {
            receiver_id,
            resource: "THING".parse().unwrap(),
            action: Action::Update,
            active: true,
            changed_fields: None,
            filter: None,
        };
        let made = self.management.create_subscription(subscription, &by).await;
        made.unwrap();
        receiver_id
    }

    /// One transaction; returns the number of its first change.
    pub async fn write(&mut self, writes: &[Write]) -> i64 {
        let first = self.changes + 1;
        let txn = self.db.begin().await.unwrap();
        for write in writes {
            self.changes += 1;
            let n = self.changes;
            let (id, old) = match write {
                Write::Row(id) => (id, format!(r#"{{"n":{}}}"#, n - 1)),
                Write::Rekey(from, to) => (to, format!(r#"{{"id":{from},"n":{}}}"#, n - 1)),
            };
            let row = format!(r#"{{"id":{id},"n":{n}}}"#);
            let sql = "insert into rowhook.logged_actions (resource_id, action, row_data, \
                       old_values) values ($1, 2, $2, $3)";
            let values = [self.resource.into(), row.into(), old.into()];
            txn.execute_raw(txn.statement(sql, values)).await.unwrap();
        }
        txn.commit().await.unwrap();
        first
    }

    /// A change of one row, in a transaction of its own; returns its number.
    pub async fn touch(&mut self, row: i64) -> i64 {
        self.write(&[Write::Row(row)]).await
    }

    /// The number of the last change.
    pub fn last_change(&self) -> i64 {
        self.changes
    }

    pub fn start(&mut self) {
        assert!(self.running.is_none());
        self.starts += 1;
        self.status = Status::new(Metrics::default());
        let holder = format!("instance {}", self.starts);
        let status = self.status.clone();
        self.running = Some(Pipeline::start(
            &self.parts,
            &self.settings,
            &holder,
            status,
        ));
    }

    /// A clean stop.
    pub async fn finish(&mut self) {
        self.stop(DEADLINE).await;
    }

    /// A stop that finishes nothing and gives nothing back: to the database it is a crash.
    pub async fn kill(&mut self) {
        self.stop(Duration::ZERO).await;
        // Whoever held a lease is dead.
        self.parts.leases.end_all().await.unwrap();
    }

    async fn stop(&mut self, grace: Duration) {
        self.running.take().unwrap().finish(grace).await;
        // Threads end on their own; none of them holds a door any more.
        until("every stage lets go", || {
            Arc::strong_count(&self.parts.change_log) == 1
                && Arc::strong_count(&self.parts.fan_out) == 1
                && Arc::strong_count(&self.parts.queue) == 1
                && Arc::strong_count(&self.parts.outcomes) == 1
        })
        .await;
    }

    /// Every receiver has answered every change with 200, and that is written.
    pub async fn all_delivered(&self) {
        until_ok("every change is delivered", async || {
            self.undelivered().await
        })
        .await;
    }

    async fn undelivered(&self) -> Result<(), String> {
        let sql = "select (select count(*) from rowhook.subscriptions) * $1 - \
                   (select count(*) from rowhook.events where state = 3)";
        let row = self
            .db
            .query_one_raw(self.db.statement(sql, [self.changes.into()]))
            .await
            .unwrap();
        match row.unwrap().try_get_by_index::<i64>(0).unwrap() {
            0 => Ok(()),
            left => {
                let stages = self.status.stages();
                Err(format!(
                    "{left} are not; {:?}; {stages:?}",
                    self.states().await
                ))
            }
        }
    }

    /// How many events there are of each state.
    pub async fn states(&self) -> BTreeMap<i16, i64> {
        let sql = "select state, count(*) from rowhook.events group by state";
        let rows = self.db.query_all_raw(self.db.statement(sql, [])).await;
        let read = |row: &QueryResult| {
            let state = row.try_get_by_index(0).unwrap();
            (state, row.try_get_by_index(1).unwrap())
        };
        rows.unwrap().iter().map(read).collect()
    }

    /// Waits until exactly these states stand there.
    pub async fn states_are(&self, wanted: &[(i16, i64)]) {
        let wanted: BTreeMap<i16, i64> = wanted.iter().copied().collect();
        until_ok(&format!("states {wanted:?}"), async || {
            let found = self.states().await;
            if found == wanted { Ok(()) } else { Err(found) }
        })
        .await;
    }

    /// What holds after any trouble: one event of each change for each subscription, numbered without
    /// a gap in commit order, order per row on the wire, and a log that has as many attempts as it says.
    pub async fn assert_sound(&self) {
        let bad = "select cast(e.id as text) || ' of change ' || cast(e.change_id as text) || \
                   ' has sequence ' || cast(e.sequence as text) \
                   from rowhook.events e where e.sequence <> \
                   (select count(*) from rowhook.events o \
                    where o.subscription_id = e.subscription_id and o.id <= e.id) \
                   or e.sequence <> (select count(*) from rowhook.logged_actions l \
                                     where l.id <= e.change_id)";
        assert_eq!(texts(&self.db, bad).await, Vec::<String>::new());
        let owed = "select (select count(*) from rowhook.subscriptions) * \
                    (select count(*) from rowhook.logged_actions) - \
                    (select count(*) from rowhook.events)";
        assert_eq!(number(&self.db, owed).await, 0);
        let attempts = "select cast(e.id as text) from rowhook.events e where e.attempt_count > 0 \
                        and e.attempt_count - 1 <> \
                        (select count(*) from rowhook.attempts a where a.event_id = e.id \
                         and a.number between 1 and e.attempt_count - 1)";
        assert_eq!(texts(&self.db, attempts).await, Vec::<String>::new());
        self.network.assert_order_per_row(|_| false);
    }

    pub fn restarts(&self, kind: StageKind) -> u64 {
        self.status
            .stages()
            .get(&kind)
            .map_or(0, |stage| stage.restarts)
    }

    /// What is due later is due now.
    pub async fn make_due(&self) {
        let now = chrono::Utc::now();
        let sql = "update rowhook.events set due_at = $1 where state = 1";
        run(&self.db, sql, [now.into()]).await;
    }
}

fn parts(
    db: &Db,
    management: &Arc<SqlManagementStore>,
    troubles: &Troubles,
    network: &Network,
) -> PipelineParts {
    let troubles = || troubles.clone();
    let pages = PageConnection::new(db.clone());
    PipelineParts {
        change_log: Arc::new(Troubled::<dyn ChangeLog> {
            door: Arc::new(SqlChangeLog::new(pages.clone())),
            troubles: troubles(),
        }),
        fan_out: Arc::new(Troubled::<dyn FanOutStore> {
            door: Arc::new(SqlFanOut::new(pages)),
            troubles: troubles(),
        }),
        queue: Arc::new(Troubled::<dyn EventQueue> {
            door: Arc::new(SqlEventQueue::new(db.clone())),
            troubles: troubles(),
        }),
        targets: Arc::new(Troubled::<dyn DeliveryTargets> {
            door: management.clone(),
            troubles: troubles(),
        }),
        outcomes: Arc::new(Troubled::<dyn OutcomeLog> {
            door: Arc::new(SqlOutcomes::new(db.clone())),
            troubles: troubles(),
        }),
        catalogue: Arc::new(SqlResourceInstaller::new(db.clone())),
        leases: Arc::new(Troubled::<dyn LeaseStore> {
            door: Arc::new(SqlLeases::new(db.clone())),
            troubles: troubles(),
        }),
        instances: Arc::new(SqlInstances::new(db.clone())),
        retention: Arc::new(SqlRetention::new(db.clone())),
        watched: WatchedCatalogue {
            installer: Arc::new(SqlResourceInstaller::new(db.clone())),
            wanted: [].into(),
            catalogue: LiveCatalogue::default(),
        },
        reconciliation: Arc::new(SqlReconciliation::new(db.clone())),
        notes: Arc::new(SqlCaptureNotes::new(db.clone())),
        transport: Arc::new(network.clone()),
        wakes: Wakes::default(),
    }
}
