//! One behaviour, two databases: each named function becomes a test on PostgreSQL and one on SQLite,
//! each in an actix system of its own.

/// `on_both!(a, b)` where `async fn a(database: TestDatabase)` is the behaviour.
macro_rules! on_both {
    ($($behaviour:ident),+ $(,)?) => {$(
        mod $behaviour {
            use rowhook::store::sql::db::Dialect;

            use crate::support::database::TestDatabase;

            #[actix_rt::test]
            async fn postgres() {
                super::$behaviour(TestDatabase::fresh(Dialect::Postgres).await).await;
            }

            #[actix_rt::test]
            async fn sqlite() {
                super::$behaviour(TestDatabase::fresh(Dialect::Sqlite).await).await;
            }
        }
    )+};
}

pub(crate) use on_both;
