-- Delivered, failed, cancelled: since when. Whoever settles an event writes it. No index: each delivery
-- would pay for it, and retention walks along the primary key.
alter table rowhook.events add column ended_at timestamptz;
