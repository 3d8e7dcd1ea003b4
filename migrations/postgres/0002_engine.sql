-- What the engine keeps: workflows and their versions, triggers, schedules, runs, events, waits.
-- Every table leads its primary key with the workspace. Times are milliseconds since the Unix epoch; JSON is text.
-- Keys sort by bytes (collation "C"), as they do on SQLite: faster, and the same order on every server.

create table workflows (
    workspace_id text collate "C" not null,
    workflow_id text collate "C" not null,
    name text collate "C" not null,
    revision bigint not null,
    published_version bigint,
    created_at bigint not null,
    updated_at bigint not null,
    draft text not null,
    primary key (workspace_id, workflow_id)
);
create unique index workflows_by_name on workflows (workspace_id, name);

-- Versions outlive their workflow, because runs are pinned to them.
create table workflow_versions (
    workspace_id text collate "C" not null,
    workflow_id text collate "C" not null,
    version bigint not null,
    published_at bigint not null,
    document text not null,
    primary key (workspace_id, workflow_id, version)
);

-- Only triggers of published versions.
create table workflow_triggers (
    workspace_id text collate "C" not null,
    workflow_id text collate "C" not null,
    node text collate "C" not null,
    version bigint not null,
    source text collate "C" not null,
    key text collate "C" not null,
    priority bigint not null,
    listen_only boolean not null,
    competes boolean not null,
    primary key (workspace_id, workflow_id, node, key)
);
create index workflow_triggers_by_key on workflow_triggers (workspace_id, source, key);
create unique index workflow_triggers_by_path on workflow_triggers (workspace_id, key) where source = 'webhook';

create table workflow_schedules (
    workspace_id text collate "C" not null,
    workflow_id text collate "C" not null,
    node text collate "C" not null,
    next_at bigint,
    params text not null,
    primary key (workspace_id, workflow_id, node)
);
create index workflow_schedules_due on workflow_schedules (next_at) where next_at is not null;

-- status: 0 queued, 1 running, 2 waiting, 3 succeeded, 4 failed, 5 cancelled.
-- turns fences writers; events is the number of events those turns wrote.
create table runs (
    workspace_id text collate "C" not null,
    run_id text collate "C" not null,
    workflow_id text collate "C" not null,
    version bigint not null,
    status smallint not null,
    turns bigint not null,
    events bigint not null,
    is_test boolean not null,
    dry_run boolean not null,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    wake_at bigint,
    trigger_type text not null,
    lane text collate "C",
    parent_run_id text,
    inbound_id text collate "C",
    dedupe_key text collate "C",
    error text,
    reply text,
    document text,
    primary key (workspace_id, run_id)
);
-- Lists by time read one range per status and merge them, so these two serve every filter. They end with the time:
-- the few runs of one moment are sorted by id when they are read. The planner judges an index by how well its first
-- column follows the order of the table, so both must begin alike, or it takes the wrong one for a workflow.
create index runs_by_status on runs (workspace_id, status, created_at);
create index runs_by_workflow on runs (workspace_id, workflow_id, status, created_at);
-- The others hold only the runs that need them.
create unique index runs_by_dedupe_key on runs (workspace_id, dedupe_key) where dedupe_key is not null;
create index runs_due on runs (wake_at) where wake_at is not null;
create index runs_active on runs (created_at, workspace_id, run_id) where status <= 1;
create index runs_in_lane on runs (workspace_id, lane, status, created_at, run_id)
    where lane is not null and status <= 1;
create index runs_by_inbound on runs (workspace_id, inbound_id) where inbound_id is not null;

-- One row per turn: `count` events from number `first_seq` on. The first byte of `body` names the codec of the rest.
create table run_events (
    workspace_id text collate "C" not null,
    run_id text collate "C" not null,
    first_seq bigint not null,
    count bigint not null,
    at bigint not null,
    body bytea not null,
    primary key (workspace_id, run_id, first_seq)
);

-- Who waits for a signal. Waits for a time alone are in runs.wake_at and in the events.
-- kind: 0 time, 1 signal, 2 reply, 3 approval, 4 call.
create table run_waits (
    workspace_id text collate "C" not null,
    run_id text collate "C" not null,
    node text collate "C" not null,
    iteration bigint not null,
    kind smallint not null,
    since bigint not null,
    until bigint,
    signal text collate "C",
    body text,
    primary key (workspace_id, run_id, node, iteration)
);
create index run_waits_by_signal on run_waits (workspace_id, signal) where signal is not null;
create index run_waits_for_approval on run_waits (workspace_id, since, run_id, node, iteration) where kind = 3;
