-- A row under REPEATABLE READ that another transaction committed after the snapshot is not to be seen by
-- any query, but TRUNCATE takes it away. There is one thing that PostgreSQL runs under a newer snapshot
-- there: the action of a foreign key, which must not miss a row. So a request is a row that refers to
-- another; deleting that one makes PostgreSQL delete the request, under a snapshot of this moment, and a
-- function that is STABLE reads under the snapshot of the statement that called it: the trigger below, and
-- with it whatever function the request names. Nothing stays in the table.
create table rowhook.fresh_reads (
    id        bigint generated always as identity primary key,
    under     bigint references rowhook.fresh_reads on delete cascade,
    reader    name,                     -- a function of schema rowhook: reader(relation, trigger)
    relation  oid,
    trigger   name
);

create function rowhook.read_fresh() returns trigger language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
    execute format('select rowhook.%I($1, $2)', old.reader) using old.relation, old.trigger;
    return old;
end
$$;
revoke all on function rowhook.read_fresh() from public;
create trigger read_fresh before delete on rowhook.fresh_reads for each row
    when (old.under is not null) execute function rowhook.read_fresh();
-- Where sessions are replicas too.
alter table rowhook.fresh_reads enable always trigger read_fresh;

-- Writes a DELETE into the log. It is VOLATILE, so that a function that only reads can have it written; whoever
-- calls it needs the right to write the log.
create function rowhook.write_deletion(_resource integer, _row text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    insert into rowhook.logged_actions (resource_id, action, row_data) values (_resource, 3, _row);
end
$$;
