drop function rowhook.write_deletion(integer, text);
drop table rowhook.fresh_reads;
drop function rowhook.read_fresh();
