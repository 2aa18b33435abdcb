drop trigger rowhook_events_made;
drop trigger rowhook_events_delivered;
drop trigger rowhook_events_moved;
drop trigger rowhook_events_dropped;
drop table rowhook_undelivered;
drop index rowhook_events_by_receiver;
drop index rowhook_events_by_subscription;
create index rowhook_events_ready on rowhook_events (receiver_id, id) where state = 0;
create index rowhook_events_waiting on rowhook_events (receiver_id, due_at) where state = 1;
create index rowhook_events_blocking on rowhook_events (receiver_id, row_hash, id) where state in (1, 2);
create index rowhook_events_blocking_previous on rowhook_events (receiver_id, previous_hash, id)
    where state in (1, 2) and previous_hash is not null;
create index rowhook_events_tests on rowhook_events (receiver_id, id) where state = 0 and sequence is null;
create index rowhook_events_undelivered on rowhook_events (state, id) where state <> 3;
create index rowhook_events_by_receiver on rowhook_events (receiver_id, state, id);
create index rowhook_events_by_subscription on rowhook_events (subscription_id, state, id);
