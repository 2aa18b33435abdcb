-- Every event that is not delivered, with what it is looked for by: the queues of the senders, and the lists of what failed
-- or was cancelled. The triggers below keep it, whoever writes `events`; nobody else writes it.
--
-- No index of `events` holds what an attempt changes. So PostgreSQL writes the new version of a row beside the old one
-- (a heap-only tuple) and none of the table's nine indexes anew; here a delivery takes a short row away.
create table rowhook.undelivered (
    event_id        bigint primary key,
    receiver_id     integer not null,
    state           smallint not null,      -- as in events; never 3
    is_test         smallint not null,      -- 1: a test delivery
    due_at          timestamptz,
    row_hash        bigint not null,
    previous_hash   bigint
);

drop index rowhook.events_ready, rowhook.events_waiting, rowhook.events_blocking,
    rowhook.events_blocking_previous, rowhook.events_tests, rowhook.events_undelivered,
    rowhook.events_by_receiver, rowhook.events_by_subscription;

insert into rowhook.undelivered
    select e.id, e.receiver_id, e.state, case when e.sequence is null then 1 else 0 end, e.due_at, e.row_hash,
           e.previous_hash
    from rowhook.events e where e.state <> 3;

-- The queue of each receiver, that of all of them, and the lists of one status.
create index undelivered_ready on rowhook.undelivered (receiver_id, event_id) where state = 0;
create index undelivered_all_ready on rowhook.undelivered (event_id) where state = 0;
create index undelivered_by_receiver on rowhook.undelivered (state, receiver_id, event_id) where state <> 0;
create index undelivered_by_state on rowhook.undelivered (state, event_id) where state <> 0;
create index undelivered_waiting on rowhook.undelivered (receiver_id, due_at) where state = 1;
create index undelivered_blocking on rowhook.undelivered (receiver_id, row_hash, event_id) where state in (1, 2);
create index undelivered_blocking_previous on rowhook.undelivered (receiver_id, previous_hash, event_id)
    where state in (1, 2) and previous_hash is not null;
create index undelivered_tests on rowhook.undelivered (receiver_id, event_id) where state = 0 and is_test = 1;

-- Lists of every status are walked along these.
create index events_by_receiver on rowhook.events (receiver_id, id);
create index events_by_subscription on rowhook.events (subscription_id, id);
-- The rest of a page is left for the versions that attempts write, of all its rows in one transaction: they hold the
-- answer, whose headers may be longer than the rest. One that does not fit costs nine index entries.
alter table rowhook.events set (fillfactor = 25);

-- Once for each statement.
create function rowhook.events_made() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    insert into rowhook.undelivered
        select n.id, n.receiver_id, n.state, case when n.sequence is null then 1 else 0 end, n.due_at, n.row_hash,
               n.previous_hash
        from n where n.state <> 3;
    return null;
end
$$;
create trigger events_made after insert on rowhook.events referencing new table as n
    for each statement execute function rowhook.events_made();

-- What a statement wrote is few rows or many, and a plan that was made for many would read all that waits for the few of
-- the next: whatever the planner thinks of it, rows are found by their ids.
create function rowhook.events_moved() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    delete from rowhook.undelivered u using n where u.event_id = n.id and n.state = 3;
    insert into rowhook.undelivered as u
        select n.id, n.receiver_id, n.state, case when n.sequence is null then 1 else 0 end, n.due_at, n.row_hash,
               n.previous_hash
        from n where n.state <> 3
        on conflict (event_id) do update set state = excluded.state, due_at = excluded.due_at
        where u.state <> excluded.state or u.due_at is distinct from excluded.due_at;
    return null;
end
$$;
create trigger events_moved after update on rowhook.events referencing new table as n
    for each statement execute function rowhook.events_moved();

create function rowhook.events_dropped() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    delete from rowhook.undelivered u using o where u.event_id = o.id and o.state <> 3;
    return null;
end
$$;
create trigger events_dropped after delete on rowhook.events referencing old table as o
    for each statement execute function rowhook.events_dropped();
