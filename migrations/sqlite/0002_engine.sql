-- What the engine keeps: workflows and their versions, triggers, schedules, runs, events, waits.
-- Every table leads its primary key with the workspace. Times are milliseconds since the Unix epoch; JSON is text.
-- Most tables are `without rowid`: a row is stored once, in its primary key. Not `runs`, which has many indexes: in
-- them a row number of five bytes stands for two long ids.

create table workflows (
    workspace_id text not null,
    workflow_id text not null,
    name text not null,
    revision bigint not null,
    published_version bigint,
    created_at bigint not null,
    updated_at bigint not null,
    draft text not null,
    primary key (workspace_id, workflow_id)
) without rowid;
create unique index workflows_by_name on workflows (workspace_id, name);

-- Versions outlive their workflow, because runs are pinned to them.
create table workflow_versions (
    workspace_id text not null,
    workflow_id text not null,
    version bigint not null,
    published_at bigint not null,
    document text not null,
    primary key (workspace_id, workflow_id, version)
) without rowid;

-- Only triggers of published versions.
create table workflow_triggers (
    workspace_id text not null,
    workflow_id text not null,
    node text not null,
    version bigint not null,
    source text not null,
    key text not null,
    priority bigint not null,
    listen_only boolean not null,
    competes boolean not null,
    primary key (workspace_id, workflow_id, node, key)
) without rowid;
create index workflow_triggers_by_key on workflow_triggers (workspace_id, source, key);
create unique index workflow_triggers_by_path on workflow_triggers (workspace_id, key) where source = 'webhook';

create table workflow_schedules (
    workspace_id text not null,
    workflow_id text not null,
    node text not null,
    next_at bigint,
    params text not null,
    primary key (workspace_id, workflow_id, node)
) without rowid;
create index workflow_schedules_due on workflow_schedules (next_at) where next_at is not null;

-- status: 0 queued, 1 running, 2 waiting, 3 succeeded, 4 failed, 5 cancelled.
-- turns fences writers; events is the number of events those turns wrote.
create table runs (
    workspace_id text not null,
    run_id text not null,
    workflow_id text not null,
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
    lane text,
    parent_run_id text,
    inbound_id text,
    dedupe_key text,
    error text,
    reply text,
    document text,
    primary key (workspace_id, run_id)
);
-- Lists by time read one range per status and merge them, so these two serve every filter. They end with the time:
-- the few runs of one moment are sorted by id when they are read. A workflow belongs to one workspace,
-- so its index need not name it.
create index runs_by_status on runs (workspace_id, status, created_at);
create index runs_by_workflow on runs (workflow_id, status, created_at);
-- The others hold only the runs that need them.
create unique index runs_by_dedupe_key on runs (workspace_id, dedupe_key) where dedupe_key is not null;
create index runs_due on runs (wake_at) where wake_at is not null;
create index runs_active on runs (created_at, workspace_id, run_id) where status <= 1;
create index runs_in_lane on runs (workspace_id, lane, status, created_at, run_id)
    where lane is not null and status <= 1;
create index runs_by_inbound on runs (workspace_id, inbound_id) where inbound_id is not null;

-- One row per turn: `count` events from number `first_seq` on. The first byte of `body` names the codec of the rest.
create table run_events (
    workspace_id text not null,
    run_id text not null,
    first_seq bigint not null,
    count bigint not null,
    at bigint not null,
    body blob not null,
    primary key (workspace_id, run_id, first_seq)
) without rowid;

-- Who waits for a signal. Waits for a time alone are in runs.wake_at and in the events.
-- kind: 0 time, 1 signal, 2 reply, 3 approval, 4 call.
create table run_waits (
    workspace_id text not null,
    run_id text not null,
    node text not null,
    iteration bigint not null,
    kind smallint not null,
    since bigint not null,
    until bigint,
    signal text,
    body text,
    primary key (workspace_id, run_id, node, iteration)
) without rowid;
create index run_waits_by_signal on run_waits (workspace_id, signal) where signal is not null;
create index run_waits_for_approval on run_waits (workspace_id, since, run_id, node, iteration) where kind = 3;

-- Without figures SQLite assumes ten rows per workspace, and then reads a whole workspace where an index would
-- do. These are the figures of a large installation, where plans matter: rows, then rows per value of the
-- first column, of the first two, and so on. Nothing in the program runs `analyze`, which would replace them.
analyze sqlite_schema;
insert into sqlite_stat1 (tbl, idx, stat) values
    ('workflows', 'workflows', '10000 100 1'),
    ('workflows', 'workflows_by_name', '10000 100 1'),
    ('workflow_versions', 'workflow_versions', '100000 1000 10 1'),
    ('workflow_triggers', 'workflow_triggers', '20000 200 2 1 1'),
    ('workflow_triggers', 'workflow_triggers_by_key', '20000 200 50 5'),
    ('workflow_triggers', 'workflow_triggers_by_path', '10000 100 1'),
    ('workflow_schedules', 'workflow_schedules', '10000 100 1 1'),
    ('workflow_schedules', 'workflow_schedules_due', '10000 2'),
    ('runs', 'sqlite_autoindex_runs_1', '5000000 500000 1'),
    ('runs', 'runs_by_status', '5000000 500000 100000 2'),
    ('runs', 'runs_by_workflow', '5000000 5000 1000 2'),
    ('runs', 'runs_by_dedupe_key', '5000000 500000 1'),
    ('runs', 'runs_due', '1000000 2'),
    ('runs', 'runs_active', '1000 2 1 1'),
    ('runs', 'runs_in_lane', '1000 100 2 2 1 1'),
    ('runs', 'runs_by_inbound', '5000000 500000 2'),
    ('run_events', 'run_events', '20000000 2000000 4 1'),
    ('run_waits', 'run_waits', '1000000 100000 1 1 1'),
    ('run_waits', 'run_waits_by_signal', '1000000 100000 2'),
    ('run_waits', 'run_waits_for_approval', '1000 100 1 1 1 1');
analyze sqlite_schema;
