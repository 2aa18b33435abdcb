//! A network that the test plays: it records each request and answers by script.

use std::{
    collections::HashMap,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rowhook::{
    domain::attempt::{Answer, Phase, SendError},
    transport::{DeliveryRequest, Transport, TransportFactory},
};
use serde_json::Value as Json;

use super::troubles::{Point, Troubles};

/// What a request is answered with.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With these headers.
    With(u16, Vec<(&'static str, String)>),
    Fails(SendError),
    /// After this time, or when the attempt's time is up, whichever comes first.
    After(Duration, u16),
    /// Not before the gate is opened, or when the attempt's time is up.
    Gate(Gate, u16),
    /// Not even when the attempt's time is up: a client that does not keep its word.
    Never,
}

/// Holds answers back until it is opened.
#[derive(Clone, Debug)]
pub struct Gate(tokio::sync::watch::Sender<bool>);

impl Gate {
    pub fn shut() -> Self {
        Self(tokio::sync::watch::Sender::new(false))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn wait(&self) {
        let mut gate = self.0.subscribe();
        let _sender_is_ours = gate.wait_for(|open| *open).await;
    }
}

/// One request. Ticks count what happened in the network, so that two requests can be put in order.
#[derive(Clone, Debug)]
pub struct Post {
    pub receiver: String,
    pub subscription: i64,
    /// The number of the change, from 1 in commit order.
    pub change: i64,
    /// The row it is about, and the one that it was about before its key changed.
    pub rows: Vec<i64>,
    /// How often this event has been sent, this time included.
    pub attempt: usize,
    pub began: u64,
    pub ended: Option<u64>,
    /// The status that was answered.
    pub status: Option<u16>,
}

type Script = Box<dyn FnMut(&Post) -> Reply + Send>;

struct State {
    tick: u64,
    posts: Vec<Post>,
    attempts: HashMap<i64, usize>,
    at_once: HashMap<String, (usize, usize)>,
    script: Script,
}

/// Everything that was sent, on every thread.
#[derive(Clone)]
pub struct Network {
    state: Arc<Mutex<State>>,
    troubles: Troubles,
}

impl Network {
    /// Every request is answered with 200.
    pub fn new(troubles: Troubles) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                tick: 0,
                posts: Vec::new(),
                attempts: HashMap::new(),
                at_once: HashMap::new(),
                script: Box::new(|_| Reply::Status(200)),
            })),
            troubles,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on answers come from this.
    pub fn script(&self, script: impl FnMut(&Post) -> Reply + Send + 'static) {
        self.state().script = Box::new(script);
    }

    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// The changes that a receiver has answered with 200, in the order of its first such answers.
    pub fn delivered(&self, receiver: &str) -> Vec<i64> {
        let mut answered: Vec<Post> = self.posts();
        answered.retain(|post| post.receiver == receiver && post.status == Some(200));
        answered.sort_by_key(|post| post.ended);
        let mut changes = Vec::new();
        for post in answered {
            if !changes.contains(&post.change) {
                changes.push(post.change);
            }
        }
        changes
    }

    /// The most requests to a receiver that were under way at once.
    pub fn most_at_once(&self, receiver: &str) -> usize {
        self.state()
            .at_once
            .get(receiver)
            .map_or(0, |(_, most)| *most)
    }

    /// For one receiver, no event of a row was sent before the earlier ones of that row had been
    /// answered with 200 or, where `settled` says so, had finally failed.
    pub fn assert_order_per_row(&self, settled: impl Fn(&Post) -> bool) {
        let posts = self.posts();
        for later in &posts {
            let earlier = posts.iter().filter(|post| {
                post.receiver == later.receiver
                    && post.change < later.change
                    && post.rows.iter().any(|row| later.rows.contains(row))
            });
            let changes: std::collections::BTreeSet<i64> =
                earlier.map(|post| post.change).collect();
            for change in changes {
                let done = posts.iter().any(|post| {
                    post.receiver == later.receiver
                        && post.change == change
                        && (post.status == Some(200) || settled(post))
                        && post.ended.is_some_and(|ended| ended < later.began)
                });
                assert!(
                    done,
                    "{}: change {} was sent before change {change} of its row was settled",
                    later.receiver, later.change
                );
            }
        }
    }
}

impl TransportFactory for Network {
    fn for_this_thread(&self) -> Rc<dyn Transport> {
        Rc::new(Client(self.clone()))
    }
}

struct Client(Network);

/// Ends a request, however it ends: a request whose sender dies is over too.
struct UnderWay {
    network: Network,
    index: usize,
    receiver: String,
    status: Option<u16>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.network.state();
        state.tick += 1;
        let tick = state.tick;
        state.posts[self.index].ended = Some(tick);
        state.posts[self.index].status = self.status;
        if let Some((now, _)) = state.at_once.get_mut(&self.receiver) {
            *now -= 1;
        }
    }
}

impl Client {
    fn begin(&self, request: &DeliveryRequest) -> (UnderWay, Reply) {
        let body: Json = serde_json::from_slice(&request.body).unwrap();
        let number = |at: &str| body.pointer(at).and_then(Json::as_i64);
        let mut rows = vec![number("/data/id").unwrap()];
        rows.extend(number("/data/old/id").filter(|old| *old != rows[0]));
        let receiver = request.uri.clone();
        let receiver = receiver.trim_start_matches("https://");
        let receiver = receiver.split('.').next().unwrap().to_owned();
        let mut state = self.0.state();
        state.tick += 1;
        let event_id = number("/event_id").unwrap();
        let attempt = state.attempts.entry(event_id).or_default();
        *attempt += 1;
        let post = Post {
            receiver: receiver.clone(),
            subscription: number("/subscription_id").unwrap(),
            change: number("/data/new/n").unwrap(),
            rows,
            attempt: *attempt,
            began: state.tick,
            ended: None,
            status: None,
        };
        let (now, most) = state.at_once.entry(receiver.clone()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        let reply = (state.script)(&post);
        let index = state.posts.len();
        state.posts.push(post);
        drop(state);
        let under_way = UnderWay {
            network: self.0.clone(),
            index,
            receiver,
            status: None,
        };
        (under_way, reply)
    }
}

fn answer(status: u16, headers: &[(&'static str, String)]) -> Answer {
    Answer {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        body: format!("answered {status}"),
    }
}

#[async_trait(?Send)]
impl Transport for Client {
    async fn post(&self, request: DeliveryRequest) -> Result<Answer, SendError> {
        let (mut under_way, reply) = self.begin(&request);
        // Trouble of the machine; what receivers do is the script's.
        let _no_answer = self.0.troubles.meet(Point::Post).await;
        let timeout = SendError::Timeout {
            after: request.timeout,
            phase: Phase::Answer,
        };
        let (status, headers) = match reply {
            Reply::Status(status) => (status, Vec::new()),
            Reply::With(status, headers) => (status, headers),
            Reply::Fails(error) => return Err(error),
            Reply::After(pause, status) => {
                tokio::time::sleep(pause.min(request.timeout)).await;
                if pause > request.timeout {
                    return Err(timeout);
                }
                (status, Vec::new())
            }
            Reply::Gate(gate, status) => {
                if tokio::time::timeout(request.timeout, gate.wait())
                    .await
                    .is_err()
                {
                    return Err(timeout);
                }
                (status, Vec::new())
            }
            Reply::Never => std::future::pending().await,
        };
        under_way.status = Some(status);
        Ok(answer(status, &headers))
    }
}
