drop table rowhook_delivery_history;
