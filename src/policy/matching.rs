//! Which subscriptions a change fires: what was in force when it committed decides.

use crate::domain::{
    action::Action, interval::ActivityInterval, resource::ResourceName, snapshot::Place,
};

/// A change as far as matching looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Where it stands in commit order.
    pub place: Place,
    /// The resource's canonical name.
    pub resource: &'a ResourceName,
    /// The row operation.
    pub action: Action,
    /// UPDATE: the columns that changed.
    pub changed: &'a [&'a str],
}

/// Whether the interval's subscription is owed an event for the change.
pub fn fires(interval: &ActivityInterval, subject: &Subject<'_>) -> bool {
    interval.action == subject.action
        && interval.resource == *subject.resource
        && interval.covers(subject.place)
        && watches_any(interval.changed_fields.as_deref(), subject)
}

/// `changedFields` restricts UPDATE only: every other action touches the whole row.
pub fn watches_any(fields: Option<&[String]>, subject: &Subject<'_>) -> bool {
    match (fields, subject.action) {
        (Some(fields), Action::Update) => fields
            .iter()
            .any(|field| subject.changed.contains(&field.as_str())),
        (Some(_), Action::Create | Action::Delete) | (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ReceiverId, SubscriptionId};

    fn interval(from: &str, to: Option<&str>, fields: Option<&[&str]>) -> ActivityInterval {
        ActivityInterval {
            subscription_id: SubscriptionId(1),
            receiver_id: ReceiverId(1),
            resource: "RUN".parse().unwrap(),
            action: Action::Update,
            changed_fields: fields.map(|list| list.iter().map(|f| (*f).to_owned()).collect()),
            from: from.parse().unwrap(),
            to: to.map(|to| to.parse().unwrap()),
        }
    }

    fn subject<'a>(xid: u64, resource: &'a ResourceName, changed: &'a [&'a str]) -> Subject<'a> {
        Subject {
            place: Place::Transaction(xid),
            resource,
            action: Action::Update,
            changed,
        }
    }

    #[test]
    fn a_change_fires_what_was_active_when_it_became_visible() {
        let run = "RUN".parse().unwrap();
        let open = interval("100:110:100,104", None, None);
        let closed = interval("100:110:100,104", Some("104:120:104,115"), None);
        // Committed before the subscription was made: out.
        assert!(!fires(&open, &subject(103, &run, &["a"])));
        // Running when it was made, committed later: in, although its id is lower than others'.
        assert!(fires(&open, &subject(100, &run, &["a"])));
        assert!(fires(&closed, &subject(100, &run, &["a"])));
        assert!(fires(&open, &subject(115, &run, &["a"])));
        // Still running when it was paused: out.
        assert!(!fires(&closed, &subject(115, &run, &["a"])));
        assert!(!fires(&closed, &subject(104, &run, &["a"])));
        assert!(!fires(&closed, &subject(121, &run, &["a"])));
    }

    #[test]
    fn changed_fields_restrict_updates() {
        let run = "RUN".parse().unwrap();
        let watching = interval("1:1:", None, Some(&["status"]));
        assert!(fires(&watching, &subject(5, &run, &["a", "status"])));
        assert!(!fires(&watching, &subject(5, &run, &["a"])));
        let other = "PART".parse().unwrap();
        assert!(!fires(&watching, &subject(5, &other, &["status"])));
        let mut created = subject(5, &run, &[]);
        created.action = Action::Create;
        assert!(!fires(&watching, &created), "another action");
        let mut creating = watching;
        creating.action = Action::Create;
        assert!(fires(&creating, &created));
    }
}
