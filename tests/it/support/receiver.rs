//! A receiver on a thread of its own: records every delivery, verifies both signatures over the bytes
//! that came, and answers as a test's script says.
//!
//! A delivery is recorded when it has been read whole, before it is answered, in the order in which they
//! came. Waiting for deliveries is woken by each of them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, verify_ion, verify_standard},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::{oneshot, watch},
    task::LocalSet,
    time::timeout,
};

use super::{
    raw_server::{RawServer, Received, reset},
    service::{DEADLINE, LOOK_AGAIN},
};

/// One request that came.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When it had been read.
    pub at: Instant,
    /// The same by the clock.
    pub time: DateTime<Utc>,
    /// Where it came from.
    pub from: IpAddr,
    /// The path that it was posted to.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// rowhook's body, out of whatever it travelled in.
    pub text: String,
    /// The same, read.
    pub body: Value,
}

impl Delivery {
    /// The event's id.
    pub fn event_id(&self) -> i64 {
        self.body["event_id"].as_i64().unwrap()
    }

    /// The subscription's id.
    pub fn subscription_id(&self) -> i64 {
        self.body["subscription_id"].as_i64().unwrap()
    }

    /// Its number within the subscription.
    pub fn sequence(&self) -> i64 {
        self.headers["x-rowhook-sequence"].parse().unwrap()
    }

    /// `create`, `update` or `delete`.
    pub fn action(&self) -> &str {
        self.body["action"].as_str().unwrap()
    }

    /// The body's `data`.
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }
}

/// What the receiver does with a delivery.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// This status, with an empty body.
    Status(u16),
    /// This status, with this body.
    Saying(u16, &'static str),
    /// This status after a while.
    After(Duration, u16),
    /// This status as soon as the test lets it go.
    Once(&'static AtomicBool, u16),
    /// The connection is reset.
    Reset,
}

type Script = Arc<dyn Fn(&Delivery) -> Answer + Send + Sync>;

struct Shared {
    deliveries: Mutex<Vec<Delivery>>,
    distinct: Mutex<HashSet<i64>>,
    secrets: Mutex<HashMap<String, SharedSecret>>,
    faults: Mutex<Vec<String>>,
    script: Mutex<Script>,
    count: watch::Sender<usize>,
}

/// The receiver; it ends with the test.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Answers 200 to everything until it is told otherwise.
    pub async fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST).await
    }

    /// The same at another address of this machine.
    pub async fn start_at(address: Ipv4Addr) -> Self {
        let here = format!("{address}:0");
        let shared = Arc::new(Shared {
            deliveries: Mutex::default(),
            distinct: Mutex::default(),
            secrets: Mutex::default(),
            faults: Mutex::default(),
            script: Mutex::new(Arc::new(|_| Answer::Status(200))),
            count: watch::Sender::new(0),
        });
        let (tell_address, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let on_thread = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            LocalSet::new().block_on(&runtime, async move {
                let server = RawServer::start_at(&here, move |server, stream| {
                    serve(on_thread.clone(), server, stream)
                })
                .await;
                tell_address.send(server.address).unwrap();
                let _either_way = stopped.await;
            });
        });
        Self {
            address: address.await.unwrap(),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URI of a path.
    pub fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Deliveries to this path have to be signed with this secret.
    pub fn expect_signed(&self, path: &str, secret: &str) {
        let secret = SharedSecret::parse(secret).unwrap();
        self.shared
            .secrets
            .lock()
            .unwrap()
            .insert(path.to_owned(), secret);
    }

    /// From now on it answers so.
    pub fn answer(&self, script: impl Fn(&Delivery) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// Everything that came, in order. Fails when a delivery was not signed as it has to be.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let faults = self.shared.faults.lock().unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        self.shared.deliveries.lock().unwrap().clone()
    }

    /// How many different events came.
    pub fn events(&self) -> usize {
        self.shared.distinct.lock().unwrap().len()
    }

    /// Waits until so many different events have come, and returns every delivery.
    pub async fn wait_for_events(&self, count: usize) -> Vec<Delivery> {
        self.wait(&format!("{count} events"), |receiver| {
            receiver.events() >= count
        })
        .await
    }

    /// Waits until the deliveries are as wanted, and returns them.
    pub async fn wait_until(
        &self,
        what: &str,
        holds: impl Fn(&[Delivery]) -> bool,
    ) -> Vec<Delivery> {
        self.wait(what, |receiver| {
            holds(&receiver.shared.deliveries.lock().unwrap())
        })
        .await
    }

    async fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Vec<Delivery> {
        let mut count = self.shared.count.subscribe();
        // The deadline is for a standstill: a loaded machine may take its time over many deliveries.
        let came = loop {
            count.borrow_and_update();
            if holds(self) {
                break true;
            }
            if timeout(DEADLINE, count.changed()).await.is_err() {
                break false;
            }
        };
        let deliveries = self.deliveries();
        assert!(
            came,
            "waited in vain for {what}: {} deliveries of {} events came, the last: {:?}",
            deliveries.len(),
            self.events(),
            deliveries.last().map(|delivery| &delivery.text)
        );
        deliveries
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

async fn serve(shared: Arc<Shared>, server: RawServer, mut stream: TcpStream) {
    let Ok(peer) = stream.peer_addr() else { return };
    while let Some(received) = server.receive(&mut stream).await {
        let answer = match read(&received, peer.ip()) {
            Ok(delivery) => shared.take(delivery),
            Err(fault) => {
                shared.faults.lock().unwrap().push(fault);
                Answer::Status(400)
            }
        };
        let (status, body) = match answer {
            Answer::Status(status) => (status, ""),
            Answer::Saying(status, body) => (status, body),
            Answer::After(delay, status) => {
                tokio::time::sleep(delay).await;
                (status, "")
            }
            Answer::Once(go, status) => {
                while !go.load(Ordering::SeqCst) {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                (status, "")
            }
            Answer::Reset => return reset(stream),
        };
        let answer = format!(
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl Shared {
    fn take(&self, delivery: Delivery) -> Answer {
        if let Err(fault) = self.verify(&delivery) {
            self.faults.lock().unwrap().push(fault);
        }
        let script = self.script.lock().unwrap().clone();
        let answer = script(&delivery);
        // Whoever sees the event counted finds its delivery.
        let event = delivery.event_id();
        self.deliveries.lock().unwrap().push(delivery);
        self.distinct.lock().unwrap().insert(event);
        self.count.send_modify(|count| *count += 1);
        answer
    }

    fn verify(&self, delivery: &Delivery) -> Result<(), String> {
        let fault = |what: &str| Err(format!("{what}: {} {:?}", delivery.text, delivery.headers));
        let secrets = self.secrets.lock().unwrap();
        let Some(secret) = secrets.get(&delivery.path) else {
            return fault("no secret is known for this path");
        };
        let headers = &delivery.headers;
        let [Some(ion), Some(id), Some(timestamp), Some(standard)] = [
            "x-ion-signature",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]
        .map(|name| headers.get(name)) else {
            return fault("a header of the signatures is missing");
        };
        let uri = format!("http://{}{}", headers["host"], delivery.path);
        let data: Parts = serde_json::from_str(&delivery.text).unwrap();
        let Ok(message) = ion_message(&uri, data.data.get()) else {
            return fault("unsignable data");
        };
        if !verify_ion(secret, &message, ion) {
            return fault("x-ion-signature does not verify");
        }
        let seconds = timestamp.parse().unwrap();
        if !verify_standard(secret, id, seconds, &delivery.bytes, standard) {
            return fault("webhook-signature does not verify");
        }
        if *id != delivery.event_id().to_string() {
            return fault("webhook-id is not the event's id");
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

fn read(received: &Received, from: IpAddr) -> Result<Delivery, String> {
    let unreadable = |what: &str| format!("{what}: {received:?}");
    let mut line = received.line.split(' ');
    let (Some("POST"), Some(path)) = (line.next(), line.next()) else {
        return Err(unreadable("not a POST"));
    };
    let headers: BTreeMap<String, String> = received
        .headers
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let sent = String::from_utf8(received.body.clone()).map_err(|_| unreadable("not UTF-8"))?;
    let text = match headers.get("content-type").map(String::as_str) {
        Some("application/json") => sent,
        Some("application/x-www-form-urlencoded") => url::form_urlencoded::parse(sent.as_bytes())
            .find(|(key, _)| key == "payload")
            .map(|(_, value)| value.into_owned())
            .ok_or_else(|| unreadable("no payload"))?,
        Some("application/cloudevents+json") => {
            let parts: Parts =
                serde_json::from_str(&sent).map_err(|_| unreadable("no CloudEvent"))?;
            parts.data.get().to_owned()
        }
        _ => return Err(unreadable("an unknown content type")),
    };
    let body: Value = serde_json::from_str(&text).map_err(|_| unreadable("not JSON"))?;
    if !body["event_id"].is_i64() {
        return Err(unreadable("no event_id"));
    }
    Ok(Delivery {
        at: Instant::now(),
        time: Utc::now(),
        from,
        path: path.to_owned(),
        headers,
        bytes: received.body.clone(),
        text,
        body,
    })
}
