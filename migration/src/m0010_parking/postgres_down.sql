alter table rowhook.leases drop column unparked;
