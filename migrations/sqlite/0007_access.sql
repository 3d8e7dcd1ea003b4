-- People, what they are where, resellers; what keys may do.
-- A platform-wide table names a scope by kind (platform, reseller, workspace) and id (empty for the platform).

create table people (
    id text not null primary key,
    email text not null unique,
    name text not null,
    phone text,
    business_name text,
    industry text,
    password_hash text,
    status text not null,
    status_reason text,
    token_version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    verified_at bigint,
    last_login_at bigint
);
create index people_by_time on people (created_at, id);

-- status: active, invited, suspended.
create table memberships (
    scope_kind text not null,
    scope_id text not null,
    person_id text not null,
    role text not null,
    status text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (scope_kind, scope_id, person_id)
);
create index memberships_by_person on memberships (person_id);

-- status: active, suspended.
create table resellers (
    id text not null primary key,
    name text not null unique,
    display_name text not null,
    status text not null,
    created_at bigint not null,
    updated_at bigint not null
);

-- status: active, suspended, deleted. profile: what the business says about itself, JSON.
alter table workspaces add column reseller_id text;
alter table workspaces add column status text not null default 'active';
alter table workspaces add column status_reason text;
alter table workspaces add column display_name text not null default '';
alter table workspaces add column profile text not null default '{}';
alter table workspaces add column updated_at bigint not null default 0;
create index workspaces_by_reseller on workspaces (reseller_id, created_at, id);

-- permissions and addresses: JSON lists; null allows all that the scope has, from everywhere.
alter table api_keys add column reseller_id text;
alter table api_keys add column prefix text not null default '';
alter table api_keys add column permissions text;
alter table api_keys add column addresses text;
alter table api_keys add column expires_at bigint;
alter table api_keys add column rotated_from text;
alter table api_keys add column created_by text not null default '';

-- The token of an invitation is shown once and kept as a hash. An invitation is open until it is accepted, revoked or over.
create table invitations (
    scope_kind text not null,
    scope_id text not null,
    id text not null,
    email text not null,
    role text not null,
    token_hash text not null unique,
    invited_by text not null,
    created_at bigint not null,
    expires_at bigint not null,
    accepted_at bigint,
    revoked_at bigint,
    primary key (scope_kind, scope_id, id)
);
create index invitations_by_email on invitations (email);
