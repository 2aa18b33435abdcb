-- Attempts of the last minutes, counted as their outcomes are written: statistics are read from here, however
-- long the log of events is. A batch of outcomes costs a row for each receiver, slot and kind in it, and what is
-- over is dropped soon, so the table stays small and each row is updated in its page.
create table rowhook.delivery_counts (
    slot         bigint not null,       -- stretches of 15 s since 1970
    receiver_id  integer not null,
    kind         smallint not null,     -- -1 failed, -2 delivered, from 0 delivered within 2^(kind/4) ms
    n            bigint not null,
    primary key (slot, receiver_id, kind)
) with (fillfactor = 50);
