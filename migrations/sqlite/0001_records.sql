-- What workflows act on: tenants, keys, credentials, numbers, contacts, conversations, messages, inbound bodies.
-- Every table of a workspace leads its primary key with it. Times are milliseconds since the Unix epoch; JSON is text.

create table workspaces (
    id text not null primary key,
    name text not null unique,
    created_at bigint not null
);

-- A key without a workspace is a platform key.
create table api_keys (
    id text not null primary key,
    workspace_id text,
    name text not null,
    key_hash text not null unique,
    created_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);
create index api_keys_by_workspace on api_keys (workspace_id, created_at);

create table credentials (
    workspace_id text not null,
    id text not null,
    name text not null,
    kind text not null,
    public_fields text not null,
    sealed blob not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, id)
);
create unique index credentials_by_name on credentials (workspace_id, name);

create table numbers (
    workspace_id text not null,
    phone_number_id text not null,
    waba_id text not null,
    display_phone_number text not null,
    verified_name text,
    credential text not null,
    status text not null,
    connected_at bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, phone_number_id)
);
create unique index numbers_everywhere on numbers (phone_number_id);
create index numbers_by_waba on numbers (waba_id);

create table contacts (
    workspace_id text not null,
    id text not null,
    display_name text,
    profile_name text,
    attributes text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace_id, id)
);
create index contacts_by_time on contacts (workspace_id, created_at, id);

-- value is the normalised form that is compared, address the form that is written to.
create table contact_identities (
    workspace_id text not null,
    kind text not null,
    value text not null,
    address text not null,
    contact_id text not null,
    created_at bigint not null,
    primary key (workspace_id, kind, value)
);
create index contact_identities_by_contact on contact_identities (workspace_id, contact_id);

-- Where the id of a merged contact leads today, and what the contact was.
create table contact_merges (
    workspace_id text not null,
    merged_id text not null,
    into_id text not null,
    was text not null,
    merged_at bigint not null,
    primary key (workspace_id, merged_id)
);
create index contact_merges_by_survivor on contact_merges (workspace_id, into_id);

create table contact_consents (
    workspace_id text not null,
    contact_id text not null,
    topic text not null,
    granted boolean not null,
    source text not null,
    changed_at bigint not null,
    primary key (workspace_id, contact_id, topic)
);

-- Record writes made by a node, by effect id: a repeated effect finds itself here and changes nothing.
create table applied_effects (
    workspace_id text not null,
    effect_id text not null,
    applied_at bigint not null,
    primary key (workspace_id, effect_id)
);
create index applied_effects_by_time on applied_effects (applied_at);

-- group_id is empty for a conversation between two.
create table conversations (
    workspace_id text not null,
    id text not null,
    phone_number_id text not null,
    contact_id text not null,
    group_id text not null,
    status text not null,
    unread bigint not null,
    last_inbound_at bigint,
    last_message_at bigint not null,
    window_expires_at bigint,
    referral text,
    merged_into text,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index conversations_open on conversations (workspace_id, phone_number_id, contact_id, group_id)
    where status = 'open';
create index conversations_by_time on conversations (workspace_id, last_message_at, id);
create index conversations_by_contact on conversations (workspace_id, contact_id);

create table messages (
    workspace_id text not null,
    id text not null,
    conversation_id text not null,
    contact_id text not null,
    phone_number_id text not null,
    direction text not null,
    type text not null,
    content text not null,
    wamid text,
    effect_id text,
    inbound_id text,
    status text not null,
    status_rank bigint not null,
    status_at bigint not null,
    error text,
    happened_at bigint not null,
    created_at bigint not null,
    primary key (workspace_id, id)
);
create unique index messages_by_wamid on messages (workspace_id, phone_number_id, wamid);
create unique index messages_by_effect on messages (workspace_id, effect_id);
create index messages_by_time on messages (workspace_id, conversation_id, happened_at, id);
create index messages_by_contact on messages (workspace_id, contact_id);

-- Every status ever reported, once. It may be here before its message is. participant is empty outside groups.
create table message_statuses (
    workspace_id text not null,
    phone_number_id text not null,
    wamid text not null,
    participant text not null,
    status text not null,
    effect_id text,
    inbound_id text,
    error text,
    happened_at bigint not null,
    created_at bigint not null,
    primary key (workspace_id, phone_number_id, wamid, participant, status)
);
create index message_statuses_by_effect on message_statuses (workspace_id, effect_id);

-- Every provider body that was acknowledged, stored before the 200. A platform table: whose it is shows after reading.
create table inbound_bodies (
    id text not null primary key,
    source text not null,
    received_at bigint not null,
    status text not null,
    raw blob not null,
    sha256 text not null,
    changes text not null,
    workspace_count bigint not null,
    duplicate_of text,
    note text,
    claimed_until bigint not null
);
create index inbound_bodies_by_time on inbound_bodies (received_at, id);
create index inbound_bodies_by_hash on inbound_bodies (source, sha256);
create index inbound_bodies_pending on inbound_bodies (claimed_until) where status = 'received';

-- The part of a body that concerns one workspace; the raw body is shown to it only when nobody else is in there.
create table inbound_body_shares (
    workspace_id text not null,
    inbound_id text not null,
    received_at bigint not null,
    changes text not null,
    primary key (workspace_id, inbound_id)
);
create index inbound_body_shares_by_time on inbound_body_shares (workspace_id, received_at, inbound_id);

create table inbound_body_runs (
    workspace_id text not null,
    inbound_id text not null,
    run_id text not null,
    primary key (workspace_id, inbound_id, run_id)
);
create index inbound_body_runs_by_body on inbound_body_runs (inbound_id);

-- Events that have no row of their own to be recognised by (template and account events), by key.
create table inbound_seen (
    event_key text not null primary key,
    inbound_id text not null,
    seen_at bigint not null
);
create index inbound_seen_by_time on inbound_seen (seen_at);
