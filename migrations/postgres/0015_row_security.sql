-- A second wall between workspaces: where a transaction names a workspace (`sluice.workspace`, set by `Db::within`), the
-- server shows and accepts only its rows, whatever the statement says. Without a name nothing is hidden: the engine and
-- the service's own loops work for all workspaces. Tables made later build their own wall; a test looks for gaps.
do $$
declare one text;
begin
    for one in
        select c.table_name from information_schema.columns c
        join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
        where c.table_schema = current_schema() and c.column_name = 'workspace_id' and t.table_type = 'BASE TABLE'
    loop
        execute format('alter table %I enable row level security', one);
        execute format('alter table %I force row level security', one);
        execute format(
            'create policy workspace_wall on %I using '
            '(coalesce(current_setting(''sluice.workspace'', true), '''') in ('''', workspace_id))', one);
    end loop;
end $$;
