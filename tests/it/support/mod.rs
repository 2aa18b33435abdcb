//! What several behaviours need: databases of their own, servers that misbehave on purpose, names,
//! certificates.

pub mod both;
pub mod certificates;
pub mod database;
pub mod names;
pub mod raw_server;
pub mod rooms;
#[allow(dead_code, reason = "the rooms of the pipeline use the rest of it")]
pub mod stored;
pub mod wait;
