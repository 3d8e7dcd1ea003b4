-- How long finished runs are kept, and the way to find those that have been kept long enough.

-- Of the published version; null: the installation's own.
alter table workflows add column retention_ms bigint;
create index workflows_with_retention on workflows (workspace_id, workflow_id, retention_ms)
    where retention_ms is not null;
-- In the order in which runs end, so that an end adds to the last page. It names no workflow: that would be four times
-- as long, and the pruner reads every run once anyway.
create index runs_ended on runs (ended_at) where ended_at is not null;
-- A body is deleted with what workspaces saw of it.
create index inbound_body_shares_by_body on inbound_body_shares (inbound_id);

analyze sqlite_schema;
insert into sqlite_stat1 (tbl, idx, stat) values
    ('workflows', 'workflows_with_retention', '1000 100 1 1'),
    ('runs', 'runs_ended', '5000000 2');
analyze sqlite_schema;
