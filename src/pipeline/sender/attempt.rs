//! One attempt: build, sign, send, judge. A task of its own, so that a panic in one touches no other.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    domain::{
        attempt::{Attempt, Outcome, SendError, Verdict},
        event::DueEvent,
        ids::ReceiverId,
        receiver::{DeliveryTarget, RetryPolicy},
        resource::Resource,
    },
    policy::{
        delivery::{Unsendable, prepare},
        judge::{Circumstances, GONE, OWN_FAULT_PAUSE, fault, judge},
        receiver_health::Sign,
    },
    telemetry::{AttemptTrace, Traces},
    transport::{DeliveryRequest, Transport},
};

use super::spans;

/// The header that ties what a receiver does to the attempt (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";

/// A client that has not ended an attempt so long after its time never will: the receiver gets its slot
/// back, and is not charged.
const OVERDUE: Duration = Duration::from_secs(2);

/// Everything that an attempt needs.
pub struct AttemptParts {
    /// The event.
    pub event: DueEvent,
    /// What its log row means.
    pub resource: Arc<Resource>,
    /// Where it goes.
    pub target: Rc<DeliveryTarget>,
    /// The network.
    pub transport: Rc<dyn Transport>,
    /// The receiver's policy.
    pub policy: RetryPolicy,
    /// The time for the whole attempt.
    pub timeout: Duration,
    /// The largest body that is sent.
    pub max_payload: usize,
    /// The receiver is only probed, and this is one.
    pub probe: bool,
    /// Where spans go.
    pub traces: Traces,
}

/// What came of it.
pub struct Done {
    /// What the recorder writes.
    pub outcome: Outcome,
    /// The status that was answered.
    pub status: Option<u16>,
    /// Where it went; nothing where it went nowhere.
    pub uri: String,
    /// The receiver said that it is gone for good.
    pub gone: bool,
    /// What it says of the receiver.
    pub says: Sign,
    /// Whether it was a probe.
    pub probe: bool,
    /// How long the request took; `None` where none was made.
    pub took: Option<Duration>,
    /// When the change committed.
    pub occurred_at: DateTime<Utc>,
    /// Its part of the event's trace.
    pub trace: Option<AttemptTrace>,
}

/// Makes the attempt.
pub async fn make(parts: AttemptParts) -> Done {
    let started_at = Utc::now();
    let event = &parts.event;
    let receiver = &parts.target.receiver;
    let prepared = match prepare(
        event,
        &parts.resource,
        &parts.target,
        started_at,
        parts.max_payload,
    ) {
        Ok(prepared) => prepared,
        Err(unsendable) => {
            return Done::unsent(event, given_up(event, receiver.id, &unsendable));
        }
    };
    let trace = parts.traces.of(|| spans::key_of(event));
    let trace = trace.map(|trace| trace.attempt(event.is_test()));
    let mut headers = prepared.headers;
    if let Some(trace) = &trace {
        // One that the receiver's own headers set stays as it is.
        if headers.iter().all(|(name, _)| name != TRACEPARENT) {
            headers.push((TRACEPARENT.to_owned(), trace.traceparent()));
        }
    }
    let request = DeliveryRequest {
        uri: receiver.webhook_uri.clone(),
        headers,
        body: Bytes::from(prepared.body),
        timeout: parts.timeout,
        client_identity: parts.target.client_identity.clone(),
    };
    let began = Instant::now();
    let answer = parts.transport.post(request);
    let result = tokio::time::timeout(parts.timeout + OVERDUE, answer)
        .await
        .unwrap_or_else(|_| {
            Err(SendError::Local {
                detail: "its HTTP client did not end the attempt in time".to_owned(),
            })
        });
    let took = began.elapsed();
    let expected = receiver.expected_response_code;
    let now = Utc::now();
    let verdict = judge(
        &result,
        &Circumstances {
            expected,
            attempt: u32::try_from(event.budget_used + 1).unwrap_or(u32::MAX),
            policy: &parts.policy,
            now,
            spread: rand::random(),
            probe: parts.probe,
        },
    );
    let says = match (&verdict, &result) {
        (Verdict::Delivered, _) => Sign::Took,
        (_, Err(error)) if error.is_ours() => Sign::Nothing,
        // Whoever tries things with tests does not want to be probed for it.
        _ if event.is_test() => Sign::Nothing,
        _ => Sign::Failed,
    };
    let verdict = last_of_a_test(event, verdict);
    let status = result.as_ref().ok().map(|answer| answer.status);
    let error = match (fault(&result, expected), prepared.warning) {
        (Some(fault), Some(warning)) => Some(format!("{fault} ({warning})")),
        (fault, warning) => fault.or(warning),
    };
    if let Some(trace) = &trace {
        spans::ended(
            trace,
            &parts,
            started_at.into(),
            &result,
            verdict,
            error.as_deref(),
        );
    }
    Done {
        outcome: Outcome {
            attempt: Some(Attempt {
                started_at,
                duration: took,
                answer: result.ok(),
                error,
            }),
            ..outcome(event, receiver.id, verdict, now)
        },
        uri: receiver.webhook_uri.clone(),
        gone: status == Some(GONE) && expected != GONE,
        says,
        probe: parts.probe,
        status,
        took: Some(took),
        occurred_at: event.occurred_at,
        trace,
    }
}

/// The event can not be sent, now or later: it fails at once, and is there to be seen.
fn given_up(event: &DueEvent, receiver: ReceiverId, why: &Unsendable) -> Outcome {
    Outcome {
        reason: Some(why.to_string()),
        budget_used: event.budget_used,
        ..outcome(event, receiver, Verdict::Failed, Utc::now())
    }
}

impl Done {
    /// rowhook itself failed before anything could be sent, or while it was. `probe`: whether it was to be one, so that
    /// the next one does not follow at once and fail by the same fault.
    pub fn own_fault(event: &DueEvent, receiver: ReceiverId, why: &str, probe: bool) -> Self {
        Self {
            probe,
            ..Self::unsent(event, own_fault(event, receiver, why))
        }
    }

    /// Nothing was sent, which says nothing of the receiver.
    fn unsent(event: &DueEvent, outcome: Outcome) -> Self {
        Self {
            outcome,
            status: None,
            uri: String::new(),
            gone: false,
            says: Sign::Nothing,
            probe: false,
            took: None,
            occurred_at: event.occurred_at,
            trace: None,
        }
    }
}

/// rowhook itself failed: the receiver is not charged for it, and the event comes again.
fn own_fault(event: &DueEvent, receiver: ReceiverId, why: &str) -> Outcome {
    let again = Verdict::Retry {
        after: OWN_FAULT_PAUSE,
        counted: false,
    };
    let verdict = last_of_a_test(event, again);
    let follows = match verdict {
        Verdict::Failed => "",
        Verdict::Delivered | Verdict::Retry { .. } => " and will repeat it",
    };
    Outcome {
        reason: Some(format!(
            "rowhook could not make this attempt{follows}: {why}"
        )),
        ..outcome(event, receiver, verdict, Utc::now())
    }
}

/// A test has one attempt: whoever asked for it is looking at it, and can ask again.
fn last_of_a_test(event: &DueEvent, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Retry { .. } if event.is_test() => Verdict::Failed,
        other => other,
    }
}

fn outcome(
    event: &DueEvent,
    receiver_id: ReceiverId,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Outcome {
    let (due_at, counted) = match verdict {
        Verdict::Retry { after, counted } => {
            let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
            (now.checked_add_signed(after), counted)
        }
        Verdict::Delivered | Verdict::Failed => (None, true),
    };
    Outcome {
        event_id: event.id,
        receiver_id,
        attempts_before: event.attempt_count,
        budget_used: event.budget_used + i32::from(counted),
        redelivery: event.redelivery,
        attempt: None,
        reason: None,
        verdict,
        due_at,
        health: None,
        recovered: false,
    }
}
