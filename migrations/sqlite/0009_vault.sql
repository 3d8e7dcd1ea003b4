-- Secrets: data keys under master keys, keys of single persons, connections to providers, sign-ins under way there.
-- The workspace of the platform itself is empty. Times are milliseconds since the Unix epoch; JSON is text.

-- One key per workspace seals; those before it are kept as long as a value may be sealed with them.
create table data_keys (
    workspace_id text not null,
    id text not null,
    master_key text not null,
    wrapped blob not null,
    rotation_id text not null,
    created_at bigint not null,
    retired_at bigint,
    primary key (workspace_id, id)
);
create unique index data_keys_in_use on data_keys (workspace_id) where retired_at is null;
create index data_keys_by_master on data_keys (master_key);

-- A renewal of all data keys. One that was interrupted goes on where it stopped.
create table vault_rotations (
    id text not null primary key,
    started_at bigint not null,
    finished_at bigint
);

-- The key of one person. Without it, nobody can read what was sealed with it: erasure takes `wrapped` away.
create table subject_keys (
    workspace_id text not null,
    contact_id text not null,
    wrapped blob,
    created_at bigint not null,
    destroyed_at bigint,
    primary key (workspace_id, contact_id)
);

-- Names of the secret fields that are set, for people; null for what earlier releases stored.
alter table credentials add column secret_fields text;

-- What is known about a credential that a person granted at a provider. `revision` grows with every change of its
-- tokens; `refresh_until` is the time until which one process may refresh them alone.
create table connections (
    workspace_id text not null,
    credential_id text not null,
    provider text not null,
    status text not null,
    reason text,
    account text,
    account_id text,
    scopes text not null,
    expires_at bigint,
    renewable boolean not null,
    revision bigint not null,
    refresh_until bigint not null,
    connected_at bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, credential_id)
);
create index connections_not_connected on connections (workspace_id) where status <> 'connected';

-- Sign-ins at providers that were begun and have not come back. Only hashes of what the browser holds.
create table oauth_states (
    workspace_id text not null,
    state_hash text not null,
    provider text not null,
    name text not null,
    scopes text not null,
    return_to text,
    browser_hash text not null,
    ticket_hash text,
    person_id text,
    started_by text not null,
    verifier blob not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (workspace_id, state_hash)
);
create index oauth_states_by_age on oauth_states (expires_at);

-- The credential that a trigger names, and the credentials whose triggers rest because they do not open any more.
alter table workflow_triggers add column credential text;
create table paused_credentials (
    workspace_id text not null,
    name text not null,
    reason text not null,
    since bigint not null,
    primary key (workspace_id, name)
);
