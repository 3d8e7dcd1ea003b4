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

-- The default lets a fifth of a table die before its space is used again; of a large table that is too much.
alter table runs set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
alter table run_events set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
alter table run_waits set (autovacuum_vacuum_scale_factor = 0.02);
alter table run_messages set (autovacuum_vacuum_scale_factor = 0.02);
alter table signal_receipts set (autovacuum_vacuum_scale_factor = 0.02);
