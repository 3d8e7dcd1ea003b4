-- Signing in: codes, sessions, identities of other providers, throttles, and mail on its way.
-- All of it belongs to people of the installation, not to a workspace.

-- One code per purpose and e-mail address; a new one takes the place of the old. code_hash: HMAC, never the code.
create table sign_in_codes (
    purpose text not null,
    email text not null,
    code_hash text not null,
    attempts bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (purpose, email)
);
create index sign_in_codes_by_expiry on sign_in_codes (expires_at);

-- One sign-in of a person on one device. token_version: the person's when it began. home: the workspace that is meant
-- when a request names none; the row belongs to the person, not to that workspace.
create table sessions (
    id text not null primary key,
    person_id text not null,
    token_version bigint not null,
    home text,
    method text not null,
    address text,
    user_agent text,
    created_at bigint not null,
    last_used_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    end_reason text
);
create index sessions_by_person on sessions (person_id, created_at, id);
create index sessions_by_expiry on sessions (expires_at);

-- The refresh tokens of a session, each good once. token_hash: SHA-256.
create table refresh_tokens (
    token_hash text not null primary key,
    session_id text not null,
    created_at bigint not null,
    rotated_at bigint
);
create index refresh_tokens_by_session on refresh_tokens (session_id);

-- Who a person is at another provider (OpenID Connect).
create table person_identities (
    issuer text not null,
    subject text not null,
    person_id text not null,
    email text,
    created_at bigint not null,
    last_used_at bigint not null,
    primary key (issuer, subject)
);
create index person_identities_by_person on person_identities (person_id);

-- Sign-ins at another provider that are under way; each row is good once.
create table oidc_attempts (
    state_hash text not null primary key,
    browser_hash text not null,
    return_to text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index oidc_attempts_by_expiry on oidc_attempts (expires_at);

-- Mail to be sent. sealed: recipient, subject and text, which may hold a code. status: waiting, failed.
create table mail_outbox (
    id text not null primary key,
    sealed bytea not null,
    status text not null,
    attempts bigint not null,
    next_attempt_at bigint not null,
    last_error text,
    created_at bigint not null
);
create index mail_outbox_due on mail_outbox (status, next_attempt_at, id);
