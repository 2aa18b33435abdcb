//! `rowhook bench`: each scenario, short, as its users run it. What is looked at is that everything was measured; how
//! fast it was is nobody's promise here.

use rowhook::store::sql::db::Dialect;
use serde_json::Value;

use crate::support::{both::on_both, command::Shell, database::TestDatabase};

on_both!(each_scenario_measures);

async fn each_scenario_measures(database: TestDatabase) {
    let shell = Shell::new();
    let run = |arguments: &[&str]| -> Value {
        let mut all = vec!["bench"];
        all.extend(arguments);
        all.push("--json");
        if database.dialect == Dialect::Postgres {
            all.extend(["--server", &database.url]);
        }
        serde_json::from_str(&shell.run(&all).well()).unwrap()
    };
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
