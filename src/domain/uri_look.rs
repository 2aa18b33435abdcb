//! What a look at a URI finds: whether deliveries could go there now.

use std::net::IpAddr;

/// What was found. Nothing was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriLook {
    /// Why a receiver can not have this URI, in words that complete "webhookUri …".
    pub refused: Option<String>,
    /// Why no delivery could go there now although a receiver may have it, in words.
    pub unreachable: Option<String>,
    /// What its host's name resolves to, each once, in the resolver's order.
    pub addresses: Vec<JudgedAddress>,
}

/// An address, and whether rowhook would connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedAddress {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is, where that is why not.
    pub refusal: Option<String>,
}
