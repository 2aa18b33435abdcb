-- What lists of events are walked along, newest first, one for each thing that they are narrowed by. `state`
-- is in front of `id` where lists are also narrowed by status: a list of every status is merged from six
-- walks, which costs nothing, and needs no second index.
-- Each index costs a delivery two insertions, when the event is made and when it is settled (the queues'
-- conditions name `state`, so PostgreSQL writes every index anew with it). Together they cost about three quarters of
-- what the two writes cost without them. All but the first three grow at one end only.
create index events_by_receiver on rowhook.events (receiver_id, state, id);
create index events_by_subscription on rowhook.events (subscription_id, state, id);
-- A row's key may be longer than an index takes; its hash is not.
create index events_by_row on rowhook.events (row_hash, id);
create index events_by_transaction on rowhook.events (transaction_id, id);
create index events_by_time on rowhook.events (occurred_at, id);
create index events_by_kind on rowhook.events (resource_id, action, id);
-- Pending, failed and cancelled events of everybody. Delivered ones are most of the table: the primary key
-- finds them.
create index events_undelivered on rowhook.events (state, id) where state <> 3;
