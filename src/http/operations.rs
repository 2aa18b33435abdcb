//! What operators and their machines ask: is it up, is it ready, what are its numbers.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use serde_json::json;

use super::{HttpState, auth, negotiate::MediaType, respond};

/// `GET /healthz`: the process is up. Asks nobody.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({"status": "ok"}))
}

/// `GET /readyz`: whether this instance can do its work; if not, why.
pub async fn readyz(state: web::Data<HttpState>) -> HttpResponse {
    let (status, body) = match state.readiness.ready().await {
        Ok(()) => (StatusCode::OK, json!({"status": "ready"})),
        Err(reasons) => (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({"status": "not ready", "reasons": reasons}),
        ),
    };
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}

/// `GET /metrics`: Prometheus' text format; with a key where the configuration asks for one.
pub async fn metrics(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    if !state.metrics_public
        && let Err(denied) = auth::caller(&request, &*state.authenticator).await
    {
        return respond::denied(denied, MediaType::Json);
    }
    HttpResponse::Ok()
        .insert_header((
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(state.metrics.page().await)
}
