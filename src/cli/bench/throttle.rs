//! Throttled receivers with more waiting than they may get: is all of the throttle used, and never more of it?
//!
//! What counts is when requests start. The sink sees when they come, so a delay on the way that differs from one
//! request to the next shows as a little more than the throttle here; how much that is, is printed.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{http::sink::Receipt, sample::load::LoadTable};

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    report::{Row, cell, progress, seconds},
    sink_process::Sink,
};

/// Each receiver gets its first request within this; what is measured begins then.
const PATIENCE: Duration = Duration::from_secs(60);

/// How exactly throttles are kept while more is waiting than they let through
///
/// One receiver for each throttle, all at once, each with a backlog. "used" is the rate that came, of the rate
/// that is set, after the first burst. "above" is the most by which the requests of any stretch of time
/// exceed burst + perSecond × its length, in requests.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ThrottleArgs {
    /// For how long
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    time: Duration,
    #[command(flatten)]
    common: Common,
}

/// A throttle, and what its receiver does with each so many-th request.
struct Case {
    per_second: f64,
    burst: u32,
    refuses_every: Option<u32>,
}

const CASES: [Case; 6] = [
    Case {
        per_second: 0.5,
        burst: 1,
        refuses_every: None,
    },
    Case {
        per_second: 5.0,
        burst: 1,
        refuses_every: None,
    },
    Case {
        per_second: 50.0,
        burst: 5,
        refuses_every: None,
    },
    Case {
        per_second: 50.0,
        burst: 5,
        refuses_every: Some(3),
    },
    Case {
        per_second: 500.0,
        burst: 50,
        refuses_every: None,
    },
    Case {
        per_second: 1000.0,
        burst: 1,
        refuses_every: None,
    },
];

#[derive(Serialize)]
struct Measured {
    per_second: f64,
    burst: u32,
    refuses_every: Option<u32>,
    requests: usize,
    used: Option<f64>,
    above: f64,
    above_ms: f64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "perSecond",
        "burst",
        "receiver",
        "requests",
        "used",
        "above, requests",
        "above, ms",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.per_second.to_string(),
            self.burst.to_string(),
            match self.refuses_every {
                None => "takes all".to_owned(),
                Some(every) => format!("503 to 1 in {every}"),
            },
            self.requests.to_string(),
            cell(self.used, 4),
            cell(Some(self.above), 3),
            cell(Some(self.above_ms), 1),
        ]
    }
}

/// Measures and prints.
pub async fn run(args: ThrottleArgs) -> Result<(), Failure> {
    let limit = args.common.limit()?;
    progress(&format!("{} throttles for {:?}", CASES.len(), args.time));
    let measure = async |house: &mut House| measure(&args, house).await;
    let rows = args.common.in_house("", measure).await?;
    args.common.tell("throttle", limit, rows)
}

async fn measure(args: &ThrottleArgs, house: &House) -> Result<Vec<Measured>, Failure> {
    let mut sink = Sink::start()?;
    for (number, case) in (1..).zip(&CASES) {
        let mut uri = sink.uri(number);
        if let Some(every) = case.refuses_every {
            uri.push_str(&format!("/{every}"));
        }
        house
            .register(&Registered {
                uri,
                table: LoadTable::Items,
                settings: case.settings(),
                filter: None,
            })
            .await?;
    }
    // Half as much again as the fastest may get.
    let most = CASES.iter().map(|case| case.per_second).fold(0.0, f64::max);
    let rows = (args.time.as_secs_f64() * most * 1.5) as u64;
    let insert = house.load.insert(LoadTable::Items, 1, rows.max(1));
    insert.await.map_err(Failure::of_work)?;
    let numbers = 1..=CASES.len() as u32;
    let each_has_one = |receipts: &[Receipt]| {
        let mut numbers = numbers.clone();
        numbers.all(|number| receipts.iter().any(|one| one.receiver == number))
    };
    sink.wait(PATIENCE, each_has_one).await?;
    tokio::time::sleep(args.time).await;
    sink.look().await?;
    Ok((1..)
        .zip(&CASES)
        .map(|(number, case)| case.judge(number, &sink.receipts))
        .collect())
}

impl Case {
    fn settings(&self) -> Value {
        json!({
            "rateLimit": {"perSecond": self.per_second, "burst": self.burst},
            "retryPolicy": {"initialDelayMs": 100, "multiplier": 1.0},
        })
    }

    fn judge(&self, number: u32, receipts: &[Receipt]) -> Measured {
        let mut times: Vec<u64> = receipts
            .iter()
            .filter(|receipt| receipt.receiver == number)
            .map(|receipt| receipt.at)
            .collect();
        times.sort_unstable();
        let above = self.above(&times);
        Measured {
            per_second: self.per_second,
            burst: self.burst,
            refuses_every: self.refuses_every,
            requests: times.len(),
            used: self.used(&times),
            above,
            above_ms: above / self.per_second * 1000.0,
        }
    }

    /// The rate after the first burst, of the rate that is set.
    fn used(&self, times: &[u64]) -> Option<f64> {
        let after_burst = times.get(self.burst as usize - 1..)?;
        let (first, last) = (after_burst.first()?, after_burst.last()?);
        let took = seconds(*first, *last);
        (took > 0.0).then(|| (after_burst.len() - 1) as f64 / took / self.per_second)
    }

    /// The most by which the requests from one to another exceed `burst + perSecond × t`, in requests; 0 where they never
    /// do. Requests `i..=j` are `j - i + 1`, so it is the largest `(j - r·tⱼ) - (i - r·tᵢ) + 1 - burst`, for which the
    /// smallest `i - r·tᵢ` so far is all that has to be known.
    fn above(&self, times: &[u64]) -> f64 {
        let mut smallest = f64::INFINITY;
        let mut above: f64 = 0.0;
        let start = times.first().copied().unwrap_or(0);
        for (place, time) in times.iter().enumerate() {
            let level = place as f64 - self.per_second * seconds(start, *time);
            smallest = smallest.min(level);
            above = above.max(level - smallest + 1.0 - f64::from(self.burst));
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_above_the_throttle_are_found_wherever_they_are() {
        let case = Case {
            per_second: 10.0,
            burst: 2,
            refuses_every: None,
        };
        // Two at once, then one each 100 ms: just what it lets through.
        let mut times: Vec<u64> = vec![1_000_000, 1_000_000];
        times.extend((1..=50).map(|step| 1_000_000 + step * 100_000));
        assert!(case.above(&times).abs() < 1e-6);
        assert!((case.used(&times).unwrap() - 1.0).abs() < 1e-6);
        // One more in the middle is one too many.
        times.push(3_050_000);
        times.sort_unstable();
        assert!(
            (case.above(&times) - 1.0).abs() < 1e-6,
            "{}",
            case.above(&times)
        );
        assert_eq!(case.above(&[]), 0.0);
        assert_eq!(case.used(&[]), None);
    }
}
