//! What a scenario prints: a table for people, JSON for programs, and how far it is on the way.

use std::{collections::HashSet, io::IsTerminal as _, time::Duration};

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use serde::Serialize;

use crate::http::sink::Receipt;

use super::super::Failure;

/// A line of a scenario's table.
pub trait Row: Serialize {
    /// The table's headings.
    const HEADINGS: &'static [&'static str];

    /// The line's cells, one for each heading.
    fn cells(&self) -> Vec<String>;

    /// Deliveries that did not come.
    fn missing(&self) -> u64 {
        0
    }
}

/// What came of a scenario.
#[derive(Serialize)]
pub struct Report<R> {
    /// Its name.
    pub scenario: &'static str,
    /// `postgres` or `sqlite`.
    pub database: &'static str,
    /// Processors of this machine, which rowhook, its database, the sink and the load share.
    pub processors: usize,
    /// Signed POSTs per second that the same sink took from a bare client loop, in this run.
    pub limit_per_second: f64,
    /// The measurements.
    pub rows: Vec<R>,
}

impl<R: Row> Report<R> {
    /// Prints it.
    pub fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            let text = serde_json::to_string_pretty(self).map_err(Failure::of_work)?;
            println!("{text}");
            return Ok(());
        }
        println!(
            "{} on {}; rowhook, database, sink and load share {} processors",
            self.scenario, self.database, self.processors
        );
        println!(
            "the limit of this run: {:.0} signed POSTs per second, by a client loop without database",
            self.limit_per_second
        );
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(R::HEADINGS);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        println!("\n{table}");
        Ok(())
    }
}

/// Tells a person who waits what is done now.
pub fn progress(now: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("… {now}");
    }
}

/// Microseconds from just before each row was written to its receipt, in order.
pub fn latencies<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Vec<u64> {
    let mut all: Vec<u64> = receipts
        .map(|receipt| receipt.at.saturating_sub(receipt.made_at))
        .collect();
    all.sort_unstable();
    all
}

/// How many events these are, however often they came.
pub fn unique<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> u64 {
    let ids: HashSet<u64> = receipts.map(|receipt| receipt.event_id).collect();
    ids.len() as u64
}

/// The smallest value that `share` of all values do not exceed; none without values.
pub fn quantile(sorted: &[u64], share: f64) -> Option<u64> {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.max(1) - 1).copied()
}

/// The one in the middle, the lower of two; not a number where there is none.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or(f64::NAN)
}

/// Milliseconds of so many microseconds.
pub fn milliseconds(micros: Option<u64>) -> Option<f64> {
    micros.map(|micros| micros as f64 / 1000.0)
}

/// A figure with so many decimals, or that there is none.
pub fn cell(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.decimals$}"))
}

/// Seconds between two points in microseconds.
pub fn seconds(from: u64, to: u64) -> f64 {
    Duration::from_micros(to.saturating_sub(from)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(quantile(&hundred, 0.5), Some(50));
        assert_eq!(quantile(&hundred, 0.99), Some(99));
        assert_eq!(quantile(&hundred, 1.0), Some(100));
        assert_eq!(quantile(&[7], 0.01), Some(7));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.0);
        assert!(median(std::iter::empty()).is_nan());
    }
}
