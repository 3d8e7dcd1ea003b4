//! The ledger: balances are sums, keys count once, nothing goes below zero, and what is changed behind its back is found.

use std::sync::Arc;

use sluice_db::{Db, Dialect};
use sluice_records::ledger::{Account, AccountKind, CreditMove, DEFAULT_CURRENCY, Line, NewTransfer};
use sluice_records::{Actor, ActorKind, RecordError, Scope};

use super::ground::Ground;

sluice_db::contract_tests! {
    credits_move_down_and_up,
    a_key_counts_once,
    nothing_goes_below_zero,
    sums_stay_short,
    entries_come_in_pages,
    rows_are_never_changed,
    what_was_changed_is_found,
    transfers_across_each_other_do_not_block,
    a_thousand_debits,
}

/// Micro-units of an Indian rupee.
pub(crate) const RUPEE: i64 = 1_000_000;

pub(crate) fn wallet(workspace_id: &str) -> Account {
    Account::new(&Scope::Workspace(workspace_id.into()), AccountKind::Wallet, DEFAULT_CURRENCY)
}

fn move_of(key: &str, from: &Scope, to: &Scope, amount: i64) -> CreditMove {
    CreditMove {
        by: Scope::Platform,
        key: key.into(),
        from: from.clone(),
        to: to.clone(),
        amount,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: false,
        reference: None,
    }
}

/// Credits from the platform.
pub(crate) async fn fund(ground: &Ground, amount: i64) {
    let to = Scope::Workspace(ground.ws().into());
    ground
        .records
        .move_credits(&move_of(&format!("fund {amount}"), &Scope::Platform, &to, amount))
        .await
        .unwrap();
}

fn debit(ground: &Ground, key: &str, amount: i64) -> NewTransfer {
    let owner = Scope::Workspace(ground.ws().into());
    let revenue = Account::new(&owner, AccountKind::Revenue, DEFAULT_CURRENCY);
    NewTransfer {
        key: key.into(),
        reason: "test.debit".into(),
        reference: None,
        lines: vec![Line::new(wallet(ground.ws()), -amount), Line::new(revenue, amount)],
        owner,
    }
}

fn code(error: &RecordError) -> &'static str {
    error.code()
}

async fn reseller(ground: &Ground, id: &str) -> Scope {
    let sql = "insert into resellers (id, name, display_name, status, created_at, updated_at) \
               values ($1, $1, $1, 'active', 0, 0)";
    ground.records.db().query(sql).bind(id).execute().await.unwrap();
    Scope::Reseller(id.into())
}

async fn credits_move_down_and_up(db: Db) {
    let ground = Ground::bare(db).await;
    let between = reseller(&ground, "rs_1").await;
    let client = Scope::Workspace(ground.ws().into());
    let records = ground.records.acting(Actor::new(ActorKind::Person, "per_1", "Asha"));
    let moved = |key: &'static str, from: &Scope, to: &Scope, amount| {
        let (records, wish) = (records.clone(), move_of(key, from, to, amount));
        async move { records.move_credits(&wish).await }
    };
    let first = moved("1", &Scope::Platform, &between, 100 * RUPEE).await.unwrap();
    assert_eq!(first.transfer.actor, "person:per_1");
    moved("2", &between, &client, 60 * RUPEE).await.unwrap();
    moved("3", &client, &between, 10 * RUPEE).await.unwrap();
    assert_eq!(code(&moved("4", &between, &client, 51 * RUPEE).await.unwrap_err()), "budget_exhausted");
    moved("5", &between, &Scope::Platform, 50 * RUPEE).await.unwrap();
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 50 * RUPEE);
    let of = async |scope: Scope| ground.records.balances(&scope).await.unwrap();
    let held = of(between.clone()).await;
    assert_eq!((held.len(), &*held[0].account, held[0].balance), (1, "wallet/INR", 0));
    assert_eq!(of(Scope::Platform).await[0].balance, -50 * RUPEE, "what is in circulation");
    let bonus = CreditMove { is_bonus: true, ..move_of("6", &Scope::Platform, &client, RUPEE) };
    ground.records.move_credits(&bonus).await.unwrap();
    assert_eq!(of(client.clone()).await.len(), 2);

    for (wrong, expected) in [
        (move_of("7", &Scope::Platform, &Scope::Workspace("ws_none".into()), 1), "not_found"),
        (move_of("7", &Scope::Reseller("rs_none".into()), &client, 1), "not_found"),
        (move_of("7", &between, &client, 0), "invalid"),
        (move_of("7", &between, &client, -5), "invalid"),
        (move_of("7", &client, &client, 5), "invalid"),
        (CreditMove { currency: "rupee".into(), ..move_of("7", &between, &client, 5) }, "invalid"),
        (CreditMove { is_bonus: true, ..move_of("7", &client, &Scope::Platform, 5) }, "invalid"),
    ] {
        assert_eq!(code(&ground.records.move_credits(&wrong).await.unwrap_err()), expected, "{wrong:?}");
    }
    let report = ground.records.verify_ledger().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.transfers, report.entries, report.sums["INR"]), (5, 10, 0));
}

async fn a_key_counts_once(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10 * RUPEE).await;
    let first = ground.records.post_transfer(&debit(&ground, "k", RUPEE)).await.unwrap();
    ground.pass(1_000);
    let again = ground.records.post_transfer(&debit(&ground, "k", RUPEE)).await.unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.transfer, again.transfer);
    for other in [
        debit(&ground, "k", 2 * RUPEE),
        NewTransfer { reason: "test.other".into(), ..debit(&ground, "k", RUPEE) },
        NewTransfer { reference: Some("x".into()), ..debit(&ground, "k", RUPEE) },
    ] {
        assert_eq!(code(&ground.records.post_transfer(&other).await.unwrap_err()), "conflict");
    }
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 9 * RUPEE);
}

async fn nothing_goes_below_zero(db: Db) {
    let ground = Ground::bare(db).await;
    let refused = ground.records.post_transfer(&debit(&ground, "a", 1)).await.unwrap_err();
    assert_eq!(code(&refused), "budget_exhausted");
    fund(&ground, 5).await;
    ground.records.post_transfer(&debit(&ground, "b", 5)).await.unwrap();
    assert_eq!(
        code(&ground.records.post_transfer(&debit(&ground, "c", 1)).await.unwrap_err()),
        "budget_exhausted"
    );
    // The key of a transfer that was refused is free.
    fund(&ground, 6).await;
    ground.records.post_transfer(&debit(&ground, "c", 2)).await.unwrap();
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 4);
}

async fn sums_stay_short(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10_000).await;
    for n in 0..600 {
        ground.records.post_transfer(&debit(&ground, &format!("k{n}"), 3)).await.unwrap();
    }
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 10_000 - 1_800);
    let report = ground.records.verify_ledger().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    // 601 entries of the wallet and 600 of what was charged: two closings each.
    assert_eq!((report.entries, report.closings), (1_202, 4));
    let closed = ground
        .records
        .db()
        .query("select up_to_seq from ledger_closings order by up_to_seq")
        .all()
        .await
        .unwrap();
    let closed: Vec<i64> = closed.iter().map(|row| row.int("up_to_seq").unwrap()).collect();
    assert_eq!(closed, [256, 256, 512, 512]);
}

async fn entries_come_in_pages(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 100).await;
    for n in 0..5 {
        ground.pass(1);
        ground.records.post_transfer(&debit(&ground, &format!("k{n}"), 1)).await.unwrap();
    }
    let account = wallet(ground.ws());
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = ground.records.entries(&account, cursor.as_deref(), 2).await.unwrap();
        seen.extend(page.items.iter().map(|entry| (entry.seq, entry.amount)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [(6, -1), (5, -1), (4, -1), (3, -1), (2, -1), (1, 100)]);
    assert!(ground.records.entries(&account, Some("!"), 2).await.is_err());
}

/// Statements that change what must stay.
const CHANGES: &[&str] = &[
    "update ledger_entries set amount = amount + 1",
    "delete from ledger_entries",
    "update ledger_transfers set reason = 'x'",
    "delete from ledger_transfers",
    "update ledger_closings set balance = 0",
    "delete from ledger_closings",
];

async fn rows_are_never_changed(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10_000).await;
    for n in 0..256 {
        ground.records.post_transfer(&debit(&ground, &format!("k{n}"), 3)).await.unwrap();
    }
    for sql in CHANGES {
        assert!(ground.records.db().query(*sql).execute().await.is_err(), "{sql}");
    }
    if ground.records.db().dialect() == Dialect::Postgres {
        assert!(ground.records.db().query("truncate ledger_entries").execute().await.is_err());
    }
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

/// Changes a row as somebody would who has the database in their hands.
async fn tamper(db: &Db, table: &str, sql: &str) {
    match db.dialect() {
        Dialect::Sqlite => {
            for verb in ["update", "delete"] {
                db.query(format!("drop trigger if exists {table}_no_{verb}")).execute().await.unwrap();
            }
        }
        Dialect::Postgres => {
            db.query(format!("alter table {table} disable trigger all")).execute().await.unwrap();
        }
    }
    assert!(db.query(sql.to_owned()).execute().await.unwrap() > 0, "{sql}");
}

async fn what_was_changed_is_found(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10_000).await;
    for n in 0..300 {
        ground.records.post_transfer(&debit(&ground, &format!("k{n}"), 3)).await.unwrap();
    }
    let db = ground.records.db().clone();
    let undo = |table: &'static str, change: &'static str, back: &'static str| {
        let (db, records) = (db.clone(), ground.records.clone());
        async move {
            tamper(&db, table, change).await;
            let report = records.verify_ledger().await.unwrap();
            assert!(!report.is_sound(), "{change}");
            tamper(&db, table, back).await;
            let report = records.verify_ledger().await.unwrap();
            assert!(report.is_sound(), "{change}: {:?}", report.problems);
        }
    };
    let third = "where seq = 3 and account = 'wallet/INR'";
    let amount = format!("update ledger_entries set amount = amount + 1 {third}");
    let back = format!("update ledger_entries set amount = amount - 1 {third}");
    undo("ledger_entries", amount.leak(), back.leak()).await;
    undo(
        "ledger_transfers",
        "update ledger_transfers set actor = 'person:per_2' where idempotency_key = 'k7'",
        "update ledger_transfers set actor = 'system:' where idempotency_key = 'k7'",
    )
    .await;
    undo(
        "ledger_transfers",
        "update ledger_transfers set at = at + 1 where idempotency_key = 'k7'",
        "update ledger_transfers set at = at - 1 where idempotency_key = 'k7'",
    )
    .await;
    undo(
        "ledger_closings",
        "update ledger_closings set balance = balance + 1",
        "update ledger_closings set balance = balance - 1",
    )
    .await;
    undo(
        "ledger_entries",
        "update ledger_entries set seq = 9999 where seq = 301 and account = 'wallet/INR'",
        "update ledger_entries set seq = 301 where seq = 9999",
    )
    .await;
    tamper(&db, "ledger_entries", "delete from ledger_entries where seq <= 256").await;
    let report = ground.records.verify_ledger().await.unwrap();
    assert!(report.problem_count > 500 && report.problems.len() == 100, "{}", report.problem_count);
}

async fn transfers_across_each_other_do_not_block(db: Db) {
    let ground = Arc::new(Ground::bare(db).await);
    let other = Scope::Workspace(ground.records.create_workspace("other").await.unwrap().id);
    let own = Scope::Workspace(ground.ws().into());
    for (key, to) in [("a", &own), ("b", &other)] {
        ground.records.move_credits(&move_of(key, &Scope::Platform, to, 100)).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..100 {
        let (ground, from, to) = match n % 2 {
            0 => (ground.clone(), own.clone(), other.clone()),
            _ => (ground.clone(), other.clone(), own.clone()),
        };
        tasks.spawn(async move {
            ground.records.move_credits(&move_of(&format!("m{n}"), &from, &to, 1)).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 100);
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

/// A thousand debits of one rupee on a wallet of six hundred, under eight hundred keys, all at once.
async fn a_thousand_debits(db: Db) {
    let ground = Arc::new(Ground::bare(db).await);
    fund(&ground, 600 * RUPEE).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        let ground = ground.clone();
        tasks.spawn(async move {
            let key = format!("debit {}", n % 800);
            let posted = ground.records.post_transfer(&debit(&ground, &key, RUPEE)).await;
            match posted {
                Ok(posted) => Some(posted),
                Err(error) => {
                    assert_eq!(code(&error), "budget_exhausted");
                    None
                }
            }
        });
    }
    let (mut new, mut ids) = (0, std::collections::BTreeSet::new());
    while let Some(done) = tasks.join_next().await {
        if let Some(posted) = done.unwrap() {
            new += u32::from(posted.is_new);
            ids.insert(posted.transfer.id);
        }
    }
    assert_eq!((new, ids.len()), (600, 600), "each key is applied once, and the last rupee is spent once");
    let left = ground.records.balance(&wallet(ground.ws())).await.unwrap();
    assert_eq!(left, 0);
    let report = ground.records.verify_ledger().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.sums["INR"], 0);
}
