-- Each restore from a dump into another cluster begins an era of transaction ids: one number for each, in
-- ascending order, the id of the last change that was restored. Snapshots of such an era carry it behind an @
-- (3:3:@1000), in the watermark, in a window's end and in activity_intervals.
alter table rowhook.capture_cursor add column restored_ids bigint[] not null default '{}';
