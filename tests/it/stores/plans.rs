//! What a statement reads, by what the database says of it.

use rowhook::store::sql::db::{Db, Dialect};
use sea_orm::{ConnectionTrait as _, Value};

/// The plan of a statement; on PostgreSQL with what it came to.
pub async fn plan(db: &Db, sql: &str, values: Vec<Value>) -> String {
    let (explain, column) = match db.dialect() {
        Dialect::Postgres => ("explain (analyze, costs off, timing off, summary off)", 0),
        Dialect::Sqlite => ("explain query plan", 3),
    };
    let sql = format!("{explain} {sql}");
    let rows = db.query_all_raw(db.statement(&sql, values)).await.unwrap();
    let line = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(column).unwrap();
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many rows of tables a plan reads. SQLite does not tell; there a look at a whole table, of so many
/// rows, counts as that.
pub fn reads(plan: &str, whole: i64) -> i64 {
    let mut read = 0;
    let mut scan = 0;
    for line in plan.lines() {
        let number = |after: &str| -> Option<i64> {
            let rest = line.split_once(after)?.1;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        };
        let inner = line.contains("Subquery Scan") || line.contains("Function Scan");
        let table = line.contains("Scan") && !inner;
        if table {
            let loops = number("loops=").unwrap_or(1);
            scan = loops;
            read += number("rows=").unwrap_or(0) * loops;
        }
        read += number("Rows Removed by Filter: ").unwrap_or(0) * scan;
        let sqlite_scan = line.contains("SCAN e") || line.contains("SCAN c");
        if sqlite_scan && !line.contains("USING") {
            read += whole;
        }
    }
    read
}
