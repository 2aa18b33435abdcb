//! When a subscription was active, and with which filter: the history that fan-out matches against.

use super::{
    action::Action,
    ids::{ReceiverId, SubscriptionId},
    resource::ResourceName,
    snapshot::{Place, Position},
};

/// A stretch of commit order during which one subscription was active with one setting.
///
/// The mutations of the API write these, each in the transaction that it answers for, so a poller
/// that is hours behind still matches a change with what was true when it committed.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityInterval {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its receiver.
    pub receiver_id: ReceiverId,
    /// The canonical resource name.
    pub resource: ResourceName,
    /// The action it fires on.
    pub action: Action,
    /// UPDATE fires only when one of these columns changed.
    pub changed_fields: Option<Vec<String>>,
    /// A CEL expression: only changes of which it holds fire.
    pub filter: Option<String>,
    /// What had committed when it became active: those changes are out.
    pub from: Position,
    /// What had committed when it stopped being active: only those changes are in. `None`: it is
    /// still active.
    pub to: Option<Position>,
}

impl ActivityInterval {
    /// Whether a change at `place` committed while this interval was open.
    pub fn covers(&self, place: Place) -> bool {
        !self.from.sees(place) && self.to.as_ref().is_none_or(|to| to.sees(place))
    }
}
