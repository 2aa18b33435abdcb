-- As on PostgreSQL. An embedded database has one instance, which has no need to write itself down.
create table rowhook_instances (
    holder      text primary key,
    version     text not null,
    started_at  text not null,
    expires_at  text not null
) without rowid;
