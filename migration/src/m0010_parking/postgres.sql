-- How often whoever cancels events made parked ones of the receiver ready. Its sender compares.
alter table rowhook.leases add column unparked bigint not null default 0;
