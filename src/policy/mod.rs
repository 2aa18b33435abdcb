//! Pure decisions: what matches, when to try again, what is signed, where rowhook may connect to.
//! No I/O, and `now` is an argument.

pub mod seal;
