//! A request to a process of the bench, and the bare client loop that measures what this machine could do at most.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream as BlockingStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, ion_signature, standard_signature},
    sample::load::now_micros,
};

use super::super::Failure;

/// The body of the answer to a request without one.
pub async fn call(address: &str, method: &str, path: &str) -> Result<Vec<u8>, Failure> {
    let work = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let failed = |why: &str| Failure::of_work(format!("http://{address}: {method} {path}: {why}"));
    let mut answer = work.await.map_err(|error| failed(&error.to_string()))?;
    if !answer.starts_with(b"HTTP/1.1 2") {
        return Err(failed("it did not answer 2xx"));
    }
    let head = answer.windows(4).position(|here| here == b"\r\n\r\n");
    let head = head.ok_or_else(|| failed("it gave no answer"))?;
    Ok(answer.split_off(head + 4))
}

/// Connections of the bare loop: as many as rowhook keeps in flight to one receiver by default.
const CONNECTIONS: usize = 16;

/// How many signed POSTs per second the sink takes from a loop that does nothing else, on this machine, now: no
/// database, no queue, no log, each connection kept, the body and the ion message made once. Blocks for `time`.
///
/// # Errors
///
/// Where a connection fails.
pub fn bare_limit(address: &str, time: Duration) -> Result<f64, Failure> {
    let sent = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, sent) = (address.to_owned(), sent.clone());
            std::thread::spawn(move || post_until(&address, began + time, &sent))
        })
        .collect();
    for client in clients {
        client
            .join()
            .map_err(|_| Failure::of_work("a client of the bare loop panicked"))?
            .map_err(|error| Failure::of_work(format!("the bare loop: {error}")))?;
    }
    Ok(sent.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

fn post_until(address: &str, end: Instant, sent: &AtomicU64) -> std::io::Result<()> {
    let secret = SharedSecret::generate();
    let data = format!(
        "{{\"id\":4711,\"etag\":\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\",\"old\":null,\"new\":{{\"id\":4711,\"lane\":11,\
         \"name\":\"item number 4711\",\"state\":\"ready\",\"amount\":80087,\"made_at\":{}}}}}",
        now_micros()
    );
    let body = format!(
        "{{\"event_id\":4711,\"subscription_id\":1,\"resource\":\"bench_item\",\"action\":\"create\",\
         \"transaction_id\":815,\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"data\":{data}}}"
    );
    let message =
        ion_message(&format!("http://{address}/0"), &data).map_err(std::io::Error::other)?;
    let mut stream = BlockingStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 1024];
    let mut id = 0;
    while Instant::now() < end {
        id += 1;
        let seconds = i64::try_from(now_micros() / 1_000_000).unwrap_or(0);
        let ion = ion_signature(&secret, &message);
        let standard = standard_signature(&secret, &format!("{id}"), seconds, body.as_bytes());
        let request = format!(
            "POST /0 HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             x-ion-signature: {ion}\r\nwebhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\n\
             webhook-signature: {standard}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        // The sink's answers have no body and are far smaller than the buffer.
        let mut filled = 0;
        while !answer[..filled].ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut answer[filled..])?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
