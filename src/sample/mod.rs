//! A small factory: the sample tables that a newcomer tries rowhook with, and the application that
//! changes them.
//!
//! It plays the user's part. It has a database connection of its own and knows nothing of rowhook:
//! nothing here calls into it, which is the point.

mod changes;
pub mod load;
mod single;
mod tables;

pub use changes::{SampleChange, SampleChanges};
pub use single::{NoSingleChange, SingleChange, SingleChanges};
pub use tables::{create_tables, resources};
