//! Pure decisions: what matches, when to try again, what is signed, where rowhook may connect to.
//! No I/O, and `now` is an argument.

pub mod backoff;
pub mod body;
pub mod client_certificate;
pub mod delivery;
pub mod egress;
pub mod example;
pub mod filter;
pub mod history;
pub mod judge;
pub mod logged_row;
pub mod matching;
pub mod nearest;
pub mod proxy;
pub mod python_float;
pub mod python_json;
mod python_printable;
pub mod python_repr;
pub mod received;
pub mod receiver_health;
pub mod seal;
pub mod sequence;
pub mod sharing;
pub mod signature;
pub mod tally;
pub mod throttle;
pub mod webhook_uri;
