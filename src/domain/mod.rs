//! The words of the contract as types. No I/O, no clock, no database: every other layer speaks in
//! these, and a rule that a type can carry is carried here.

pub mod action;
pub mod api_key;
pub mod attempt;
pub mod change;
pub mod client_identity;
pub mod era;
pub mod event;
pub mod ids;
pub mod instance;
pub mod interval;
pub mod receiver;
pub mod receiver_health;
pub mod resource;
pub mod retention;
pub mod shared_secret;
pub mod snapshot;
pub mod stats;
pub mod subscription;
pub mod uri_look;
