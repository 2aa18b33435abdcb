//! The admin console as the binary serves it: its page, its files, and what it may load. A build without Node.js has
//! none; then everything but `/` is not there.

use std::net::SocketAddr;

use rowhook::{http::has_console, store::sql::db::Dialect};

use crate::support::{
    database::TestDatabase,
    house::House,
    http::{Answer, send},
};

async fn house() -> House {
    House::of(TestDatabase::fresh(Dialect::Sqlite).await).await
}

async fn get(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(at, "GET", path, headers, b"").await
}

/// The files of this console that a page names.
fn named_in(page: &str) -> Vec<String> {
    let links = page.split(['"', '\'']);
    let ours = links.filter(|link| link.starts_with("/assets/"));
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_page_of_the_console_is_served_wherever_it_shows_something() {
    let house = house().await;
    let at = house.service.address();
    let home = get(at, "/", &[]).await;
    assert_eq!(home.status, 200);
    assert_eq!(
        home.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for path in [
        "/receivers",
        "/receivers/7/throttle",
        "/events?status=failed",
    ] {
        let page = get(at, path, &[]).await;
        if has_console() {
            assert_eq!((page.status, &page.body), (200, &home.body), "{path}");
        } else {
            assert_eq!(page.status, 404, "{path}");
        }
    }
    for path in [
        "/nope",
        "/assets/nope.js",
        "/receivers.php",
        "/server.json",
        "/../Cargo.toml",
    ] {
        assert_eq!(get(at, path, &[]).await.status, 404, "{path}");
    }
    let posted = send(at, "POST", "/", &[], b"").await;
    assert_eq!(
        (posted.status, posted.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let posted = send(at, "POST", "/receivers", &[], b"").await;
    assert_eq!(posted.status, if has_console() { 405 } else { 404 });
}

/// No outside host, nothing inline, nobody frames it; the playground's editor may set styles, and no more.
#[tokio::test]
async fn each_page_has_its_policy() {
    let house = house().await;
    let at = house.service.address();
    let policy = async |path: &str| {
        let page = get(at, path, &[]).await;
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        page.header("content-security-policy")
            .unwrap_or_default()
            .to_owned()
    };
    let home = policy("/").await;
    assert!(home.starts_with("default-src 'none'"), "{home}");
    if !has_console() {
        return;
    }
    for rule in [
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(
            home.split("; ").any(|found| found == rule),
            "{rule}: {home}"
        );
    }
    assert_eq!(policy("/receivers/1").await, home);
    let playground = policy("/playground").await;
    assert!(
        playground.contains("style-src 'self' 'unsafe-inline'"),
        "{playground}"
    );
    for policy in [home, playground] {
        assert!(
            !policy.contains("http") && !policy.contains('*'),
            "{policy}"
        );
        assert!(!policy.contains("'unsafe-eval'"), "{policy}");
    }
}

/// What the page names is there, compressed for whoever takes that, and kept by the browser for good.
#[tokio::test]
async fn files_are_kept_by_browsers() {
    let house = house().await;
    let at = house.service.address();
    let page = get(at, "/", &[]).await;
    let files = named_in(&page.body);
    assert_eq!(files.is_empty(), !has_console());
    let (mut all_packed, mut all_plain) = (0, 0);
    for path in &files {
        let plain = get(at, path, &[]).await;
        let packed = get(at, path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!((plain.status, packed.status), (200, 200), "{path}");
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert_eq!(packed.bytes[..2], [0x1f, 0x8b], "gzip's first bytes");
        all_packed += packed.bytes.len();
        all_plain += plain.bytes.len();
        let kept = Some("public, max-age=31536000, immutable");
        assert_eq!(plain.header("cache-control"), kept);
        let head = send(at, "HEAD", path, &[], b"").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let tag = plain.header("etag").unwrap();
        assert_eq!(packed.header("etag"), Some(tag));
        for known in [tag, "W/\"other\", *", &format!("\"other\", {tag}")] {
            let again = get(at, path, &[("if-none-match", known)]).await;
            let wanted = if known.contains(tag) { 304 } else { 200 };
            assert_eq!(again.status, wanted, "{known}");
        }
    }
    // The page itself is asked for anew each time, since it names the files of this version.
    if has_console() {
        // The smallest of them may not be worth compressing.
        assert!(all_packed < all_plain / 2, "{all_packed} of {all_plain}");
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let tag = page.header("etag").unwrap();
        let again = get(at, "/", &[("if-none-match", tag)]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
    }
}
