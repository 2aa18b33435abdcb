//! Keyset pages: whole, exact about what lies around them, and steady while rows come and go.

use rowhook::{
    domain::receiver::Receiver,
    store::{
        page::{Page, PageRequest, Place, SortKey, SortValue},
        receivers::{ReceiverFilter, ReceiverStore as _},
        subscriptions::{SubscriptionFilter, SubscriptionStore as _},
    },
};

use super::{House, ann, fields, run_step_updates};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    every_window_of_a_list_is_exact,
    every_window_of_an_ordered_list_is_exact,
    pages_stay_steady_while_rows_come_and_go,
    filters_narrow_the_list_and_its_total,
);

impl House {
    /// The ids of a page, and what it says lies around it.
    async fn page(&self, request: PageRequest) -> (Vec<i64>, bool, bool, u64) {
        let page = self
            .store
            .receivers(&ReceiverFilter::default(), request)
            .await
            .unwrap();
        summary(&page, |receiver| receiver.id.0.into())
    }
}

fn summary<T>(page: &Page<T>, id: impl Fn(&T) -> i64) -> (Vec<i64>, bool, bool, u64) {
    (
        page.items.iter().map(id).collect(),
        page.has_previous,
        page.has_next,
        page.total.unwrap(),
    )
}

const ALL: PageRequest = PageRequest {
    after: None,
    before: None,
    limit: 1000,
    backward: false,
    key: SortKey::Id,
    descending: false,
};

/// Every combination of arguments against a list in memory.
async fn every_window_of_a_list_is_exact(database: TestDatabase) {
    let house = House::of(database).await;
    for _ in 0..6 {
        house.receiver(true).await;
    }
    // A gap, where a cursor may still point to.
    let delete = "update rowhook.receivers set deleted_at = updated_at where id = 3";
    stored::run(&house.db, delete, []).await;
    let edges = [None, Some(1), Some(3), Some(4), Some(6), Some(9)];
    for descending in [false, true] {
        let mut list = [1, 2, 4, 5, 6];
        if descending {
            list.reverse();
        }
        // Whether `one` comes strictly after `other` in the list's order.
        let later = |one: i64, other: i64| {
            if descending { one < other } else { one > other }
        };
        for (after, before) in edges
            .iter()
            .flat_map(|a| edges.iter().map(move |b| (*a, *b)))
        {
            for (limit, backward) in [(2, false), (2, true), (1000, false), (1000, true)] {
                let request = PageRequest {
                    after: after.map(Place::from),
                    before: before.map(Place::from),
                    limit,
                    backward,
                    key: SortKey::Id,
                    descending,
                };
                let mut expected: Vec<i64> = list
                    .iter()
                    .copied()
                    .filter(|id| after.is_none_or(|after| later(*id, after)))
                    .filter(|id| before.is_none_or(|before| later(before, *id)))
                    .collect();
                let limit = expected.len().min(limit as usize);
                if backward {
                    expected.drain(..expected.len() - limit);
                } else {
                    expected.truncate(limit);
                }
                let (ids, has_previous, has_next, total) = house.page(request.clone()).await;
                assert_eq!(ids, expected, "{request:?}");
                assert_eq!(total, 5);
                if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                    assert_eq!(has_previous, *first != list[0], "{request:?}");
                    assert_eq!(has_next, *last != list[4], "{request:?}");
                }
            }
        }
    }
}

/// Ordered by name and by change, with equals among them: every window against a list in memory.
async fn every_window_of_an_ordered_list_is_exact(database: TestDatabase) {
    let house = House::of(database).await;
    let moments = ["10:00:00+00:00", "10:00:00.500+00:00", "10:00:00.250+00:00"];
    for (index, name) in ["b", "a", "c", "a", "b", "a"].into_iter().enumerate() {
        house.receiver(true).await;
        let set = format!(
            "update rowhook.receivers set name = '{name}', updated_at = '2026-04-26T{}' where id = {}",
            moments[index % 3],
            index + 1
        );
        stored::run(&house.db, &set, []).await;
    }
    let all = house.store.receivers(&ReceiverFilter::default(), ALL).await;
    let all = all.unwrap().items;
    for key in [SortKey::Name, SortKey::UpdatedAt] {
        let place = |one: &Receiver| Place {
            id: one.id.0.into(),
            value: Some(match key {
                SortKey::UpdatedAt => SortValue::Moment(one.updated_at),
                SortKey::Id | SortKey::Name => SortValue::Text(one.name.clone()),
            }),
        };
        let mut list: Vec<Place> = all.iter().map(place).collect();
        list.sort_by(|one, other| {
            let values = match (&one.value, &other.value) {
                (Some(SortValue::Text(one)), Some(SortValue::Text(other))) => one.cmp(other),
                (Some(SortValue::Moment(one)), Some(SortValue::Moment(other))) => one.cmp(other),
                odd => panic!("{odd:?}"),
            };
            values.then(one.id.cmp(&other.id))
        });
        for descending in [false, true] {
            if descending {
                list.reverse();
            }
            for (from, to) in (0..=7).flat_map(|from| (0..=7).map(move |to| (from, to))) {
                for (limit, backward) in [(2, false), (2, true), (1000, false)] {
                    // Edge 0 lies before the list and 7 behind it: no cursor.
                    let at = |edge: usize| edge.checked_sub(1).and_then(|at| list.get(at));
                    let request = PageRequest {
                        after: at(from).cloned(),
                        before: at(to).cloned().filter(|_| to < 7),
                        limit,
                        backward,
                        key,
                        descending,
                    };
                    let until = if (1..7).contains(&to) { to - 1 } else { 6 };
                    let start = if from < 7 { from } else { 0 };
                    let window = list.get(start..until).unwrap_or_default();
                    let size = window.len().min(limit as usize);
                    let window = if backward {
                        &window[window.len() - size..]
                    } else {
                        &window[..size]
                    };
                    let expected: Vec<i64> = window.iter().map(|one| one.id).collect();
                    let (ids, has_previous, has_next, total) = house.page(request.clone()).await;
                    assert_eq!((ids, total), (expected, 6), "{request:?}");
                    if let (Some(first), Some(last)) = (window.first(), window.last()) {
                        assert_eq!(has_previous, *first != list[0], "{request:?}");
                        assert_eq!(has_next, *last != list[5], "{request:?}");
                    }
                }
            }
        }
    }
}

async fn pages_stay_steady_while_rows_come_and_go(database: TestDatabase) {
    let house = House::of(database).await;
    let forward = |after: Option<i64>| PageRequest {
        after: after.map(Place::from),
        limit: 2,
        ..ALL
    };
    assert_eq!(house.page(ALL).await, (vec![], false, false, 0));
    for _ in 0..5 {
        house.receiver(true).await;
    }
    assert_eq!(
        house.page(forward(None)).await,
        (vec![1, 2], false, true, 5)
    );
    // One that was shown goes, one that was not comes: nothing repeats, nothing hides.
    let delete = "update rowhook.receivers set deleted_at = updated_at where id = 2";
    stored::run(&house.db, delete, []).await;
    house.receiver(true).await;
    assert_eq!(
        house.page(forward(Some(2))).await,
        (vec![3, 4], true, true, 5)
    );
    assert_eq!(
        house.page(forward(Some(4))).await,
        (vec![5, 6], true, false, 5)
    );
    // Past the end: empty, with everything before it.
    assert_eq!(house.page(forward(Some(6))).await, (vec![], true, false, 5));
    house.receiver(true).await;
    assert_eq!(
        house.page(forward(Some(6))).await,
        (vec![7], true, false, 6)
    );
    let backward = |before: Option<i64>| PageRequest {
        before: before.map(Place::from),
        limit: 2,
        backward: true,
        ..ALL
    };
    assert_eq!(
        house.page(backward(None)).await,
        (vec![6, 7], true, false, 6)
    );
    assert_eq!(
        house.page(backward(Some(6))).await,
        (vec![4, 5], true, true, 6)
    );
    assert_eq!(
        house.page(backward(Some(1))).await,
        (vec![], false, true, 6)
    );
    let nothing = PageRequest {
        after: Some(4.into()),
        limit: 0,
        ..ALL
    };
    assert_eq!(house.page(nothing.clone()).await, (vec![], true, true, 6));
    let nothing_descending = PageRequest {
        descending: true,
        after: Some(1.into()),
        ..nothing
    };
    assert_eq!(
        house.page(nothing_descending).await,
        (vec![], true, false, 6)
    );
}

async fn filters_narrow_the_list_and_its_total(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    for (name, active) in [("a", true), ("b", true), ("a", false)] {
        let mut fields = fields(name);
        fields.active = active;
        let secret = rowhook::domain::shared_secret::SharedSecret::generate();
        store
            .create_receiver(fields, &secret, &ann())
            .await
            .unwrap();
    }
    let receivers = |name: Option<&str>, active| {
        let name = name.map(str::to_owned);
        async move {
            let filter = ReceiverFilter {
                active,
                name,
                ..ReceiverFilter::default()
            };
            let page = store.receivers(&filter, ALL).await.unwrap();
            summary(&page, |receiver| receiver.id.0.into())
        }
    };
    assert_eq!(receivers(None, None).await.0, [1, 2, 3]);
    assert_eq!(
        receivers(Some("a"), None).await,
        (vec![1, 3], false, false, 2)
    );
    assert_eq!(receivers(None, Some(true)).await.0, [1, 2]);
    assert_eq!(receivers(Some("a"), Some(false)).await.0, [3]);
    assert_eq!(receivers(Some("A"), None).await.3, 0);

    let mut made = Vec::new();
    for (receiver, resource, active) in
        [(1, "PART", true), (1, "RUN_STEP", false), (2, "PART", true)]
    {
        let mut new = run_step_updates(rowhook::domain::ids::ReceiverId(receiver));
        new.resource = resource.parse().unwrap();
        new.active = active;
        made.push(store.create_subscription(new, &ann()).await.unwrap());
    }
    let subscriptions = |filter: SubscriptionFilter| async move {
        let page = store.subscriptions(&filter, ALL).await.unwrap();
        summary(&page, |one| one.id.0.into())
    };
    let none = SubscriptionFilter::default;
    assert_eq!(
        subscriptions(none()).await,
        (vec![1, 2, 3], false, false, 3)
    );
    let filter = SubscriptionFilter {
        receiver_id: Some(made[0].receiver_id),
        ..none()
    };
    assert_eq!(subscriptions(filter.clone()).await.0, [1, 2]);
    let filter = SubscriptionFilter {
        resource: Some(made[0].resource.clone()),
        ..filter
    };
    assert_eq!(subscriptions(filter).await, (vec![1], false, false, 1));
    let filter = SubscriptionFilter {
        active: Some(true),
        action: Some(made[0].action),
        ..none()
    };
    assert_eq!(subscriptions(filter).await.0, [1, 3]);
    let filter = SubscriptionFilter {
        action: Some(rowhook::domain::action::Action::Delete),
        ..none()
    };
    assert_eq!(subscriptions(filter).await.3, 0);
}
