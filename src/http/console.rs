//! The admin console: its files come from the binary, each with headers that let no other host take part.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, AcceptEncoding, Encoding, EntityTag, Header as _, IfNoneMatch},
    },
};
use rowhook_console::File;

use super::respond;

/// Whether the console is in this build.
pub fn is_here() -> bool {
    rowhook_console::is_here()
}

/// Whatever no other route has: a file or a page of the console, or nothing.
pub async fn serve(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    let Some(file) = rowhook_console::file(path).or_else(|| rowhook_console::page(path)) else {
        return respond::not_found(request).await;
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond::read_only(request).await;
    }
    answer(&request, file)
}

/// `GET /`: the console; or, in a build without it, how to come by it.
pub async fn home(request: HttpRequest) -> HttpResponse {
    match rowhook_console::page("/") {
        Some(page) => answer(&request, page),
        None => without(),
    }
}

fn answer(request: &HttpRequest, file: &File) -> HttpResponse {
    // Weak: the same whether compressed or not (RFC 9110, 8.8.1).
    let tag = EntityTag::new_weak(file.tag.to_owned());
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::VARY, "accept-encoding"))
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            rowhook_console::policy(request.path()),
        ))
        .insert_header((
            header::CACHE_CONTROL,
            if file.is_immutable() {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        ));
    let known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    if known {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    if takes_gzip(request) {
        return answer
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(file.gzip);
    }
    match file.plain() {
        Ok(plain) => answer.body(plain),
        Err(fault) => {
            tracing::error!(path = file.path, %fault, "a file of the console can not be unpacked");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = AcceptEncoding::parse(request);
    let ours = [Encoding::gzip(), Encoding::identity()];
    accepted.is_ok_and(|accepted| accepted.negotiate(ours.iter()) == Some(Encoding::gzip()))
}

fn without() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(WITHOUT)
}

const WITHOUT: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>rowhook</title></head>
<body>
<h1>rowhook</h1>
<p>rowhook is running. The admin console is not in this build, since Node.js was not there when it was built. To get it,
install Node.js 20.19 or newer with npm and build again with <code>ROWHOOK_CONSOLE=required cargo build --release</code>,
or use the container image, which has it.</p>
<p>The management API is GraphQL at <code>POST /graphql</code>, with an API key in
<code>Authorization: Bearer KEY</code>.</p>
</body>
</html>
";

#[cfg(test)]
mod tests {
    use actix_web::{body::MessageBody as _, test::TestRequest};

    use super::*;

    #[actix_web::test]
    async fn a_build_without_the_console_says_how_to_get_it() {
        let answer = without();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().try_into_bytes().unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        for word in ["not in this build", "ROWHOOK_CONSOLE=required", "/graphql"] {
            assert!(text.contains(word), "{word}");
        }
    }

    #[test]
    fn gzip_goes_to_whoever_takes_it() {
        for (accepts, gzip) in [
            (Some("gzip, deflate, br, zstd"), true),
            (Some("br;q=1.0, gzip;q=0.8, *;q=0.1"), true),
            (Some("*"), false),
            (Some("identity"), false),
            (Some("gzip;q=0"), false),
            (Some("br"), false),
            (None, false),
        ] {
            let mut request = TestRequest::default();
            if let Some(accepts) = accepts {
                request = request.insert_header((header::ACCEPT_ENCODING, accepts));
            }
            assert_eq!(takes_gzip(&request.to_http_request()), gzip, "{accepts:?}");
        }
    }
}
