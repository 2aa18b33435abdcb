//! Which subscriptions a change fires: what was in force when it committed decides.

use super::filter::{FilterFailure, FilterInput, Filters};
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

/// Whether the interval's setting is the one that decides about the change.
pub fn decides(interval: &ActivityInterval, subject: &Subject<'_>) -> bool {
    interval.action == subject.action
        && interval.resource == *subject.resource
        && interval.covers(subject.place)
}

/// What `changedFields` and the filter come to for one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is owed an event.
    Fires,
    /// None of the columns that it watches changed.
    Unwatched,
    /// The filter is false.
    Filtered,
    /// The filter could not judge it. It is owed an event: no change is lost to a mistake in a filter.
    Undecided(FilterFailure),
}

impl Verdict {
    /// Whether an event is owed.
    pub fn fires(&self) -> bool {
        match self {
            Self::Fires | Self::Undecided(_) => true,
            Self::Unwatched | Self::Filtered => false,
        }
    }
}

/// Judges a change of a subscription's resource and action by the rest of its setting. The filter is asked
/// last, since it costs most.
pub fn verdict(
    fields: Option<&[String]>,
    filter: Option<&str>,
    subject: &Subject<'_>,
    input: &FilterInput<'_>,
    filters: &mut Filters,
) -> Verdict {
    if !watches_any(fields, subject) {
        return Verdict::Unwatched;
    }
    match filter.map(|text| filters.judge(text, input)) {
        None | Some(Ok(true)) => Verdict::Fires,
        Some(Ok(false)) => Verdict::Filtered,
        Some(Err(failure)) => Verdict::Undecided(failure),
    }
}

/// `changedFields` restricts UPDATE only: every other action touches the whole row.
fn watches_any(fields: Option<&[String]>, subject: &Subject<'_>) -> bool {
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
    use crate::{
        domain::{
            era::Era,
            ids::{ReceiverId, SubscriptionId},
        },
        policy::logged_row::{LoggedRow, described},
    };

    fn interval(from: &str, to: Option<&str>, fields: Option<&[&str]>) -> ActivityInterval {
        ActivityInterval {
            subscription_id: SubscriptionId(1),
            receiver_id: ReceiverId(1),
            resource: "RUN".parse().unwrap(),
            action: Action::Update,
            changed_fields: fields.map(|list| list.iter().map(|f| (*f).to_owned()).collect()),
            filter: None,
            from: from.parse().unwrap(),
            to: to.map(|to| to.parse().unwrap()),
        }
    }

    fn subject<'a>(xid: u64, resource: &'a ResourceName, changed: &'a [&'a str]) -> Subject<'a> {
        Subject {
            place: Place::Transaction {
                era: Era::FIRST,
                xid,
            },
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
        assert!(!decides(&open, &subject(103, &run, &["a"])));
        // Running when it was made, committed later: in, although its id is lower than others'.
        assert!(decides(&open, &subject(100, &run, &["a"])));
        assert!(decides(&closed, &subject(100, &run, &["a"])));
        assert!(decides(&open, &subject(115, &run, &["a"])));
        // Still running when it was paused: out.
        assert!(!decides(&closed, &subject(115, &run, &["a"])));
        assert!(!decides(&closed, &subject(104, &run, &["a"])));
        assert!(!decides(&closed, &subject(121, &run, &["a"])));
    }

    #[test]
    fn changed_fields_restrict_updates() {
        let run = "RUN".parse().unwrap();
        let status = ["status".to_owned()];
        let watches = |subject: &Subject<'_>| watches_any(Some(&status), subject);
        assert!(watches(&subject(5, &run, &["a", "status"])));
        assert!(!watches(&subject(5, &run, &["a"])));
        let mut created = subject(5, &run, &[]);
        created.action = Action::Create;
        assert!(watches(&created));
        let all = interval("1:1:", None, None);
        assert!(decides(&all, &subject(5, &run, &[])));
        let other = "PART".parse().unwrap();
        assert!(!decides(&all, &subject(5, &other, &[])));
        assert!(!decides(&all, &created), "another action");
    }

    #[test]
    fn a_filter_that_fails_loses_nothing() {
        let run = "RUN".parse().unwrap();
        let definition = described(&["n"]);
        let row = LoggedRow::parse(&definition, r#"{"n": 5}"#, Some(r#"{"n": null}"#)).unwrap();
        let input = FilterInput::new(&row, &run, Action::Update);
        let n = ["n".to_owned()];
        let mut filters = Filters::default();
        let mut judge = |fields: Option<&[String]>, filter, changed: &[&str]| {
            let subject = subject(5, &run, changed);
            verdict(fields, filter, &subject, &input, &mut filters)
        };
        assert_eq!(judge(None, None, &["n"]), Verdict::Fires);
        assert_eq!(judge(None, Some("new.n == 5"), &["n"]), Verdict::Fires);
        assert_eq!(judge(None, Some("new.n > 5"), &["n"]), Verdict::Filtered);
        assert_eq!(
            judge(Some(&n), Some("new.n == 5"), &["m"]),
            Verdict::Unwatched
        );
        for failing in ["old.n > 5", "new.n", "new.n ==", "old.m == 1"] {
            let verdict = judge(None, Some(failing), &["n"]);
            assert!(
                matches!(verdict, Verdict::Undecided(_)),
                "{failing}: {verdict:?}"
            );
            assert!(verdict.fires());
        }
    }
}
