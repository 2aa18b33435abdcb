drop index rowhook_events_tests;
drop table rowhook_receiver_health;
