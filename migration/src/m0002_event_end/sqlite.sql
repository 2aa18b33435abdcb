-- Delivered, failed, cancelled: since when. Whoever settles an event writes it. No index: each delivery
-- would pay for it, and retention walks along the primary key.
alter table rowhook_events add column ended_at text;
