//! Several processes spend from one wallet over one PostgreSQL database: this test starts itself again and again.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::process::Command;

use sluice_db::contract::POSTGRES_URL;
use sluice_db::{Db, DbOptions};
use sluice_records::ledger::{Account, AccountKind, CreditMove, DEFAULT_CURRENCY, Line, NewTransfer};
use sluice_records::{Cipher, MasterKey, Records, Scope};

/// Tells a started process where the wallet is: URL and workspace.
const PLACE: &str = "SLUICE_TEST_LEDGER_PLACE";

/// Debits that each process tries, and processes.
const DEBITS: usize = 500;
const PROCESSES: usize = 2;

fn records(db: Db) -> Records {
    Records::new(db, Cipher::new(MasterKey::parse(&"5a".repeat(32)).unwrap()))
}

fn debit(workspace_id: &str, key: &str) -> NewTransfer {
    let owner = Scope::Workspace(workspace_id.into());
    let account = |kind| Account::new(&owner, kind, DEFAULT_CURRENCY);
    let lines =
        vec![Line::new(account(AccountKind::Wallet), -1), Line::new(account(AccountKind::Revenue), 1)];
    NewTransfer { key: key.into(), reason: "test.debit".into(), reference: None, lines, owner }
}

/// What a started process does: under half of its keys the other one spends as well.
#[test]
fn started_process() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let (url, rest) = place.split_once('\n').unwrap();
    let (workspace_id, number) = rest.split_once('\n').unwrap();
    let (url, workspace_id, number) = (url.to_owned(), workspace_id.to_owned(), number.to_owned());
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        let mut options = DbOptions::new(url);
        options.max_connections = 8;
        let records = records(Db::open(options).await.unwrap());
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..DEBITS {
            let key = if n % 2 == 0 { format!("shared {n}") } else { format!("{number} {n}") };
            let (records, workspace_id) = (records.clone(), workspace_id.clone());
            tasks.spawn(async move {
                match records.post_transfer(&debit(&workspace_id, &key)).await {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.code(), "budget_exhausted"),
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}

/// A thousand debits by two processes under 750 keys, on a wallet of 700.
async fn two_processes_spend_from_one_wallet(db: Db) {
    let schema = db.query("select current_schema() as name").one().await.unwrap().text("name").unwrap();
    let url = std::env::var(POSTGRES_URL).unwrap();
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}options[search_path]={schema}");
    let records = records(db);
    let workspace = records.create_workspace("shared").await.unwrap().id;
    let scope = Scope::Workspace(workspace.clone());
    let funds = CreditMove {
        by: Scope::Platform,
        key: "funds".into(),
        from: Scope::Platform,
        to: scope.clone(),
        amount: 700,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: false,
        reference: None,
    };
    records.move_credits(&funds).await.unwrap();
    let start = |number: usize| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "started_process", "--nocapture"])
            .env(PLACE, format!("{url}\n{workspace}\n{number}"))
            .spawn()
            .unwrap()
    };
    let started: Vec<_> = (0..PROCESSES).map(start).collect();
    let ended = tokio::task::spawn_blocking(|| {
        started.into_iter().map(|mut process| process.wait().unwrap().success()).collect::<Vec<_>>()
    });
    assert_eq!(ended.await.unwrap(), vec![true; PROCESSES]);

    let balance = |kind| Account::new(&scope, kind, DEFAULT_CURRENCY);
    assert_eq!(records.balance(&balance(AccountKind::Wallet)).await.unwrap(), 0);
    assert_eq!(records.balance(&balance(AccountKind::Revenue)).await.unwrap(), 700);
    let report = records.verify_ledger().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.transfers, report.sums["INR"]), (701, 0));
    // No entry ever brought the wallet below zero, in whatever order they came.
    let sql = "select amount from ledger_entries where account = 'wallet/INR' order by seq";
    let rows = records.db().query(sql).all().await.unwrap();
    let lowest = rows.iter().scan(0, |sum, row| {
        *sum += row.int("amount").unwrap();
        Some(*sum)
    });
    assert_eq!(lowest.min(), Some(0));
}

#[test]
fn postgres() {
    sluice_db::contract::on_postgres(
        "two_processes_spend_from_one_wallet",
        two_processes_spend_from_one_wallet,
    );
}
