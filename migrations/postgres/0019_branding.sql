-- What people see in place of our name: of the platform (scope_id empty), of a reseller, of a workspace. What is null is
-- taken from the next above.
create table brands (
    scope_kind text not null,
    scope_id text not null,
    name text,
    accent text,
    accent_dark text,
    support_email text,
    logo_hash text,
    updated_at bigint not null,
    primary key (scope_kind, scope_id)
);

-- Pictures by the SHA-256 of their bytes; the same picture is kept once.
create table brand_logos (
    hash text not null primary key,
    media_type text not null,
    content bytea not null,
    created_at bigint not null
);

-- Host names that a brand is shown under. Several may claim a name; one has proved it.
create table domains (
    host text not null,
    scope_kind text not null,
    scope_id text not null,
    token text not null,
    status text not null,
    problem text,
    created_at bigint not null,
    checked_at bigint,
    verified_at bigint,
    primary key (host, scope_kind, scope_id)
);
create unique index domains_verified on domains (host) where status = 'verified';
create index domains_by_scope on domains (scope_kind, scope_id, host);
