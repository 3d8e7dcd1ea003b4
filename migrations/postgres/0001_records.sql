-- What workflows act on. Every table of a workspace leads its primary key with it.
create table workspaces (
    id text not null primary key,
    name text not null unique,
    created_at bigint not null
);
