//! Answers in JSON, errors too: a client of the API never has to read HTML or an empty body.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};

use crate::graphql::{ApiError, Code, refusal};

use super::{auth::Denied, negotiate::MediaType};

/// A response whose body is a GraphQL response.
pub fn graphql(status: StatusCode, media_type: MediaType, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, media_type.content_type()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}

/// An error outside GraphQL, in the shape of GraphQL's: `{"errors": [{"message", "extensions"}]}`.
pub fn error(status: StatusCode, media_type: MediaType, error: ApiError) -> HttpResponse {
    graphql(status, media_type, refusal(&[error.into()]))
}

/// A request that is not let in.
pub fn denied(denied: Denied, media_type: MediaType) -> HttpResponse {
    let message = match denied {
        Denied::NoKey => {
            "this needs an API key: send it as `Authorization: Bearer KEY` (`rowhook keys create` \
             makes one)"
        }
        Denied::UnknownKey => {
            "this API key is not known, or was revoked; `rowhook keys list` shows those that are in \
             force"
        }
        Denied::Unavailable(fault) => {
            return error(
                StatusCode::SERVICE_UNAVAILABLE,
                media_type,
                ApiError::from(fault),
            );
        }
    };
    let mut response = error(
        StatusCode::UNAUTHORIZED,
        media_type,
        ApiError::new(Code::Unauthenticated, message),
    );
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        header::HeaderValue::from_static("Bearer realm=\"rowhook\""),
    );
    response
}

/// No route has this path.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    let message = format!("there is nothing at {path}; the API is at POST /graphql");
    error(
        StatusCode::NOT_FOUND,
        MediaType::Json,
        ApiError::new(Code::NotFound, message),
    )
}

/// The path is there to be read.
pub async fn read_only(request: HttpRequest) -> HttpResponse {
    method_not_allowed(
        "GET, HEAD",
        MediaType::Json,
        &format!("{} can be read with GET alone", request.path()),
    )
}

/// The path is there, but not for this method.
pub fn method_not_allowed(
    allowed: &'static str,
    media_type: MediaType,
    message: &str,
) -> HttpResponse {
    let fault = ApiError::new(Code::Validation, message);
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, media_type, fault);
    let allowed = header::HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}
