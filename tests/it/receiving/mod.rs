//! `docs/RECEIVING.md` is true: each of its code blocks is run here, against the real service where it is a
//! receiver, and what the page says of them happens.

mod functions;
mod page;
mod program;
mod receivers;
mod signed;
mod statements;

use page::Page;

/// Every block, and who runs it.
const RUN: [&str; 12] = [
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
    "verify.mjs",       // functions.rs
    "verify.py",        // functions.rs
];

#[test]
fn no_block_of_the_page_goes_untested() {
    assert_eq!(Page::read().names(), RUN);
}
