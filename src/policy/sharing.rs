//! Which of the instances that run is to send to a receiver.
//!
//! Every instance judges for itself, by the same list, and comes to the same answer. When an instance comes or goes,
//! only the receivers that it takes or leaves change hands. It says who is to take a lease; who may send is decided by
//! the lease alone, so a wrong answer costs a second and never a delivery.

use sha2::{Digest, Sha256};

use crate::domain::ids::ReceiverId;

/// The one of `instances` that is to send to this receiver; `None` where there is none.
///
/// Source: rendezvous hashing (Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996): the
/// instance whose name hashes highest together with the receiver. By SHA-256, so that all versions agree.
pub fn owner<'a>(
    instances: impl IntoIterator<Item = &'a str>,
    receiver: ReceiverId,
) -> Option<&'a str> {
    let weight = |instance: &str| {
        let mut hash = Sha256::new();
        hash.update(instance.as_bytes());
        // No name holds a NUL, so no name runs on into the number.
        hash.update([0]);
        hash.update(receiver.0.to_be_bytes());
        hash.finalize()
    };
    instances
        .into_iter()
        .map(|instance| (weight(instance), instance))
        .max()
        .map(|(_, instance)| instance)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const RECEIVERS: i32 = 3000;

    fn shares(instances: &[&str]) -> HashMap<String, i32> {
        let mut shares = HashMap::new();
        for receiver in 1..=RECEIVERS {
            let owner = owner(instances.iter().copied(), ReceiverId(receiver)).unwrap();
            *shares.entry(owner.to_owned()).or_default() += 1;
        }
        shares
    }

    #[test]
    fn everybody_gets_about_as_many() {
        let shares = shares(&["a/1", "b/2", "c/3"]);
        assert_eq!(shares.len(), 3);
        for (instance, share) in shares {
            assert!((900..=1100).contains(&share), "{instance}: {share}");
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        for receiver in 1..=100 {
            let receiver = ReceiverId(receiver);
            let one = owner(["a", "b", "c"], receiver);
            assert_eq!(one, owner(["c", "a", "b"], receiver));
        }
    }

    #[test]
    fn who_comes_takes_and_who_goes_leaves_and_nobody_else_moves() {
        for receiver in 1..=RECEIVERS {
            let receiver = ReceiverId(receiver);
            let two = owner(["a", "b"], receiver);
            let three = owner(["a", "b", "c"], receiver);
            assert!(three == two || three == Some("c"), "{two:?} {three:?}");
        }
    }

    #[test]
    fn one_has_all_and_none_has_nothing() {
        assert_eq!(owner(["only"], ReceiverId(7)), Some("only"));
        assert_eq!(owner([], ReceiverId(7)), None);
    }

    #[test]
    fn all_versions_agree() {
        // `printf 'a\0\0\0\0\7' | sha256sum` begins with eb, and with 49 and ac for the others.
        assert_eq!(owner(["a", "b", "c"], ReceiverId(7)), Some("a"));
    }
}
