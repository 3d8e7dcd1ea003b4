//! What statuses change about the cost of messages: a failure is refunded once, a category corrects what was counted.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::Scope;
use sluice_records::ledger::DEFAULT_CURRENCY;
use sluice_records::messages::{OutboundMessage, StatusRecord};
use sluice_records::plans::{NewPrice, PlanFields, PlanPeriod, Spend, SubscriptionChange};
use sluice_records::usage::{Step, UsageEvent, UsageFilter};
use sluice_records::whatsapp::ingest_body;

use super::ground::{Ground, NUMBER, START, body};
use super::ledger::{fund, wallet};

sluice_db::contract_tests! {
    a_failed_message_is_refunded_once,
    a_category_corrects_what_was_counted,
    a_failure_takes_back_what_was_corrected,
    a_failure_may_come_before_the_charge,
}

const EFFECT: &str = "run_1/send/0";
const WAMID: &str = "wamid.X";

/// A message that was sent, paid with ten and counted.
async fn sent(db: Db, kind: &str) -> Ground {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    for (category, amount) in [("marketing", 10), ("utility", 4)] {
        let price = NewPrice {
            kind: "message".into(),
            category: category.into(),
            currency: DEFAULT_CURRENCY.into(),
            amount,
            per: 1,
            valid_from: 0,
            valid_until: None,
        };
        records.add_price(&Scope::Platform, price).await.unwrap();
    }
    let fields = PlanFields {
        name: "Test".into(),
        currency: DEFAULT_CURRENCY.into(),
        price: 0,
        period: PlanPeriod::Month,
        trial_days: 0,
        limits: [("messages".to_owned(), 1)].into(),
        overage: BTreeMap::new(),
        features: Vec::new(),
    };
    let plan = records.create_plan(&Scope::Platform, fields).await.unwrap();
    let choice = SubscriptionChange::Choose { plan_id: plan.id, trial: false };
    records.change_subscription(ground.ws(), &choice, None).await.unwrap();
    fund(&ground, 50).await;
    let message = OutboundMessage {
        workspace_id: ground.ws().into(),
        phone_number_id: NUMBER.into(),
        contact_id: ground.contact("16505551234").await,
        effect_id: EFFECT.into(),
        kind: kind.into(),
        content: json!({}),
    };
    let spend = Spend {
        workspace_id: ground.ws().into(),
        key: EFFECT.into(),
        kind: "message".into(),
        quantity: 1,
        category: String::new(),
    };
    records.spend(&spend).await.unwrap();
    records.record_outbound_accepted(&message, WAMID).await.unwrap();
    let counted = UsageEvent {
        workspace_id: ground.ws().into(),
        key: format!("{EFFECT}/message/0"),
        kind: "message".into(),
        quantity: 1,
        attributes: BTreeMap::new(),
        run_id: Some("run_1".into()),
        at: START,
    };
    records.note_usage(&[counted]).await.unwrap();
    ground
}

/// A status as Meta sends it, twice.
async fn hear(ground: &Ground, status: &str, pricing: Value) {
    let mut update = json!({"id": WAMID, "status": status, "timestamp": (START / 1000).to_string(),
        "recipient_id": "16505551234", "biz_opaque_callback_data": EFFECT});
    if !pricing.is_null() {
        update["pricing"] = pricing;
    }
    if status == "failed" {
        update["errors"] = json!([{"code": 131_026, "title": "Message undeliverable"}]);
    }
    for id in ["in_1", "in_2"] {
        let raw = body("messages", json!({"statuses": [update]}));
        let done = ingest_body(&ground.records, id, &raw).await.unwrap();
        assert_eq!(done.note, None);
    }
}

async fn left(ground: &Ground) -> (i64, i64) {
    let money = ground.records.balance(&wallet(ground.ws())).await.unwrap();
    (money, ground.records.allowance(ground.ws(), "messages").await.unwrap().left.unwrap())
}

/// Messages by category.
async fn counted(ground: &Ground) -> BTreeMap<String, i64> {
    let filter = UsageFilter { from: 0, to: i64::MAX / 2, step: Step::Day, kind: None };
    let found = ground.records.usage(ground.ws(), &filter).await.unwrap();
    let category = |value: &Value| value["category"].as_str().unwrap_or_default().to_owned();
    let mut sums = BTreeMap::new();
    for sum in found {
        *sums.entry(category(&sum.attributes)).or_default() += sum.quantity;
    }
    sums.retain(|_, quantity| *quantity != 0);
    sums
}

async fn a_failed_message_is_refunded_once(db: Db) {
    let ground = sent(db, "template").await;
    assert_eq!(left(&ground).await, (40, 0));
    hear(&ground, "sent", Value::Null).await;
    assert_eq!(left(&ground).await, (40, 0));
    hear(&ground, "failed", Value::Null).await;
    assert_eq!(left(&ground).await, (50, 1));
    assert_eq!(counted(&ground).await, BTreeMap::new());
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn a_category_corrects_what_was_counted(db: Db) {
    let ground = sent(db, "template").await;
    assert_eq!(counted(&ground).await, BTreeMap::from([(String::new(), 1)]));
    let pricing = json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"});
    hear(&ground, "sent", pricing.clone()).await;
    hear(&ground, "delivered", pricing).await;
    assert_eq!(left(&ground).await, (46, 0));
    assert_eq!(counted(&ground).await, BTreeMap::from([("utility".to_owned(), 1)]));
}

async fn a_failure_may_come_before_the_charge(db: Db) {
    let ground = sent(db, "text").await;
    hear(&ground, "failed", Value::Null).await;
    let spend = Spend {
        workspace_id: ground.ws().into(),
        key: "run_2/send/0".into(),
        kind: "message".into(),
        quantity: 1,
        category: String::new(),
    };
    ground.records.reserve(&spend).await.unwrap();
    let failed = StatusRecord {
        workspace_id: ground.ws().into(),
        phone_number_id: NUMBER.into(),
        wamid: "wamid.Y".into(),
        status: "failed".into(),
        happened_at: START,
        effect_id: Some(spend.key.clone()),
        participant: None,
        error: None,
        pricing: None,
        inbound_id: None,
    };
    ground.records.apply_status(&failed).await.unwrap();
    assert_eq!(left(&ground).await, (50, 1));
    ground.records.settle(&spend).await.unwrap();
    assert_eq!(left(&ground).await, (50, 1), "the sender comes too late");
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn a_failure_takes_back_what_was_corrected(db: Db) {
    let ground = sent(db, "text").await;
    hear(&ground, "sent", json!({"type": "free_customer_service", "category": "service"})).await;
    assert_eq!(left(&ground).await, (50, 0), "free of charge, and counted all the same");
    hear(&ground, "failed", Value::Null).await;
    assert_eq!(left(&ground).await, (50, 1));
    assert_eq!(counted(&ground).await, BTreeMap::new());
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}
