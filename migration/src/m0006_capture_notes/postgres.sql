-- The last look at each watched table: one row for each resource, written about once a minute, in its page.
create table rowhook.table_notes (
    resource   text primary key,
    looked_at  timestamptz not null,
    note       text,                    -- what was last found and done, in words; null: nothing ever was
    noted_at   timestamptz
) with (fillfactor = 50);

-- The last comparison of changes with events: one row.
create table rowhook.reconciliations (
    id           smallint primary key check (id = 1),
    ran_at       timestamptz not null,
    changes      bigint not null,       -- compared
    owed         bigint not null,       -- events that they were owed
    found        bigint not null,       -- events that there were of them
    events       bigint not null,       -- whose records were looked at
    differences  bigint not null,
    examples     text not null          -- JSON: the first differences in words
);

-- Which excluded column stood where, so that one that is renamed stays excluded: JSON of the table's oid and the
-- names by attribute number. Null where nothing is excluded, and for versions from before.
alter table rowhook.resources add column excluded_at text;
