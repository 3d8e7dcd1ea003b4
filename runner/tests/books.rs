//! An installation as `sluice serve` opens it keeps its books: plans are there, runs are counted, roll-ups hold what was
//! used, deleting runs changes no usage, `sluice ledger verify` finds what was changed, and a budget stops what would
//! overspend it.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_db::contract::POSTGRES_URL;
use sluice_db::{Db, Dialect};
use sluice_engine::drive::StartRequest;
use sluice_node_sdk::prelude::{
    Context, Effect, Input, Node, NodeError, NodeSpec, Outcome, Spending, Value, json, node,
};
use sluice_records::Scope;
use sluice_records::ledger::{Account, AccountKind, CreditMove, DEFAULT_CURRENCY};
use sluice_records::plans::{NewPrice, PlanFields, PlanPeriod, SubscriptionChange};
use sluice_runner::bookkeeping::keep_books_now;
use sluice_runner::pruning::prune_now;
use sluice_runner::storage::Keeping;
use sluice_runner::{Installation, Settings};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DAY: i64 = 86_400_000;

async fn open(folder: &Path) -> Installation {
    let settings = Settings { data: Some(folder.to_owned()), ..Settings::default() };
    Installation::open(&settings.resolve().unwrap(), &[]).await.unwrap()
}

fn verify(folder: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["ledger", "verify", "--data"])
        .arg(folder)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn books_are_kept_and_can_be_proved() {
    let folder = tempfile::tempdir().unwrap();
    let installation = open(folder.path()).await;
    let (engine, records) = (&installation.engine, &installation.records);
    assert_eq!(records.list_plans(&Scope::Platform).await.unwrap().len(), 3);
    let workspace = records.create_workspace("asha").await.unwrap().id;
    let document = json!({
        "sluice": 1, "name": "Plain",
        "nodes": [{ "id": "start", "type": "trigger.manual" }, { "id": "end", "type": "flow.noop" }],
        "edges": [{ "from": "start", "to": "end" }],
    });
    let row = engine.create_workflow(&workspace, serde_json::from_value(document).unwrap()).await.unwrap();
    engine.publish(&workspace, &row.id, None).await.unwrap();
    for _ in 0..3 {
        let request = StartRequest {
            workspace_id: workspace.clone(),
            workflow_id: row.id.clone(),
            event: json!({}),
            ..StartRequest::default()
        };
        engine.start(request).await.unwrap();
    }
    engine.settle().await;
    assert_eq!(records.used_since(&workspace, "run", 0).await.unwrap(), 3);
    keep_books_now(&installation).await.unwrap();
    let keeping = Keeping { runs: Some(DAY), tests: Some(DAY), inbound: None };
    let pass = prune_now(&installation, &keeping, engine.now_ms() + 2 * DAY).await.unwrap();
    assert_eq!(pass.pruned.runs, 3);
    assert_eq!(records.used_since(&workspace, "run", 0).await.unwrap(), 3);

    let gift = CreditMove {
        by: Scope::Platform,
        key: "gift".into(),
        from: Scope::Platform,
        to: Scope::Workspace(workspace),
        amount: 5,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: false,
        reference: None,
    };
    records.move_credits(&gift).await.unwrap();
    let (is_sound, text) = verify(folder.path());
    assert!(is_sound && text.contains("2 accounts, 1 transfers, 2 entries"), "{text}");
    for sql in
        ["drop trigger ledger_entries_no_update", "update ledger_entries set amount = 6 where amount = 5"]
    {
        installation.db.query(sql).execute().await.unwrap();
    }
    let (is_sound, text) = verify(folder.path());
    assert!(!is_sound && text.contains("WRONG") && text.contains("its hash does not fit"), "{text}");
    installation.db.close().await;
}

/// Does something that costs, and counts how often it did.
struct Act(Arc<AtomicU64>);

impl Node for Act {
    const TYPE: &'static str = "test.act";
    type Params = Value;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Act", "Does something that costs").docs("For tests.").effect(Effect::Once)
    }

    async fn run(&self, ctx: &Context<'_, Value>, input: Input) -> Result<Outcome, NodeError> {
        let spending =
            Spending { key: ctx.effect_id(), kind: "message".into(), quantity: 1, category: String::new() };
        ctx.reserve(&spending).await?;
        self.0.fetch_add(1, Ordering::SeqCst);
        ctx.settle(&spending).await;
        ctx.usage("message", 1, &[]);
        Ok(input.pass().into())
    }
}

/// An installation on the database of a contract test; on SQLite on a file of its own.
async fn opened(db: &Db, folder: &Path, acts: &Arc<AtomicU64>) -> Installation {
    let mut settings = Settings { data: Some(folder.to_owned()), ..Settings::default() };
    if db.dialect() == Dialect::Postgres {
        let schema = db.query("select current_schema()::text as name").one().await.unwrap();
        let url = std::env::var(POSTGRES_URL).unwrap();
        let joint = if url.contains('?') { '&' } else { '?' };
        settings.database =
            Some(format!("{url}{joint}options[search_path]={}", schema.text("name").unwrap()));
    }
    let nodes = [node(Act(acts.clone()))];
    let installation = Installation::open(&settings.resolve().unwrap(), &nodes).await.unwrap();
    // As `sluice serve` does: who shares a database drives no run before it is one of those who do.
    installation.engine.recover().await.unwrap();
    installation
}

async fn a_budget_stops_before_it_is_overspent(db: Db) {
    let folder = tempfile::tempdir().unwrap();
    let acts = Arc::new(AtomicU64::new(0));
    let installation = opened(&db, folder.path(), &acts).await;
    let (engine, records) = (&installation.engine, &installation.records);
    let workspace = records.create_workspace("asha").await.unwrap().id;
    let scope = Scope::Workspace(workspace.clone());
    let fields = PlanFields {
        name: "Small".into(),
        currency: DEFAULT_CURRENCY.into(),
        price: 0,
        period: PlanPeriod::Month,
        trial_days: 0,
        limits: [("messages".to_owned(), 5)].into(),
        overage: Default::default(),
        features: Vec::new(),
    };
    let plan = records.create_plan(&Scope::Platform, fields).await.unwrap();
    let choice = SubscriptionChange::Choose { plan_id: plan.id, trial: false };
    records.change_subscription(&workspace, &choice, None).await.unwrap();
    let price = NewPrice {
        kind: "message".into(),
        category: String::new(),
        currency: DEFAULT_CURRENCY.into(),
        amount: 10,
        per: 1,
        valid_from: 0,
        valid_until: None,
    };
    records.add_price(&Scope::Platform, price).await.unwrap();
    let document = json!({
        "sluice": 1, "name": "Act",
        "nodes": [{ "id": "start", "type": "trigger.manual" }, { "id": "act", "type": "test.act" }],
        "edges": [{ "from": "start", "to": "act" }],
    });
    let row = engine.create_workflow(&workspace, serde_json::from_value(document).unwrap()).await.unwrap();
    engine.publish(&workspace, &row.id, None).await.unwrap();

    // First the wallet is what stops, then the plan.
    for (amount, expected, code) in [(35, 3, "budget_exhausted"), (1_000, 5, "plan_limit_reached")] {
        let gift = CreditMove {
            by: Scope::Platform,
            key: format!("gift {amount}"),
            from: Scope::Platform,
            to: scope.clone(),
            amount,
            currency: DEFAULT_CURRENCY.into(),
            is_bonus: false,
            reference: None,
        };
        records.move_credits(&gift).await.unwrap();
        let started = (0..8).map(|_| {
            engine.start(StartRequest {
                workspace_id: workspace.clone(),
                workflow_id: row.id.clone(),
                event: json!({}),
                ..StartRequest::default()
            })
        });
        for started in futures::future::join_all(started).await {
            started.unwrap();
        }
        engine.settle().await;
        assert_eq!(acts.load(Ordering::SeqCst), expected, "{code}");
        let errors = "select error from runs where error is not null";
        let errors = installation.db.query(errors).all().await.unwrap();
        let refused = errors.iter().filter(|row| row.text(0).unwrap().contains(code)).count() as u64;
        assert!(refused >= 5, "{refused} were refused with {code}");
        assert_eq!(records.used_since(&workspace, "message", 0).await.unwrap(), expected as i64);
        let account = |kind| Account::new(&scope, kind, DEFAULT_CURRENCY);
        let revenue = records.balance(&account(AccountKind::Revenue)).await.unwrap();
        assert_eq!(revenue, expected as i64 * 10, "what took place is paid, and nothing else");
        assert_eq!(records.balance(&account(AccountKind::Reserved)).await.unwrap(), 0);
    }
    assert_eq!(records.used_since(&workspace, "run", 0).await.unwrap(), 16);
    assert!(records.verify_ledger().await.unwrap().is_sound());
    engine.shut_down(Duration::ZERO).await;
    installation.db.close().await;
}

sluice_db::contract_tests! { a_budget_stops_before_it_is_overspent }
