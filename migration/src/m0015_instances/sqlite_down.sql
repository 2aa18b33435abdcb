drop table rowhook_instances;
