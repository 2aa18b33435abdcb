drop index rowhook.events_undelivered;
drop index rowhook.events_by_kind;
drop index rowhook.events_by_time;
drop index rowhook.events_by_transaction;
drop index rowhook.events_by_row;
drop index rowhook.events_by_subscription;
drop index rowhook.events_by_receiver;
