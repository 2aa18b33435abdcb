//! A connection through the operator's proxy: CONNECT to an address that the guard has let pass.
//!
//! The guard hands in the proxy's addresses and the receiver's. The proxy is told an address and never a name, so
//! that what was judged is what is connected to, whatever the proxy's resolver says. What then goes through the
//! tunnel is the receiver's alone: TLS and `host` with its name, for plain http the same request as without a
//! proxy. Nothing here judges addresses.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream};

use super::{fault, guard::dial, journey};
use crate::{
    domain::attempt::SendError,
    policy::{delivery::USER_AGENT, proxy::Proxy},
};

/// An answer's head is no longer, or what answers is no proxy.
const MOST_HEAD_BYTES: usize = 16 * 1024;

/// Asks the proxy for each of the receiver's addresses in turn, until one is connected to.
pub(super) async fn open(
    proxy: &Proxy,
    reachable: &[SocketAddr],
    local_address: Option<IpAddr>,
    host: &str,
    targets: &[SocketAddr],
) -> Result<TcpStream, SendError> {
    let mut first_fault = None;
    for target in targets {
        let found = through(proxy, reachable, local_address, host, *target).await;
        match found {
            Err(fault @ SendError::Proxied { .. }) => first_fault = first_fault.or(Some(fault)),
            other => return other,
        }
    }
    Err(first_fault.expect("the guard never asks for an empty list"))
}

async fn through(
    proxy: &Proxy,
    reachable: &[SocketAddr],
    local_address: Option<IpAddr>,
    host: &str,
    target: SocketAddr,
) -> Result<TcpStream, SendError> {
    journey::waits_for(Some(proxy));
    let stream = dial(reachable.to_vec(), local_address).await;
    let mut stream =
        stream.map_err(|(address, error)| fault::connecting_to_proxy(proxy, address, &error))?;
    // From here on it may be the receiver that is waited for.
    journey::waits_for(None);
    let status = ask(&mut stream, proxy, target)
        .await
        .map_err(|error| fault::asking_proxy(proxy, &error))?;
    match status {
        200..=299 => Ok(stream),
        _ => Err(fault::refused_by_proxy(proxy, host, target, status)),
    }
}

/// The status that the proxy answers with.
async fn ask(stream: &mut TcpStream, proxy: &Proxy, target: SocketAddr) -> io::Result<u16> {
    let mut request =
        format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nuser-agent: {USER_AGENT}\r\n");
    if let Some(authorization) = proxy.expose_authorization() {
        request.push_str(&format!("proxy-authorization: {authorization}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let head = read_head(stream).await?;
    status_in(&head).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads up to the empty line and not a byte further: what follows is the receiver's.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut seen = [0; 1024];
    loop {
        let count = stream.peek(&mut seen).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let before = head.len();
        head.extend_from_slice(&seen[..count]);
        // The empty line may have begun among what was there before.
        let from = before.saturating_sub(3);
        let end = head[from..].windows(4).position(|four| four == b"\r\n\r\n");
        let taken = end.map_or(count, |at| from + at + 4 - before);
        stream.read_exact(&mut seen[..taken]).await?;
        if end.is_some() {
            return Ok(head);
        }
        if head.len() > MOST_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn status_in(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next()?.strip_prefix("HTTP/1.")?;
    words.next()?.parse().ok()
}
