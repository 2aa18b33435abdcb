drop table rowhook.delivery_counts;
