//! Limits: never more than the rule says, from whichever process, and never less without need.

use std::sync::Arc;

use sluice_db::contract::POSTGRES_URL;
use sluice_db::{Db, DbOptions, Dialect};
use sluice_records::audit::{AuditFilter, Witness};
use sluice_records::limits::{Caller, Level, LimitRequest, LimitRule, LimitType};
use sluice_records::plans::{PlanFields, PlanPeriod, SubscriptionChange};
use sluice_records::{Cipher, MasterKey, RecordError, Records, Scope};

use crate::ground::{Ground, START};

const DAY: i64 = 86_400_000;

fn request(
    level: Level,
    route: &str,
    subject: &str,
    window: Option<(i64, i64)>,
    daily: Option<i64>,
) -> LimitRequest {
    LimitRequest {
        level,
        route: route.into(),
        subject: subject.into(),
        window_limit: window.map(|(limit, _)| limit),
        window_seconds: window.map(|(_, seconds)| seconds),
        daily_limit: daily,
    }
}

async fn rule(records: &Records, window: Option<(i64, i64)>, daily: Option<i64>) -> LimitRule {
    records.set_limit(None, request(Level::Global, "*", "", window, daily)).await.unwrap()
}

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

async fn what_is_allowed_agrees_with_a_list_of_times(db: Db) {
    let ground = Ground::bare(db).await;
    for (seed, window, daily) in [
        (1, Some((5, 10)), None),
        (2, Some((1, 1)), None),
        (3, Some((20, 7)), Some(300)),
        (4, None, Some(40)),
        (5, Some((3, 86_400)), None),
    ] {
        let rule = rule(&ground.records, window, daily).await;
        let (mut chance, mut now, mut times) = (Chance(seed), START, Vec::<i64>::new());
        let subject = format!("s{seed}");
        let span = window.map_or(60_000, |(_, seconds)| seconds * 1_000);
        for _ in 0..400 {
            now += match chance.below(20) {
                0 => span,
                1 => span / 10,
                2 => span * 3,
                3 if daily.is_some() => DAY / 3,
                _ => chance.below((span / 8).max(2) as u64) as i64,
            };
            let decision = ground.records.hit(&rule, &subject, now).await.unwrap();
            let since = |start: i64| times.iter().filter(|time| **time > start).count() as i64;
            let today = times.iter().filter(|time| **time / DAY == now / DAY).count() as i64;
            let (limit, most_a_day) =
                (window.map_or(i64::MAX, |(limit, _)| limit), daily.unwrap_or(i64::MAX));
            if decision.allowed {
                assert!(since(now - span) < limit, "too many in a window at {now}: {times:?}");
                assert!(today < most_a_day, "too many in a day");
                times.push(now);
                continue;
            }
            let is_full = since(now - span - span / 10 - 12) >= limit;
            assert!(is_full || today >= most_a_day, "refused without need at {now}: {times:?}");
            assert_eq!(decision.limit_type == LimitType::Daily, today >= most_a_day);
            assert!(decision.retry_after_seconds >= 1);
            if chance.below(3) == 0 {
                now += decision.retry_after_seconds * 1_000;
                let again = ground.records.hit(&rule, &subject, now).await.unwrap();
                // The window may be full when the day is over, and the day when the window is.
                assert!(again.allowed || again.limit_type != decision.limit_type, "{decision:?} {again:?}");
                if again.allowed {
                    times.push(now);
                }
            }
        }
        assert!(times.len() > 30, "the times came too close: {}", times.len());
    }
}

async fn a_clock_that_is_behind_gains_nothing(db: Db) {
    let ground = Ground::bare(db).await;
    let rule = rule(&ground.records, Some((3, 60)), Some(4)).await;
    let hit = async |now: i64| ground.records.hit(&rule, "one", now).await.unwrap().allowed;
    assert!(hit(START).await);
    assert!(hit(START - 30_000).await);
    assert!(hit(START - DAY).await);
    assert!(!hit(START - 2 * DAY).await);
    assert!(!hit(START + 59_000).await);
    assert!(hit(START + 70_000).await);
    assert!(!hit(START + 500_000).await, "the day is full");
    assert!(hit(START + DAY).await);
}

/// A second process: with connections and memory of its own.
async fn another_process(db: &Db) -> Records {
    let cipher = Cipher::new(MasterKey::parse(&"5a".repeat(32)).unwrap());
    let db = match db.dialect() {
        // SQLite serves one process.
        Dialect::Sqlite => db.clone(),
        Dialect::Postgres => {
            let schema = db.query("select current_schema()::text as name").one().await.unwrap();
            let url = std::env::var(POSTGRES_URL).unwrap();
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}options[search_path]={}", schema.text("name").unwrap());
            Db::open(DbOptions::new(url)).await.unwrap()
        }
    };
    Records::with_clock(db, cipher, Arc::new(|| START))
}

async fn of_many_at_once_exactly_so_many_pass_in_all_processes(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let other = another_process(&db).await;
    let wish = request(Level::Key, "write", "", Some((100, 60)), None);
    ground.records.set_limit(Some(ground.ws()), wish).await.unwrap();
    ground.records.set_limit(None, request(Level::Workspace, "*", "", Some((150, 60)), None)).await.unwrap();
    let tasks: Vec<_> = (0..400)
        .map(|number| {
            let records = if number % 2 == 0 { ground.records.clone() } else { other.clone() };
            let (workspace, key) = (ground.ws().to_owned(), format!("key_{}", number % 4 / 2));
            tokio::spawn(async move {
                let caller = Caller {
                    routes: &["POST /api/x", "x", "write", "*"],
                    key: Some(&key),
                    workspace: Some(&workspace),
                    ..Caller::default()
                };
                (number % 4 / 2, records.admit(&caller).await.unwrap().unwrap())
            })
        })
        .collect();
    let mut passed = [0, 0];
    for task in tasks {
        let (key, decision) = task.await.unwrap();
        passed[key] += usize::from(decision.allowed);
        assert_eq!(decision.retry_after_seconds > 0, !decision.allowed);
    }
    assert!(passed[0] <= 100 && passed[1] <= 100, "{passed:?}");
    assert_eq!(passed[0] + passed[1], 150, "the platform's limit counts only what both allow");
    for records in [&ground.records, &other] {
        let caller = Caller { routes: &["*"], workspace: Some(ground.ws()), ..Caller::default() };
        assert!(!records.admit(&caller).await.unwrap().unwrap().allowed);
    }
    other.db().close().await;
}

async fn rules_are_set_replaced_and_taken_away(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let caller = Caller {
        routes: &["POST /api/x", "write", "*"],
        key: Some("key_1"),
        workspace: Some(ws),
        ..Caller::default()
    };
    assert_eq!(records.admit(&caller).await.unwrap(), None, "without a rule there is no limit");
    let wish = |limit| request(Level::Key, "write", "", Some((limit, 60)), Some(1_000));
    let made = records.set_limit(Some(ws), wish(2)).await.unwrap();
    for (allowed, remaining) in [(true, 1), (true, 0), (false, 0)] {
        let decision = records.admit(&caller).await.unwrap().unwrap();
        assert_eq!((decision.allowed, decision.remaining, decision.limit), (allowed, remaining, 2));
        assert_eq!((decision.limit_type, decision.window_seconds), (LimitType::Window, 60));
    }
    let other = Caller { key: Some("key_2"), ..caller };
    assert!(records.admit(&other).await.unwrap().unwrap().allowed, "each key by itself");
    let read = Caller { routes: &["GET /api/x", "read", "*"], ..caller };
    assert_eq!(records.admit(&read).await.unwrap(), None);
    let again = records.set_limit(Some(ws), wish(3)).await.unwrap();
    assert_eq!(again.id, made.id);
    assert!(records.admit(&caller).await.unwrap().unwrap().allowed, "what was counted stays counted");
    assert!(!records.admit(&caller).await.unwrap().unwrap().allowed);
    assert_eq!(records.list_limits(Some(ws)).await.unwrap(), [again]);
    assert!(matches!(records.delete_limit(None, &made.id).await, Err(RecordError::NotFound { .. })));
    records.delete_limit(Some(ws), &made.id).await.unwrap();
    assert_eq!(records.admit(&caller).await.unwrap(), None);
    for (path, bad) in [
        ("route", request(Level::Key, " ", "", Some((1, 1)), None)),
        ("subject", request(Level::Global, "*", "x", Some((1, 1)), None)),
        ("subject", request(Level::Workspace, "*", "ws_2", Some((1, 1)), None)),
        ("level", request(Level::Plan, "*", "", Some((1, 1)), None)),
        ("window_limit", request(Level::Key, "*", "", Some((0, 1)), None)),
        ("window_seconds", request(Level::Key, "*", "", Some((1, 0)), None)),
        ("window_seconds", request(Level::Key, "*", "", Some((1, 86_401)), None)),
        ("window_limit", request(Level::Key, "*", "", None, None)),
        ("daily_limit", request(Level::Key, "*", "", None, Some(0))),
        (
            "window_seconds",
            LimitRequest { window_seconds: None, ..request(Level::Key, "*", "", Some((1, 1)), None) },
        ),
    ] {
        match records.set_limit(Some(ws), bad).await {
            Err(RecordError::Invalid { path: at, .. }) => assert_eq!(at, path),
            other => panic!("{path}: {other:?}"),
        }
    }
    let filter = AuditFilter { action: Some("limit".into()), ..AuditFilter::default() };
    let actions: Vec<_> = records
        .list_audit(&filter, None, 9)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["limit.deleted", "limit.updated", "limit.created"]);
    assert_eq!(records.verify_audit_chain(ws, &Witness::new()).await.unwrap().fault, None);
}

async fn a_change_in_another_process_counts_within_a_second(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let other = another_process(&db).await;
    let caller = Caller { routes: &["*"], address: Some("203.0.113.7"), ..Caller::default() };
    assert_eq!(ground.records.admit(&caller).await.unwrap(), None);
    other.set_limit(None, request(Level::Global, "*", "", Some((1, 60)), None)).await.unwrap();
    ground.pass(1_000);
    assert!(ground.records.admit(&caller).await.unwrap().unwrap().allowed);
    assert!(!other.admit(&caller).await.unwrap().unwrap().allowed);
    other.db().close().await;
}

async fn limits_of_a_plan_count_for_each_workspace_that_has_it(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let other = another_process(&db).await;
    let records = &ground.records;
    let mut plans = Vec::new();
    for name in ["Small", "Large"] {
        let fields = PlanFields {
            name: name.into(),
            currency: "INR".into(),
            price: 0,
            period: PlanPeriod::Month,
            trial_days: 0,
            limits: Default::default(),
            overage: Default::default(),
            features: Vec::new(),
        };
        plans.push(records.create_plan(&Scope::Platform, fields).await.unwrap().id);
    }
    let second = records.create_workspace("second").await.unwrap().id;
    let choose = async |records: &Records, workspace: &str, plan: &str| {
        let change = SubscriptionChange::Choose { plan_id: plan.into(), trial: false };
        records.change_subscription(workspace, &change, None).await.unwrap();
    };
    for workspace in [ground.ws(), &second] {
        choose(records, workspace, &plans[0]).await;
    }
    let admitted = async |records: &Records, workspace: &str| {
        let routes = ["POST /api/x", "x", "write", "*"];
        let caller =
            Caller { routes: &routes, key: Some("key_1"), workspace: Some(workspace), ..Caller::default() };
        records.admit(&caller).await.unwrap().map(|decision| decision.allowed)
    };
    assert_eq!(admitted(records, ground.ws()).await, None);
    let wish = request(Level::Plan, "write", &plans[0], Some((1, 60)), None);
    records.set_limit(None, wish).await.unwrap();
    for workspace in [ground.ws(), &second] {
        assert_eq!(admitted(records, workspace).await, Some(true), "each by itself");
        assert_eq!(admitted(records, workspace).await, Some(false));
        assert_eq!(admitted(&other, workspace).await, Some(false), "of both processes together");
    }
    choose(records, ground.ws(), &plans[1]).await;
    assert_eq!(admitted(records, ground.ws()).await, None, "the larger plan has no limit");
    assert_eq!(admitted(records, &second).await, Some(false));
    // What another process changes counts a few seconds later.
    choose(&other, ground.ws(), &plans[0]).await;
    ground.pass(5_000);
    assert_eq!(admitted(records, ground.ws()).await, Some(false));
    // A subscription that is over is no way out.
    records.change_subscription(&second, &SubscriptionChange::Expire, None).await.unwrap();
    assert_eq!(admitted(records, &second).await, Some(false));
    // Whoever never had a plan is not limited by one.
    let third = records.create_workspace("third").await.unwrap().id;
    assert_eq!(admitted(records, &third).await, None);
    other.db().close().await;
}

async fn guessing_is_throttled_from_the_start_and_counts_are_forgotten(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let mut allowed = 0;
    while records.throttle("sign_in.account", "asha@example.in").await.unwrap().unwrap().allowed {
        allowed += 1;
    }
    assert_eq!(allowed, 10);
    assert!(records.throttle("sign_in.account", "ravi@example.in").await.unwrap().unwrap().allowed);
    for name in ["sign_in.address", "code.account", "code.address", "sign_up.address"] {
        assert!(records.throttle(name, "203.0.113.7").await.unwrap().is_some(), "{name}");
    }
    assert_eq!(records.throttle("something.else", "x").await.unwrap(), None);
    assert_eq!(records.purge_limit_counts(START + DAY, 100).await.unwrap(), 0);
    assert_eq!(records.purge_limit_counts(START + 3 * DAY, 4).await.unwrap(), 4);
    assert_eq!(records.purge_limit_counts(START + 3 * DAY, 100).await.unwrap(), 2);
}

sluice_db::contract_tests! {
    what_is_allowed_agrees_with_a_list_of_times,
    a_clock_that_is_behind_gains_nothing,
    of_many_at_once_exactly_so_many_pass_in_all_processes,
    rules_are_set_replaced_and_taken_away,
    a_change_in_another_process_counts_within_a_second,
    limits_of_a_plan_count_for_each_workspace_that_has_it,
    guessing_is_throttled_from_the_start_and_counts_are_forgotten,
}
