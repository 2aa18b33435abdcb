//! What several behaviours need: databases of their own, servers that misbehave on purpose, names,
//! certificates, the service itself and a receiver for it.

pub mod aftermath;
pub mod audit;
pub mod both;
pub mod capture;
pub mod certificates;
pub mod cluster;
pub mod command;
pub mod database;
pub mod database_road;
pub mod graphql_ws;
pub mod house;
pub mod http;
pub mod ledger;
pub mod load;
pub mod names;
pub mod network;
pub mod pipeline;
pub mod proxy;
pub mod raw_server;
pub mod receiver;
pub mod rivals;
pub mod rooms;
pub mod seed;
pub mod service;
pub mod socket;
pub mod stored;
pub mod throttled;
pub mod troubles;
pub mod wait;
pub mod wires;
