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
    prev_hash blob not null,
    hash blob not null,
    primary key (chain, seq)
);
create index audit_entries_by_time on audit_entries (at, chain, seq);
create index audit_entries_by_chain on audit_entries (chain, at, seq);
create index audit_entries_by_target on audit_entries (chain, target_id, seq);

create table audit_heads (
    chain text not null primary key,
    entries bigint not null,
    last_hash blob not null,
    key_id text not null,
    seal blob not null
);

-- Against mistakes, not against attackers: those are found by the seals.
create trigger audit_entries_are_never_changed before update on audit_entries
begin select raise(abort, 'entries of the audit trail are never changed'); end;
create trigger audit_entries_are_never_deleted before delete on audit_entries
begin select raise(abort, 'entries of the audit trail are never deleted'); end;
create trigger audit_entries_are_never_replaced before insert on audit_entries
when exists (select 1 from audit_entries where chain = new.chain and seq = new.seq)
begin select raise(abort, 'entries of the audit trail are never replaced'); end;
