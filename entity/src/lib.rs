//! sea-orm models.
