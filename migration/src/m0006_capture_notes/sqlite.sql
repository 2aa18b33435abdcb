-- The last look at each watched table: one row for each resource, written about once a minute.
create table rowhook_table_notes (
    resource   text primary key,
    looked_at  text not null,
    note       text,                    -- what was last found and done, in words; null: nothing ever was
    noted_at   text
) without rowid;

-- The last comparison of changes with events: one row.
create table rowhook_reconciliations (
    id           integer primary key check (id = 1),
    ran_at       text not null,
    changes      integer not null,      -- compared
    owed         integer not null,      -- events that they were owed
    found        integer not null,      -- events that there were of them
    events       integer not null,      -- whose records were looked at
    differences  integer not null,
    examples     text not null          -- JSON: the first differences in words
);

-- Which excluded column stood where, so that one that is renamed stays excluded: JSON of the names by place. Null
-- where nothing is excluded, and for versions from before.
alter table rowhook_resources add column excluded_at text;
