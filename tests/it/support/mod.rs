//! What several behaviours need: databases of their own, processes, receivers.

pub mod database;
//! What several behaviours need: servers that misbehave on purpose, names, certificates.

pub mod certificates;
pub mod names;
pub mod raw_server;
