//! Figures and logs.

pub mod logs;
mod metrics;
mod outage;

pub use metrics::Metrics;
pub use outage::Outage;
