//! A server that reads requests byte for byte and answers with whatever bytes a test wants.

use std::{cell::RefCell, future::Future, net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::spawn_local,
};

/// An answer that ends at once and keeps the connection.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line.
    pub line: String,
    /// The header lines, sorted: their order means nothing.
    pub headers: Vec<String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// What a server saw; shared with its tasks.
#[derive(Clone)]
pub struct RawServer {
    pub address: SocketAddr,
    peers: Rc<RefCell<Vec<SocketAddr>>>,
    received: Rc<RefCell<Vec<Received>>>,
}

impl RawServer {
    /// Handles each connection with `handler`.
    pub async fn start<F, Fut>(handler: F) -> Self
    where
        F: Fn(RawServer, TcpStream) -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        Self::start_at("127.0.0.1:0", handler).await
    }

    /// The same at an address of one's own choice.
    pub async fn start_at<F, Fut>(address: &str, handler: F) -> Self
    where
        F: Fn(RawServer, TcpStream) -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            peers: Rc::default(),
            received: Rc::default(),
        };
        let shared = server.clone();
        spawn_local(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                shared.peers.borrow_mut().push(peer);
                spawn_local(handler(shared.clone(), stream));
            }
        });
        server
    }

    /// Answers every request with the same bytes and keeps the connection.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Rc::new(answer.into());
        Self::start(move |server, stream| {
            let answer = Rc::clone(&answer);
            async move { server.answer_all(stream, &answer).await }
        })
        .await
    }

    /// Reads requests and answers each, until the client is gone.
    pub async fn answer_all<S>(&self, mut stream: S, answer: &[u8])
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while self.receive(&mut stream).await.is_some() {
            if stream.write_all(answer).await.is_err() || stream.flush().await.is_err() {
                break;
            }
        }
    }

    /// The next request on a connection, or none if the client closed it.
    pub async fn receive<S: AsyncRead + Unpin>(&self, stream: &mut S) -> Option<Received> {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
        let mut lines = head.split("\r\n").map(str::to_owned);
        let mut received = Received {
            line: lines.next().unwrap(),
            headers: lines.collect(),
            body: bytes.split_off(head_end + 4),
        };
        received.headers.sort();
        let length: usize = received.header("content-length").unwrap().parse().unwrap();
        while received.body.len() < length {
            stream.read_buf(&mut received.body).await.ok()?;
        }
        self.received.borrow_mut().push(received.clone());
        Some(received)
    }

    pub fn connections(&self) -> usize {
        self.peers.borrow().len()
    }

    pub fn peers(&self) -> Vec<SocketAddr> {
        self.peers.borrow().clone()
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    pub fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Closes with a reset instead of a farewell.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

/// An address at which nothing listens.
pub async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// An address that answers no connection request: its queue is full and nobody empties it.
pub async fn silent_address() -> (SocketAddr, Vec<TcpStream>, TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    (address, queue, listener)
}
