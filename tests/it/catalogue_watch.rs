//! What happens to watched tables while rowhook serves: it is noticed, mended where it can be, and said.

use rowhook::store::sql::db::Dialect;
use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    house::House,
    service::Watched,
    stored::{number, run, texts},
    wait::until_ok,
};

on_both!(
    columns_that_come_and_go_are_seen,
    a_table_that_is_made_anew_is_captured_again,
    triggers_that_are_dropped_or_disabled_come_back,
    what_a_person_took_off_stays_off,
    an_excluded_column_that_is_renamed_never_leaks,
    an_instance_with_other_settings_is_let_alone,
    a_resource_that_is_no_longer_configured_is_told_of_at_the_start,
);

const OFTEN: &str = "[capture]\nlook_at_tables = \"1s\"";

/// `webhookCapture` of a resource.
async fn capture(house: &House, resource: &str) -> Value {
    let data = house
        .service
        .graphql(
            "{ webhookCapture { resources { resource triggers advice lookedAt note notedAt } } }",
        )
        .await;
    let all = data["webhookCapture"]["resources"].as_array().unwrap();
    let found = all.iter().find(|one| one["resource"] == resource);
    found.unwrap().clone()
}

/// Waits until a resource's note holds this text.
async fn noted(house: &House, resource: &str, text: &str) -> Value {
    until_ok(&format!("{text:?} is noted"), async || {
        let found = capture(house, resource).await;
        match found["note"].as_str() {
            Some(note) if note.contains(text) => Ok(found),
            _ => Err(found),
        }
    })
    .await
}

/// Waits until the triggers stand so.
async fn triggers_are(house: &House, resource: &str, state: &str) -> Value {
    until_ok(&format!("the triggers are {state}"), async || {
        let found = capture(house, resource).await;
        if found["triggers"] == state {
            Ok(found)
        } else {
            Err(found)
        }
    })
    .await
}

/// Waits until the table was looked at two times more: the second look began after this was called.
async fn looked_twice(house: &House, resource: &str) {
    for _ in 0..2 {
        let before = capture(house, resource).await["lookedAt"].clone();
        until_ok("it is looked at again", async || {
            let now = capture(house, resource).await["lookedAt"].clone();
            if now.is_string() && now != before {
                Ok(())
            } else {
                Err(now)
            }
        })
        .await;
    }
}

/// How many lines of the log hold all of these.
fn lines(house: &House, parts: &[&str]) -> usize {
    let log = house.service.log_text();
    let with = |line: &&str| parts.iter().all(|part| line.contains(part));
    log.lines().filter(with).count()
}

fn qualified(house: &House, table: &str) -> String {
    match house.dialect {
        Dialect::Postgres => format!("public.{table}"),
        Dialect::Sqlite => table.to_owned(),
    }
}

async fn columns_that_come_and_go_are_seen(database: TestDatabase) {
    let house = House::with(database, OFTEN, "", &[]).await;
    let receiver = house.register_for_items("/grows", "").await;
    let items = qualified(&house, "items");
    house
        .sql(&format!("alter table {items} add column more text"))
        .await;
    let found = noted(&house, "ITEM", "columns came: more").await;
    assert!(
        found["note"].as_str().unwrap().contains("put on anew"),
        "{found}"
    );
    assert_eq!(found["triggers"], "IN_FORCE", "{found}");
    assert_eq!(found["notedAt"], found["lookedAt"], "{found}");
    house
        .sql(&format!(
            "insert into {items} (id, n, more) values (1, 1, 'a new column')"
        ))
        .await;
    house.settled(1).await;
    let delivered = house.receiver.deliveries().remove(0);
    assert_eq!(delivered.data()["new"]["more"], "a new column");
    assert_eq!(
        lines(&house, &["INFO", "came=\"more\"", "resource=ITEM"]),
        1
    );

    // The API goes by it, without a restart.
    let columns = until_ok("the catalogue shows the column", async || {
        let data = house
            .service
            .graphql("{ webhookResources { columns } }")
            .await;
        let columns = data["webhookResources"][0]["columns"].clone();
        match columns.to_string().contains("more") {
            true => Ok(columns),
            false => Err(columns),
        }
    })
    .await;
    assert!(columns.to_string().contains("note"), "{columns}");
    let picky = ", changedFields: [\"more\"], filter: \"new.more == 'b'\"";
    house.subscribe(receiver, "ITEM", "UPDATE", picky).await;

    house
        .sql(&format!("alter table {items} rename column note to remark"))
        .await;
    let found = noted(&house, "ITEM", "columns came: remark; columns went: note").await;
    assert_eq!(found["advice"], Value::Null, "{found}");
    house
        .sql(&format!("update {items} set remark = 'x', more = 'b'"))
        .await;
    house.settled(3).await;
    let last = house.receiver.deliveries().pop().unwrap();
    assert_eq!(last.data()["new"], json!({"remark": "x", "more": "b"}));
    if house.dialect == Dialect::Postgres {
        house
            .sql("alter table public.items alter column n type numeric")
            .await;
        noted(&house, "ITEM", "another type: n (bigint, now numeric)").await;
        house.sql("update public.items set n = 1.50").await;
        house.settled(4).await;
        let last = house.receiver.deliveries().pop().unwrap();
        assert!(last.text.contains("\"new\":{\"n\":1.50}"), "{}", last.text);
    }
    assert_eq!(lines(&house, &["ERROR"]), 0);
}

async fn a_table_that_is_made_anew_is_captured_again(database: TestDatabase) {
    let others = Watched {
        name: "OTHER",
        table: "others",
        more: "",
    };
    let sql = "create table others (id integer primary key, n integer)";
    let house = House::with(database, OFTEN, sql, &[others]).await;
    let receiver = house.register_for_items("/anew", "").await;
    house.subscribe(receiver, "OTHER", "CREATE", "").await;
    let items = qualified(&house, "items");
    house.sql(&format!("drop table {items}")).await;
    let found = noted(&house, "ITEM", "there is no table").await;
    assert_eq!(found["triggers"], "TABLE_MISSING", "{found}");
    looked_twice(&house, "OTHER").await;
    assert_eq!(
        lines(&house, &["ERROR", "resource ITEM is not captured"]),
        1,
        "{}",
        house.service.log_text()
    );
    // The others go on, and this instance is as ready as it was.
    house.sql("insert into others values (1, 1)").await;
    house.settled(1).await;
    assert_eq!(
        house.service.http("GET", "/readyz", "").await.unwrap().0,
        200
    );

    let anew =
        format!("create table {items} (id bigint primary key, n bigint not null, colour text)");
    house.sql(&anew).await;
    let found = noted(&house, "ITEM", "changes made meanwhile were not seen").await;
    assert_eq!(found["triggers"], "IN_FORCE", "{found}");
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .contains("columns came: colour"),
        "{found}"
    );
    house
        .sql(&format!(
            "insert into {items} (id, n, colour) values (7, 1, 'red')"
        ))
        .await;
    house.settled(2).await;
    let last = house.receiver.deliveries().pop().unwrap();
    assert_eq!(
        last.data()["new"],
        json!({"id": 7, "n": 1, "colour": "red"})
    );
    assert_eq!(
        lines(&house, &["INFO", "over: resource ITEM is not captured"]),
        1
    );

    // Between two looks, so that nobody saw it gone: the common silent loss.
    let again = format!(
        "drop table {items}; create table {items} (id bigint primary key, n bigint not null)"
    );
    house.sql(&again).await;
    let found = noted(&house, "ITEM", "columns went: colour").await;
    assert_eq!(found["triggers"], "IN_FORCE", "{found}");
    house
        .sql(&format!("insert into {items} (id, n) values (8, 1)"))
        .await;
    house.settled(3).await;
}

async fn triggers_that_are_dropped_or_disabled_come_back(database: TestDatabase) {
    let house = House::with(database, OFTEN, "", &[]).await;
    house.register_for_items("/back", "").await;
    let drop = match house.dialect {
        Dialect::Postgres => "drop trigger \" rowhook_item\" on public.items",
        Dialect::Sqlite => "drop trigger rowhook_item_insert",
    };
    house.sql(drop).await;
    noted(&house, "ITEM", "changes made meanwhile were not seen").await;
    triggers_are(&house, "ITEM", "IN_FORCE").await;
    let items = qualified(&house, "items");
    house
        .sql(&format!("insert into {items} values (1, 1, 'a')"))
        .await;
    house.settled(1).await;
    let told = [
        "WARN",
        "a watched table was not as it should be",
        "resource=ITEM",
    ];
    assert_eq!(lines(&house, &told), 1, "{}", house.service.log_text());
    if house.dialect == Dialect::Postgres {
        house
            .sql("alter table public.items disable trigger all")
            .await;
        noted(&house, "ITEM", "were disabled").await;
        triggers_are(&house, "ITEM", "IN_FORCE").await;
        house
            .sql("insert into public.items values (2, 1, 'a')")
            .await;
        house.settled(2).await;
        assert_eq!(lines(&house, &told), 2, "{}", house.service.log_text());
    }
}

/// A shell whose configuration names `items` so.
fn shell(house: &House, name: &str, more: &str) -> Shell {
    let shell = Shell::on(&house.url);
    let table = qualified(house, "items");
    shell.write(
        "rowhook.toml",
        &format!("[[resources]]\nname = \"{name}\"\ntable = \"{table}\"\n{more}\n"),
    );
    shell
}

async fn what_a_person_took_off_stays_off(database: TestDatabase) {
    let house = House::with(database, OFTEN, "", &[]).await;
    house.register_for_items("/off", "").await;
    let shell = shell(&house, "ITEM", "");
    shell.run(&["resources", "uninstall", "ITEM"]).well();
    let found = noted(&house, "ITEM", "rowhook resources uninstall").await;
    assert_eq!(found["triggers"], "MISSING", "{found}");
    looked_twice(&house, "ITEM").await;
    assert_eq!(capture(&house, "ITEM").await["triggers"], "MISSING");
    assert_eq!(lines(&house, &["WARN", "resource ITEM is not captured"]), 1);
    shell.run(&["resources", "install"]).well();
    noted(&house, "ITEM", "as it should be again").await;
    let items = qualified(&house, "items");
    house
        .sql(&format!("insert into {items} values (1, 1, 'a')"))
        .await;
    house.settled(1).await;
}

async fn an_excluded_column_that_is_renamed_never_leaks(database: TestDatabase) {
    let people = Watched {
        name: "PERSON",
        table: "people",
        more: "exclude = [\"password\"]",
    };
    let sql = "create table people (id integer primary key, name text, password text)";
    let house = House::with(database, OFTEN, sql, &[people]).await;
    let receiver = house.register("/people", "").await;
    house.subscribe(receiver, "PERSON", "CREATE", "").await;
    house.subscribe(receiver, "PERSON", "UPDATE", "").await;
    let people = qualified(&house, "people");
    house
        .sql(&format!(
            "alter table {people} rename column password to pass_phrase"
        ))
        .await;
    let found = noted(&house, "PERSON", "which `exclude` names").await;
    assert_eq!(found["triggers"], "ALTERED", "{found}");
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .contains("under the names that they know"),
        "{found}"
    );
    assert_eq!(
        lines(&house, &["ERROR", "PERSON", "exclude"]),
        1,
        "{}",
        house.service.log_text()
    );
    house
        .sql(&format!(
            "insert into {people} values (1, 'a', 'hidden'); update {people} set pass_phrase = 'hidden too';
             update {people} set name = 'b', pass_phrase = 'hidden three'"
        ))
        .await;
    house.settled(2).await;

    // Another column takes its name: the settings fit again, and the old one would be logged as a new one.
    house
        .sql(&format!("alter table {people} add column password text"))
        .await;
    let found = noted(&house, "PERSON", "was called \"password\"").await;
    let note = found["note"].as_str().unwrap();
    assert!(note.contains("\"pass_phrase\""), "{note}");
    looked_twice(&house, "ITEM").await;
    house
        .sql(&format!(
            "insert into {people} (id, name, pass_phrase, password) values (2, 'c', 'hidden', 'hidden')"
        ))
        .await;
    house.settled(3).await;
    let db = rowhook::store::sql::db::Db::connect(&house.url, 1)
        .await
        .unwrap();
    let logged = texts(
        &db,
        "select row_data || coalesce(old_values, '') from rowhook.logged_actions",
    )
    .await;
    assert_eq!(logged.len(), 3, "{logged:?}");
    for delivery in house.receiver.deliveries() {
        let text = &delivery.text;
        assert!(!text.contains("hidden") && !text.contains("pass"), "{text}");
    }
    let logged = logged.join("");
    assert!(
        !logged.contains("hidden") && !logged.contains("pass"),
        "{logged}"
    );
}

async fn an_instance_with_other_settings_is_let_alone(database: TestDatabase) {
    let house = House::with(database, OFTEN, "", &[]).await;
    house.register_for_items("/others", "").await;
    // As an instance with a newer configuration does when it starts.
    shell(&house, "ITEM", "exclude = [\"note\"]")
        .run(&["resources", "install"])
        .well();
    noted(&house, "ITEM", "another instance").await;
    looked_twice(&house, "ITEM").await;
    let items = qualified(&house, "items");
    house
        .sql(&format!("insert into {items} values (1, 1, 'hidden')"))
        .await;
    house.settled(1).await;
    let delivered = house.receiver.deliveries().remove(0);
    assert_eq!(delivered.data()["new"], json!({"id": 1, "n": 1}));
    assert_eq!(lines(&house, &["WARN", "resource ITEM is left alone"]), 1);
}

async fn a_resource_that_is_no_longer_configured_is_told_of_at_the_start(database: TestDatabase) {
    let mut house = House::of(database).await;
    house.service.terminate().await;
    let renamed = shell(&house, "THING", "");
    let serving = renamed.start(&["serve"]);
    let line = serving.says("still logged, but not configured");
    assert!(
        line.contains("WARN") && line.contains("rowhook resources uninstall ITEM"),
        "{line}"
    );
    serving.says("reading changes");
    assert_eq!(serving.stop().code, Some(0));
    renamed.run(&["resources", "uninstall", "ITEM"]).well();
    let serving = renamed.start(&["serve"]);
    serving.says("reading changes");
    let done = serving.stop();
    assert!(!done.err.contains("not configured"), "{done:?}");
}

/// Partitions are PostgreSQL's.
#[actix_rt::test]
async fn a_partition_that_comes_gets_its_trigger_on_truncate() {
    let parts = Watched {
        name: "PART",
        table: "parts",
        more: "",
    };
    let sql = "create table parts (id int primary key) partition by range (id);
               create table low partition of parts for values from (0) to (100)";
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let house = House::with(database, OFTEN, sql, &[parts]).await;
    let receiver = house.register("/parts", "").await;
    house.subscribe(receiver, "PART", "DELETE", "").await;
    house
        .sql("create table public.high partition of public.parts for values from (100) to (200)")
        .await;
    let found = noted(&house, "PART", "not every partition").await;
    assert_eq!(found["triggers"], "IN_FORCE", "{found}");
    assert_eq!(lines(&house, &["WARN"]), 0, "{}", house.service.log_text());
    house
        .sql("insert into public.parts values (150); truncate public.high")
        .await;
    house.settled(1).await;
}

/// A table that is in use is no fault: it is looked at again.
#[actix_rt::test]
async fn a_table_in_use_is_mended_later() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let house = House::with(database, OFTEN, "", &[]).await;
    house
        .sql("drop trigger \" rowhook_item\" on public.items")
        .await;
    let holder = sea_orm::TransactionTrait::begin(&house.app).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(
        &holder,
        "insert into public.items values (1, 1, 'a')",
    )
    .await
    .unwrap();
    let found = noted(&house, "ITEM", "a long transaction holds it").await;
    assert_eq!(found["triggers"], "MISSING", "{found}");
    // Told when it lasts, and not at the first miss.
    assert_eq!(lines(&house, &["INFO", "a watched table is in use"]), 1);
    assert_eq!(lines(&house, &["WARN", "the table is in use"]), 1);
    holder.commit().await.unwrap();
    triggers_are(&house, "ITEM", "IN_FORCE").await;
}

/// The version of a table that was only looked at stays, look after look.
#[actix_rt::test]
async fn a_look_at_a_table_that_is_well_changes_nothing() {
    for dialect in TestDatabase::BOTH {
        let house = House::with(TestDatabase::fresh(dialect).await, OFTEN, "", &[]).await;
        looked_twice(&house, "ITEM").await;
        let found = capture(&house, "ITEM").await;
        assert_eq!(found["note"], Value::Null, "{found}");
        let db = rowhook::store::sql::db::Db::connect(&house.url, 1)
            .await
            .unwrap();
        assert_eq!(
            number(&db, "select count(*) from rowhook.resources").await,
            1
        );
        // A note stays while nothing new is found.
        run(
            &db,
            "update rowhook.table_notes set note = 'n', noted_at = looked_at",
            [],
        )
        .await;
        looked_twice(&house, "ITEM").await;
        let found = capture(&house, "ITEM").await;
        assert_eq!(found["note"], "n");
        assert_ne!(found["notedAt"], found["lookedAt"]);
    }
}

/// Whoever stands by sees what the other one found.
#[actix_rt::test]
async fn every_instance_goes_by_the_new_description() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let house = House::with(database, OFTEN, "", &[]).await;
    let watched = [Watched {
        name: "ITEM",
        table: "public.items",
        more: "aliases = [\"ITEMS\"]",
    }];
    let other = crate::support::service::Service::start(&house.url, OFTEN, &watched).await;
    house
        .sql("alter table public.items add column more text")
        .await;
    noted(&house, "ITEM", "columns came: more").await;
    for service in [&house.service, &other] {
        until_ok("the catalogue shows the column", async || {
            let document = "{ webhookResources { name columns aliases } }";
            let shown = service.graphql(document).await["webhookResources"].to_string();
            match shown.contains("\"more\"") {
                true => Ok(()),
                false => Err(shown),
            }
        })
        .await;
    }
    // An alias is the running configuration's, and stays.
    let shown = other.graphql("{ webhookResources { aliases } }").await;
    assert_eq!(shown["webhookResources"][0]["aliases"], json!(["ITEMS"]));
    // The notes are everybody's too.
    let document = "{ webhookCapture { resources { note } } }";
    let notes = other.graphql(document).await["webhookCapture"]["resources"].to_string();
    assert!(notes.contains("columns came: more"), "{notes}");
}

/// Rows of a table that inherits fire nothing on its parent, so it gets triggers of its own.
#[actix_rt::test]
async fn a_table_that_begins_to_be_inherited_is_logged_with_its_heirs() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let house = House::with(database, OFTEN, "", &[]).await;
    house.register_for_items("/heirs", "").await;
    house
        .sql("create table public.heirs () inherits (public.items)")
        .await;
    noted(&house, "ITEM", "put on anew").await;
    house
        .sql("insert into public.items values (1, 1, 'a'); insert into public.heirs values (2, 1, 'b')")
        .await;
    house.settled(2).await;
    house.sql("drop table public.heirs").await;
    house
        .sql("insert into public.items values (3, 1, 'c')")
        .await;
    house.settled(3).await;
    triggers_are(&house, "ITEM", "IN_FORCE").await;
}
