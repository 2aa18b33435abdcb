//! Pure decisions: what matches, when to try again, what is signed, where rowhook may connect to.
//! No I/O, and `now` is an argument.

pub mod backoff;
pub mod body;
pub mod judge;
pub mod logged_row;
pub mod matching;
pub mod throttle;
