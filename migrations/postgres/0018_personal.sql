-- Erasing people, and acting in somebody else's place.

-- One row per erasure: while it is under way the list of what to look for (`sealed`), afterwards the proof. marks: keyed
-- hashes of what the person was known by, JSON. phase: stopping, leaving, bodies, runs, messages, late, scrubbing, done.
-- place: how far the phase has come. proof: a seal over the finished record, made with the key `key_id`.
create table erasures (
    workspace_id text not null,
    id text not null,
    contact_id text not null,
    phase text not null,
    place text not null,
    note text,
    sealed bytea,
    marks text not null,
    counts text not null,
    asked_by text not null,
    asked_at bigint not null,
    left_at bigint,
    finished_at bigint,
    key_id text not null,
    proof text,
    primary key (workspace_id, id)
);
create unique index erasures_by_contact on erasures (workspace_id, contact_id);
create index erasures_open on erasures (asked_at) where finished_at is null;
create index erasures_by_time on erasures (workspace_id, asked_at, id);

-- What somebody who is not known any more does not want to hear. mark: a keyed hash of what they were known by.
create table refusals (
    workspace_id text not null,
    mark text not null,
    topic text not null,
    since bigint not null,
    primary key (workspace_id, mark, topic)
);

-- When the bytes of a body were taken away; its hash stays, so that its repetition is not taken for news.
alter table inbound_bodies add column erased_at bigint;

-- Who acts in the person's place, in the workspace `home` alone; null for the person's own sessions.
alter table sessions add column impersonated_by text;

-- The wall of migration `row_security`.
alter table erasures enable row level security;
alter table erasures force row level security;
create policy workspace_wall on erasures using
    (coalesce(current_setting('sluice.workspace', true), '') in ('', workspace_id));
alter table refusals enable row level security;
alter table refusals force row level security;
create policy workspace_wall on refusals using
    (coalesce(current_setting('sluice.workspace', true), '') in ('', workspace_id));
