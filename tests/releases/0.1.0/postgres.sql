--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: rowhook; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA rowhook;


--
-- Name: events_dropped(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.events_dropped() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    delete from rowhook.undelivered u using o where u.event_id = o.id and o.state <> 3;
    return null;
end
$$;


--
-- Name: events_made(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.events_made() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into rowhook.undelivered
        select n.id, n.receiver_id, n.state, case when n.sequence is null then 1 else 0 end, n.due_at, n.row_hash,
               n.previous_hash
        from n where n.state <> 3;
    return null;
end
$$;


--
-- Name: events_moved(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.events_moved() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
begin
    delete from rowhook.undelivered u using n where u.event_id = n.id and n.state = 3;
    insert into rowhook.undelivered as u
        select n.id, n.receiver_id, n.state, case when n.sequence is null then 1 else 0 end, n.due_at, n.row_hash,
               n.previous_hash
        from n where n.state <> 3
        on conflict (event_id) do update set state = excluded.state, due_at = excluded.due_at
        where u.state <> excluded.state or u.due_at is distinct from excluded.due_at;
    return null;
end
$$;


--
-- Name: log_item(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.log_item() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    _row text;
    _old text;
begin
    if tg_relid <> all ('{416779}'::oid[]) then
        if to_regclass('"public"."items"') is distinct from tg_relid::regclass and not exists (
            select from pg_partition_ancestors(tg_relid) as a
            where a.relid in (416779::oid, to_regclass('"public"."items"')::oid)
        ) then
            raise exception 'this function of rowhook logs the changes of % and of no other table', '"public"."items"'
                using hint = 'Drop the trigger ' || quote_ident(tg_name) || ' on ' || tg_relid::regclass
                    || '; rowhook resources install puts triggers where they belong.';
        end if;
    end if;
    if tg_op = 'UPDATE' then
        begin
            _old := '';
            if old."id" is distinct from new."id" then
                _old := concat(_old, ',"id":', coalesce(to_json(old."id"), 'null'));
            end if;
            if old."n" is distinct from new."n" then
                _old := concat(_old, ',"n":', coalesce(to_json(old."n"), 'null'));
            end if;
            if old."note" collate "C" is distinct from new."note" collate "C" then
                _old := concat(_old, ',"note":', coalesce(to_json(old."note"), 'null'));
            end if;
            if _old = '' then
                return null;
            end if;
            _row := json_build_array(new."id", new."n", new."note");
        exception when others then
            _old := (select coalesce(string_agg(concat(',', to_json(o.key), ':', o.value), '' order by o.n), '')
                from json_each(regexp_replace(row_to_json(old)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as o(key, value, n)
                join json_each(regexp_replace(row_to_json(new)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) as w(key, value) on w.key = o.key
                where o.value::text <> w.value::text and o.key = any (array['id', 'n', 'note']::text[]));
            if _old = '' then
                return null;
            end if;
            _row := (select concat('{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}')
                from json_each(regexp_replace(row_to_json(new)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as r(key, value, n)
                where r.key = any (array['id', 'n', 'note']::text[]));
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data, old_values)
        values (1, 2, _row, '{' || substr(_old, 2) || '}');
    elsif tg_op = 'INSERT' then
        begin
            _row := json_build_array(new."id", new."n", new."note");
        exception when others then
            _row := (select concat('{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}')
                from json_each(regexp_replace(row_to_json(new)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as r(key, value, n)
                where r.key = any (array['id', 'n', 'note']::text[]));
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values (1, 1, _row);
    else
        begin
            _row := json_build_array(old."id", old."n", old."note");
        exception when others then
            _row := (select concat('{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}')
                from json_each(regexp_replace(row_to_json(old)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as r(key, value, n)
                where r.key = any (array['id', 'n', 'note']::text[]));
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values (1, 3, _row);
    end if;
    return null;
end
$$;


--
-- Name: present_item(oid, name); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.present_item(oid, name) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
#variable_conflict use_column
declare
    _table regclass;
    _row text;
begin
    if $1 <> all ('{416779}'::oid[]) then
        if to_regclass('"public"."items"') is distinct from $1::regclass and not exists (
            select from pg_partition_ancestors($1) as a
            where a.relid in (416779::oid, to_regclass('"public"."items"')::oid)
        ) then
            raise exception 'this function of rowhook logs the changes of % and of no other table', '"public"."items"'
                using hint = 'Only the triggers on TRUNCATE ask it.';
        end if;
    end if;
    for _table in
        select c.oid::regclass from pg_class as c where c.oid = $1 and c.relkind = 'r'
        union all
        select p.relid from pg_partition_tree($1) as p
        where p.isleaf and p.relid <> $1 and not exists (
            select from pg_trigger as t
            where t.tgrelid = p.relid and t.tgname = $2 and t.tgenabled <> 'D'
        )
    loop
        begin
            for _row in execute $rowhook$select json_build_array(t."id", t."n", t."note") as row from only $rowhook$ || _table || ' as t' loop
                perform rowhook.write_deletion(1, _row);
            end loop;
        exception when others then
            for _row in execute $rowhook$select (select concat('{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}')
                from json_each(regexp_replace(row_to_json(t.*)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as r(key, value, n)
                where r.key = any (array['id', 'n', 'note']::text[])) as row from only $rowhook$ || _table || ' as t' loop
                perform rowhook.write_deletion(1, _row);
            end loop;
        end;
    end loop;
end
$_$;


--
-- Name: read_fresh(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.read_fresh() RETURNS trigger
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
    execute format('select rowhook.%I($1, $2)', old.reader) using old.relation, old.trigger;
    return old;
end
$_$;


--
-- Name: truncate_item(); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.truncate_item() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
#variable_conflict use_column
declare
    _table regclass;
    _read bigint;
begin
    if tg_relid <> all ('{416779}'::oid[]) then
        if to_regclass('"public"."items"') is distinct from tg_relid::regclass and not exists (
            select from pg_partition_ancestors(tg_relid) as a
            where a.relid in (416779::oid, to_regclass('"public"."items"')::oid)
        ) then
            raise exception 'this function of rowhook logs the changes of % and of no other table', '"public"."items"'
                using hint = 'Drop the trigger ' || quote_ident(tg_name) || ' on ' || tg_relid::regclass
                    || '; rowhook resources install puts triggers where they belong.';
        end if;
    end if;
    if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
        insert into rowhook.fresh_reads default values returning id into _read;
        insert into rowhook.fresh_reads (under, reader, relation, trigger)
        values (_read, 'present_item', tg_relid, tg_name);
        delete from rowhook.fresh_reads where id = _read;
        if exists (select from rowhook.fresh_reads as f where f.under = _read) then
            raise exception 'rowhook can not log TRUNCATE of % in this session: foreign keys do not act in it', tg_relid::regclass
                using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Where session_replication_role is replica, TRUNCATE in a transaction that is READ COMMITTED.';
        end if;
        return null;
    end if;
    for _table in
        select c.oid::regclass from pg_class as c where c.oid = tg_relid and c.relkind = 'r'
        union all
        select p.relid from pg_partition_tree(tg_relid) as p
        where p.isleaf and p.relid <> tg_relid and not exists (
            select from pg_trigger as t
            where t.tgrelid = p.relid and t.tgname = tg_name and t.tgenabled <> 'D'
        )
    loop
        begin
            execute $rowhook$insert into rowhook.logged_actions (resource_id, action, row_data) select 1, 3, json_build_array(t."id", t."n", t."note") from only $rowhook$ || _table || ' as t';
        exception when others then
            execute $rowhook$insert into rowhook.logged_actions (resource_id, action, row_data) select 1, 3, (select concat('{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}')
                from json_each(regexp_replace(row_to_json(t.*)::text, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', E'\\1\\\\ufffd', 'g')::json) with ordinality as r(key, value, n)
                where r.key = any (array['id', 'n', 'note']::text[])) from only $rowhook$ || _table || ' as t';
        end;
    end loop;
    return null;
end
$_$;


--
-- Name: write_deletion(integer, text); Type: FUNCTION; Schema: rowhook; Owner: -
--

CREATE FUNCTION rowhook.write_deletion(_resource integer, _row text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into rowhook.logged_actions (resource_id, action, row_data) values (_resource, 3, _row);
end
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: gone; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.gone (
    id bigint NOT NULL,
    n bigint NOT NULL
);


--
-- Name: items; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.items (
    id bigint NOT NULL,
    n bigint NOT NULL,
    note text
);


--
-- Name: activity_intervals; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.activity_intervals (
    id bigint NOT NULL,
    subscription_id integer NOT NULL,
    receiver_id integer NOT NULL,
    resource text NOT NULL,
    action text NOT NULL,
    changed_fields text,
    filter text,
    opened_at text NOT NULL,
    closed_at text
);


--
-- Name: activity_intervals_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.activity_intervals ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.activity_intervals_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: api_keys; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.api_keys (
    id integer NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    prefix text NOT NULL,
    key_hash text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);


--
-- Name: api_keys_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.api_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.api_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: attempts; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.attempts (
    event_id bigint NOT NULL,
    number integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    response_status smallint,
    response_headers text,
    response_data text,
    error text
);


--
-- Name: capture_cursor; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.capture_cursor (
    id smallint DEFAULT 1 NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    watermark text NOT NULL,
    window_to text,
    window_after bigint,
    window_last bigint,
    system_identifier bigint NOT NULL,
    timeline integer NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    restored_ids bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT capture_cursor_id_check CHECK ((id = 1))
);


--
-- Name: delivery_counts; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.delivery_counts (
    slot bigint NOT NULL,
    receiver_id integer NOT NULL,
    kind smallint NOT NULL,
    n bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: delivery_history; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.delivery_history (
    seconds smallint NOT NULL,
    slot bigint NOT NULL,
    receiver_id integer NOT NULL,
    kind smallint NOT NULL,
    n bigint NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.events (
    id bigint NOT NULL,
    subscription_id integer NOT NULL,
    receiver_id integer NOT NULL,
    sequence bigint,
    change_id bigint,
    replay_id bigint DEFAULT 0 NOT NULL,
    resource_id integer NOT NULL,
    action smallint NOT NULL,
    transaction_id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    row_id text NOT NULL,
    row_hash bigint NOT NULL,
    previous_hash bigint,
    payload text,
    state smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    redelivery integer DEFAULT 0 NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    budget_used integer DEFAULT 0 NOT NULL,
    attempted_at timestamp with time zone,
    duration_ms integer,
    response_status smallint,
    response_headers text,
    response_data text,
    error text,
    ended_at timestamp with time zone
)
WITH (fillfactor='25');


--
-- Name: events_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: fresh_reads; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.fresh_reads (
    id bigint NOT NULL,
    under bigint,
    reader name,
    relation oid,
    trigger name
);


--
-- Name: fresh_reads_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.fresh_reads ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.fresh_reads_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: headers; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.headers (
    id integer NOT NULL,
    receiver_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    created_by_id integer,
    created_by_name text NOT NULL,
    updated_by_id integer,
    updated_by_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    etag text NOT NULL
);


--
-- Name: headers_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.headers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.headers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: leases; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.leases (
    kind text NOT NULL,
    subject bigint NOT NULL,
    holder text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    throttle_full_at timestamp with time zone,
    unparked bigint DEFAULT 0 NOT NULL
);


--
-- Name: logged_actions; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.logged_actions (
    id bigint NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    logged_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    resource_id integer NOT NULL,
    action smallint NOT NULL,
    row_data text NOT NULL,
    old_values text
);


--
-- Name: logged_actions_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.logged_actions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.logged_actions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: receiver_health; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.receiver_health (
    receiver_id integer NOT NULL,
    receiver_name text NOT NULL,
    state text NOT NULL,
    reason text,
    since timestamp with time zone NOT NULL,
    failures integer NOT NULL,
    failing_since timestamp with time zone,
    last_error text,
    probe_at timestamp with time zone,
    probe_pause_ms bigint,
    revision bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: receivers; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.receivers (
    id integer NOT NULL,
    name text NOT NULL,
    description text,
    webhook_uri text NOT NULL,
    shared_secret text NOT NULL,
    previous_secret text,
    previous_secret_until timestamp with time zone,
    content_type text NOT NULL,
    expected_response_code smallint NOT NULL,
    active boolean NOT NULL,
    inactive_reason text,
    rate_per_second double precision,
    rate_burst integer,
    max_in_flight integer,
    timeout_ms bigint,
    retry_max_attempts integer,
    retry_initial_delay_ms bigint,
    retry_multiplier double precision,
    retry_max_delay_ms bigint,
    ordering text NOT NULL,
    created_by_id integer,
    created_by_name text NOT NULL,
    updated_by_id integer,
    updated_by_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    etag text NOT NULL,
    deleted_at timestamp with time zone,
    client_certificate text,
    client_key text,
    CONSTRAINT client_certificate_and_key CHECK (((client_certificate IS NULL) = (client_key IS NULL)))
);


--
-- Name: receivers_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.receivers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.receivers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: reconciliations; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.reconciliations (
    id smallint NOT NULL,
    ran_at timestamp with time zone NOT NULL,
    changes bigint NOT NULL,
    owed bigint NOT NULL,
    found bigint NOT NULL,
    events bigint NOT NULL,
    differences bigint NOT NULL,
    examples text NOT NULL,
    CONSTRAINT reconciliations_id_check CHECK ((id = 1))
);


--
-- Name: resources; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.resources (
    id integer NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone,
    excluded_at text
);


--
-- Name: resources_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.resources ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.resources_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: rowhook_migrations; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.rowhook_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);


--
-- Name: subscription_sequences; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.subscription_sequences (
    subscription_id integer NOT NULL,
    last_sequence bigint NOT NULL
)
WITH (fillfactor='50');


--
-- Name: subscriptions; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.subscriptions (
    id integer NOT NULL,
    receiver_id integer NOT NULL,
    resource text NOT NULL,
    action text NOT NULL,
    active boolean NOT NULL,
    changed_fields text,
    filter text,
    created_by_id integer,
    created_by_name text NOT NULL,
    updated_by_id integer,
    updated_by_name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    etag text NOT NULL,
    deleted_at timestamp with time zone
);


--
-- Name: subscriptions_id_seq; Type: SEQUENCE; Schema: rowhook; Owner: -
--

ALTER TABLE rowhook.subscriptions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rowhook.subscriptions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: table_notes; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.table_notes (
    resource text NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    note text,
    noted_at timestamp with time zone
)
WITH (fillfactor='50');


--
-- Name: undelivered; Type: TABLE; Schema: rowhook; Owner: -
--

CREATE TABLE rowhook.undelivered (
    event_id bigint NOT NULL,
    receiver_id integer NOT NULL,
    state smallint NOT NULL,
    is_test smallint NOT NULL,
    due_at timestamp with time zone,
    row_hash bigint NOT NULL,
    previous_hash bigint
);


--
-- Data for Name: gone; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.gone (id, n) FROM stdin;
\.


--
-- Data for Name: items; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.items (id, n, note) FROM stdin;
1	2	eins
2	2	zwei ä "quoted" \\ 東京
3	2	\N
4	2	only the note
101	2	late
\.


--
-- Data for Name: activity_intervals; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.activity_intervals (id, subscription_id, receiver_id, resource, action, changed_fields, filter, opened_at, closed_at) FROM stdin;
1	1	1	ITEM	CREATE	\N	\N	248260:248260:	\N
2	2	1	ITEM	UPDATE	\N	\N	248261:248261:	\N
3	3	1	ITEM	DELETE	\N	\N	248262:248262:	\N
4	4	2	ITEM	CREATE	\N	new.id > 3	248264:248264:	\N
5	5	2	ITEM	UPDATE	["n"]	new.n > 1	248266:248266:	\N
6	6	3	ITEM	CREATE	\N	\N	248268:248268:	\N
7	7	4	ITEM	DELETE	\N	\N	248270:248270:	\N
8	8	5	ITEM	CREATE	\N	\N	248272:248272:	\N
9	9	5	ITEM	UPDATE	\N	\N	248273:248273:	\N
10	10	6	ITEM	CREATE	\N	\N	248275:248275:	248321:248321:
11	11	7	ITEM	CREATE	\N	\N	248277:248277:	248322:248322:
\.


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.api_keys (id, name, role, prefix, key_hash, created_at, last_used_at, revoked_at) FROM stdin;
1	admin	admin	rhk_Lv-TW-Hh	bd5c1407ef4418aefa0c8facecdb05fd574d788ea5c7e1251e83282270cb7dd9	2026-11-23 01:18:27.268245+00	\N	\N
2	operator	operator	rhk_j3yBQwzB	fe75aa6c8e2323fe0917a209d123b9f82b561a470e26e037fb6b748295d7591e	2026-11-23 01:18:27.27234+00	\N	\N
3	viewer	viewer	rhk_jrpR20rz	a7093de47ac54bb9e2e2438b2254dd0554fd58f7845140990519afb161540bd9	2026-11-23 01:18:27.2762+00	\N	\N
4	revoked	admin	rhk_MuAr5s1C	8430c5daeac7c81de051d30456246f4e033da01890cf64178d4e6af80e53b9db	2026-11-23 01:18:27.279034+00	\N	2026-11-23 01:18:27.287159+00
\.


--
-- Data for Name: attempts; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.attempts (event_id, number, attempted_at, duration_ms, response_status, response_headers, response_data, error) FROM stdin;
56	1	2026-11-23 01:18:27.848427+00	6	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200
\.


--
-- Data for Name: capture_cursor; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.capture_cursor (id, epoch, watermark, window_to, window_after, window_last, system_identifier, timeline, updated_at, restored_ids) FROM stdin;
1	5	248299:248299:	\N	\N	\N	7000000000000000001	1	2026-11-23 01:18:27.571388+00	{}
\.


--
-- Data for Name: delivery_counts; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.delivery_counts (slot, receiver_id, kind, n) FROM stdin;
119693113	2	34	5
119693113	2	36	2
119693113	6	36	5
119693113	7	36	5
119693113	3	-1	5
119693113	1	38	10
119693113	4	-1	2
119693113	1	37	7
119693113	1	26	1
119693113	1	-2	5
\.


--
-- Data for Name: delivery_history; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.delivery_history (seconds, slot, receiver_id, kind, n) FROM stdin;
\.


--
-- Data for Name: events; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.events (id, subscription_id, receiver_id, sequence, change_id, replay_id, resource_id, action, transaction_id, occurred_at, created_at, row_id, row_hash, previous_hash, payload, state, due_at, redelivery, attempt_count, budget_used, attempted_at, duration_ms, response_status, response_headers, response_data, error, ended_at) FROM stdin;
3	8	5	1	1	0	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:27.372528+00	1	-6159897124634639313	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
8	8	5	2	2	0	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:27.372528+00	2	9010042210759125558	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
13	8	5	3	3	0	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:27.372528+00	3	-1915507647266824440	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
4	10	6	1	1	0	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:27.372528+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.64182+00	50	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
5	11	7	1	1	0	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:27.372528+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.656456+00	76	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
9	10	6	2	2	0	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:27.372528+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.642515+00	44	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
10	11	7	2	2	0	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:27.372528+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.674368+00	50	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
14	10	6	3	3	0	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:27.372528+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.647936+00	20	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
1	1	1	1	1	0	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:27.372528+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.801535+00	40	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.863044+00
2	6	3	1	1	0	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:27.372528+00	1	-6159897124634639313	\N	\N	1	2026-11-23 02:09:20.458036+00	0	1	1	2026-11-23 01:18:27.755604+00	24	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	\N
6	1	1	2	2	0	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:27.372528+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.817954+00	24	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.863044+00
11	1	1	3	3	0	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:27.372528+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.822954+00	19	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.863044+00
12	6	3	3	3	0	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:27.372528+00	3	-1915507647266824440	\N	\N	1	2026-11-23 02:28:48.501643+00	0	1	1	2026-11-23 01:18:27.756494+00	24	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	\N
7	6	3	2	2	0	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:27.372528+00	2	9010042210759125558	\N	\N	5	\N	0	1	1	2026-11-23 01:18:27.756288+00	24	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	2026-11-23 01:18:28.467813+00
19	8	5	4	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
25	8	5	5	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
15	11	7	3	3	0	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:27.372528+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.683221+00	50	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
17	4	2	1	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.703367+00	71	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
20	10	6	4	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.671912+00	20	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
21	11	7	4	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.683565+00	49	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
23	4	2	2	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.704001+00	71	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
26	10	6	5	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.672289+00	19	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
27	11	7	5	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.710852+00	69	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
16	1	1	4	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.823554+00	19	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.863044+00
18	6	3	4	4	0	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:27.372528+00	4	2428008442346330660	\N	\N	1	2026-11-23 02:07:01.875867+00	0	1	1	2026-11-23 01:18:27.756628+00	24	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	\N
22	1	1	5	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.847022+00	2	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.863044+00
24	6	3	5	5	0	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:27.372528+00	5	-6737199890230079708	\N	\N	1	2026-11-23 02:10:53.19533+00	0	1	1	2026-11-23 01:18:27.756748+00	34	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	\N
28	2	1	1	6	0	1	2	248286	2026-11-23 01:18:27.340566+00	2026-11-23 01:18:27.468968+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.915279+00	43	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.009571+00
29	9	5	1	6	0	1	2	248286	2026-11-23 01:18:27.340566+00	2026-11-23 01:18:27.468968+00	1	-6159897124634639313	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
31	9	5	2	7	0	1	2	248286	2026-11-23 01:18:27.340758+00	2026-11-23 01:18:27.468968+00	2	9010042210759125558	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
33	9	5	3	8	0	1	2	248286	2026-11-23 01:18:27.340785+00	2026-11-23 01:18:27.468968+00	3	-1915507647266824440	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
35	9	5	4	9	0	1	2	248286	2026-11-23 01:18:27.340805+00	2026-11-23 01:18:27.468968+00	4	2428008442346330660	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
37	9	5	5	10	0	1	2	248286	2026-11-23 01:18:27.340826+00	2026-11-23 01:18:27.468968+00	5	-6737199890230079708	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
40	9	5	6	11	0	1	2	248289	2026-11-23 01:18:27.427279+00	2026-11-23 01:18:27.490655+00	1	-6159897124634639313	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
39	5	2	1	11	0	1	2	248289	2026-11-23 01:18:27.427279+00	2026-11-23 01:18:27.490655+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.704215+00	70	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
42	5	2	2	12	0	1	2	248289	2026-11-23 01:18:27.427446+00	2026-11-23 01:18:27.490655+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.704437+00	70	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
30	2	1	2	7	0	1	2	248286	2026-11-23 01:18:27.340758+00	2026-11-23 01:18:27.468968+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.916266+00	42	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.009571+00
32	2	1	3	8	0	1	2	248286	2026-11-23 01:18:27.340785+00	2026-11-23 01:18:27.468968+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.931707+00	27	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.009571+00
34	2	1	4	9	0	1	2	248286	2026-11-23 01:18:27.340805+00	2026-11-23 01:18:27.468968+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.950436+00	10	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.009571+00
36	2	1	5	10	0	1	2	248286	2026-11-23 01:18:27.340826+00	2026-11-23 01:18:27.468968+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.962964+00	34	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.009571+00
38	2	1	6	11	0	1	2	248289	2026-11-23 01:18:27.427279+00	2026-11-23 01:18:27.490655+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.018939+00	17	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.044166+00
41	2	1	7	12	0	1	2	248289	2026-11-23 01:18:27.427446+00	2026-11-23 01:18:27.490655+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.019702+00	17	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.044166+00
43	9	5	7	12	0	1	2	248289	2026-11-23 01:18:27.427446+00	2026-11-23 01:18:27.490655+00	2	9010042210759125558	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
46	9	5	8	13	0	1	2	248289	2026-11-23 01:18:27.427465+00	2026-11-23 01:18:27.490655+00	3	-1915507647266824440	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
49	9	5	9	14	0	1	2	248289	2026-11-23 01:18:27.427478+00	2026-11-23 01:18:27.490655+00	4	2428008442346330660	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
52	9	5	10	15	0	1	2	248289	2026-11-23 01:18:27.427493+00	2026-11-23 01:18:27.490655+00	5	-6737199890230079708	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
54	9	5	11	16	0	1	2	248290	2026-11-23 01:18:27.467347+00	2026-11-23 01:18:27.490655+00	4	2428008442346330660	\N	\N	0	\N	0	0	0	\N	\N	\N	\N	\N	\N	\N
45	5	2	3	13	0	1	2	248289	2026-11-23 01:18:27.427465+00	2026-11-23 01:18:27.490655+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.704617+00	70	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
48	5	2	4	14	0	1	2	248289	2026-11-23 01:18:27.427478+00	2026-11-23 01:18:27.490655+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.704784+00	70	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
51	5	2	5	15	0	1	2	248289	2026-11-23 01:18:27.427493+00	2026-11-23 01:18:27.490655+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:27.7051+00	70	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:27 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:27.782789+00
55	3	1	1	17	0	1	3	248298	2026-11-23 01:18:27.540778+00	2026-11-23 01:18:27.582343+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.051654+00	47	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.112372+00
44	2	1	8	13	0	1	2	248289	2026-11-23 01:18:27.427465+00	2026-11-23 01:18:27.490655+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.020124+00	16	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.044166+00
47	2	1	9	14	0	1	2	248289	2026-11-23 01:18:27.427478+00	2026-11-23 01:18:27.490655+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.023634+00	1	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.044166+00
50	2	1	10	15	0	1	2	248289	2026-11-23 01:18:27.427493+00	2026-11-23 01:18:27.490655+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.03735+00	4	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.044166+00
53	2	1	11	16	0	1	2	248290	2026-11-23 01:18:27.467347+00	2026-11-23 01:18:27.490655+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:28.050939+00	0	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.059851+00
56	7	4	1	17	0	1	3	248298	2026-11-23 01:18:27.540778+00	2026-11-23 01:18:27.582343+00	5	-6737199890230079708	\N	\N	4	\N	0	2	2	2026-11-23 01:18:28.065263+00	2	500	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	answered 500, expected 200	2026-11-23 01:18:28.073043+00
57	0	1	\N	\N	0	1	2	0	2026-11-23 01:18:28.638295+00	2026-11-23 01:18:28.638295+00	4	-1661283380545308219	\N	{"row":[4, 2, "only the note"],"old":{"note":""}}	3	\N	0	1	1	2026-11-23 01:18:28.715233+00	3	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:28 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:28.721535+00
58	1	1	6	1	641947541574693345	1	1	248285	2026-11-23 01:18:27.30714+00	2026-11-23 01:18:28.77318+00	1	-6159897124634639313	\N	\N	3	\N	0	1	1	2026-11-23 01:18:29.707901+00	6	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:29 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:29.717248+00
59	1	1	7	2	641947541574693345	1	1	248285	2026-11-23 01:18:27.307359+00	2026-11-23 01:18:28.77318+00	2	9010042210759125558	\N	\N	3	\N	0	1	1	2026-11-23 01:18:29.70864+00	7	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:29 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:29.717248+00
60	1	1	8	3	641947541574693345	1	1	248285	2026-11-23 01:18:27.307376+00	2026-11-23 01:18:28.77318+00	3	-1915507647266824440	\N	\N	3	\N	0	1	1	2026-11-23 01:18:29.708868+00	5	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:29 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:29.717248+00
61	1	1	9	4	641947541574693345	1	1	248285	2026-11-23 01:18:27.307387+00	2026-11-23 01:18:28.77318+00	4	2428008442346330660	\N	\N	3	\N	0	1	1	2026-11-23 01:18:29.70903+00	3	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:29 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:29.717248+00
62	1	1	10	5	641947541574693345	1	1	248285	2026-11-23 01:18:27.307397+00	2026-11-23 01:18:28.77318+00	5	-6737199890230079708	\N	\N	3	\N	0	1	1	2026-11-23 01:18:29.71613+00	2	200	[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:29 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]	ok	\N	2026-11-23 01:18:29.729128+00
\.


--
-- Data for Name: fresh_reads; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.fresh_reads (id, under, reader, relation, trigger) FROM stdin;
\.


--
-- Data for Name: headers; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.headers (id, receiver_id, key, value, created_by_id, created_by_name, updated_by_id, updated_by_name, created_at, updated_at, etag) FROM stdin;
1	1	x-tenant	v1.757e5997.g8VmHwzizn/dd1E1diD4Hnv7kt5DYcrl9+2Y4pJRYZl3gACxJOwSTspwZ5Os	\N	admin	\N	admin	2026-11-23 01:18:27.2612+00	2026-11-23 01:18:27.2612+00	550e725bc14aa7f15dc566f221d254a1
\.


--
-- Data for Name: leases; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.leases (kind, subject, holder, expires_at, throttle_full_at, unparked) FROM stdin;
receiver	6	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:29.907025+00	2026-11-23 01:18:29.907025+00	0
receiver	1	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:35.920932+00	\N	0
receiver	2	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:35.920963+00	\N	0
receiver	3	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:35.920966+00	\N	0
receiver	4	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:35.920968+00	\N	0
receiver	5	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:35.92097+00	\N	0
receiver	7	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:29.922771+00	2026-11-23 01:18:29.922771+00	0
poller	0	rowhook/15241/294d6d5b497d8b81	2026-11-23 01:18:37.055605+00	\N	0
\.


--
-- Data for Name: logged_actions; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.logged_actions (id, xid, logged_at, resource_id, action, row_data, old_values) FROM stdin;
1	248285	2026-11-23 01:18:27.30714+00	1	1	[1, 0, "eins"]	\N
2	248285	2026-11-23 01:18:27.307359+00	1	1	[2, 0, "zwei ä \\"quoted\\" \\\\ 東京"]	\N
3	248285	2026-11-23 01:18:27.307376+00	1	1	[3, 0, null]	\N
4	248285	2026-11-23 01:18:27.307387+00	1	1	[4, 0, ""]	\N
5	248285	2026-11-23 01:18:27.307397+00	1	1	[5, 0, "x"]	\N
6	248286	2026-11-23 01:18:27.340566+00	1	2	[1, 1, "eins"]	{"n":0}
7	248286	2026-11-23 01:18:27.340758+00	1	2	[2, 1, "zwei ä \\"quoted\\" \\\\ 東京"]	{"n":0}
8	248286	2026-11-23 01:18:27.340785+00	1	2	[3, 1, null]	{"n":0}
9	248286	2026-11-23 01:18:27.340805+00	1	2	[4, 1, ""]	{"n":0}
10	248286	2026-11-23 01:18:27.340826+00	1	2	[5, 1, "x"]	{"n":0}
11	248289	2026-11-23 01:18:27.427279+00	1	2	[1, 2, "eins"]	{"n":1}
12	248289	2026-11-23 01:18:27.427446+00	1	2	[2, 2, "zwei ä \\"quoted\\" \\\\ 東京"]	{"n":1}
13	248289	2026-11-23 01:18:27.427465+00	1	2	[3, 2, null]	{"n":1}
14	248289	2026-11-23 01:18:27.427478+00	1	2	[4, 2, ""]	{"n":1}
15	248289	2026-11-23 01:18:27.427493+00	1	2	[5, 2, "x"]	{"n":1}
16	248290	2026-11-23 01:18:27.467347+00	1	2	[4, 2, "only the note"]	{"note":""}
17	248298	2026-11-23 01:18:27.540778+00	1	3	[5, 2, "x"]	\N
18	248335	2026-11-23 01:18:31.345077+00	1	1	[101, 0, "late"]	\N
19	248335	2026-11-23 01:18:31.345211+00	1	1	[102, 0, "late"]	\N
20	248336	2026-11-23 01:18:31.373325+00	1	2	[101, 2, "late"]	{"n":0}
21	248337	2026-11-23 01:18:31.401068+00	1	3	[102, 0, "late"]	\N
\.


--
-- Data for Name: receiver_health; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.receiver_health (receiver_id, receiver_name, state, reason, since, failures, failing_since, last_error, probe_at, probe_pause_ms, revision) FROM stdin;
3	/fails	FAILING	answered 500, expected 200	2026-11-23 01:18:27.863044+00	5	2026-11-23 01:18:27.824102+00	answered 500, expected 200	\N	\N	5
4	/gives-up	FAILING	answered 500, expected 200	2026-11-23 01:18:27.9391+00	2	2026-11-23 01:18:27.855441+00	answered 500, expected 200	\N	\N	2
6	/off	INACTIVE	switched off by admin	2026-11-23 01:18:29.811335+00	0	\N	\N	\N	\N	1000000
\.


--
-- Data for Name: receivers; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.receivers (id, name, description, webhook_uri, shared_secret, previous_secret, previous_secret_until, content_type, expected_response_code, active, inactive_reason, rate_per_second, rate_burst, max_in_flight, timeout_ms, retry_max_attempts, retry_initial_delay_ms, retry_multiplier, retry_max_delay_ms, ordering, created_by_id, created_by_name, updated_by_id, updated_by_name, created_at, updated_at, etag, deleted_at, client_certificate, client_key) FROM stdin;
2	/filtered	\N	http://127.0.0.1:9/filtered	v1.757e5997.RQ+nfx18DB03zivNVkuxS+Me/jjc0Pz7BnH5MO86i3Hgb7FwZBcujTKiXSpAXhsZbuo9HIRzAky7Ayn0amXEOai2FAkmhInXtw89xDob52uwEHnsAc3rsSBO	\N	\N	cloudevents	200	t	\N	\N	\N	\N	\N	\N	\N	\N	\N	NONE	\N	admin	\N	admin	2026-11-23 01:18:26.822919+00	2026-11-23 01:18:26.822919+00	ae84023ccb09290eec94da508663d83d	\N	\N	\N
3	/fails	\N	http://127.0.0.1:9/fails	v1.757e5997.GSJFSbrxU2umGc19G29TyNAyfXUZTEOyCTOwaFuXKiTGs/kUhsmfj+30DelUXtJSii2UzBrORuLaYU+Wxd9y4+N3tpBZvqvABplhQOg+Rpn8MRZdWhdjxh3K	\N	\N	json	200	t	\N	\N	\N	\N	\N	5	3600000	\N	3600000	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:27.055011+00	2026-11-23 01:18:27.055011+00	05e495d3ca9f5183b5e30cc446901533	\N	\N	\N
4	/gives-up	\N	http://127.0.0.1:9/gives-up	v1.757e5997.V/liE++Ea2dsygoKDIyw528bosPPyvwUtev/qvLXtGdSU19B1XjvkkT3TZ3GzLcoiluu3e9iM0znwyikWfJCe02ZDCTBRtyGDCzcb39VbulmqKUnzPfpCrl7	\N	\N	json	200	t	\N	\N	\N	\N	\N	2	100	\N	\N	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:27.105208+00	2026-11-23 01:18:27.105208+00	09f0240dfe0081fc071a561cd8814ca2	\N	\N	\N
5	/hangs	\N	http://127.0.0.1:9/hangs	v1.757e5997.Kuqr3S+1/4sm0CN/GChQ3a6iFeBQkjQ6StJ4ffg0HP7C2BLylZhP3tX13d5apNlKlhJioW/nav8BaJlnX2a9+VIZzQHthI5Fmt0sNaXZILRIBIKU7H8u+JZb	\N	\N	json	200	t	\N	\N	\N	1	60000	\N	\N	\N	\N	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:27.205182+00	2026-11-23 01:18:27.205182+00	d3fae2f6316ebdc25d30d22b6d3b0471	\N	\N	\N
1	/takes	takes all	http://127.0.0.1:9/takes	v1.757e5997.wWnXuXhRAzuKBHaaNGV1yNgr9RU37YvIFORjWEIdDi9fQOlyCuMyLVFFeCt7NhVs5xUwZjFMSSun5+MCmQzTKBUJKReVM6rY7pN2xAhjEXu3PqGwv+T79nGA	v1.757e5997.0NEZE1A1PwBLuO5hQOUctZzG88j69AqmA2nKxAvtyfhDOKNzw7X5hZE4SrhujjXg9nHkVf6HiJyZ9CazAeJRzHoUHCqZrsqfOw4rt4h5Fy/ZwDxlyKc+hD2g	2026-11-23 01:18:28.251434+00	json	200	t	\N	500	50	4	\N	\N	\N	\N	\N	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:26.628661+00	2026-11-23 01:18:27.251442+00	87566c25a155920ebf84712764691623	\N	\N	\N
6	/off	\N	http://127.0.0.1:9/off	v1.757e5997.Bop4QE5dfDp85McvipI0kRgi4EFxo0C9iYQRAhHUGjMcSIF0QmEZjZWu4U7CkGPwxca/Rt7iC9GfZTNJMID4+hI8QW0TKmWMF/9kHfrN3oJTnOqPOisiYeGv	\N	\N	json	200	f	\N	\N	\N	\N	\N	\N	\N	\N	\N	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:27.233342+00	2026-11-23 01:18:29.809205+00	2771e30786ac150d8bc2df5294e7cda8	\N	\N	\N
7	/deleted	\N	http://127.0.0.1:9/deleted	v1.757e5997.MbyfpW7BYluoBgt2IhyhrBD4K61rJEqiAwek/Q7TBxjKEIQp4PFx47kfAOiGp74ODwTPzf9ArHw6gYwvqD5mesLenG/E10XsiX+UKAj4BwWNLad37TGEVJ8j	\N	\N	json	200	f	the receiver was deleted	\N	\N	\N	\N	\N	\N	\N	\N	PER_ROW	\N	admin	\N	admin	2026-11-23 01:18:27.24213+00	2026-11-23 01:18:29.815074+00	8404b02c4f92afa359a16a30bbb9f6be	2026-11-23 01:18:29.813419+00	\N	\N
\.


--
-- Data for Name: reconciliations; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.reconciliations (id, ran_at, changes, owed, found, events, differences, examples) FROM stdin;
\.


--
-- Data for Name: resources; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.resources (id, name, definition, created_at, retired_at, excluded_at) FROM stdin;
1	ITEM	{"table":"public.items","columns":[{"name":"id","data_type":"bigint"},{"name":"n","data_type":"bigint"},{"name":"note","data_type":"text"}],"key":["id"],"etag":null,"exclude":[],"on_truncate":"rows"}	2026-11-23 01:18:26.404312+00	\N	\N
\.


--
-- Data for Name: rowhook_migrations; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.rowhook_migrations (version, applied_at) FROM stdin;
m0001_path	1795396706
m0002_event_end	1795396706
m0004_event_lists	1795396706
m0005_delivery_counts	1795396706
m0006_capture_notes	1795396706
m0007_fresh_reads	1795396706
m0008_restored_ids	1795396706
m0009_client_certificates	1795396706
m0010_parking	1795396706
m0011_receiver_health	1795396706
m0012_undelivered	1795396706
m0013_delivery_history	1795396706
\.


--
-- Data for Name: subscription_sequences; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.subscription_sequences (subscription_id, last_sequence) FROM stdin;
4	2
6	5
8	5
10	5
2	11
5	5
9	11
3	1
7	1
1	10
11	5
\.


--
-- Data for Name: subscriptions; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.subscriptions (id, receiver_id, resource, action, active, changed_fields, filter, created_by_id, created_by_name, updated_by_id, updated_by_name, created_at, updated_at, etag, deleted_at) FROM stdin;
1	1	ITEM	CREATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:26.744513+00	2026-11-23 01:18:26.744513+00	151ab3816415fcb9cfcab2626516b869	\N
2	1	ITEM	UPDATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:26.776179+00	2026-11-23 01:18:26.776179+00	c5810f6086c3ca74a58abcd9d1ade71d	\N
3	1	ITEM	DELETE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:26.790204+00	2026-11-23 01:18:26.790204+00	8ed40b209530c1ee32d51a4a5363f1e8	\N
4	2	ITEM	CREATE	t	\N	new.id > 3	\N	admin	\N	admin	2026-11-23 01:18:26.911982+00	2026-11-23 01:18:26.911982+00	d3d8af09a63d120f8cd1bfb9f1c3e0e5	\N
5	2	ITEM	UPDATE	t	["n"]	new.n > 1	\N	admin	\N	admin	2026-11-23 01:18:26.944177+00	2026-11-23 01:18:26.944177+00	a470e0004afd6ffb2fa7ab4ae4d51e4c	\N
6	3	ITEM	CREATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.073734+00	2026-11-23 01:18:27.073734+00	f98a8c3d14b0d5806755a5f539b9d2c2	\N
7	4	ITEM	DELETE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.121667+00	2026-11-23 01:18:27.121667+00	48eb91cac053e2ed08541a6e4dc78968	\N
8	5	ITEM	CREATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.221256+00	2026-11-23 01:18:27.221256+00	e2638b8866ea78950f04939aa6c5885c	\N
9	5	ITEM	UPDATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.226833+00	2026-11-23 01:18:27.226833+00	6390dcc5f497852d4cc8af665d104c60	\N
10	6	ITEM	CREATE	t	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.237178+00	2026-11-23 01:18:27.237178+00	5d257b99e5e63a08b3f82cee3a6d13d1	\N
11	7	ITEM	CREATE	f	\N	\N	\N	admin	\N	admin	2026-11-23 01:18:27.244962+00	2026-11-23 01:18:29.813419+00	422465db618623d9bb1ff892efba184e	2026-11-23 01:18:29.813419+00
\.


--
-- Data for Name: table_notes; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.table_notes (resource, looked_at, note, noted_at) FROM stdin;
\.


--
-- Data for Name: undelivered; Type: TABLE DATA; Schema: rowhook; Owner: -
--

COPY rowhook.undelivered (event_id, receiver_id, state, is_test, due_at, row_hash, previous_hash) FROM stdin;
3	5	0	0	\N	-6159897124634639313	\N
8	5	0	0	\N	9010042210759125558	\N
13	5	0	0	\N	-1915507647266824440	\N
19	5	0	0	\N	2428008442346330660	\N
25	5	0	0	\N	-6737199890230079708	\N
29	5	0	0	\N	-6159897124634639313	\N
31	5	0	0	\N	9010042210759125558	\N
33	5	0	0	\N	-1915507647266824440	\N
35	5	0	0	\N	2428008442346330660	\N
37	5	0	0	\N	-6737199890230079708	\N
40	5	0	0	\N	-6159897124634639313	\N
43	5	0	0	\N	9010042210759125558	\N
46	5	0	0	\N	-1915507647266824440	\N
49	5	0	0	\N	2428008442346330660	\N
52	5	0	0	\N	-6737199890230079708	\N
54	5	0	0	\N	2428008442346330660	\N
2	3	1	0	2026-11-23 02:09:20.458036+00	-6159897124634639313	\N
12	3	1	0	2026-11-23 02:28:48.501643+00	-1915507647266824440	\N
18	3	1	0	2026-11-23 02:07:01.875867+00	2428008442346330660	\N
24	3	1	0	2026-11-23 02:10:53.19533+00	-6737199890230079708	\N
56	4	4	0	\N	-6737199890230079708	\N
7	3	5	0	\N	9010042210759125558	\N
\.


--
-- Name: activity_intervals_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.activity_intervals_id_seq', 11, true);


--
-- Name: api_keys_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.api_keys_id_seq', 4, true);


--
-- Name: events_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.events_id_seq', 62, true);


--
-- Name: fresh_reads_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.fresh_reads_id_seq', 1, false);


--
-- Name: headers_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.headers_id_seq', 1, true);


--
-- Name: logged_actions_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.logged_actions_id_seq', 21, true);


--
-- Name: receivers_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.receivers_id_seq', 7, true);


--
-- Name: resources_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.resources_id_seq', 1, true);


--
-- Name: subscriptions_id_seq; Type: SEQUENCE SET; Schema: rowhook; Owner: -
--

SELECT pg_catalog.setval('rowhook.subscriptions_id_seq', 11, true);


--
-- Name: gone gone_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.gone
    ADD CONSTRAINT gone_pkey PRIMARY KEY (id);


--
-- Name: items items_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (id);


--
-- Name: activity_intervals activity_intervals_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.activity_intervals
    ADD CONSTRAINT activity_intervals_pkey PRIMARY KEY (id);


--
-- Name: api_keys api_keys_key_hash_key; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.api_keys
    ADD CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash);


--
-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (event_id, number);


--
-- Name: capture_cursor capture_cursor_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.capture_cursor
    ADD CONSTRAINT capture_cursor_pkey PRIMARY KEY (id);


--
-- Name: delivery_counts delivery_counts_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.delivery_counts
    ADD CONSTRAINT delivery_counts_pkey PRIMARY KEY (slot, receiver_id, kind);


--
-- Name: delivery_history delivery_history_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.delivery_history
    ADD CONSTRAINT delivery_history_pkey PRIMARY KEY (seconds, slot, receiver_id, kind);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);


--
-- Name: fresh_reads fresh_reads_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.fresh_reads
    ADD CONSTRAINT fresh_reads_pkey PRIMARY KEY (id);


--
-- Name: headers headers_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.headers
    ADD CONSTRAINT headers_pkey PRIMARY KEY (id);


--
-- Name: headers headers_receiver_id_key_key; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.headers
    ADD CONSTRAINT headers_receiver_id_key_key UNIQUE (receiver_id, key);


--
-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (kind, subject);


--
-- Name: logged_actions logged_actions_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.logged_actions
    ADD CONSTRAINT logged_actions_pkey PRIMARY KEY (id);


--
-- Name: receiver_health receiver_health_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.receiver_health
    ADD CONSTRAINT receiver_health_pkey PRIMARY KEY (receiver_id);


--
-- Name: receivers receivers_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.receivers
    ADD CONSTRAINT receivers_pkey PRIMARY KEY (id);


--
-- Name: reconciliations reconciliations_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (id);


--
-- Name: resources resources_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.resources
    ADD CONSTRAINT resources_pkey PRIMARY KEY (id);


--
-- Name: rowhook_migrations rowhook_migrations_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.rowhook_migrations
    ADD CONSTRAINT rowhook_migrations_pkey PRIMARY KEY (version);


--
-- Name: subscription_sequences subscription_sequences_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.subscription_sequences
    ADD CONSTRAINT subscription_sequences_pkey PRIMARY KEY (subscription_id);


--
-- Name: subscriptions subscriptions_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (id);


--
-- Name: table_notes table_notes_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.table_notes
    ADD CONSTRAINT table_notes_pkey PRIMARY KEY (resource);


--
-- Name: undelivered undelivered_pkey; Type: CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.undelivered
    ADD CONSTRAINT undelivered_pkey PRIMARY KEY (event_id);


--
-- Name: activity_intervals_by_resource; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX activity_intervals_by_resource ON rowhook.activity_intervals USING btree (resource, action);


--
-- Name: activity_intervals_open; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE UNIQUE INDEX activity_intervals_open ON rowhook.activity_intervals USING btree (subscription_id) WHERE (closed_at IS NULL);


--
-- Name: events_by_kind; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_kind ON rowhook.events USING btree (resource_id, action, id);


--
-- Name: events_by_receiver; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_receiver ON rowhook.events USING btree (receiver_id, id);


--
-- Name: events_by_row; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_row ON rowhook.events USING btree (row_hash, id);


--
-- Name: events_by_sequence; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE UNIQUE INDEX events_by_sequence ON rowhook.events USING btree (subscription_id, sequence);


--
-- Name: events_by_subscription; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_subscription ON rowhook.events USING btree (subscription_id, id);


--
-- Name: events_by_time; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_time ON rowhook.events USING btree (occurred_at, id);


--
-- Name: events_by_transaction; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX events_by_transaction ON rowhook.events USING btree (transaction_id, id);


--
-- Name: events_once; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE UNIQUE INDEX events_once ON rowhook.events USING btree (change_id, subscription_id, replay_id);


--
-- Name: logged_actions_window; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX logged_actions_window ON rowhook.logged_actions USING btree (xid);


--
-- Name: resources_in_force; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE UNIQUE INDEX resources_in_force ON rowhook.resources USING btree (name) WHERE (retired_at IS NULL);


--
-- Name: subscriptions_by_receiver; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX subscriptions_by_receiver ON rowhook.subscriptions USING btree (receiver_id);


--
-- Name: undelivered_all_ready; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_all_ready ON rowhook.undelivered USING btree (event_id) WHERE (state = 0);


--
-- Name: undelivered_blocking; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_blocking ON rowhook.undelivered USING btree (receiver_id, row_hash, event_id) WHERE (state = ANY (ARRAY[1, 2]));


--
-- Name: undelivered_blocking_previous; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_blocking_previous ON rowhook.undelivered USING btree (receiver_id, previous_hash, event_id) WHERE ((state = ANY (ARRAY[1, 2])) AND (previous_hash IS NOT NULL));


--
-- Name: undelivered_by_receiver; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_by_receiver ON rowhook.undelivered USING btree (state, receiver_id, event_id) WHERE (state <> 0);


--
-- Name: undelivered_by_state; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_by_state ON rowhook.undelivered USING btree (state, event_id) WHERE (state <> 0);


--
-- Name: undelivered_ready; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_ready ON rowhook.undelivered USING btree (receiver_id, event_id) WHERE (state = 0);


--
-- Name: undelivered_tests; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_tests ON rowhook.undelivered USING btree (receiver_id, event_id) WHERE ((state = 0) AND (is_test = 1));


--
-- Name: undelivered_waiting; Type: INDEX; Schema: rowhook; Owner: -
--

CREATE INDEX undelivered_waiting ON rowhook.undelivered USING btree (receiver_id, due_at) WHERE (state = 1);


--
-- Name: items  rowhook_item; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER " rowhook_item" AFTER INSERT OR DELETE OR UPDATE ON public.items FOR EACH ROW EXECUTE FUNCTION rowhook.log_item();

ALTER TABLE public.items ENABLE ALWAYS TRIGGER " rowhook_item";


--
-- Name: items  rowhook_item_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER " rowhook_item_truncate" BEFORE TRUNCATE ON public.items FOR EACH STATEMENT EXECUTE FUNCTION rowhook.truncate_item();

ALTER TABLE public.items ENABLE ALWAYS TRIGGER " rowhook_item_truncate";


--
-- Name: events events_dropped; Type: TRIGGER; Schema: rowhook; Owner: -
--

CREATE TRIGGER events_dropped AFTER DELETE ON rowhook.events REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION rowhook.events_dropped();


--
-- Name: events events_made; Type: TRIGGER; Schema: rowhook; Owner: -
--

CREATE TRIGGER events_made AFTER INSERT ON rowhook.events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION rowhook.events_made();


--
-- Name: events events_moved; Type: TRIGGER; Schema: rowhook; Owner: -
--

CREATE TRIGGER events_moved AFTER UPDATE ON rowhook.events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION rowhook.events_moved();


--
-- Name: fresh_reads read_fresh; Type: TRIGGER; Schema: rowhook; Owner: -
--

CREATE TRIGGER read_fresh BEFORE DELETE ON rowhook.fresh_reads FOR EACH ROW WHEN ((old.under IS NOT NULL)) EXECUTE FUNCTION rowhook.read_fresh();

ALTER TABLE rowhook.fresh_reads ENABLE ALWAYS TRIGGER read_fresh;


--
-- Name: activity_intervals activity_intervals_subscription_id_fkey; Type: FK CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.activity_intervals
    ADD CONSTRAINT activity_intervals_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES rowhook.subscriptions(id);


--
-- Name: fresh_reads fresh_reads_under_fkey; Type: FK CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.fresh_reads
    ADD CONSTRAINT fresh_reads_under_fkey FOREIGN KEY (under) REFERENCES rowhook.fresh_reads(id) ON DELETE CASCADE;


--
-- Name: headers headers_receiver_id_fkey; Type: FK CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.headers
    ADD CONSTRAINT headers_receiver_id_fkey FOREIGN KEY (receiver_id) REFERENCES rowhook.receivers(id);


--
-- Name: subscriptions subscriptions_receiver_id_fkey; Type: FK CONSTRAINT; Schema: rowhook; Owner: -
--

ALTER TABLE ONLY rowhook.subscriptions
    ADD CONSTRAINT subscriptions_receiver_id_fkey FOREIGN KEY (receiver_id) REFERENCES rowhook.receivers(id);


--
-- PostgreSQL database dump complete
--


