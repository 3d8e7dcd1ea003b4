-- How often something may be done. A rule without a workspace is the platform's (workspace_id empty); one without a
-- subject counts everybody of its level by themselves. window_limit in any window_seconds; daily_limit in a day of UTC.
create table limit_rules (
    workspace_id text not null,
    id text not null,
    level text not null,
    route text not null,
    subject text not null,
    window_limit bigint,
    window_seconds bigint,
    daily_limit bigint,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, id)
);
create unique index limit_rules_by_place on limit_rules (workspace_id, level, route, subject);

-- One row for each rule and whom it counts: the last eleven parts of the window, each a tenth of it, in a ring. Part n
-- of time is counted in column n modulo 11; place is the newest part that was counted.
create table limit_counts (
    workspace_id text not null,
    counter text not null,
    subject text not null,
    place bigint not null,
    c0 bigint not null,
    c1 bigint not null,
    c2 bigint not null,
    c3 bigint not null,
    c4 bigint not null,
    c5 bigint not null,
    c6 bigint not null,
    c7 bigint not null,
    c8 bigint not null,
    c9 bigint not null,
    c10 bigint not null,
    day bigint not null,
    day_count bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, counter, subject)
);
create index limit_counts_by_time on limit_counts (updated_at);
