//! Figures and logs.

mod figures;
pub mod logs;
mod metrics;
mod outage;

pub use figures::{Figures, ReceiverFigures};
pub use metrics::Metrics;
pub use outage::Outage;
