//! Traces, where the settings or the standard variables name a collector.

use std::sync::Arc;

use crate::{
    config::Settings,
    telemetry::{TraceSettings, Traces},
    transport::collector::CollectorClient,
};

use super::{StartError, tls};

/// Where spans go: nowhere, unless somebody asks for it.
pub(super) fn traces(settings: &Settings, instance: &str) -> Result<Traces, StartError> {
    if !settings.tracing.is_on() {
        return Ok(Traces::default());
    }
    let client = CollectorClient::start(Arc::new(tls(settings)?));
    let client = client.map_err(|error| StartError::Tracing(error.to_string()))?;
    let traces = TraceSettings {
        endpoint: settings.tracing.endpoint.clone(),
        sample_ratio: settings.tracing.sample_ratio,
        instance: instance.to_owned(),
    };
    Traces::start(&traces, Arc::new(client)).map_err(|error| StartError::Tracing(error.to_string()))
}
