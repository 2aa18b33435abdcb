//! Figures, logs and traces.

mod figures;
pub mod logs;
mod metrics;
mod outage;
mod traces;

pub use figures::{Figures, ReceiverFigures};
pub use metrics::Metrics;
pub use outage::Outage;
pub use traces::{
    AttemptSpan, AttemptTrace, Attribute, EventTrace, TraceKey, TraceSettings, Traces, TracesError,
};
