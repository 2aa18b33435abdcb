//! Receivers that are sick, each in its own way: what healthy ones are measured beside.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// How a receiver is sick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sickness {
    /// It takes the request and never answers.
    Hangs,
    /// Nobody listens.
    Refuses,
    /// It resets each connection once the request comes.
    Resets,
    /// It answers as it should, after three seconds.
    Slow,
    /// Its answer never ends.
    Endless,
    /// It speaks no TLS where its URI says https.
    NoTls,
    /// Its name does not resolve.
    NoName,
    /// It answers 500.
    Fails,
}

/// How long [`Sickness::Slow`] takes: less than a delivery's time limit.
const SLOW: Duration = Duration::from_secs(3);

impl Sickness {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Hangs,
        Self::Refuses,
        Self::Resets,
        Self::Slow,
        Self::Endless,
        Self::NoTls,
        Self::NoName,
        Self::Fails,
    ];

    /// Starts such a receiver on a free port of this machine; returns its URI.
    pub async fn start(self) -> std::io::Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let uri = self.uri(address);
        match self {
            Self::Refuses | Self::NoName => drop(listener),
            _ => {
                tokio::task::spawn_local(self.serve(listener));
            }
        }
        Ok(uri)
    }

    fn uri(self, address: SocketAddr) -> String {
        match self {
            Self::NoTls => format!("https://{address}/"),
            Self::NoName => "http://receiver.invalid/".to_owned(),
            _ => format!("http://{address}/"),
        }
    }

    async fn serve(self, listener: TcpListener) {
        // Where no further connection can be taken for now, the sick one is sicker still.
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                // The client has gone: that is what most of these are for.
                let _gone = self.treat(stream).await;
            });
        }
    }

    async fn treat(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = [0; 16 << 10];
        while stream.read(&mut request).await? > 0 {
            match self {
                Self::Hangs => std::future::pending().await,
                Self::Resets => return stream.set_zero_linger(),
                Self::Slow => {
                    tokio::time::sleep(SLOW).await;
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .await?;
                }
                Self::Endless => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                    loop {
                        stream.write_all(&request).await?;
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                Self::NoTls => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await?,
                Self::Fails => {
                    stream
                        .write_all(
                            b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
                        )
                        .await?;
                }
                Self::Refuses | Self::NoName => return Ok(()),
            }
        }
        Ok(())
    }
}
