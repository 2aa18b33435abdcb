//! The text of the trigger functions: what runs at each of the application's writes.
//!
//! `Table` puts the settings, the rights and the triggers around it.

use super::{Table, dollar_quoted, literal, value::array_of};
use crate::triggers::{OnTruncate, json_string, quoted};

impl Table {
    /// Refuses to run for a table that it was not made for: whoever may call it could else attach it to
    /// a table of their own and forge log rows. Oids are told first because a rename keeps them; after a
    /// dump and restore they are others, and the name tells.
    fn guard(&self) -> String {
        self.guard_of(
            "tg_relid",
            "'Drop the trigger ' || quote_ident(tg_name) || ' on ' || tg_relid::regclass
                    || '; rowhook resources install puts triggers where they belong.'",
        )
    }

    /// The same for a relation that is named otherwise.
    fn guard_of(&self, relation: &str, hint: &str) -> String {
        let oids: Vec<String> = std::iter::once(self.oid)
            .chain(self.parts.iter().map(|one| one.oid))
            .map(|oid| oid.to_string())
            .collect();
        let (oids, oid) = (oids.join(","), self.oid);
        let table = literal(&self.qualified());
        let unless_inherited = self.unless_inherited(relation, &table);
        format!(
            "    if {relation} <> all ('{{{oids}}}'::oid[]) then
        if to_regclass({table}) is distinct from {relation}::regclass and not exists (
            select from pg_partition_ancestors({relation}) as a
            where a.relid in ({oid}::oid, to_regclass({table})::oid)
        ){unless_inherited} then
            raise exception 'this function of rowhook logs the changes of % and of no other table', {table}
                using hint = {hint};
        end if;
    end if;
"
        )
    }

    /// For the guard: what `pg_partition_ancestors` does not tell.
    fn unless_inherited(&self, relation: &str, table: &str) -> String {
        if self.partitioned || self.parts.is_empty() {
            return String::new();
        }
        let oid = self.oid;
        format!(
            " and not exists (
            with recursive line(oid) as (
                select {relation} union select i.inhparent from line join pg_inherits as i on i.inhrelid = line.oid
            )
            select from line where line.oid in ({oid}::oid, to_regclass({table})::oid)
        )"
        )
    }

    /// The row as JSON text: an array, since the names are in the version's description. They would make
    /// a quarter of what a change adds to the write-ahead log.
    fn row(&self, record: &str) -> String {
        let elements: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let value = format!("{record}.{}", quoted(&column.name));
                column.shape.element(&value)
            })
            .collect();
        array_of(&elements)
    }

    /// The statements that gather the members of the old values' object, each with a comma before it:
    /// those that changed. A statement for each column costs less than one expression of them all, whose
    /// parts would be made ready in every transaction although few of them are needed.
    fn gather_old_members(&self) -> String {
        let mut statements = String::new();
        for column in &self.columns {
            let name = quoted(&column.name);
            let (old, new) = (format!("old.{name}"), format!("new.{name}"));
            statements.push_str(&format!(
                "            if {} then
                _old := concat(_old, {}, {});
            end if;
",
                column.shape.differ(&old, &new),
                literal(&format!(",{}:", json_string(&column.name))),
                column.shape.json(&old)
            ));
        }
        statements
    }

    /// The logged columns as an array of names, for the slower form.
    fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|c| literal(&c.name)).collect();
        format!("array[{}]::text[]", names.join(", "))
    }

    /// The row as JSON text when the table has other columns than it had: those that are left.
    fn row_as_it_is(&self, record: &str) -> String {
        format!(
            "(select concat('{{', string_agg(concat(to_json(r.key), ':', r.value), ',' order by r.n), '}}')
                from json_each({}) with ordinality as r(key, value, n)
                where r.key = any ({}))",
            members(record),
            self.names()
        )
    }

    fn old_members_as_they_are(&self) -> String {
        format!(
            "(select coalesce(string_agg(concat(',', to_json(o.key), ':', o.value), '' order by o.n), '')
                from json_each({}) with ordinality as o(key, value, n)
                join json_each({}) as w(key, value) on w.key = o.key
                where o.value::text <> w.value::text and o.key = any ({}))",
            members("old"),
            members("new"),
            self.names()
        )
    }

    /// The function of the row triggers.
    ///
    /// It fires at every UPDATE and finds out by itself that nothing changed. A condition of the trigger
    /// would be read and made ready anew by every statement, which costs more than the function does
    /// until it knows.
    ///
    /// The values are computed before the INSERT and not in it: such expressions are kept ready for the
    /// whole transaction. The block around them writes nothing, so it takes no transaction id, and costs
    /// about a microsecond.
    pub(super) fn log_body(&self) -> String {
        let (guard, version) = (self.guard(), self.version);
        let (new, old) = (self.row("new"), self.row("old"));
        let members = self.gather_old_members();
        let (new_as_is, old_as_is) = (self.row_as_it_is("new"), self.row_as_it_is("old"));
        let members_as_is = self.old_members_as_they_are();
        format!(
            "
#variable_conflict use_column
declare
    _row text;
    _old text;
begin
{guard}    if tg_op = 'UPDATE' then
        begin
            _old := '';
{members}            if _old = '' then
                return null;
            end if;
            _row := {new};
        exception when others then
            _old := {members_as_is};
            if _old = '' then
                return null;
            end if;
            _row := {new_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data, old_values)
        values ({version}, 2, _row, '{{' || substr(_old, 2) || '}}');
    elsif tg_op = 'INSERT' then
        begin
            _row := {new};
        exception when others then
            _row := {new_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values ({version}, 1, _row);
    else
        begin
            _row := {old};
        exception when others then
            _row := {old_as_is};
        end;
        insert into rowhook.logged_actions (resource_id, action, row_data) values ({version}, 3, _row);
    end if;
    return null;
end
"
        )
    }

    /// The function of the triggers on TRUNCATE.
    pub(super) fn truncate_body(&self) -> String {
        let guard = self.guard();
        let resource = literal(&self.resource);
        match self.on_truncate {
            OnTruncate::Rows => self.truncate_rows(&guard),
            OnTruncate::Refuse => format!(
                "
begin
{guard}    raise exception 'rowhook: resource % refuses TRUNCATE of %', {resource}, tg_relid::regclass
        using errcode = 'object_not_in_prerequisite_state',
            hint = 'Use DELETE, or set on_truncate = \"rows\" or \"ignore\" in its [[resources]] entry.';
end
"
            ),
            OnTruncate::Ignore => format!(
                "
begin
{guard}    raise warning 'rowhook: TRUNCATE of % is not logged as changes of resource %', tg_relid::regclass, {resource};
    return null;
end
"
            ),
        }
    }

    /// Under READ COMMITTED each statement here sees the table as it is: TRUNCATE has its lock by now.
    /// An older snapshot does not show what was committed since, and shows what is gone; then the table is
    /// read by the function below, under a fresh one (migration `m0007_fresh_reads` says how).
    fn truncate_rows(&self, guard: &str) -> String {
        let version = self.version;
        let insert = |row: String| {
            dollar_quoted(&format!(
                "insert into rowhook.logged_actions (resource_id, action, row_data) \
                 select {version}, 3, {row} from only "
            ))
        };
        let (rows, as_is) = (insert(self.row("t")), insert(self.row_as_it_is("t.*")));
        let tables = truncated_tables("tg_relid", "tg_name");
        let reader = literal(&self.reader_name());
        format!(
            "
#variable_conflict use_column
declare
    _table regclass;
    _read bigint;
begin
{guard}    if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
        insert into rowhook.fresh_reads default values returning id into _read;
        insert into rowhook.fresh_reads (under, reader, relation, trigger)
        values (_read, {reader}, tg_relid, tg_name);
        delete from rowhook.fresh_reads where id = _read;
        if exists (select from rowhook.fresh_reads as f where f.under = _read) then
            raise exception 'rowhook can not log TRUNCATE of % in this session: foreign keys do not act in it', tg_relid::regclass
                using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Where session_replication_role is replica, TRUNCATE in a transaction that is READ COMMITTED.';
        end if;
        return null;
    end if;
    for _table in
{tables}
    loop
        begin
            execute {rows} || _table || ' as t';
        exception when others then
            execute {as_is} || _table || ' as t';
        end;
    end loop;
    return null;
end
"
        )
    }

    /// The function that logs the rows as they are now. Its queries see what its caller's statement sees,
    /// since it is STABLE; for the same reason another function has to write.
    pub(super) fn reader_body(&self) -> String {
        let version = self.version;
        let select = |row: String| dollar_quoted(&format!("select {row} as row from only "));
        let (rows, as_is) = (select(self.row("t")), select(self.row_as_it_is("t.*")));
        let tables = truncated_tables("$1", "$2");
        // Who may write requests could else have rows of any table read.
        let guard = self.guard_of("$1", "'Only the triggers on TRUNCATE ask it.'");
        format!(
            "
#variable_conflict use_column
declare
    _table regclass;
    _row text;
begin
{guard}    for _table in
{tables}
    loop
        begin
            for _row in execute {rows} || _table || ' as t' loop
                perform rowhook.write_deletion({version}, _row);
            end loop;
        exception when others then
            for _row in execute {as_is} || _table || ' as t' loop
                perform rowhook.write_deletion({version}, _row);
            end loop;
        end;
    end loop;
end
"
        )
    }
}

/// A row as JSON that can be taken apart. A json column may hold a NUL, which PostgreSQL then stumbles over; it
/// becomes the letter that stands for what can not be shown.
fn members(record: &str) -> String {
    format!(
        "regexp_replace(row_to_json({record})::text, {}, {}, 'g')::json",
        literal(r"(?<!\\)((?:\\\\)*)\\u0000"),
        literal(r"\1\\ufffd")
    )
}

/// The tables whose rows the trigger has to log. Each part that holds rows logs its own. A partition that
/// came after the triggers has none of its own yet, so the table it was truncated through logs for it. (A
/// table that inherits and came after them has no row triggers either; nothing of it was logged yet.)
fn truncated_tables(relation: &str, trigger: &str) -> String {
    format!(
        "        select c.oid::regclass from pg_class as c where c.oid = {relation} and c.relkind = 'r'
        union all
        select p.relid from pg_partition_tree({relation}) as p
        where p.isleaf and p.relid <> {relation} and not exists (
            select from pg_trigger as t
            where t.tgrelid = p.relid and t.tgname = {trigger} and t.tgenabled <> 'D'
        )"
    )
}
