-- Changes to records that triggers may react to, written with the change and taken away once dispatched.
create table record_events (
    workspace_id text not null,
    id text not null,
    topic text not null,
    data text not null,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create index record_events_by_age on record_events (created_at, id);
