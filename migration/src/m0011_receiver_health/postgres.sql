-- A receiver that never failed and was never switched off has no row. state, reason and since change only when
-- the state does, so that the table can be watched like any other; the rest moves with each failure.
create table rowhook.receiver_health (
    receiver_id     integer primary key,
    receiver_name   text not null,
    state           text not null,          -- HEALTHY, FAILING, PROBING, INACTIVE
    reason          text,                   -- why it came to this state
    since           timestamptz not null,   -- when it came to this state
    failures        integer not null,       -- in a row
    failing_since   timestamptz,            -- the first of them
    last_error      text,                   -- of the last of them
    probe_at        timestamptz,            -- PROBING: when the next request may go
    probe_pause_ms  bigint,                 -- PROBING: the pause before it, without its spread
    revision        bigint not null         -- grows with each change; an older one is not written over a newer
) with (fillfactor = 50);

-- Test deliveries, which have no number, among the ready events of a receiver.
create index events_tests on rowhook.events (receiver_id, id) where state = 0 and sequence is null;
