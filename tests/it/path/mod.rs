//! The whole path of a change, from the application's commit to the receiver's answer: the built binary,
//! real databases, real HTTP.

mod capture;
