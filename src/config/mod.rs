//! The settings of a deployment.

pub mod key_file;
