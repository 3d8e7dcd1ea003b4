-- Who changed what. Each scope has a chain of its own: `ws_…`, `rs_…` or `platform`. Every entry seals all of its
-- columns and the seal of the entry before it; the head seals how many there are.
create table audit_entries (
    chain text not null,
    seq bigint not null,
    at bigint not null,
    actor_kind text not null,
    actor_id text not null,
    actor_name text not null,
    impersonated_by text,
    address text,
    request_id text,
    action text not null,
    target_kind text not null,
    target_id text not null,
    target_name text not null,
    value_before text,
    value_after text,
    key_id text not null,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (chain, seq)
);
create index audit_entries_by_time on audit_entries (at, chain, seq);
create index audit_entries_by_chain on audit_entries (chain, at, seq);
create index audit_entries_by_target on audit_entries (chain, target_id, seq);

create table audit_heads (
    chain text not null primary key,
    entries bigint not null,
    last_hash bytea not null,
    key_id text not null,
    seal bytea not null
);

-- The wall between workspaces (see 0015_row_security): what is done in a workspace is read by nobody else. Written it is
-- for others as well: a workspace's first change is told to the chain of the platform.
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy workspace_wall on audit_entries for select using
    (coalesce(current_setting('sluice.workspace', true), '') in ('', chain));
create policy written_by_all on audit_entries for insert with check (true);

-- Against mistakes, not against attackers: those are found by the seals.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'entries of the audit trail are never changed or deleted';
end
$$;
create trigger audit_entries_are_never_changed before update or delete or truncate on audit_entries
for each statement execute function refuse_audit_change();
