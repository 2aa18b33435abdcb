alter table rowhook.resources drop column excluded_at;
drop table rowhook.reconciliations;
drop table rowhook.table_notes;
