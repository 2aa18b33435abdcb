//! `rowhook bench`: each scenario, short, as its users run it. What is looked at is that everything was measured; how
//! fast it was is nobody's promise here.

use rowhook::store::sql::db::Dialect;
use serde_json::Value;

use crate::support::{both::on_both, command::Shell, database::TestDatabase};

on_both!(
    each_scenario_measures,
    each_way_of_changes_becomes_deliveries,
    what_waits_and_what_idles_is_measured
);

/// What a scenario prints as JSON.
fn run(database: &TestDatabase, arguments: &[&str]) -> Value {
    let mut all = vec!["bench"];
    all.extend(arguments);
    all.push("--json");
    if database.dialect == Dialect::Postgres {
        all.extend(["--server", &database.url]);
    }
    serde_json::from_str(&Shell::new().run(&all).well()).unwrap()
}

fn rows(measured: &Value) -> &Vec<Value> {
    measured["rows"].as_array().unwrap()
}

async fn each_way_of_changes_becomes_deliveries(database: TestDatabase) {
    for line in [
        "singles", "tens", "bulk", "waiting", "unread", "fifty", "lanes",
    ] {
        let flow = ["flow", "--lines", line, "--rows", "200", "--time", "500ms"];
        let measured = run(&database, &flow);
        let row = &rows(&measured)[0];
        assert_eq!(row["line"], line);
        assert_eq!(
            (&row["missing"], &row["repeated"]),
            (&0.into(), &0.into()),
            "{row}"
        );
        // At full speed the first ones may come when so short a time is over.
        let at_full_speed = !["bulk", "waiting", "unread"].contains(&line);
        let rate = match at_full_speed {
            true => &row["commits_per_second"],
            false => &row["deliveries_per_second"],
        };
        assert!(rate.as_f64().unwrap() > 0.0, "{row}");
    }
}

async fn what_waits_and_what_idles_is_measured(database: TestDatabase) {
    let measured = run(&database, &["latency", "--time", "500ms"]);
    let lines = if database.dialect == Dialect::Postgres {
        2
    } else {
        1
    };
    assert_eq!(rows(&measured).len(), lines);
    let backlog = ["backlog", "--waiting", "0,500", "--time", "500ms"];
    let idle = ["idle", "--receivers", "0,20", "--time", "500ms"];
    for measured in [measured, run(&database, &backlog), run(&database, &idle)] {
        for row in rows(&measured) {
            assert_eq!(row["missing"], 0, "{row}");
            let (half, most) = (&row["latency_p50_ms"], &row["latency_max_ms"]);
            assert!(
                half.as_f64().unwrap() > 0.0 && half.as_f64() <= most.as_f64(),
                "{row}"
            );
        }
    }
}

async fn each_scenario_measures(database: TestDatabase) {
    let run = |arguments: &[&str]| run(&database, arguments);
    let isolation = [
        "isolation",
        "--sick",
        "0,8",
        "--time",
        "1s",
        "--rate",
        "10",
        "--deliveries",
        "100",
    ];
    let measured = run(&isolation);
    assert!(measured["limit_per_second"].as_f64().unwrap() > 0.0);
    let rows = measured["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["missing"], 0, "{row}");
        let (half, most) = (&row["latency_p50_ms"], &row["latency_max_ms"]);
        assert!(
            half.as_f64().unwrap() > 0.0 && half.as_f64() <= most.as_f64(),
            "{row}"
        );
        assert!(
            row["deliveries_per_second"].as_f64().unwrap() > 0.0,
            "{row}"
        );
    }
    let measured = run(&["throttle", "--time", "3s"]);
    for row in measured["rows"].as_array().unwrap() {
        assert!(row["requests"].as_u64().unwrap() > 0, "{row}");
    }
    let measured = run(&[
        "recovery",
        "--waiting",
        "100",
        "--down",
        "1s",
        "--throttle",
        "100",
    ]);
    let rows = measured["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row["missing"], 0, "{row}");
    }
    assert!(rows[1]["first_after_seconds"].as_f64().unwrap() > 0.0);
}
