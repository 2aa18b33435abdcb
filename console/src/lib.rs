//! The files of the admin console, as npm built them from `web/`. Who serves them, and to whom, is decided elsewhere.
//!
//! A build without Node.js has none of them: [`is_here`] tells.

use std::io::{self, Read as _};

use flate2::read::GzDecoder;

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// As it is asked for, such as `/assets/index-B2x9.js`.
    pub path: &'static str,
    /// For the header of that name.
    pub content_type: &'static str,
    /// Its content, compressed by gzip (RFC 1952).
    pub gzip: &'static [u8],
    /// Another one for another content.
    pub tag: &'static str,
}

impl File {
    /// Its content for whoever takes no gzip.
    ///
    /// # Errors
    /// None where the program is as it was built.
    pub fn plain(&self) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain)?;
        Ok(plain)
    }

    /// Its name tells its content: under this name it never changes.
    pub fn is_immutable(&self) -> bool {
        self.path.starts_with("/assets/")
    }
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// Whether the console is in this build.
pub fn is_here() -> bool {
    !FILES.is_empty()
}

/// The file at a path, if there is one.
pub fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// The page of a path that the console shows something at: the same for all of them, since it looks at the path
/// itself.
pub fn page(path: &str) -> Option<&'static File> {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    PAGES
        .contains(&first)
        .then(|| file("/index.html"))
        .flatten()
}

/// The Content-Security-Policy of a page.
pub fn policy(path: &str) -> &'static str {
    match path.strip_prefix("/playground") {
        Some("") => PLAYGROUND_POLICY,
        Some(rest) if rest.starts_with('/') => PLAYGROUND_POLICY,
        _ => POLICY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_whole() {
        for file in FILES {
            let plain = file.plain().expect("it was packed by the build");
            assert!(!plain.is_empty(), "{}", file.path);
            assert_eq!(file.tag.len(), 16);
        }
    }

    #[test]
    fn pages_are_one_page_and_nothing_else_is() {
        let page_at = |path| page(path).map(|file| file.path);
        let wanted = is_here().then_some("/index.html");
        for path in ["/", "/receivers", "/receivers/1/throttle", "/playground"] {
            assert_eq!(page_at(path), wanted, "{path}");
        }
        for path in ["/nope", "/graphqll", "/receivers.php", "/assets/nope.js"] {
            assert_eq!(page_at(path), None, "{path}");
        }
    }

    #[test]
    fn the_playground_has_a_policy_of_its_own() {
        assert_eq!(policy("/playground"), PLAYGROUND_POLICY);
        for path in ["/", "/receivers", "/playgrounds"] {
            assert_eq!(policy(path), POLICY, "{path}");
        }
        if is_here() {
            assert_ne!(POLICY, PLAYGROUND_POLICY);
            for policy in [POLICY, PLAYGROUND_POLICY] {
                assert!(policy.contains("script-src 'self'"), "{policy}");
            }
        }
    }
}
