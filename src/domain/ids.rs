//! Typed identifiers: a receiver's id can not be handed where a subscription's is wanted.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(
            /// The number as the database holds it.
            pub $inner,
        );

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A registered endpoint; GraphQL `Int`.
    ReceiverId(i32)
);
id!(
    /// A (resource, action) of one receiver; GraphQL `Int`.
    SubscriptionId(i32)
);
id!(
    /// A custom header of one receiver; GraphQL `Int`.
    HeaderId(i32)
);
id!(
    /// One delivery owed to one subscription; the idempotency key; GraphQL `BigInt`.
    EventId(i64)
);
id!(
    /// One row of `logged_actions`.
    ChangeId(i64)
);
id!(
    /// One version of a watched table's description, as its triggers write it.
    ResourceId(i32)
);
id!(
    /// An API key's record (never the key).
    ApiKeyId(i32)
);
id!(
    /// All changes of one database transaction share it (on SQLite: as far as the poller can tell
    /// commits apart). PostgreSQL's 64-bit `xid8`, which fits an `i64` for the next few million years.
    TransactionId(i64)
);
