-- Who runs, as each instance says of itself every second or two. Leases decide who sends; by this table each instance
-- tells which receivers are its own to take.
create table rowhook.instances (
    holder      text primary key,           -- as in leases
    version     text not null,
    started_at  timestamptz not null,
    expires_at  timestamptz not null
);
