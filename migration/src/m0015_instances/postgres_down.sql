drop table rowhook.instances;
