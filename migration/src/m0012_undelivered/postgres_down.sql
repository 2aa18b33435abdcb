drop trigger events_made on rowhook.events;
drop trigger events_moved on rowhook.events;
drop trigger events_dropped on rowhook.events;
drop function rowhook.events_made();
drop function rowhook.events_moved();
drop function rowhook.events_dropped();
drop table rowhook.undelivered;
drop index rowhook.events_by_receiver, rowhook.events_by_subscription;
alter table rowhook.events set (fillfactor = 80);
create index events_ready on rowhook.events (receiver_id, id) where state = 0;
create index events_waiting on rowhook.events (receiver_id, due_at) where state = 1;
create index events_blocking on rowhook.events (receiver_id, row_hash, id) where state in (1, 2);
create index events_blocking_previous on rowhook.events (receiver_id, previous_hash, id)
    where state in (1, 2) and previous_hash is not null;
create index events_tests on rowhook.events (receiver_id, id) where state = 0 and sequence is null;
create index events_undelivered on rowhook.events (state, id) where state <> 3;
create index events_by_receiver on rowhook.events (receiver_id, state, id);
create index events_by_subscription on rowhook.events (subscription_id, state, id);
