alter table rowhook.capture_cursor drop column restored_ids;
