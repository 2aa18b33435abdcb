-- What lists of events are walked along, newest first, one for each thing that they are narrowed by. `state`
-- is in front of `id` where lists are also narrowed by status: a list of every status is merged from six
-- walks, which costs nothing, and needs no second index. Only a change of `state` is written to an index again.
create index rowhook_events_by_receiver on rowhook_events (receiver_id, state, id);
create index rowhook_events_by_subscription on rowhook_events (subscription_id, state, id);
-- A row's key may be longer than an index takes; its hash is not.
create index rowhook_events_by_row on rowhook_events (row_hash, id);
create index rowhook_events_by_transaction on rowhook_events (transaction_id, id);
create index rowhook_events_by_time on rowhook_events (occurred_at, id);
create index rowhook_events_by_kind on rowhook_events (resource_id, action, id);
-- Pending, failed and cancelled events of everybody. Delivered ones are most of the table: the primary key
-- finds them.
create index rowhook_events_undelivered on rowhook_events (state, id) where state <> 3;
