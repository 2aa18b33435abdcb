-- Every event that is not delivered, with what it is looked for by: the queues of the senders, and the lists of what failed
-- or was cancelled. The triggers below keep it, whoever writes `rowhook_events`; nobody else writes it.
create table rowhook_undelivered (
    event_id        integer primary key,
    receiver_id     integer not null,
    state           integer not null,       -- as in rowhook_events; never 3
    is_test         integer not null,       -- 1: a test delivery
    due_at          text,
    row_hash        integer not null,
    previous_hash   integer
);

drop index rowhook_events_ready;
drop index rowhook_events_waiting;
drop index rowhook_events_blocking;
drop index rowhook_events_blocking_previous;
drop index rowhook_events_tests;
drop index rowhook_events_undelivered;
drop index rowhook_events_by_receiver;
drop index rowhook_events_by_subscription;

insert into rowhook_undelivered
    select e.id, e.receiver_id, e.state, case when e.sequence is null then 1 else 0 end, e.due_at, e.row_hash,
           e.previous_hash
    from rowhook_events e where e.state <> 3;

-- The queue of each receiver, and the lists of one status; those of every receiver.
create index rowhook_undelivered_by_receiver on rowhook_undelivered (state, receiver_id, event_id);
create index rowhook_undelivered_by_state on rowhook_undelivered (state, event_id);
create index rowhook_undelivered_waiting on rowhook_undelivered (receiver_id, due_at) where state = 1;
create index rowhook_undelivered_blocking on rowhook_undelivered (receiver_id, row_hash, event_id)
    where state in (1, 2);
create index rowhook_undelivered_blocking_previous on rowhook_undelivered (receiver_id, previous_hash, event_id)
    where state in (1, 2) and previous_hash is not null;
create index rowhook_undelivered_tests on rowhook_undelivered (receiver_id, event_id)
    where state = 0 and is_test = 1;

-- Lists of every status are walked along these.
create index rowhook_events_by_receiver on rowhook_events (receiver_id, id);
create index rowhook_events_by_subscription on rowhook_events (subscription_id, id);

create trigger rowhook_events_made after insert on rowhook_events when new.state <> 3 begin
    insert into rowhook_undelivered
        values (new.id, new.receiver_id, new.state, case when new.sequence is null then 1 else 0 end, new.due_at,
                new.row_hash, new.previous_hash);
end;
create trigger rowhook_events_delivered after update of state on rowhook_events when new.state = 3 begin
    delete from rowhook_undelivered where event_id = new.id;
end;
create trigger rowhook_events_moved after update of state, due_at on rowhook_events when new.state <> 3 begin
    insert into rowhook_undelivered
        values (new.id, new.receiver_id, new.state, case when new.sequence is null then 1 else 0 end, new.due_at,
                new.row_hash, new.previous_hash)
        on conflict (event_id) do update set state = excluded.state, due_at = excluded.due_at;
end;
create trigger rowhook_events_dropped after delete on rowhook_events when old.state <> 3 begin
    delete from rowhook_undelivered where event_id = old.id;
end;
