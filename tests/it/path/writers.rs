//! Whoever writes: psql, scripts, other processes. rowhook has no part in any of them.

use crate::support::{both::on_both, database::TestDatabase, house::House, ledger::Ledger};
use rowhook::store::sql::db::Dialect;

on_both!(other_processes_write);

/// A script as somebody runs it by hand; on PostgreSQL it has no driver and hands its SQL to psql.
const ON_POSTGRES: &str = r#"
import subprocess, sys
def run(sql):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", sys.argv[1]], input=sql, text=True, check=True)
run("".join(f"insert into items values ({id}, 0, 'from Python');\n" for id in range(100, 120)))
run("begin; update items set n = n + 1 where id >= 100; savepoint s; delete from items; rollback to s; commit;")
run("begin; delete from items; rollback;")
"#;

const ON_SQLITE: &str = r#"
import sqlite3, sys
app = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
for id in range(100, 120):
    app.execute("insert into items values (?, 0, 'from Python')", (id,))
app.executescript("""
    begin; update items set n = n + 1 where id >= 100;
    savepoint s; delete from items; rollback to s; commit;
    begin; delete from items; rollback;
""")
"#;

async fn other_processes_write(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    match house.dialect {
        Dialect::Postgres => {
            house.psql(
                "insert into items select g, 0, 'from psql' from generate_series(1, 20) g;
                 begin; update items set n = n + 1; rollback;
                 update items set n = n + 1 where id <= 10;
                 \\copy items from stdin\n50\t0\tcopied\n51\t0\t\\N\n\\.\n
                 with went as (delete from items where id = 20 returning id, n)
                   insert into gone select * from went;",
            );
            house.python(ON_POSTGRES, &[&house.url]);
        }
        Dialect::Sqlite => {
            house.python(ON_SQLITE, &[house.sqlite_file()]);
            house.python(
                &ON_SQLITE.replace("range(100, 120)", "range(200, 220)"),
                &[house.sqlite_file()],
            );
        }
    }
    let ledger = Ledger::read(&house.app).await;
    assert!(ledger.changes() >= 60);
    house.receiver.wait_for_events(ledger.changes()).await;
    house.settled(ledger.changes()).await;
    assert_eq!(ledger.compare(&house.receiver.deliveries()).duplicates, 0);
}
