//! A receiver that takes deliveries as fast as it can and notes when each came: what `rowhook bench` sends to.
//!
//! The first part of the path is the receiver's number; a second part, a number too, makes it answer 503 to each so many-th
//! request. `GET /receipts?after=N` gives what came after the first N
//! receipts; `PUT /down/<number>` lets a receiver answer 503 until `DELETE /down/<number>`.

use std::{
    collections::HashSet,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{self, Bytes},
};

/// One request that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The receiver's number, from the path.
    pub receiver: u32,
    /// Whether it was taken: answered 200, and not 503.
    pub taken: bool,
    /// `webhook-id`, 0 where there is none.
    pub event_id: u64,
    /// When the row was written, by its own column `made_at`: microseconds since 1970, 0 where there is none.
    pub made_at: u64,
    /// When it came, in microseconds since 1970.
    pub at: u64,
}

impl Receipt {
    /// The bytes of one in an answer.
    pub const BYTES: usize = 29;

    fn write(self, to: &mut Vec<u8>) {
        to.extend(self.receiver.to_le_bytes());
        to.push(u8::from(self.taken));
        for number in [self.event_id, self.made_at, self.at] {
            to.extend(number.to_le_bytes());
        }
    }

    /// Reads what an answer holds; a last one that is cut off is left out.
    pub fn read_all(bytes: &[u8]) -> Vec<Self> {
        let number = |bytes: &[u8]| {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(eight)
        };
        bytes
            .chunks_exact(Self::BYTES)
            .map(|bytes| Self {
                receiver: u32::try_from(number(&bytes[..4])).expect("four bytes"),
                taken: bytes[4] == 1,
                event_id: number(&bytes[5..13]),
                made_at: number(&bytes[13..21]),
                at: number(&bytes[21..29]),
            })
            .collect()
    }
}

#[derive(Clone, Default)]
struct State {
    receipts: Arc<Mutex<Vec<Receipt>>>,
    down: Arc<RwLock<HashSet<u32>>>,
}

/// Listens on a free port of this machine until the process ends; returns where. `now`: microseconds since 1970.
pub fn start(now: fn() -> u64) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let state = State::default();
    let server = HttpServer::new(move || {
        let state = state.clone();
        App::new()
            .app_data(web::Data::new(state))
            .route("/receipts", web::get().to(receipts))
            .route("/down/{receiver}", web::put().to(down))
            .route("/down/{receiver}", web::delete().to(up))
            .default_service(web::to(move |request, body, state| {
                std::future::ready(take(&request, &body, &state, now()))
            }))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    actix_web::rt::spawn(server);
    Ok(address)
}

/// Notes a delivery and answers it.
fn take(request: &HttpRequest, body: &Bytes, state: &web::Data<State>, at: u64) -> HttpResponse {
    let mut parts = request.path()[1..].split('/');
    let receiver = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let refused: Option<usize> = parts.next().and_then(|part| part.parse().ok());
    let event_id = request.headers().get("webhook-id");
    let event_id = event_id.and_then(|id| id.to_str().ok()?.parse().ok());
    let down = state.down.read().unwrap_or_else(PoisonError::into_inner);
    let is_down = down.contains(&receiver);
    drop(down);
    let mut receipts = state
        .receipts
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let in_turn = refused.is_some_and(|every| receipts.len().is_multiple_of(every));
    let taken = !is_down && !in_turn;
    let receipt = Receipt {
        receiver,
        taken,
        event_id: event_id.unwrap_or(0),
        made_at: made_at(body).unwrap_or(0),
        at,
    };
    receipts.push(receipt);
    drop(receipts);
    if taken {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::ServiceUnavailable().finish()
    }
}

/// The number after `"made_at":` in a body.
fn made_at(body: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"made_at\":";
    let at = body.windows(NAME.len()).rposition(|here| here == NAME)?;
    let digits = body[at + NAME.len()..]
        .iter()
        .skip_while(|byte| **byte == b' ')
        .take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number, digit| {
        Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0'))
    })
}

async fn receipts(
    state: web::Data<State>,
    query: web::Query<std::collections::HashMap<String, usize>>,
) -> HttpResponse {
    let after = query.get("after").copied().unwrap_or(0);
    let mut bytes = Vec::new();
    let receipts = state
        .receipts
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    for receipt in receipts.iter().skip(after) {
        receipt.write(&mut bytes);
    }
    drop(receipts);
    HttpResponse::Ok().body(bytes)
}

async fn down(state: web::Data<State>, receiver: web::Path<u32>) -> HttpResponse {
    let mut down = state.down.write().unwrap_or_else(PoisonError::into_inner);
    down.insert(*receiver);
    HttpResponse::NoContent().finish()
}

async fn up(state: web::Data<State>, receiver: web::Path<u32>) -> HttpResponse {
    let mut down = state.down.write().unwrap_or_else(PoisonError::into_inner);
    down.remove(&receiver);
    HttpResponse::NoContent().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_reads_back() {
        let receipt = Receipt {
            receiver: 900,
            taken: true,
            event_id: u64::MAX,
            made_at: 1,
            at: 1_800_000_000_000_000,
        };
        let mut bytes = Vec::new();
        receipt.write(&mut bytes);
        receipt.write(&mut bytes);
        assert_eq!(bytes.len(), 2 * Receipt::BYTES);
        bytes.pop();
        assert_eq!(Receipt::read_all(&bytes), [receipt]);
    }

    #[test]
    fn the_row_says_when_it_was_made() {
        assert_eq!(
            made_at(b"{\"data\": {\"made_at\": 1234, \"id\": 1}}"),
            Some(1234)
        );
        assert_eq!(made_at(b"{\"made_at\":5}"), Some(5));
        assert_eq!(made_at(b"{\"made_at\": null}"), None);
        assert_eq!(made_at(b"{}"), None);
    }
}
