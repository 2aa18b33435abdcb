drop table rowhook_delivery_counts;
