//! The rooms that a change passes through, read from top to bottom.
//!
//! `cdc_poller` reads the log (room 1), `fan_out` makes events (room 2), `dispatcher` wakes the
//! `sender` of each receiver (room 3), `outcome_recorder` writes what came of it (room 4). Each is an
//! actix actor that `guardian` keeps up. What crosses a wall is listed in `messages`; past the database
//! it is a wake-up with no content, so anything lost with a process is found again by reading tables.

pub mod cdc_poller;
pub mod dispatcher;
pub mod fan_out;
pub mod guardian;
pub mod leases;
pub mod lifeline;
pub mod messages;
pub mod outcome_recorder;
pub mod sender;
pub mod status;
pub mod versions;
