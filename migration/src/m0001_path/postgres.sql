-- Room 0 --------------------------------------------------------------------------------------

-- One row per version of a watched table's description. A version never changes: a log row means what
-- its version says, whatever the configuration says by now.
create table rowhook.resources (
    id          integer generated always as identity primary key,
    name        text not null,
    definition  text not null,
    created_at  timestamptz not null default now(),
    retired_at  timestamptz
);
create unique index resources_in_force on rowhook.resources (name) where retired_at is null;

-- The log that the audit triggers write. Ids come from a sequence without cache: for one row the later
-- transaction's trigger runs after the earlier one's commit (the row lock sees to it), so within a
-- window ascending ids are commit order of each row.
create table rowhook.logged_actions (
    id           bigint generated always as identity primary key,
    xid          xid8 not null default pg_current_xact_id(),
    logged_at    timestamptz not null default clock_timestamp(),
    resource_id  integer not null,
    action       smallint not null,       -- 1 create, 2 update, 3 delete
    row_data     text not null,           -- JSON: the values of the version's columns in table order, or an
                                          -- object while the table has others; on delete the old row
    old_values   text                     -- update: the old values of the changed columns
);
create index logged_actions_window on rowhook.logged_actions (xid);

-- Room 1 --------------------------------------------------------------------------------------

-- One row. Whoever polls swaps the epoch; a page is committed only under the epoch it was read under.
create table rowhook.capture_cursor (
    id                 smallint primary key default 1 check (id = 1),
    epoch              bigint not null default 0,
    watermark          text not null,     -- everything visible in this snapshot is fanned out
    window_to          text,              -- a window too large for one page: the snapshot it ends with,
    window_after       bigint,            -- the id up to which it is fanned out,
    window_last        bigint,            -- and the highest id in it
    system_identifier  bigint not null,   -- the cluster and timeline that the snapshots belong to
    timeline           integer not null,
    updated_at         timestamptz not null default now()
);
insert into rowhook.capture_cursor (watermark, system_identifier, timeline)
select pg_current_snapshot()::text, system_identifier,
       (select timeline_id from pg_control_checkpoint())
from pg_control_system();

-- Receivers and subscriptions -------------------------------------------------------------------

create table rowhook.receivers (
    id                      integer generated always as identity primary key,
    name                    text not null,
    description             text,
    webhook_uri             text not null,
    shared_secret           text not null,          -- sealed
    previous_secret         text,                   -- sealed; signs too until previous_secret_until
    previous_secret_until   timestamptz,
    content_type            text not null,
    expected_response_code  smallint not null,
    active                  boolean not null,
    inactive_reason         text,
    rate_per_second         double precision,
    rate_burst              integer,
    max_in_flight           integer,
    timeout_ms              bigint,
    retry_max_attempts      integer,
    retry_initial_delay_ms  bigint,
    retry_multiplier        double precision,
    retry_max_delay_ms      bigint,
    ordering                text not null,
    created_by_id           integer,
    created_by_name         text not null,
    updated_by_id           integer,
    updated_by_name         text not null,
    created_at              timestamptz not null,
    updated_at              timestamptz not null,
    etag                    text not null,
    deleted_at              timestamptz             -- its events and their log stay
);

create table rowhook.headers (
    id               integer generated always as identity primary key,
    receiver_id      integer not null references rowhook.receivers,
    key              text not null,
    value            text not null,                 -- sealed
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    etag             text not null,
    unique (receiver_id, key)
);

create table rowhook.subscriptions (
    id               integer generated always as identity primary key,
    receiver_id      integer not null references rowhook.receivers,
    resource         text not null,
    action           text not null,
    active           boolean not null,
    changed_fields   text,                          -- JSON array of column names
    filter           text,                          -- CEL
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    etag             text not null,
    deleted_at       timestamptz
);
create index subscriptions_by_receiver on rowhook.subscriptions (receiver_id);

-- When each subscription was active, and with what setting. The mutations write it, fan-out reads it.
create table rowhook.activity_intervals (
    id               bigint generated always as identity primary key,
    subscription_id  integer not null references rowhook.subscriptions,
    receiver_id      integer not null,
    resource         text not null,
    action           text not null,
    changed_fields   text,
    filter           text,
    opened_at        text not null,                 -- snapshot: what it sees is out
    closed_at        text                           -- snapshot: only what it sees is in
);
create unique index activity_intervals_open on rowhook.activity_intervals (subscription_id)
    where closed_at is null;
create index activity_intervals_by_resource on rowhook.activity_intervals (resource, action);

-- Room 2 --------------------------------------------------------------------------------------

-- The last sequence number given for each subscription; only fan-out writes it.
create table rowhook.subscription_sequences (
    subscription_id  integer primary key,
    last_sequence    bigint not null
) with (fillfactor = 50);

create table rowhook.events (
    id               bigint generated always as identity primary key,
    subscription_id  integer not null,
    receiver_id      integer not null,
    sequence         bigint,                        -- none for a test delivery
    change_id        bigint,                        -- none for a test delivery
    replay_id        bigint not null default 0,     -- 0: live
    resource_id      integer not null,
    action           smallint not null,
    transaction_id   bigint not null,
    occurred_at      timestamptz not null,
    created_at       timestamptz not null,
    row_id           text not null,                 -- data.id
    row_hash         bigint not null,
    previous_hash    bigint,                        -- the row of the old key, when the key changed
    payload          text,                          -- data of a test delivery
    state            smallint not null default 0,   -- 0 ready 1 waiting 2 parked 3 delivered 4 failed 5 cancelled
    due_at           timestamptz,                   -- waiting: when the next attempt is due
    redelivery       integer not null default 0,
    attempt_count    integer not null default 0,
    budget_used      integer not null default 0,
    attempted_at     timestamptz,                   -- the latest attempt; earlier ones are in attempts
    duration_ms      integer,
    response_status  smallint,
    response_headers text,
    response_data    text,
    error            text
) with (fillfactor = 80);
create unique index events_once on rowhook.events (change_id, subscription_id, replay_id);
create unique index events_by_sequence on rowhook.events (subscription_id, sequence);
-- The queues. Each holds owed events only, so they stay small however long the log grows.
create index events_ready on rowhook.events (receiver_id, id) where state = 0;
create index events_waiting on rowhook.events (receiver_id, due_at) where state = 1;
create index events_blocking on rowhook.events (receiver_id, row_hash, id) where state in (1, 2);
create index events_blocking_previous on rowhook.events (receiver_id, previous_hash, id)
    where state in (1, 2) and previous_hash is not null;

-- Rooms 3 and 4 --------------------------------------------------------------------------------

create table rowhook.attempts (
    event_id         bigint not null,
    number           integer not null,
    attempted_at     timestamptz not null,
    duration_ms      integer not null,
    response_status  smallint,
    response_headers text,
    response_data    text,
    error            text,
    primary key (event_id, number)
);

-- Who does what: the poller, and the sender of each receiver, run in one instance at a time.
create table rowhook.leases (
    kind              text not null,                -- poller, receiver
    subject           bigint not null,              -- 0, the receiver's id
    holder            text not null,
    expires_at        timestamptz not null,
    throttle_full_at  timestamptz,                  -- released: when the receiver's bucket is full again
    primary key (kind, subject)
);

-- Who may call ----------------------------------------------------------------------------------

create table rowhook.api_keys (
    id            integer generated always as identity primary key,
    name          text not null,
    role          text not null,
    prefix        text not null,                    -- the first letters, to recognise it by
    key_hash      text not null unique,             -- SHA-256 of the key, which has 256 random bits
    created_at    timestamptz not null,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
