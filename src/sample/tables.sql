create table if not exists {schema}procedures (
    id           {id},
    title        text not null,
    version      integer not null default 1,
    status       text not null default 'draft',
    updated_at   {time} not null default {now}
);
create table if not exists {schema}parts (
    id           {id},
    part_number  text not null,
    revision     text not null default 'A',
    description  text,
    unit_cost    numeric(12, 4),
    attributes   {json},
    updated_at   {time} not null default {now}
);
create table if not exists {schema}part_inventories (
    id            {id},
    part_id       integer not null references {schema}parts (id),
    lot_number    text not null,
    quantity      numeric(14, 3) not null default 0,
    location      text,
    quarantined   boolean not null default false,
    updated_at    {time} not null default {now}
);
create table if not exists {schema}runs (
    id            {id},
    title         text not null,
    procedure_id  integer not null references {schema}procedures (id),
    part_id       integer references {schema}parts (id),
    status        text not null default 'todo',
    quantity      integer not null default 1,
    started_at    {time},
    completed_at  {time},
    _etag         text not null
);
create table if not exists {schema}run_steps (
    id            {id},
    run_id        integer not null references {schema}runs (id) on delete cascade,
    position      integer not null,
    title         text not null,
    status        text not null default 'todo',
    measurement   double precision,
    completed_at  {time},
    _etag         text not null
);
create table if not exists {schema}issues (
    id            {id},
    run_step_id   integer references {schema}run_steps (id) on delete set null,
    title         text not null,
    severity      text not null default 'minor',
    status        text not null default 'open',
    resolution    text,
    updated_at    {time} not null default {now}
);
create table if not exists {schema}purchase_orders (
    id            {id},
    number        text not null,
    supplier      text not null,
    status        text not null default 'draft',
    total         numeric(14, 2) not null default 0,
    due_on        date,
    updated_at    {time} not null default {now}
);
create table if not exists {schema}file_attachments (
    id            {id},
    run_id        integer references {schema}runs (id) on delete cascade,
    filename      text not null,
    content_type  text not null,
    bytes         integer not null,
    updated_at    {time} not null default {now}
);
