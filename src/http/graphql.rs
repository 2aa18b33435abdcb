//! `/graphql` over plain HTTP (`socket` has the WebSocket), by the GraphQL-over-HTTP specification.
//!
//! The key is looked at first, before a byte of the body is read. What the request asks for runs in
//! `graphql::Api`; a panic there becomes an answer, and the worker lives on.

use std::panic::AssertUnwindSafe;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use futures::FutureExt as _;
use serde_json::{Map, Value};

use crate::{
    domain::api_key::Identity,
    graphql::{Allowed, ApiError, Code, Request, Response},
};

use super::{
    HttpState, auth,
    negotiate::{MediaType, accepted, body_is_json},
    respond,
};

/// Bytes of a request's body, and of a message on a WebSocket.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// `POST /graphql`.
pub async fn post(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    let (caller, media_type) = match enter(&request, &state).await {
        Ok(entered) => entered,
        Err(answer) => return answer,
    };
    if !body_is_json(&request) {
        let message = "the body must be JSON: send `content-type: application/json` (UTF-8, without \
                       content-encoding)";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, media_type, message);
    }
    let body = match body.to_bytes_limited(LARGEST_BODY).await {
        Ok(Ok(body)) => body,
        Ok(Err(broken)) => {
            let message = format!("the body did not arrive whole: {broken}");
            return refuse(StatusCode::BAD_REQUEST, media_type, &message);
        }
        Err(_) => return too_large(media_type),
    };
    match from_body(&body) {
        Ok(graphql) => run(&state, graphql, caller, Allowed::All, media_type).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, media_type, &message),
    }
}

/// `GET /graphql`: queries alone.
pub async fn get(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    let (caller, media_type) = match enter(&request, &state).await {
        Ok(entered) => entered,
        Err(answer) => return answer,
    };
    match from_query_string(request.query_string()) {
        Ok(graphql) => run(&state, graphql, caller, Allowed::Queries, media_type).await,
        Err(message) => refuse(StatusCode::BAD_REQUEST, media_type, &message),
    }
}

/// Any other method.
pub async fn other_method(request: HttpRequest, state: web::Data<HttpState>) -> HttpResponse {
    match enter(&request, &state).await {
        Ok((_, media_type)) => respond::method_not_allowed(
            "GET, POST",
            media_type,
            "/graphql takes POST, and GET for queries",
        ),
        Err(answer) => answer,
    }
}

/// Who asks, and in what they want the answer.
async fn enter(
    request: &HttpRequest,
    state: &HttpState,
) -> Result<(Identity, MediaType), HttpResponse> {
    let media_type = accepted(request);
    let caller = auth::caller(request, &*state.authenticator)
        .await
        .map_err(|denied| respond::denied(denied, media_type.unwrap_or(MediaType::Json)))?;
    match media_type {
        Some(media_type) => Ok((caller, media_type)),
        None => Err(refuse(
            StatusCode::NOT_ACCEPTABLE,
            MediaType::Json,
            "answers come as application/graphql-response+json or application/json; name one of them \
             in `accept`",
        )),
    }
}

fn refuse(status: StatusCode, media_type: MediaType, message: &str) -> HttpResponse {
    respond::error(status, media_type, ApiError::new(Code::Validation, message))
}

fn too_large(media_type: MediaType) -> HttpResponse {
    let message = format!(
        "the body is larger than {LARGEST_BODY} bytes; send less in one request, large values as \
         variables of several"
    );
    respond::error(
        StatusCode::PAYLOAD_TOO_LARGE,
        media_type,
        ApiError::new(Code::Limit, message),
    )
}

async fn run(
    state: &HttpState,
    request: Request,
    caller: Identity,
    allowed: Allowed,
    media_type: MediaType,
) -> HttpResponse {
    let running = state.api.execute(request, caller, allowed);
    // Whatever the request touched was its own, but for the stores, whose transactions end unwritten.
    let response = match AssertUnwindSafe(running).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let fault = panicked();
            return respond::error(StatusCode::INTERNAL_SERVER_ERROR, media_type, fault);
        }
    };
    match response {
        Response::Executed(body) => respond::graphql(StatusCode::OK, media_type, body),
        Response::Refused(body) => {
            // Only the newer media type may carry its verdict in the status: a proxy could have made an
            // error of any JSON.
            let status = match media_type {
                MediaType::GraphQlResponse => StatusCode::BAD_REQUEST,
                MediaType::Json => StatusCode::OK,
            };
            respond::graphql(status, media_type, body)
        }
        Response::NotAllowed(body) => {
            let mut response = respond::graphql(StatusCode::METHOD_NOT_ALLOWED, media_type, body);
            let allow = actix_web::http::header::HeaderValue::from_static("POST");
            let headers = response.headers_mut();
            headers.insert(actix_web::http::header::ALLOW, allow);
            response
        }
    }
}

/// What the client reads when a resolver panicked.
pub fn panicked() -> ApiError {
    ApiError::internal(&"a resolver panicked; the panic's message stands above")
}

fn from_body(body: &[u8]) -> Result<Request, String> {
    let parsed: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    match parsed {
        Value::Object(members) => from_members(members),
        Value::Array(_) => {
            Err("batches are not supported: send one request per operation".to_owned())
        }
        _ => Err("the body must be a JSON object with the member \"query\"".to_owned()),
    }
}

/// Members with other names are passed over, as the specification asks.
pub fn from_members(mut members: Map<String, Value>) -> Result<Request, String> {
    let query = match members.remove("query") {
        Some(Value::String(query)) => query,
        Some(_) => return Err("\"query\" must be a string: the GraphQL document".to_owned()),
        None => return Err("\"query\" is missing: the GraphQL document".to_owned()),
    };
    let operation_name = match members.remove("operationName") {
        Some(Value::String(name)) => Some(name),
        None | Some(Value::Null) => None,
        Some(_) => return Err("\"operationName\" must be a string".to_owned()),
    };
    let variables = match members.remove("variables") {
        Some(Value::Object(variables)) => variables,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err("\"variables\" must be a JSON object".to_owned()),
    };
    match members.remove("extensions") {
        None | Some(Value::Null | Value::Object(_)) => {}
        Some(_) => return Err("\"extensions\" must be a JSON object".to_owned()),
    }
    Ok(Request {
        query,
        // Some clients send an empty name for "the only one".
        operation_name: operation_name.filter(|name| !name.is_empty()),
        variables,
    })
}

/// In a query string `variables` and `extensions` are JSON texts.
fn from_query_string(query: &str) -> Result<Request, String> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            "variables" | "extensions" if !value.is_empty() => serde_json::from_str(&value)
                .map_err(|error| format!("{name:?} in the query string is no JSON: {error}"))?,
            "variables" | "extensions" => Value::Null,
            _ => Value::String(value.into_owned()),
        };
        members.insert(name.into_owned(), value);
    }
    from_members(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_object_with_a_query() {
        let request = from_body(
            br#"{"query":"{a}","operationName":"A","variables":{"x":1},"extensions":null,"more":1}"#,
        )
        .unwrap();
        assert_eq!(request.query, "{a}");
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(request.variables["x"], 1);
        for wrong in [
            "",
            "{",
            "[]",
            r#"[{"query":"{a}"}]"#,
            "7",
            "{}",
            r#"{"query":7}"#,
            r#"{"query":"{a}","operationName":7}"#,
            r#"{"query":"{a}","variables":"x"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","extensions":[]}"#,
        ] {
            assert!(from_body(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let batch = from_body(br#"[{"query":"{a}"}]"#).unwrap_err();
        assert!(batch.contains("batches"), "{batch}");
    }

    #[test]
    fn a_query_string_carries_json_texts() {
        let request = from_query_string("query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName=");
        let request = request.unwrap();
        assert_eq!(request.query, "{a}");
        assert_eq!(request.operation_name, None);
        assert_eq!(request.variables["x"], 1);
        assert!(from_query_string("query=%7Ba%7D&variables={bad").is_err());
        assert!(from_query_string("").is_err());
    }
}
