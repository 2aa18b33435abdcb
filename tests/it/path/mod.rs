//! The whole path of a change, from the application's commit to the receiver's answer: the built binary,
//! real databases, real HTTP.

mod activity;
mod answers;
mod body;
mod capture;
mod truncation;
mod writers;
