//! Traces from the commit of a change to the answer that delivered it, as OpenTelemetry tells them.
//!
//! An event is a trace. Its id and that of its first span are made of what the event is, so that attempts in different
//! instances, days apart, share them without a column that keeps them. Whether it is sampled follows from the id, so
//! everybody decides alike. Where tracing is off there is nothing here but an empty option.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchSpanProcessor, SpanData, SpanEvents, SpanExporter as _, SpanLinks, SpanProcessor,
    },
};
use sha2::{Digest as _, Sha256};

/// What a span tells: a name and a value.
pub type Attribute = KeyValue;

/// Below the collector's address, as the standard has it.
const PATH: &str = "/v1/traces";

/// How traces are told.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// The collector; `None`: where the standard variables say.
    pub endpoint: Option<String>,
    /// The share of events whose traces are told, from 0 to 1.
    pub sample_ratio: f64,
    /// This process, as leases name it.
    pub instance: String,
}

/// Why traces can not be told.
#[derive(Debug, thiserror::Error)]
#[error("traces can not be sent: {0}")]
pub struct TracesError(String);

struct Live {
    processor: BatchSpanProcessor,
    /// A trace whose number is less is told.
    threshold: u64,
    scope: InstrumentationScope,
}

/// Where spans go, if anywhere.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Live>>);

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traces").field(&self.is_on()).finish()
    }
}

/// What makes an event's trace: the same in every process, whether it comes from fan-out or from the database.
#[derive(Clone, Copy, Debug)]
pub struct TraceKey {
    /// Its id.
    pub event: i64,
    /// Its subscription.
    pub subscription: i64,
    /// Its row's hash, by which events of different databases differ.
    pub row: i64,
    /// When its change committed.
    pub occurred_at: SystemTime,
}

impl Traces {
    /// Sends spans by this client, in batches, from a thread of their own.
    pub fn start(
        settings: &TraceSettings,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, TracesError> {
        let mut builder = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(client)
            .with_protocol(Protocol::HttpBinary);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')));
        }
        let exporter = builder.build();
        let mut exporter = exporter.map_err(|error| TracesError(error.to_string()))?;
        exporter.set_resource(&resource(&settings.instance));
        Ok(Self(Some(Arc::new(Live {
            processor: BatchSpanProcessor::builder(exporter).build(),
            threshold: threshold(settings.sample_ratio),
            scope: InstrumentationScope::builder("rowhook")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }))))
    }

    /// Whether anybody listens.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The trace of an event; `None` where tracing is off, and then the key is not asked for.
    pub fn of(&self, key: impl FnOnce() -> TraceKey) -> Option<EventTrace> {
        let live = self.0.as_ref()?;
        let (trace, root) = ids(&key());
        Some(EventTrace {
            live: live.clone(),
            trace,
            root,
            is_sampled: number(trace) < live.threshold,
        })
    }

    /// Sends what is left, within the time. Blocks.
    pub fn stop(&self, within: Duration) {
        if let Some(live) = &self.0
            && let Err(error) = live.processor.shutdown_with_timeout(within)
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

fn resource(instance: &str) -> Resource {
    let attributes = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance.to_owned()),
    ];
    let builder = Resource::builder().with_attributes(attributes);
    let named = std::env::var("OTEL_RESOURCE_ATTRIBUTES")
        .is_ok_and(|attributes| attributes.contains("service.name="));
    // Where the operator gives it another name, that stands.
    match named || std::env::var_os("OTEL_SERVICE_NAME").is_some() {
        true => builder.build(),
        false => builder.with_service_name("rowhook").build(),
    }
}

/// The ids of a trace and of its first span.
fn ids(key: &TraceKey) -> (TraceId, SpanId) {
    // In milliseconds, which each way keeps.
    let committed = key
        .occurred_at
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let mut hash = Sha256::new();
    hash.update(b"rowhook event");
    hash.update(key.event.to_be_bytes());
    hash.update(key.subscription.to_be_bytes());
    hash.update(key.row.to_be_bytes());
    hash.update(committed.to_be_bytes());
    let hash = hash.finalize();
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    trace.copy_from_slice(&hash[..16]);
    span.copy_from_slice(&hash[16..24]);
    // No id is all zeros.
    trace[15] |= 1;
    span[7] |= 1;
    (TraceId::from_bytes(trace), SpanId::from_bytes(span))
}

/// What a trace is sampled by, as the standard's sampler by ratio does it.
fn number(trace: TraceId) -> u64 {
    let bytes = trace.to_bytes();
    let mut last = [0; 8];
    last.copy_from_slice(&bytes[8..]);
    u64::from_be_bytes(last) >> 1
}

/// The ratio as such a number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn threshold(ratio: f64) -> u64 {
    const ALL: u64 = 1 << 63;
    if ratio >= 1.0 {
        ALL
    } else {
        (ratio.max(0.0) * ALL as f64) as u64
    }
}

/// The trace of one event.
#[derive(Clone)]
pub struct EventTrace {
    live: Arc<Live>,
    trace: TraceId,
    root: SpanId,
    is_sampled: bool,
}

/// One attempt's part of it.
#[derive(Clone)]
pub struct AttemptTrace {
    event: EventTrace,
    span: SpanId,
    parent: SpanId,
}

/// How an attempt went.
pub struct AttemptSpan {
    /// When it began.
    pub began: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// What is known of it.
    pub attributes: Vec<KeyValue>,
    /// Why it is no delivery.
    pub error: Option<String>,
}

impl EventTrace {
    /// Whether it is told to the collector: whoever would make attributes for it need not, if not.
    pub fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// Its change committed, and became this event at last.
    pub fn made(
        &self,
        committed: SystemTime,
        taken: SystemTime,
        made: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        self.tell(Span {
            id: self.root,
            parent: SpanId::INVALID,
            kind: SpanKind::Internal,
            name: "change committed",
            times: (committed, made),
            attributes,
            status: Status::Unset,
        });
        self.tell(Span {
            id: new_span_id(),
            parent: self.root,
            kind: SpanKind::Internal,
            name: "fan-out",
            times: (taken, made),
            attributes: Vec::new(),
            status: Status::Unset,
        });
    }

    /// An attempt begins. `is_first_span`: nothing came before it, as with a test delivery.
    pub fn attempt(self, is_first_span: bool) -> AttemptTrace {
        let parent = match is_first_span {
            true => SpanId::INVALID,
            false => self.root,
        };
        AttemptTrace {
            event: self,
            span: new_span_id(),
            parent,
        }
    }

    fn tell(&self, span: Span) {
        if !self.is_sampled {
            return;
        }
        let (start_time, end_time) = span.times;
        self.live.processor.on_end(SpanData {
            span_context: SpanContext::new(
                self.trace,
                span.id,
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: span.parent,
            parent_span_is_remote: false,
            span_kind: span.kind,
            name: span.name.into(),
            start_time,
            // A database's clock may be ahead of this one.
            end_time: end_time.max(start_time),
            attributes: span.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: span.status,
            instrumentation_scope: self.live.scope.clone(),
        });
    }
}

impl AttemptTrace {
    /// What the receiver is told, by W3C Trace Context.
    pub fn traceparent(&self) -> String {
        let flags = u8::from(self.event.is_sampled);
        format!("00-{}-{}-{flags:02x}", self.event.trace, self.span)
    }

    /// Whether it is told to the collector.
    pub fn is_sampled(&self) -> bool {
        self.event.is_sampled
    }

    /// It has ended.
    pub fn ended(&self, span: AttemptSpan) {
        self.event.tell(Span {
            id: self.span,
            parent: self.parent,
            kind: SpanKind::Client,
            name: "POST",
            times: (span.began, span.ended),
            attributes: span.attributes,
            status: match span.error {
                Some(error) => Status::error(error),
                None => Status::Unset,
            },
        });
    }

    /// What came of it is written down.
    pub fn recorded(&self, from: SystemTime) {
        self.event.tell(Span {
            id: new_span_id(),
            parent: self.span,
            kind: SpanKind::Internal,
            name: "recorded",
            times: (from, SystemTime::now()),
            attributes: Vec::new(),
            status: Status::Unset,
        });
    }
}

struct Span {
    id: SpanId,
    parent: SpanId,
    kind: SpanKind,
    name: &'static str,
    times: (SystemTime, SystemTime),
    attributes: Vec<KeyValue>,
    status: Status,
}

fn new_span_id() -> SpanId {
    SpanId::from_bytes((rand::random::<u64>() | 1).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event: i64) -> TraceKey {
        TraceKey {
            event,
            subscription: 2,
            row: -3,
            occurred_at: SystemTime::UNIX_EPOCH + Duration::from_micros(1_234_567_890_123),
        }
    }

    #[test]
    fn an_event_has_one_trace_wherever_it_is_asked_for() {
        let (trace, span) = ids(&key(1));
        let later = TraceKey {
            occurred_at: key(1).occurred_at + Duration::from_micros(400),
            ..key(1)
        };
        assert_eq!(
            ids(&later),
            (trace, span),
            "digits that one of the ways may lose"
        );
        let other = TraceKey { row: 3, ..key(1) };
        assert!(ids(&key(2)).0 != trace && ids(&other).0 != trace);
        assert!(trace != TraceId::INVALID && span != SpanId::INVALID);
    }

    #[test]
    fn a_share_of_traces_is_told() {
        let sampled = |ratio: f64| {
            let told = |event: &i64| number(ids(&key(*event)).0) < threshold(ratio);
            (0..10_000).filter(told).count()
        };
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 10_000));
        assert!((2300..2700).contains(&sampled(0.25)), "{}", sampled(0.25));
    }

    #[test]
    fn nothing_is_made_where_nobody_listens() {
        let trace = Traces::default().of(|| unreachable!("the key is not asked for"));
        assert!(trace.is_none());
    }
}
