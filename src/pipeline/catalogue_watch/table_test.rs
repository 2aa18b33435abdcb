//! What is decided and said of a look.

use super::*;
use crate::domain::{ids::ResourceId, resource::OnTruncate};

fn definition(columns: &[(&str, &str)], exclude: &[&str]) -> ResourceDefinition {
    let column = |(name, data_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
    };
    ResourceDefinition {
        table: "public.items".into(),
        columns: columns.iter().map(column).collect(),
        key: vec!["id".into()],
        etag: None,
        exclude: exclude.iter().map(|name| (*name).to_owned()).collect(),
        on_truncate: OnTruncate::Rows,
    }
}

fn look(
    state: TriggerState,
    found: ResourceDefinition,
    version: Option<(i32, ResourceDefinition)>,
) -> TableLook {
    TableLook {
        state,
        logs_rows: state != TriggerState::Missing,
        found,
        version: version.map(|(id, definition)| Resource {
            id: ResourceId(id),
            name: "ITEM".parse().unwrap(),
            aliases: Vec::new(),
            definition,
        }),
    }
}

#[test]
fn it_mends_what_happened_to_the_table_and_leaves_what_people_did() {
    use TriggerState::{Altered, InForce, Missing};
    let plain = || definition(&[("id", "int")], &[]);
    let grown = || definition(&[("id", "int"), ("more", "text")], &[]);
    let hiding = || definition(&[("id", "int")], &["more"]);
    let own = Some(ResourceId(1));
    let hiding_settings = WantedResource {
        name: "ITEM".parse().unwrap(),
        aliases: Vec::new(),
        table: "public.items".into(),
        key: vec!["id".into()],
        etag: None,
        exclude: vec!["more".into()],
        on_truncate: OnTruncate::Rows,
    };
    let cases = [
        (look(InForce, plain(), Some((1, plain()))), Verdict::Well),
        (look(InForce, plain(), Some((2, plain()))), Verdict::Well),
        (look(Altered, grown(), Some((1, plain()))), Verdict::Mend),
        (look(Missing, plain(), Some((1, plain()))), Verdict::Mend),
        // Another instance has mended it, and it changed again since.
        (look(Altered, grown(), Some((2, plain()))), Verdict::Mend),
        // Another instance excludes a column that this one would log.
        (
            look(Altered, grown(), Some((2, hiding()))),
            Verdict::Leave(Kind::OtherSettings),
        ),
        (look(Missing, plain(), None), Verdict::Leave(Kind::TakenOff)),
        // The same, and nothing is logged: by its settings, which are the stricter ones.
        (
            look(Missing, grown(), Some((2, hiding()))),
            Verdict::MendAs(Box::new(hiding_settings)),
        ),
    ];
    for (found, wanted) in cases {
        assert_eq!(verdict(own, &found), wanted, "{found:?}");
    }
    // One that this process put on itself: the table's key is another one since.
    let mut rekeyed = plain();
    rekeyed.key = vec!["other".into()];
    let found = look(Altered, rekeyed, Some((1, plain())));
    assert_eq!(verdict(own, &found), Verdict::Mend);
}

#[test]
fn what_was_found_is_said() {
    let before = definition(&[("id", "int"), ("n", "int"), ("old", "text")], &[]);
    let now = definition(&[("id", "int"), ("n", "bigint"), ("new", "text")], &[]);
    let found = look(TriggerState::Altered, now.clone(), Some((1, before)));
    assert_eq!(
        what(&found),
        "columns came: new; columns went: old; columns have another type: n (int, now bigint)"
    );
    assert!(!is_loss(&found));
    let same = look(TriggerState::Missing, now.clone(), Some((1, now.clone())));
    assert!(what(&same).contains("changes made meanwhile were not seen"));
    assert!(is_loss(&same));
    let altered = look(TriggerState::Altered, now.clone(), Some((1, now)));
    assert!(what(&altered).contains("had been altered"));
}
