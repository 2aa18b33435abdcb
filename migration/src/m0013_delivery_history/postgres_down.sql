drop table rowhook.delivery_history;
