//! `docs/RECEIVING.md` and `docs/VERIFYING.md` are true: each of their code blocks is run here, against the real service
//! where it is a receiver, and what the pages say of them happens.

mod functions;
mod judges;
mod page;
mod program;
mod receivers;
mod signed;
mod statements;

use page::Page;

/// Every block, and who runs it.
const RUN: [&str; 19] = [
    "Cargo.toml",       // functions.rs
    "Verify.cs",        // functions.rs
    "Verify.java",      // functions.rs
    "delivery.http",    // functions.rs, receivers.rs
    "gaps.sql",         // statements.rs
    "library.mjs",      // functions.rs
    "library.py",       // functions.rs
    "note.sql",         // statements.rs
    "once.sql",         // statements.rs
    "receiver-node.sh", // receivers.rs, through program.rs
    "receiver.mjs",     // receivers.rs
    "receiver.py",      // receivers.rs
    "receiver.sh",      // receivers.rs, through program.rs
    "verify.go",        // functions.rs
    "verify.mjs",       // functions.rs
    "verify.php",       // functions.rs
    "verify.py",        // functions.rs
    "verify.rb",        // functions.rs
    "verify.rs",        // functions.rs
];

#[test]
fn no_block_of_the_pages_goes_untested() {
    assert_eq!(Page::read().names(), RUN);
}
