alter table rowhook_leases drop column unparked;
