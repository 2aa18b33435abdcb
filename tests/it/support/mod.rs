//! What several behaviours need: databases of their own, processes, receivers.

pub mod database;
