//! The commands, each as a person or a script calls it: what it prints, and its exit code.

mod bench;
mod commands;
pub mod doctor;
mod instances;
mod newcomer;
mod receiving;
mod reconciliation;
mod roles;
mod traces;
