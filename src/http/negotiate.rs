//! Which media type a request comes in and is answered in (GraphQL over HTTP, "Media Types").

use actix_web::{HttpRequest, http::header};

/// The media types that carry GraphQL responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`: the answer to clients that name nothing else.
    Json,
    /// `application/graphql-response+json`: the HTTP status tells what became of the request.
    GraphQlResponse,
}

impl MediaType {
    /// The `content-type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// The media type that the client likes best; `None` when it accepts neither.
pub fn accepted(request: &HttpRequest) -> Option<MediaType> {
    let mut accept = request.headers().get_all(header::ACCEPT).peekable();
    if accept.peek().is_none() {
        return Some(MediaType::Json);
    }
    let ranges: Vec<Range> = accept
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .collect();
    let json = quality(&ranges, "json");
    let response = quality(&ranges, "graphql-response+json");
    // A client that names both alike means the newer one; one that takes anything means the one that
    // everybody knows.
    match (json, response) {
        (None, None) => None,
        (None, Some(_)) => Some(MediaType::GraphQlResponse),
        (Some(_), None) => Some(MediaType::Json),
        (Some(json), Some(response)) => {
            let better =
                response.weight > json.weight || (response.weight == json.weight && response.exact);
            Some(if better {
                MediaType::GraphQlResponse
            } else {
                MediaType::Json
            })
        }
    }
}

/// One media range of `Accept` (RFC 9110 §12.5.1) that could match a type of ours.
#[derive(Clone, Debug, PartialEq)]
struct Range {
    subtype: String,
    /// In thousandths.
    weight: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let range = parts.next()?.to_ascii_lowercase();
        let subtype = match range.split_once('/')? {
            ("*", "*") => "*",
            ("application", subtype) => subtype,
            _ => return None,
        };
        let mut weight = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            if name.eq_ignore_ascii_case("q") {
                weight = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("charset")
                && !value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            {
                return None;
            }
        }
        Some(Self {
            subtype: subtype.to_owned(),
            weight,
        })
    }
}

fn thousandths(quality: &str) -> Option<u16> {
    let quality: f32 = quality.parse().ok()?;
    // In 0..=1000 by the clamp.
    (0.0..=1.0)
        .contains(&quality)
        .then_some((quality * 1000.0).round() as u16)
}

struct Match {
    weight: u16,
    exact: bool,
}

/// How much a subtype is liked: what the most specific range says of it. Weight 0 is a refusal.
fn quality(ranges: &[Range], subtype: &str) -> Option<Match> {
    let exact = ranges.iter().filter(|range| range.subtype == subtype);
    let wild = ranges.iter().filter(|range| range.subtype == "*");
    let best = exact.map(|range| range.weight).max();
    let matched = match best {
        Some(weight) => Match {
            weight,
            exact: true,
        },
        None => Match {
            weight: wild.map(|range| range.weight).max()?,
            exact: false,
        },
    };
    (matched.weight > 0).then_some(matched)
}

/// Whether a request's body is JSON in UTF-8, not compressed.
pub fn body_is_json(request: &HttpRequest) -> bool {
    let value = |name| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    let plain = value(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"));
    let Some(content_type) = value(header::CONTENT_TYPE) else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    plain && json && utf8
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn accepts(value: &str) -> Option<MediaType> {
        let request = TestRequest::default().insert_header((header::ACCEPT, value));
        accepted(&request.to_http_request())
    }

    #[test]
    fn the_client_chooses() {
        use MediaType::{GraphQlResponse, Json};
        let both = "application/graphql-response+json, application/json";
        for (accept, chosen) in [
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphQlResponse)),
            (both, Some(GraphQlResponse)),
            (
                "application/json, application/graphql-response+json;q=0.9",
                Some(Json),
            ),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                Some(GraphQlResponse),
            ),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html, */*;q=0.1", Some(Json)),
            ("application/json;q=0, */*", Some(GraphQlResponse)),
            ("APPLICATION/JSON", Some(Json)),
            ("text/html", None),
            ("application/json;charset=latin1", None),
            ("", None),
        ] {
            assert_eq!(accepts(accept), chosen, "{accept}");
        }
        let none = TestRequest::default().to_http_request();
        assert_eq!(accepted(&none), Some(Json));
    }

    #[test]
    fn bodies_are_plain_json_in_utf8() {
        let sent = |content_type: &str| {
            let request =
                TestRequest::default().insert_header((header::CONTENT_TYPE, content_type));
            body_is_json(&request.to_http_request())
        };
        assert!(sent("application/json"));
        assert!(sent("application/json; charset=UTF-8"));
        assert!(!sent("application/json; charset=utf-16"));
        assert!(!sent("text/plain"));
        assert!(!body_is_json(&TestRequest::default().to_http_request()));
        let compressed = TestRequest::default()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CONTENT_ENCODING, "gzip"));
        assert!(!body_is_json(&compressed.to_http_request()));
    }
}
