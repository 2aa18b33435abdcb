-- Room 0 --------------------------------------------------------------------------------------

-- One row per version of a watched table's description. A version never changes: a log row means what
-- its version says, whatever the configuration says by now.
create table rowhook_resources (
    id          integer primary key autoincrement,
    name        text not null,
    definition  text not null,
    created_at  text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    retired_at  text
);
create unique index rowhook_resources_in_force on rowhook_resources (name) where retired_at is null;

-- The log that the audit triggers write. Writers are serialised, so ascending ids are commit order, and
-- AUTOINCREMENT never gives an id twice.
create table rowhook_logged_actions (
    id           integer primary key autoincrement,
    logged_at    text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    resource_id  integer not null,
    action       integer not null,       -- 1 create, 2 update, 3 delete
    row_data     text not null,           -- JSON object, columns in table order; on delete the old row
    old_values   text                     -- update: the old values of the changed columns
);

-- Room 1 --------------------------------------------------------------------------------------

-- One row. Whoever polls swaps the epoch; a page is committed only under the epoch it was read under.
create table rowhook_capture_cursor (
    id              integer primary key default 1 check (id = 1),
    epoch           integer not null default 0,
    watermark       text not null,        -- every change up to this id is fanned out
    window_to       text,                 -- a window too large for one page: the id it ends with,
    window_after    integer,              -- and the id up to which it is fanned out
    window_last     integer,
    transaction_id  integer not null default 0, -- the number of the newest window: all its changes share it
    updated_at      text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);
insert into rowhook_capture_cursor (watermark) values ('0');

-- Receivers and subscriptions -------------------------------------------------------------------

create table rowhook_receivers (
    id                      integer primary key autoincrement,
    name                    text not null,
    description             text,
    webhook_uri             text not null,
    shared_secret           text not null,          -- sealed
    previous_secret         text,                   -- sealed; signs too until previous_secret_until
    previous_secret_until   text,
    content_type            text not null,
    expected_response_code  integer not null,
    active                  integer not null,
    inactive_reason         text,
    rate_per_second         real,
    rate_burst              integer,
    max_in_flight           integer,
    timeout_ms              integer,
    retry_max_attempts      integer,
    retry_initial_delay_ms  integer,
    retry_multiplier        real,
    retry_max_delay_ms      integer,
    ordering                text not null,
    created_by_id           integer,
    created_by_name         text not null,
    updated_by_id           integer,
    updated_by_name         text not null,
    created_at              text not null,
    updated_at              text not null,
    etag                    text not null,
    deleted_at              text             -- its events and their log stay
);

create table rowhook_headers (
    id               integer primary key autoincrement,
    receiver_id      integer not null references rowhook_receivers,
    key              text not null,
    value            text not null,                 -- sealed
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       text not null,
    updated_at       text not null,
    etag             text not null,
    unique (receiver_id, key)
);

create table rowhook_subscriptions (
    id               integer primary key autoincrement,
    receiver_id      integer not null references rowhook_receivers,
    resource         text not null,
    action           text not null,
    active           integer not null,
    changed_fields   text,                          -- JSON array of column names
    filter           text,                          -- CEL
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       text not null,
    updated_at       text not null,
    etag             text not null,
    deleted_at       text
);
create index rowhook_subscriptions_by_receiver on rowhook_subscriptions (receiver_id);

-- When each subscription was active, and with what setting. The mutations write it, fan-out reads it.
create table rowhook_activity_intervals (
    id               integer primary key autoincrement,
    subscription_id  integer not null references rowhook_subscriptions,
    receiver_id      integer not null,
    resource         text not null,
    action           text not null,
    changed_fields   text,
    filter           text,
    opened_at        text not null,                 -- change id: up to it is out
    closed_at        text                           -- change id: only up to it is in
);
create unique index rowhook_activity_intervals_open on rowhook_activity_intervals (subscription_id)
    where closed_at is null;
create index rowhook_activity_intervals_by_resource on rowhook_activity_intervals (resource, action);

-- Room 2 --------------------------------------------------------------------------------------

-- The last sequence number given for each subscription; only fan-out writes it.
create table rowhook_subscription_sequences (
    subscription_id  integer primary key,
    last_sequence    integer not null
);

create table rowhook_events (
    id               integer primary key autoincrement,
    subscription_id  integer not null,
    receiver_id      integer not null,
    sequence         integer,                        -- none for a test delivery
    change_id        integer,                        -- none for a test delivery
    replay_id        integer not null default 0,     -- 0: live
    resource_id      integer not null,
    action           integer not null,
    transaction_id   integer not null,
    occurred_at      text not null,
    created_at       text not null,
    row_id           text not null,                 -- data.id
    row_hash         integer not null,
    previous_hash    integer,                        -- the row of the old key, when the key changed
    payload          text,                          -- data of a test delivery
    state            integer not null default 0,   -- 0 ready 1 waiting 2 parked 3 delivered 4 failed 5 cancelled
    due_at           text,                   -- waiting: when the next attempt is due
    redelivery       integer not null default 0,
    attempt_count    integer not null default 0,
    budget_used      integer not null default 0,
    attempted_at     text,                   -- the latest attempt; earlier ones are in attempts
    duration_ms      integer,
    response_status  integer,
    response_headers text,
    response_data    text,
    error            text
);
create unique index rowhook_events_once on rowhook_events (change_id, subscription_id, replay_id);
create unique index rowhook_events_by_sequence on rowhook_events (subscription_id, sequence);
-- The queues. Each holds owed events only, so they stay small however long the log grows.
create index rowhook_events_ready on rowhook_events (receiver_id, id) where state = 0;
create index rowhook_events_waiting on rowhook_events (receiver_id, due_at) where state = 1;
create index rowhook_events_blocking on rowhook_events (receiver_id, row_hash, id) where state in (1, 2);
create index rowhook_events_blocking_previous on rowhook_events (receiver_id, previous_hash, id)
    where state in (1, 2) and previous_hash is not null;

-- Rooms 3 and 4 --------------------------------------------------------------------------------

create table rowhook_attempts (
    event_id         integer not null,
    number           integer not null,
    attempted_at     text not null,
    duration_ms      integer not null,
    response_status  integer,
    response_headers text,
    response_data    text,
    error            text,
    primary key (event_id, number)
);

-- Who does what: the poller, and the sender of each receiver, run in one instance at a time.
create table rowhook_leases (
    kind              text not null,                -- poller, receiver
    subject           integer not null,              -- 0, the receiver's id
    holder            text not null,
    expires_at        text not null,
    throttle_full_at  text,                  -- released: when the receiver's bucket is full again
    primary key (kind, subject)
);

-- Who may call ----------------------------------------------------------------------------------

create table rowhook_api_keys (
    id            integer primary key autoincrement,
    name          text not null,
    role          text not null,
    prefix        text not null,                    -- the first letters, to recognise it by
    key_hash      text not null unique,             -- SHA-256 of the key, which has 256 random bits
    created_at    text not null,
    last_used_at  text,
    revoked_at    text
);
