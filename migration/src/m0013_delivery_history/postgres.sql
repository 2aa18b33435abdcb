-- What delivery_counts held once it was over, in coarser stretches, for charts. Nothing is written here as
-- deliveries are recorded: once in 15 s the counts that no figure is made from any more are moved. Receiver 0 is all
-- receivers together.
create table rowhook.delivery_history (
    seconds      smallint not null,     -- how long a stretch is: 60 or 600
    slot         bigint not null,       -- stretches of that length since 1970
    receiver_id  integer not null,
    kind         smallint not null,     -- as in delivery_counts
    n            bigint not null,
    primary key (seconds, slot, receiver_id, kind)
);
