-- How often whoever cancels events made parked ones of the receiver ready. Its sender compares.
alter table rowhook_leases add column unparked integer not null default 0;
