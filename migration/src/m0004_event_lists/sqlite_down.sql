drop index rowhook_events_undelivered;
drop index rowhook_events_by_kind;
drop index rowhook_events_by_time;
drop index rowhook_events_by_transaction;
drop index rowhook_events_by_row;
drop index rowhook_events_by_subscription;
drop index rowhook_events_by_receiver;
