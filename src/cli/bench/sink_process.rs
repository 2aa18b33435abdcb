//! The receivers as a process of their own, and what the bench asks of it.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    http::sink::{self, Receipt},
    sample::load::now_micros,
};

use super::{super::Failure, plain_http, process::Process, sick::Sickness};

/// Where its receivers are; the process prints it.
#[derive(Serialize, Deserialize)]
struct Places {
    /// The sink.
    sink: String,
    /// The sick ones, in the order of [`Sickness::ALL`].
    sick: Vec<String>,
}

/// Serves until whoever started it is gone.
pub async fn serve() -> Result<(), Failure> {
    let sink = sink::start(now_micros).map_err(Failure::of_work)?;
    let mut sick = Vec::new();
    for sickness in Sickness::ALL {
        sick.push(sickness.start().await.map_err(Failure::of_work)?);
    }
    let places = Places {
        sink: sink.to_string(),
        sick,
    };
    let places = serde_json::to_string(&places).map_err(Failure::of_work)?;
    println!("{places}");
    // Its standard input ends with the process that holds the other end, however that one ends.
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ended
        .await
        .map_err(Failure::of_work)?
        .map_err(Failure::of_work)?;
    Ok(())
}

/// The process.
pub struct Sink {
    _process: Process,
    places: Places,
    /// What has come so far.
    pub receipts: Vec<Receipt>,
}

impl Sink {
    /// Starts it.
    pub fn start() -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::of_work)?;
        let mut command = Command::new(program);
        command.args(["bench", "sink"]).stdin(Stdio::piped());
        let (process, line) = Process::start(&mut command)?;
        let places = serde_json::from_str(&line)
            .map_err(|error| Failure::of_work(format!("the sink did not start: {error}")))?;
        Ok(Self {
            _process: process,
            places,
            receipts: Vec::new(),
        })
    }

    /// `host:port` of the sink.
    pub fn address(&self) -> &str {
        &self.places.sink
    }

    /// The URI of its receiver of that number.
    pub fn uri(&self, receiver: u32) -> String {
        format!("http://{}/{receiver}", self.places.sink)
    }

    /// The URI of a sick receiver, of each kind in turn.
    pub fn sick_uri(&self, number: usize) -> &str {
        &self.places.sick[number % self.places.sick.len()]
    }

    /// Lets a receiver answer 503, or 200 again.
    pub async fn set_down(&self, receiver: u32, down: bool) -> Result<(), Failure> {
        let method = if down { "PUT" } else { "DELETE" };
        let path = format!("/down/{receiver}");
        plain_http::call(&self.places.sink, method, &path)
            .await
            .map(|_| ())
    }

    /// Asks what has come since it was asked last.
    pub async fn look(&mut self) -> Result<(), Failure> {
        let path = format!("/receipts?after={}", self.receipts.len());
        let bytes = plain_http::call(&self.places.sink, "GET", &path).await?;
        self.receipts.extend(Receipt::read_all(&bytes));
        Ok(())
    }

    /// Looks until what came satisfies `enough`, for so long at most; whether it did.
    pub async fn wait(
        &mut self,
        at_most: Duration,
        mut enough: impl FnMut(&[Receipt]) -> bool,
    ) -> Result<bool, Failure> {
        let began = std::time::Instant::now();
        loop {
            self.look().await?;
            if enough(&self.receipts) {
                return Ok(true);
            }
            if began.elapsed() > at_most {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
