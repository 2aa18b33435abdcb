drop index rowhook.events_tests;
drop table rowhook.receiver_health;
