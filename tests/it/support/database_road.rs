//! The way between rowhook and PostgreSQL: it can be slow, and connections on it can hang without an end.
//!
//! It lives on a thread of its own, so that it goes on whatever the test does.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::oneshot,
};

/// How things are on the way.
#[derive(Default)]
struct State {
    /// Answers take so many milliseconds longer.
    delay: AtomicU64,
    /// Connections that were opened so far.
    opened: AtomicU64,
    /// Connections with a smaller number hang.
    hanging: AtomicU64,
    /// Host and port at the end of it.
    server: Mutex<(String, u16)>,
}

/// The way; it ends with the test.
pub struct DatabaseRoad {
    /// Where the database is at the end of it.
    pub url: String,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DatabaseRoad {
    /// To the database at this URL.
    pub async fn to(url: &str) -> Self {
        let mut url: url::Url = url.parse().unwrap();
        let state = Arc::<State>::default();
        *state.server.lock().unwrap() = server_of(&url);
        let (tell_address, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let on_thread = state.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell_address.send(listener.local_addr().unwrap()).unwrap();
                tokio::spawn(serve(listener, on_thread));
                let _either_way = stopped.await;
            });
        });
        let address: SocketAddr = address.await.unwrap();
        url.set_ip_host(address.ip()).unwrap();
        url.set_port(Some(address.port())).unwrap();
        Self {
            url: url.into(),
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// From now on each answer takes so much longer.
    pub fn slow_down(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap();
        self.state.delay.store(delay, Ordering::SeqCst);
    }

    /// Nothing comes through any more on the connections that there are, and none is closed; new ones are well.
    pub fn hang(&self) {
        let opened = self.state.opened.load(Ordering::SeqCst);
        self.state.hanging.store(opened, Ordering::SeqCst);
    }

    /// The same for those to come too.
    pub fn hang_for_good(&self) {
        self.state.hanging.store(u64::MAX, Ordering::SeqCst);
    }

    /// From now on connections that are opened lead to this URL's server.
    pub fn lead_to(&self, url: &str) {
        *self.state.server.lock().unwrap() = server_of(&url.parse().unwrap());
    }

    /// Connections that were opened so far.
    pub fn opened(&self) -> u64 {
        self.state.opened.load(Ordering::SeqCst)
    }
}

impl Drop for DatabaseRoad {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn server_of(url: &url::Url) -> (String, u16) {
    let host = url.host_str().unwrap().to_owned();
    (host, url.port().unwrap_or(5432))
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = state.opened.fetch_add(1, Ordering::SeqCst);
        let (server, state) = (state.server.lock().unwrap().clone(), state.clone());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect((server.0.as_str(), server.1)).await else {
                return;
            };
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Whoever leaves first takes the other with it.
            tokio::select! {
                () = carry(from_client, to_server, &state, number, false) => {}
                () = carry(from_server, to_client, &state, number, true) => {}
            }
        });
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &State,
    number: u64,
    answers: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if read > 0 && number < state.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if answers {
            let delay = Duration::from_millis(state.delay.load(Ordering::SeqCst));
            tokio::time::sleep(delay).await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
