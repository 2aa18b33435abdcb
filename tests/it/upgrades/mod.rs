//! From one release to the next: what stands in a database of an earlier one, programs of two releases on one schema,
//! migrations while the application writes, a fleet that is restarted under load, and the way back from a backup.

mod backup;
mod locks;
mod newer;
mod releases;
mod rolling;
