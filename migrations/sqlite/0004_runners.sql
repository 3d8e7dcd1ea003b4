-- Many processes over one database, receipts of signals, and runs that need a person.

-- owner: the process that drives the run now (`runners`); null while nobody does. A run that waits has none.
-- claims: how often a process took the run up since its last commit; counts crashes of what drives it.
-- attention: why a person must look: 1 unknown outcome, 2 given up after repeated crashes.
alter table runs add column owner bigint;
alter table runs add column claims smallint;
alter table runs add column attention smallint;
-- The answer to a webhook is in the events; twice is too often.
alter table runs drop column reply;
create index runs_for_attention on runs (workspace_id, created_at, run_id) where attention is not null;
-- What somebody drives or should drive.
drop index runs_active;
create index runs_active on runs (created_at, workspace_id, run_id) where status <= 1 or owner is not null;
create index runs_unowned on runs (workspace_id, created_at, run_id) where status <= 1 and owner is null;
drop index runs_in_lane;
create index runs_in_lane on runs (workspace_id, lane, status, created_at, run_id)
    where lane is not null and (status <= 1 or owner is not null);

-- The processes that drive runs. beat grows while a process lives; who sees it stand still takes its runs over.
create table runners (
    runner_id bigint not null primary key,
    name text not null,
    beat bigint not null,
    started_at bigint not null
);

-- What is to be told to a run that another process may be driving.
create table run_messages (
    workspace_id text not null,
    run_id text not null,
    message_id text not null,
    body text not null,
    created_at bigint not null,
    answered_at bigint,
    answer text,
    primary key (workspace_id, run_id, message_id)
) without rowid;
create index run_messages_open on run_messages (created_at) where answered_at is null;
create index run_messages_answered on run_messages (answered_at) where answered_at is not null;

-- Signals that a run has taken, by key; written in the commit that took them, so that none is heard twice.
create table signal_receipts (
    workspace_id text not null,
    receipt text not null,
    run_id text not null,
    at bigint not null,
    primary key (workspace_id, receipt)
) without rowid;
create index signal_receipts_by_time on signal_receipts (at);

analyze sqlite_schema;
delete from sqlite_stat1 where tbl = 'runs' and idx in ('runs_active', 'runs_in_lane');
insert into sqlite_stat1 (tbl, idx, stat) values
    ('runs', 'runs_active', '1000 2 1 1'),
    ('runs', 'runs_unowned', '1000 100 2 1'),
    ('runs', 'runs_in_lane', '1000 100 2 2 1 1'),
    ('runs', 'runs_for_attention', '1000 100 2 1'),
    ('runners', null, '10'),
    ('run_messages', 'run_messages', '1000 100 2 1'),
    ('run_messages', 'run_messages_open', '100 2'),
    ('run_messages', 'run_messages_answered', '1000 2'),
    ('signal_receipts', 'signal_receipts', '1000000 100000 1'),
    ('signal_receipts', 'signal_receipts_by_time', '1000000 2');
analyze sqlite_schema;
