-- A receiver that never failed and was never switched off has no row. state, reason and since change only when
-- the state does, so that the table can be watched like any other; the rest moves with each failure.
create table rowhook_receiver_health (
    receiver_id     integer primary key,
    receiver_name   text not null,
    state           text not null,          -- HEALTHY, FAILING, PROBING, INACTIVE
    reason          text,                   -- why it came to this state
    since           text not null,          -- when it came to this state
    failures        integer not null,       -- in a row
    failing_since   text,                   -- the first of them
    last_error      text,                   -- of the last of them
    probe_at        text,                   -- PROBING: when the next request may go
    probe_pause_ms  integer,                -- PROBING: the pause before it, without its spread
    revision        integer not null        -- grows with each change; an older one is not written over a newer
);

-- Test deliveries, which have no number, among the ready events of a receiver.
create index rowhook_events_tests on rowhook_events (receiver_id, id) where state = 0 and sequence is null;
