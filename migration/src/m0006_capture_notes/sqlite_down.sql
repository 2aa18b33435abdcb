alter table rowhook_resources drop column excluded_at;
drop table rowhook_reconciliations;
drop table rowhook_table_notes;
