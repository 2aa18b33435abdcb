//! API keys: who a key belongs to, and that nothing in the database is a key.

use rowhook::{
    domain::{api_key::Role, ids::ApiKeyId},
    store::{
        StoreError,
        api_keys::{ApiKeyStore as _, LastAdminKey},
        sql::{api_keys::SqlApiKeyStore, db::Dialect},
    },
};

use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    a_key_is_known_by_its_hash_alone,
    roles_are_kept,
    a_wrong_key_is_nobody,
    a_revoked_key_is_refused_at_once,
    the_last_admin_key_stays,
    of_two_that_revoke_each_other_one_stays,
    the_last_use_is_noted_once_a_minute,
);

async fn a_key_is_known_by_its_hash_alone(database: TestDatabase) {
    let db = database.migrated().await;
    let keys = SqlApiKeyStore::new(db.clone());
    let (record, key) = keys.create_key("ci", Role::Viewer).await.unwrap();
    assert!(key.starts_with("rhk_") && key.len() == 4 + 43, "{key}");
    assert_eq!(record.prefix, key[..12]);
    assert_eq!((record.last_used_at, record.revoked_at), (None, None));
    let (_, other) = keys.create_key("ci", Role::Viewer).await.unwrap();
    assert_ne!(key, other);
    let stored = stored::texts(
        &db,
        "select name || role || prefix || key_hash from rowhook.api_keys",
    )
    .await
    .join(" ");
    assert!(!stored.contains(&key[12..]), "{stored}");
    assert_eq!(keys.keys().await.unwrap()[0], record);
}

async fn roles_are_kept(database: TestDatabase) {
    let keys = SqlApiKeyStore::new(database.migrated().await);
    for role in Role::ALL {
        let (record, key) = keys.create_key(role.as_str(), role).await.unwrap();
        let who = keys.authenticate(&key).await.unwrap().unwrap();
        assert_eq!((who.role, record.role), (role, role));
        assert_eq!(who.author.id, Some(record.id));
        assert_eq!(who.author.name, role.as_str());
    }
}

async fn a_wrong_key_is_nobody(database: TestDatabase) {
    let db = database.migrated().await;
    let keys = SqlApiKeyStore::new(db.clone());
    let (record, key) = keys.create_key("ci", Role::Admin).await.unwrap();
    let hash = stored::texts(&db, "select key_hash from rowhook.api_keys").await;
    for wrong in [
        "",
        "rhk_",
        &record.prefix,
        &hash[0],
        &key[..key.len() - 1],
        &format!("{key}A"),
        &key.to_uppercase(),
        "' or 1=1 --",
        "rhk_\0",
    ] {
        assert_eq!(keys.authenticate(wrong).await.unwrap(), None, "{wrong:?}");
    }
}

async fn a_revoked_key_is_refused_at_once(database: TestDatabase) {
    let db = database.migrated().await;
    // Two instances: nothing is remembered in either.
    let (here, there) = (SqlApiKeyStore::new(db.clone()), SqlApiKeyStore::new(db));
    let (record, key) = here.create_key("ci", Role::Admin).await.unwrap();
    let (_, other) = here.create_key("other", Role::Admin).await.unwrap();
    assert!(there.authenticate(&key).await.unwrap().is_some());
    let revoked = here
        .revoke_key(record.id, LastAdminKey::MayGo)
        .await
        .unwrap();
    assert!(revoked.revoked_at.is_some());
    for store in [&here, &there] {
        assert_eq!(store.authenticate(&key).await.unwrap(), None);
        assert!(store.authenticate(&other).await.unwrap().is_some());
    }
    // Again is no error and does not move the time.
    let again = there
        .revoke_key(record.id, LastAdminKey::MayGo)
        .await
        .unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    let unknown = here.revoke_key(ApiKeyId(99), LastAdminKey::MayGo).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { id: 99, .. })));
    let all = here.keys().await.unwrap();
    assert_eq!(all.len(), 2);
}

async fn the_last_admin_key_stays(database: TestDatabase) {
    let db = database.migrated().await;
    let keys = SqlApiKeyStore::new(db);
    let (first, _) = keys.create_key("first", Role::Admin).await.unwrap();
    let (operator, _) = keys.create_key("operator", Role::Operator).await.unwrap();
    let refused = keys.revoke_key(first.id, LastAdminKey::Stays).await;
    assert!(matches!(refused, Err(StoreError::LastAdminKey { id }) if id == first.id));
    let (second, _) = keys.create_key("second", Role::Admin).await.unwrap();
    keys.revoke_key(first.id, LastAdminKey::Stays)
        .await
        .unwrap();
    let refused = keys.revoke_key(second.id, LastAdminKey::Stays).await;
    assert!(matches!(refused, Err(StoreError::LastAdminKey { .. })));
    // Others may go, and so may one that is gone already.
    for id in [operator.id, first.id] {
        keys.revoke_key(id, LastAdminKey::Stays).await.unwrap();
    }
    keys.revoke_key(second.id, LastAdminKey::MayGo)
        .await
        .unwrap();
}

async fn of_two_that_revoke_each_other_one_stays(database: TestDatabase) {
    let db = database.migrated().await;
    let keys = SqlApiKeyStore::new(db);
    for _ in 0..10 {
        let (one, _) = keys.create_key("one", Role::Admin).await.unwrap();
        let (two, _) = keys.create_key("two", Role::Admin).await.unwrap();
        let (a, b) = tokio::join!(
            keys.revoke_key(one.id, LastAdminKey::Stays),
            keys.revoke_key(two.id, LastAdminKey::Stays)
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        for key in keys.keys().await.unwrap() {
            keys.revoke_key(key.id, LastAdminKey::MayGo).await.unwrap();
        }
    }
}

async fn the_last_use_is_noted_once_a_minute(database: TestDatabase) {
    let db = database.migrated().await;
    let (record, key) = SqlApiKeyStore::new(db.clone())
        .create_key("ci", Role::Viewer)
        .await
        .unwrap();
    // A process uses it, and the note appears behind its back.
    let used = async |instance: SqlApiKeyStore| {
        instance.authenticate(&key).await.unwrap().unwrap();
        instance
    };
    let noted = async || SqlApiKeyStore::new(db.clone()).keys().await.unwrap()[0].last_used_at;
    let instance = used(SqlApiKeyStore::new(db.clone())).await;
    while noted().await.is_none() {
        tokio::task::yield_now().await;
    }
    let first = noted().await.unwrap();
    assert!(first >= record.created_at);
    // Neither the same process nor another one notes it again within the minute. A write that was under
    // way would come before the one that the next loop waits for.
    used(instance).await;
    used(SqlApiKeyStore::new(db.clone())).await;
    assert_eq!(noted().await, Some(first));
    // Two minutes later, as the table sees it.
    let age = "update rowhook.api_keys set last_used_at = $1";
    let old = first - chrono::TimeDelta::minutes(2);
    stored::run(&db, age, [old.into()]).await;
    used(SqlApiKeyStore::new(db.clone())).await;
    while noted().await == Some(old) {
        tokio::task::yield_now().await;
    }
    assert!(noted().await >= Some(first));
}

/// Authentication reads, and a database that only reads is enough for it.
#[tokio::test]
async fn a_read_only_database_still_authenticates() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let (_, key) = SqlApiKeyStore::new(db.clone())
        .create_key("ci", Role::Viewer)
        .await
        .unwrap();
    let name = database.url.rsplit_once('/').unwrap().1;
    let freeze = format!("alter database {name} set default_transaction_read_only = on");
    stored::run(&db, &freeze, []).await;
    let frozen = rowhook::store::sql::db::Db::connect(&database.url, 2)
        .await
        .unwrap();
    let keys = SqlApiKeyStore::new(frozen.clone());
    for _ in 0..3 {
        assert!(keys.authenticate(&key).await.unwrap().is_some());
    }
    let refused = keys.create_key("x", Role::Viewer).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(keys.keys().await.unwrap()[0].last_used_at, None);
    frozen.close().await.unwrap();
}

/// Somebody else's write may hold SQLite's lock for seconds; callers do not wait for the note.
#[tokio::test]
async fn a_busy_database_still_authenticates() {
    let database = TestDatabase::fresh(Dialect::Sqlite).await;
    let db = database.migrated().await;
    let keys = SqlApiKeyStore::new(db.clone());
    let (_, key) = keys.create_key("ci", Role::Viewer).await.unwrap();
    let writing = db.begin().await.unwrap();
    for _ in 0..3 {
        assert!(keys.authenticate(&key).await.unwrap().is_some());
    }
    assert_eq!(keys.keys().await.unwrap()[0].last_used_at, None);
    writing.commit().await.unwrap();
    while keys.keys().await.unwrap()[0].last_used_at.is_none() {
        tokio::task::yield_now().await;
    }
}
