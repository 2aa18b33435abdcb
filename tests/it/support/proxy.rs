//! A proxy that is asked to CONNECT, notes what it was told, and does as the test says.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::spawn_local,
};

/// What the proxy does with a request.
#[derive(Clone, Debug)]
pub enum Does {
    /// Connects to this address, whatever it was asked for.
    Connects(SocketAddr),
    /// The same, and answers a byte at a time.
    ConnectsHaltingly(SocketAddr),
    /// Answers with these bytes and closes.
    Answers(&'static str),
    /// Keeps the connection and says nothing.
    Nothing,
}

type Behaviour = Rc<RefCell<Box<dyn Fn(&str) -> Does>>>;

/// The proxy; it ends with the test.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    told: Rc<RefCell<Vec<String>>>,
    behaviour: Behaviour,
}

impl Proxy {
    /// Does this for each target, as `address:port`.
    pub async fn start(does: impl Fn(&str) -> Does + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            told: Rc::default(),
            behaviour: Rc::new(RefCell::new(Box::new(does))),
        };
        let shared = proxy.clone();
        spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn_local(shared.clone().serve(stream));
            }
        });
        proxy
    }

    /// Does something else from now on.
    pub fn now(&self, does: impl Fn(&str) -> Does + 'static) {
        *self.behaviour.borrow_mut() = Box::new(does);
    }

    /// The head of each request.
    pub fn told(&self) -> Vec<String> {
        self.told.borrow().clone()
    }

    /// The target of each request.
    pub fn targets(&self) -> Vec<String> {
        self.told().iter().map(|head| target(head)).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else {
                return;
            };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        self.told.borrow_mut().push(head.clone());
        let does = self.behaviour.borrow()(&target(&head));
        let answer = "HTTP/1.1 200 Connection established\r\nvia: 1.1 a-proxy\r\n\r\n";
        match does {
            Does::Connects(to) => {
                let mut onward = TcpStream::connect(to).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _either_side_left = copy_bidirectional(&mut stream, &mut onward).await;
            }
            Does::ConnectsHaltingly(to) => {
                let mut onward = TcpStream::connect(to).await.unwrap();
                stream.set_nodelay(true).unwrap();
                for byte in answer.bytes() {
                    stream.write_u8(byte).await.unwrap();
                    tokio::task::yield_now().await;
                }
                let _either_side_left = copy_bidirectional(&mut stream, &mut onward).await;
            }
            Does::Answers(bytes) => {
                let _it_left = stream.write_all(bytes.as_bytes()).await;
            }
            Does::Nothing => std::future::pending().await,
        }
    }
}

fn target(head: &str) -> String {
    let line = head.lines().next().unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[0], words[2]), ("CONNECT", "HTTP/1.1"), "{line}");
    words[1].to_owned()
}
