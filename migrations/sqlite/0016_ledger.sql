-- Money and usage: a ledger of double entry, usage events with their roll-ups, plans, prices and subscriptions.
-- Amounts are whole micro-units of a currency, or whole pieces of something counted. Balances are sums of entries.

-- Whose accounts: `platform`, `rs_…` or `ws_…`. Whoever posts locks these rows, in the order of their names.
create table ledger_books (
    owner text not null primary key,
    created_at bigint not null
) without rowid;

create table ledger_transfers (
    owner text not null,
    idempotency_key text not null,
    id text not null,
    reason text not null,
    reference text,
    actor text not null,
    at bigint not null,
    seal text not null,
    primary key (owner, idempotency_key)
) without rowid;
create unique index ledger_transfers_by_id on ledger_transfers (id);

-- account: kind and unit, such as `wallet/INR`. seq counts the entries of an account without gaps; hash chains them.
create table ledger_entries (
    owner text not null,
    account text not null,
    seq bigint not null,
    amount bigint not null,
    transfer_id text not null,
    at bigint not null,
    hash text not null,
    primary key (owner, account, seq)
) without rowid;
create index ledger_entries_by_transfer on ledger_entries (transfer_id);

-- The balance of an account after an entry, written now and then so that sums stay short.
create table ledger_closings (
    owner text not null,
    account text not null,
    up_to_seq bigint not null,
    balance bigint not null,
    hash text not null,
    primary key (owner, account, up_to_seq)
) without rowid;

-- What was put aside before an effect. round counts the holds of one key; what became of one is in the steps.
create table ledger_holds (
    workspace_id text not null,
    hold_key text not null,
    round bigint not null,
    kind text not null,
    quantity bigint not null,
    category text not null,
    currency text not null,
    amount bigint not null,
    from_bonus bigint not null,
    quota text,
    at bigint not null,
    expires_at bigint not null,
    primary key (workspace_id, hold_key, round)
) without rowid;

-- step: `end` once (outcome: settled, released, expired), then `adjust` and `refund` at most once each.
create table ledger_hold_steps (
    workspace_id text not null,
    hold_key text not null,
    round bigint not null,
    step text not null,
    outcome text not null,
    quantity bigint not null,
    amount bigint not null,
    at bigint not null,
    primary key (workspace_id, hold_key, round, step)
) without rowid;

-- To do, not to count: holds without an end.
create table ledger_open_holds (
    workspace_id text not null,
    hold_key text not null,
    round bigint not null,
    expires_at bigint not null,
    primary key (workspace_id, hold_key, round)
) without rowid;
create index ledger_open_holds_by_time on ledger_open_holds (expires_at);

-- part names the roll-up that holds the event; null until there is one. attributes: JSON with sorted names, or empty.
create table usage_events (
    workspace_id text not null,
    usage_key text not null,
    kind text not null,
    quantity bigint not null,
    attributes text not null,
    run_id text,
    at bigint not null,
    part text,
    primary key (workspace_id, usage_key)
) without rowid;
create index usage_events_open on usage_events (workspace_id, kind, at) where part is null;
create index usage_events_closed on usage_events (kind, at) where part is not null;

-- Sums of events; what came later is a part of its own. Old parts are merged into one, whose name is empty.
create table usage_hourly (
    workspace_id text not null,
    kind text not null,
    hour bigint not null,
    attributes text not null,
    part text not null,
    quantity bigint not null,
    events bigint not null,
    primary key (workspace_id, kind, hour, attributes, part)
) without rowid;
create index usage_hourly_unmerged on usage_hourly (hour) where part <> '';

create table usage_daily (
    workspace_id text not null,
    kind text not null,
    day bigint not null,
    attributes text not null,
    part text not null,
    quantity bigint not null,
    events bigint not null,
    primary key (workspace_id, kind, day, attributes, part)
) without rowid;
create index usage_daily_unmerged on usage_daily (day) where part <> '';

-- limits, overage and features are JSON. An archived plan takes no new subscribers.
create table plans (
    id text not null primary key,
    owner text not null,
    name text not null,
    currency text not null,
    price bigint not null,
    period text not null,
    trial_days bigint not null,
    limits text not null,
    overage text not null,
    features text not null,
    created_at bigint not null,
    updated_at bigint not null,
    archived_at bigint
);
create index plans_by_owner on plans (owner, name);

-- What happened to the subscription of a workspace; the last event says how it stands.
create table subscription_events (
    workspace_id text not null,
    seq bigint not null,
    kind text not null,
    plan_id text not null,
    anchor bigint not null,
    period_start bigint not null,
    period_end bigint not null,
    actor text not null,
    note text,
    at bigint not null,
    primary key (workspace_id, seq)
) without rowid;
create index subscription_events_by_plan on subscription_events (plan_id);

-- Of several prices for the same the one that begins last counts. category is empty for all others.
create table prices (
    owner text not null,
    kind text not null,
    category text not null,
    valid_from bigint not null,
    id text not null,
    valid_until bigint,
    currency text not null,
    amount bigint not null,
    per bigint not null,
    actor text not null,
    created_at bigint not null,
    primary key (owner, kind, category, valid_from, id)
) without rowid;

-- What is written here stays as it is.
create trigger ledger_transfers_no_update before update on ledger_transfers begin
    select raise(abort, 'rows of ledger_transfers are never changed or deleted');
end;
create trigger ledger_transfers_no_delete before delete on ledger_transfers begin
    select raise(abort, 'rows of ledger_transfers are never changed or deleted');
end;
create trigger ledger_entries_no_update before update on ledger_entries begin
    select raise(abort, 'rows of ledger_entries are never changed or deleted');
end;
create trigger ledger_entries_no_delete before delete on ledger_entries begin
    select raise(abort, 'rows of ledger_entries are never changed or deleted');
end;
create trigger ledger_closings_no_update before update on ledger_closings begin
    select raise(abort, 'rows of ledger_closings are never changed or deleted');
end;
create trigger ledger_closings_no_delete before delete on ledger_closings begin
    select raise(abort, 'rows of ledger_closings are never changed or deleted');
end;
create trigger ledger_holds_no_update before update on ledger_holds begin
    select raise(abort, 'rows of ledger_holds are never changed or deleted');
end;
create trigger ledger_holds_no_delete before delete on ledger_holds begin
    select raise(abort, 'rows of ledger_holds are never changed or deleted');
end;
create trigger ledger_hold_steps_no_update before update on ledger_hold_steps begin
    select raise(abort, 'rows of ledger_hold_steps are never changed or deleted');
end;
create trigger ledger_hold_steps_no_delete before delete on ledger_hold_steps begin
    select raise(abort, 'rows of ledger_hold_steps are never changed or deleted');
end;
create trigger subscription_events_no_update before update on subscription_events begin
    select raise(abort, 'rows of subscription_events are never changed or deleted');
end;
create trigger subscription_events_no_delete before delete on subscription_events begin
    select raise(abort, 'rows of subscription_events are never changed or deleted');
end;
create trigger prices_no_update before update on prices begin
    select raise(abort, 'rows of prices are never changed or deleted');
end;
create trigger prices_no_delete before delete on prices begin
    select raise(abort, 'rows of prices are never changed or deleted');
end;
create trigger usage_events_no_update before update of workspace_id, usage_key, kind, quantity, attributes, run_id, at
on usage_events begin
    select raise(abort, 'usage events are never changed');
end;
create trigger usage_events_keep_open before delete on usage_events when old.part is null begin
    select raise(abort, 'a usage event is deleted only once a roll-up holds it');
end;
