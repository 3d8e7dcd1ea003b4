//! Plans, subscriptions, prices and the budget: what they allow, refuse and charge.

use serde_json::json;
use sluice_db::Db;
use sluice_records::audit::{AuditFilter, Witness};
use sluice_records::ledger::{Account, AccountKind, CreditMove, DEFAULT_CURRENCY, HoldState};
use sluice_records::plans::{
    NewPrice, Plan, PlanFields, PlanPeriod, Spend, SubscriptionChange, SubscriptionStatus,
};
use sluice_records::{Actor, ActorKind, MemberStatus, RecordError, Role, Scope};

use super::ground::{Ground, START, connect};
use super::ledger::{RUPEE, fund, wallet};
use super::tenancy::person;

sluice_db::contract_tests! {
    the_first_plans_are_made_once,
    a_plan_in_use_stays,
    a_trial_ends_and_is_had_once,
    a_subscription_runs_out_by_itself,
    a_free_plan_goes_on,
    without_a_subscription_nothing_is_limited,
    a_limit_holds_for_its_month,
    prices_fall_back_and_have_dates,
    an_unknown_category_is_settled_when_it_is_known,
    evidence_that_comes_late_is_charged,
    numbers_are_limited,
    members_are_limited_with_those_who_are_invited,
    of_many_at_once_no_more_are_invited_than_there_is_room,
    changes_are_in_the_audit_trail,
}

const DAY: i64 = 86_400_000;

fn fields(name: &str, price: i64, limits: &[(&str, i64)]) -> PlanFields {
    PlanFields {
        name: name.into(),
        currency: DEFAULT_CURRENCY.into(),
        price,
        period: PlanPeriod::Month,
        trial_days: 7,
        limits: limits.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect(),
        overage: Default::default(),
        features: Vec::new(),
    }
}

async fn subscribe(ground: &Ground, plan: &Plan, trial: bool) -> Result<(), RecordError> {
    let change = SubscriptionChange::Choose { plan_id: plan.id.clone(), trial };
    ground.records.change_subscription(ground.ws(), &change, None).await.map(drop)
}

/// A plan that the workspace subscribes to.
async fn subscribed(ground: &Ground, price: i64, limits: &[(&str, i64)]) -> Plan {
    let plan = ground.records.create_plan(&Scope::Platform, fields("Test", price, limits)).await.unwrap();
    subscribe(ground, &plan, false).await.unwrap();
    plan
}

async fn status(ground: &Ground) -> SubscriptionStatus {
    ground.records.subscription(ground.ws()).await.unwrap().unwrap().status
}

fn message(ground: &Ground, key: &str, category: &str) -> Spend {
    Spend {
        workspace_id: ground.ws().into(),
        key: key.into(),
        kind: "message".into(),
        quantity: 1,
        category: category.into(),
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, RecordError>) -> &'static str {
    result.unwrap_err().code()
}

async fn price(ground: &Ground, owner: &Scope, category: &str, amount: i64, from: i64, until: Option<i64>) {
    let price = NewPrice {
        kind: "message".into(),
        category: category.into(),
        currency: DEFAULT_CURRENCY.into(),
        amount,
        per: 1,
        valid_from: from,
        valid_until: until,
    };
    ground.records.add_price(owner, price).await.unwrap();
}

async fn the_first_plans_are_made_once(db: Db) {
    let ground = Ground::bare(db).await;
    ground.records.seed_plans().await.unwrap();
    let plans = ground.records.list_plans(&Scope::Platform).await.unwrap();
    let names: Vec<&str> = plans.iter().map(|plan| plan.fields.name.as_str()).collect();
    assert_eq!(names, ["Free", "Reseller yearly", "Yearly"]);
    let free = &plans[0];
    assert_eq!(
        (free.limit("messages"), free.limit("ai_credits"), free.fields.price),
        (Some(1_000), Some(100), 0)
    );
    assert_eq!((plans[2].limit("messages"), plans[2].fields.price), (None, 3_999 * RUPEE));
    ground.records.archive_plan(&Scope::Platform, "plan_yearly").await.unwrap();
    let cheaper = PlanFields { name: "Starter".into(), ..free.fields.clone() };
    ground.records.update_plan(&Scope::Platform, "plan_free", cheaper).await.unwrap();
    ground.records.seed_plans().await.unwrap();
    let plans = ground.records.list_plans(&Scope::Platform).await.unwrap();
    let names: Vec<&str> = plans.iter().map(|plan| plan.fields.name.as_str()).collect();
    assert_eq!(names, ["Reseller yearly", "Starter"]);
}

async fn a_plan_in_use_stays(db: Db) {
    let ground = Ground::bare(db).await;
    let plan = subscribed(&ground, 0, &[]).await;
    let (records, platform) = (&ground.records, Scope::Platform);
    assert_eq!(refusal(records.archive_plan(&platform, &plan.id).await), "conflict");
    let foreign = Scope::Reseller("rs_1".into());
    assert_eq!(refusal(records.archive_plan(&foreign, &plan.id).await), "not_found");
    assert_eq!(refusal(records.update_plan(&foreign, &plan.id, plan.fields.clone()).await), "not_found");
    assert_eq!(refusal(records.create_plan(&foreign, plan.fields.clone()).await), "not_found");
    let other = records.create_plan(&platform, fields("Other", 0, &[])).await.unwrap();
    subscribe(&ground, &other, false).await.unwrap();
    records.archive_plan(&platform, &plan.id).await.unwrap();
    assert_eq!(refusal(records.archive_plan(&platform, &plan.id).await), "not_found");
    assert_eq!(refusal(subscribe(&ground, &plan, false).await), "not_found");
}

async fn a_trial_ends_and_is_had_once(db: Db) {
    let ground = Ground::bare(db).await;
    let plan = ground.records.create_plan(&Scope::Platform, fields("Paid", RUPEE, &[])).await.unwrap();
    subscribe(&ground, &plan, true).await.unwrap();
    assert_eq!(status(&ground).await, SubscriptionStatus::Trial);
    assert_eq!(refusal(subscribe(&ground, &plan, true).await), "conflict");
    ground.pass(7 * DAY);
    assert_eq!(status(&ground).await, SubscriptionStatus::Expired);
    assert_eq!(refusal(ground.records.reserve(&message(&ground, "k", "")).await), "subscription_inactive");
    assert_eq!(
        refusal(ground.records.change_subscription(ground.ws(), &SubscriptionChange::Renew, None).await),
        "conflict"
    );
    assert_eq!(refusal(subscribe(&ground, &plan, true).await), "conflict");
    subscribe(&ground, &plan, false).await.unwrap();
    assert_eq!(status(&ground).await, SubscriptionStatus::Active);
    let sql = "update subscription_events set kind = 'active'";
    assert!(ground.records.db().query(sql).execute().await.is_err());
}

async fn a_subscription_runs_out_by_itself(db: Db) {
    use SubscriptionChange::{Cancel, Expire, PastDue, Renew};
    let ground = Ground::bare(db).await;
    let missing = ground.records.change_subscription(ground.ws(), &Renew, None).await;
    assert_eq!(refusal(missing), "not_found");
    subscribed(&ground, RUPEE, &[]).await;
    let change = async |change| ground.records.change_subscription(ground.ws(), &change, Some("test")).await;
    ground.pass(31 * DAY);
    assert_eq!(status(&ground).await, SubscriptionStatus::PastDue);
    assert!(ground.records.reserve(&message(&ground, "k", "")).await.is_ok(), "a week is granted");
    let renewed = change(Renew).await.unwrap();
    assert_eq!(renewed.status, SubscriptionStatus::Active);
    assert_eq!(change(PastDue).await.unwrap().status, SubscriptionStatus::PastDue);
    assert_eq!(change(Cancel).await.unwrap().status, SubscriptionStatus::Cancelled);
    assert_eq!(refusal(change(Cancel).await), "conflict");
    // Choosing takes the cancellation back, and what is free owes nothing.
    let paid = ground.records.create_plan(&Scope::Platform, fields("Paid", RUPEE, &[])).await.unwrap();
    subscribe(&ground, &paid, false).await.unwrap();
    assert_eq!(status(&ground).await, SubscriptionStatus::Active);
    change(PastDue).await.unwrap();
    let free = ground.records.create_plan(&Scope::Platform, fields("Free", 0, &[])).await.unwrap();
    subscribe(&ground, &free, false).await.unwrap();
    assert_eq!(status(&ground).await, SubscriptionStatus::Active);
    change(Cancel).await.unwrap();
    ground.pass(renewed.period_end - START - 31 * DAY);
    assert_eq!(status(&ground).await, SubscriptionStatus::Expired);
    assert_eq!(refusal(change(Expire).await), "conflict");
    subscribed(&ground, RUPEE, &[]).await;
    assert_eq!(change(Expire).await.unwrap().status, SubscriptionStatus::Expired);
}

async fn a_free_plan_goes_on(db: Db) {
    let ground = Ground::bare(db).await;
    subscribed(&ground, 0, &[]).await;
    ground.pass(400 * DAY);
    let found = ground.records.subscription(ground.ws()).await.unwrap().unwrap();
    assert_eq!(found.status, SubscriptionStatus::Active);
    let now = START + 400 * DAY;
    assert!(found.period_start <= now && now < found.period_end);
}

async fn without_a_subscription_nothing_is_limited(db: Db) {
    let ground = Ground::bare(db).await;
    price(&ground, &Scope::Platform, "", RUPEE, 0, None).await;
    let spend = message(&ground, "k", "marketing");
    assert!(ground.records.reserve(&spend).await.unwrap().is_none());
    assert!(!ground.records.settle(&spend).await.unwrap());
    assert!(ground.records.spend(&spend).await.unwrap().is_none());
    ground.records.require_room(ground.ws(), "automations", 1_000).await.unwrap();
    let allowances = ground.records.allowances(ground.ws()).await.unwrap();
    assert!(allowances.iter().all(|one| one.limit.is_none() && one.left.is_none()), "{allowances:?}");
}

async fn a_limit_holds_for_its_month(db: Db) {
    let ground = Ground::bare(db).await;
    let plan = subscribed(&ground, 0, &[("messages", 2), ("automations", 1), ("broadcasts", -1)]).await;
    for key in ["a", "b", "a"] {
        ground.records.spend(&message(&ground, key, "")).await.unwrap().unwrap();
    }
    assert_eq!(refusal(ground.records.spend(&message(&ground, "c", "")).await), "plan_limit_reached");
    let left = ground.records.allowance(ground.ws(), "message").await.unwrap();
    assert_eq!((left.limit, left.used, left.left), (Some(2), 2, Some(0)));
    assert_eq!(
        refusal(ground.records.require_room(ground.ws(), "automations", 1).await),
        "plan_limit_reached"
    );
    ground.records.require_room(ground.ws(), "automations", 0).await.unwrap();
    ground.records.require_room(ground.ws(), "broadcasts", 1_000_000).await.unwrap();
    // A larger plan leaves more of the same month; what was used stays used.
    let larger =
        ground.records.create_plan(&Scope::Platform, fields("Larger", 0, &[("messages", 3)])).await.unwrap();
    subscribe(&ground, &larger, false).await.unwrap();
    ground.records.spend(&message(&ground, "c", "")).await.unwrap();
    assert_eq!(refusal(ground.records.spend(&message(&ground, "d", "")).await), "plan_limit_reached");
    subscribe(&ground, &plan, false).await.unwrap();
    assert_eq!(ground.records.allowance(ground.ws(), "messages").await.unwrap().left, Some(0));
    ground.pass(31 * DAY);
    assert_eq!(ground.records.allowance(ground.ws(), "messages").await.unwrap().used, 0);
    ground.records.spend(&message(&ground, "e", "")).await.unwrap();
    let all = ground.records.allowances(ground.ws()).await.unwrap();
    assert_eq!(
        all.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(),
        ["ai_credits", "broadcasts", "members", "messages", "numbers", "runs"]
    );
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn prices_fall_back_and_have_dates(db: Db) {
    let ground = Ground::bare(db).await;
    let ws = Scope::Workspace(ground.ws().into());
    let amount = async |category: &str, at| {
        let found = ground.records.price(ground.ws(), "message", category, at).await.unwrap();
        found.map(|price| price.amount)
    };
    assert_eq!(amount("marketing", START).await, None);
    price(&ground, &Scope::Platform, "marketing", 8, START, None).await;
    price(&ground, &Scope::Platform, "marketing", 9, START + DAY, None).await;
    price(&ground, &Scope::Platform, "utility", 4, START, Some(START + DAY)).await;
    assert_eq!(amount("marketing", START - 1).await, None);
    assert_eq!(amount("marketing", START).await, Some(8));
    assert_eq!(amount("marketing", START + DAY).await, Some(9));
    assert_eq!(amount("utility", START + DAY).await, None);
    assert_eq!(amount("", START).await, Some(8));
    let sql = "insert into resellers (id, name, display_name, status, created_at, updated_at) \
               values ('rs_1', 'r', 'R', 'active', 0, 0)";
    ground.records.db().query(sql).execute().await.unwrap();
    let sql = "update workspaces set reseller_id = 'rs_1' where id = $1";
    ground.records.db().query(sql).bind(ground.ws()).execute().await.unwrap();
    price(&ground, &Scope::Reseller("rs_1".into()), "marketing", 11, START, None).await;
    assert_eq!(amount("marketing", START).await, Some(11));
    assert_eq!(amount("utility", START).await, Some(4), "not on the reseller's list");
    price(&ground, &ws, "", 1, START, None).await;
    assert_eq!(amount("marketing", START).await, Some(1));
    assert_eq!(ground.records.list_prices(&Scope::Platform, START + DAY).await.unwrap().len(), 2);
    for sql in ["update prices set amount = 0", "delete from prices"] {
        assert!(ground.records.db().query(sql).execute().await.is_err(), "{sql}");
    }
}

async fn an_unknown_category_is_settled_when_it_is_known(db: Db) {
    let ground = Ground::bare(db).await;
    for (category, amount) in [("marketing", 8), ("utility", 3), ("authentication", 5)] {
        price(&ground, &Scope::Platform, category, amount, 0, None).await;
    }
    subscribed(&ground, 0, &[]).await;
    assert_eq!(refusal(ground.records.reserve(&message(&ground, "k", "")).await), "budget_exhausted");
    fund(&ground, 20).await;
    let left = async || ground.records.balance(&wallet(ground.ws())).await.unwrap();
    ground.records.reserve(&message(&ground, "k", "")).await.unwrap();
    assert_eq!(left().await, 12, "the dearest");
    assert!(ground.records.settle(&message(&ground, "k", "")).await.unwrap());
    assert!(ground.records.settle_category(ground.ws(), "k", "utility", true).await.unwrap());
    assert!(!ground.records.settle_category(ground.ws(), "k", "utility", true).await.unwrap());
    assert_eq!(left().await, 17);
    // The category may be known before the sender says that it was sent.
    ground.records.reserve(&message(&ground, "l", "")).await.unwrap();
    ground.records.settle_category(ground.ws(), "l", "marketing", false).await.unwrap();
    assert_eq!(left().await, 17, "free of charge");
    assert!(ground.records.settle(&message(&ground, "l", "")).await.unwrap());
    assert_eq!(left().await, 17);
    // Dearer than supposed: whoever supposed it bears the difference.
    ground.records.spend(&message(&ground, "m", "utility")).await.unwrap();
    assert!(!ground.records.settle_category(ground.ws(), "m", "marketing", true).await.unwrap());
    assert_eq!(left().await, 14);
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn evidence_that_comes_late_is_charged(db: Db) {
    let ground = Ground::bare(db).await;
    price(&ground, &Scope::Platform, "", 5, 0, None).await;
    subscribed(&ground, 0, &[]).await;
    fund(&ground, 8).await;
    for key in ["a", "b"] {
        // The second cannot be paid while the first is held, and neither is told apart by who comes first.
        let _ = ground.records.reserve(&message(&ground, key, "")).await;
    }
    ground.pass(DAY);
    assert_eq!(ground.records.expire_holds(10).await.unwrap(), 1);
    assert!(ground.records.settle(&message(&ground, "a", "")).await.unwrap());
    assert!(ground.records.settle(&message(&ground, "a", "")).await.unwrap());
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 3);
    let hold = ground.records.find_hold(ground.ws(), "a").await.unwrap().unwrap();
    assert_eq!(hold.round, 2);
    assert!(matches!(hold.state, HoldState::Ended { amount: 5, .. }));
    // What cannot be paid any more has happened all the same.
    assert!(!ground.records.settle(&message(&ground, "b", "")).await.unwrap());
    let scope = Scope::Workspace(ground.ws().into());
    let reserved = Account::new(&scope, AccountKind::Reserved, DEFAULT_CURRENCY);
    assert_eq!(ground.records.balance(&reserved).await.unwrap(), 0);
}

async fn numbers_are_limited(db: Db) {
    let ground = Ground::bare(db).await;
    subscribed(&ground, 0, &[("numbers", 1)]).await;
    connect(&ground.records, ground.ws(), "111", "1").await;
    let again = ground.records.number(ground.ws(), "111").await.unwrap();
    let new = |id: &str| sluice_records::NewNumber {
        phone_number_id: id.into(),
        waba_id: "1".into(),
        display_phone_number: "15550783881".into(),
        verified_name: None,
        credential: again.credential.clone(),
    };
    ground.records.connect_number(ground.ws(), new("111")).await.unwrap();
    assert_eq!(refusal(ground.records.connect_number(ground.ws(), new("222")).await), "plan_limit_reached");
    let allowance = ground.records.allowance(ground.ws(), "numbers").await.unwrap();
    assert_eq!((allowance.used, allowance.left), (1, Some(0)));
}

async fn members_are_limited_with_those_who_are_invited(db: Db) {
    let ground = Ground::bare(db).await;
    let scope = Scope::Workspace(ground.ws().into());
    let records = &ground.records;
    let owner = person(&ground, "owner@example.in").await;
    records.put_member(&scope, &owner, Role::Owner, MemberStatus::Active).await.unwrap();
    subscribed(&ground, 0, &[("members", 3)]).await;
    let invite = async |email: &str| records.invite(&scope, email, Role::Agent).await.map(|made| made.token);
    let code = |result: Result<String, RecordError>| result.err().map(|error| error.code());
    let asha = invite("asha@example.in").await.unwrap();
    let ravi = invite("ravi@example.in").await.unwrap();
    assert_eq!(code(invite("meera@example.in").await), Some("plan_limit_reached"));
    let ravi_again = invite("ravi@example.in").await.unwrap();
    assert_ne!(ravi, ravi_again, "the same person takes the same place");
    let used = async || records.allowance(ground.ws(), "members").await.unwrap().used;
    assert_eq!(used().await, 3);
    let mut people = Vec::new();
    for (email, token) in [("asha@example.in", &asha), ("ravi@example.in", &ravi_again)] {
        let person = person(&ground, email).await;
        records.accept_invitation(token, &person).await.unwrap();
        people.push(person);
    }
    assert_eq!(used().await, 3);
    assert_eq!(code(invite("meera@example.in").await), Some("plan_limit_reached"));
    // Whoever is suspended leaves their place, and comes back only where there is one.
    let put = async |person: &str, status| records.put_member(&scope, person, Role::Agent, status).await;
    put(&people[0], MemberStatus::Suspended).await.unwrap();
    let meera = invite("meera@example.in").await.unwrap();
    ground.pass(8 * DAY);
    assert_eq!(used().await, 2, "an invitation that is over takes no place");
    put(&people[0], MemberStatus::Active).await.unwrap();
    put(&people[0], MemberStatus::Active).await.unwrap();
    assert!(records.accept_invitation(&meera, &person(&ground, "meera@example.in").await).await.is_err());
    put(&people[0], MemberStatus::Suspended).await.unwrap();
    let meera = invite("meera@example.in").await.unwrap();
    let smaller =
        records.create_plan(&Scope::Platform, fields("Smaller", 0, &[("members", 2)])).await.unwrap();
    subscribe(&ground, &smaller, false).await.unwrap();
    let id = records.person_by_email("meera@example.in").await.unwrap().id;
    assert_eq!(refusal(records.accept_invitation(&meera, &id).await), "plan_limit_reached");
    assert_eq!(refusal(put(&people[0], MemberStatus::Active).await), "plan_limit_reached");
}

async fn of_many_at_once_no_more_are_invited_than_there_is_room(db: Db) {
    let ground = Ground::bare(db).await;
    subscribed(&ground, 0, &[("members", 3)]).await;
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (records, scope) = (ground.records.clone(), Scope::Workspace(ground.ws().into()));
            let email = format!("person{number}@example.in");
            tokio::spawn(async move { records.invite(&scope, &email, Role::Agent).await.is_ok() })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.unwrap());
    }
    assert_eq!(made, 3);
}

async fn changes_are_in_the_audit_trail(db: Db) {
    let ground = Ground::bare(db).await;
    let records = ground.records.acting(Actor::new(ActorKind::Key, "key_1", "billing"));
    let (platform, client) = (Scope::Platform, Scope::Workspace(ground.ws().into()));
    let sql = "insert into resellers (id, name, display_name, status, created_at, updated_at) \
               values ('rs_1', 'r', 'R', 'active', 0, 0)";
    records.db().query(sql).execute().await.unwrap();
    let sql = "update workspaces set reseller_id = 'rs_1' where id = $1";
    records.db().query(sql).bind(ground.ws()).execute().await.unwrap();
    let reseller = Scope::Reseller("rs_1".into());

    records.seed_plans().await.unwrap();
    let plan = records.create_plan(&reseller, fields("Basic", 0, &[("messages", 1)])).await.unwrap();
    let larger = fields("Basic", 0, &[("messages", 2)]);
    records.update_plan(&reseller, &plan.id, larger.clone()).await.unwrap();
    let unused = records.create_plan(&platform, fields("Unused", RUPEE, &[])).await.unwrap();
    records.archive_plan(&platform, &unused.id).await.unwrap();
    price(&ground, &reseller, "marketing", 8, START, None).await;
    let choice = SubscriptionChange::Choose { plan_id: plan.id.clone(), trial: false };
    records.change_subscription(ground.ws(), &choice, None).await.unwrap();
    records.change_subscription(ground.ws(), &SubscriptionChange::Renew, Some("INV-7")).await.unwrap();
    let gift = |from: &Scope, to: &Scope, amount| CreditMove {
        by: Scope::Platform,
        key: format!("gift {amount}"),
        from: from.clone(),
        to: to.clone(),
        amount,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: false,
        reference: Some("INV-8".into()),
    };
    for _ in 0..2 {
        records.move_credits(&gift(&platform, &reseller, 9)).await.unwrap();
    }
    records.move_credits(&gift(&reseller, &client, 5)).await.unwrap();
    // What is refused leaves nothing.
    assert_eq!(refusal(records.move_credits(&gift(&reseller, &client, 6)).await), "budget_exhausted");
    assert_eq!(refusal(records.archive_plan(&reseller, &plan.id).await), "conflict");
    assert_eq!(refusal(records.update_plan(&platform, &plan.id, larger).await), "not_found");

    let trail = async |chain: &str| {
        let filter = AuditFilter { chain: Some(chain.into()), ..AuditFilter::default() };
        let mut found = records.list_audit(&filter, None, 100).await.unwrap().items;
        found.reverse();
        found.retain(|entry| {
            ["plan.", "price.", "subscription.", "credits."].iter().any(|kind| entry.action.starts_with(kind))
        });
        found
    };
    let actions = |entries: &[sluice_records::audit::AuditEntry]| {
        entries.iter().map(|entry| entry.action.clone()).collect::<Vec<_>>()
    };
    let of_platform = trail("platform").await;
    assert_eq!(
        actions(&of_platform),
        ["plan.created", "plan.withdrawn", "credits.moved", "credits.moved"],
        "a repetition is written once, and what every installation begins with not at all"
    );
    let of_reseller = trail("rs_1").await;
    assert_eq!(
        actions(&of_reseller),
        [
            "plan.created",
            "plan.updated",
            "price.created",
            "subscription.changed",
            "subscription.changed",
            "credits.moved",
            "credits.moved",
        ]
    );
    assert_eq!(of_reseller[1].before_value(), json!({ "limits": { "messages": 1 } }));
    assert_eq!(of_reseller[1].after_value(), json!({ "limits": { "messages": 2 } }));
    assert_eq!((&of_reseller[1].target_id, &*of_reseller[1].target_name), (&plan.id, "Basic"));
    assert_eq!(of_reseller[2].after_value()["amount"], 8);
    let own = trail(ground.ws()).await;
    assert_eq!(actions(&own), ["subscription.changed", "subscription.changed", "credits.moved"]);
    assert_eq!((&own[0].after_value()["plan"], own[0].before.as_ref()), (&json!(plan.id), None));
    assert_eq!(own[1].after_value()["note"], "INV-7");
    assert!(own[1].before_value().get("plan").is_none(), "only what differs");
    let moved = json!({ "from": "rs_1", "to": ground.ws(), "amount": 5, "currency": "INR", "bonus": false });
    assert_eq!(own[2].after_value(), moved);
    assert_eq!((&*own[2].target_name, &*own[2].actor_kind, &*own[2].actor_id), ("INV-8", "key", "key_1"));
    for chain in ["platform", "rs_1", ground.ws()] {
        assert_eq!(records.verify_audit_chain(chain, &Witness::new()).await.unwrap().fault, None);
    }
}
