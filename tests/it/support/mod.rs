//! What several behaviours need: databases of their own, processes, receivers.

pub mod both;
#[allow(dead_code, reason = "the rooms of the pipeline use the rest of it")]
pub mod database;
pub mod stored;
