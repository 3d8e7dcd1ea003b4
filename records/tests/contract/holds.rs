//! Holds: put aside once, ended once, refunded once, whatever is repeated and whoever comes first.

use std::sync::Arc;

use sluice_db::Db;
use sluice_records::RecordError;
use sluice_records::Scope;
use sluice_records::ledger::{
    Account, AccountKind, Charge, CreditMove, DEFAULT_CURRENCY, HoldEnd, HoldState, NewHold, Quota,
};

use super::ground::{Ground, START};
use super::ledger::{RUPEE, fund, wallet};

sluice_db::contract_tests! {
    a_hold_is_settled_in_part_and_the_rest_comes_back,
    every_step_is_taken_once,
    bonus_goes_first_and_comes_back_last,
    what_nobody_ends_expires,
    a_limit_stops_before_it_is_passed,
    pieces_beyond_the_limit_cost,
    many_holds_at_once,
}

fn wish(ground: &Ground, key: &str, amount: i64) -> NewHold {
    NewHold {
        workspace_id: ground.ws().into(),
        key: key.into(),
        kind: "message".into(),
        quantity: 1,
        category: String::new(),
        currency: DEFAULT_CURRENCY.into(),
        amount,
        quota: None,
        expires_at: START + 60_000,
    }
}

async fn balance(ground: &Ground, kind: AccountKind) -> i64 {
    let scope = Scope::Workspace(ground.ws().into());
    ground.records.balance(&Account::new(&scope, kind, DEFAULT_CURRENCY)).await.unwrap()
}

/// Wallet, bonus, reserved, charged.
async fn money(ground: &Ground) -> (i64, i64, i64, i64) {
    use AccountKind::{Bonus, Reserved, Revenue, Wallet};
    (
        balance(ground, Wallet).await,
        balance(ground, Bonus).await,
        balance(ground, Reserved).await,
        balance(ground, Revenue).await,
    )
}

fn refusal<T: std::fmt::Debug>(result: Result<T, RecordError>) -> &'static str {
    result.unwrap_err().code()
}

async fn a_hold_is_settled_in_part_and_the_rest_comes_back(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10).await;
    let hold = ground.records.hold(&wish(&ground, "k", 8)).await.unwrap();
    assert_eq!(hold.state, HoldState::Open);
    assert_eq!(money(&ground).await, (2, 0, 8, 0));
    assert_eq!(refusal(ground.records.hold(&wish(&ground, "l", 3)).await), "budget_exhausted");
    let part = Charge::Part { quantity: 1, amount: 5 };
    ground.records.settle_hold(ground.ws(), "k", part).await.unwrap().unwrap();
    assert_eq!(money(&ground).await, (5, 0, 0, 5));
    // More than was put aside is not there to be charged.
    ground.records.hold(&wish(&ground, "m", 2)).await.unwrap();
    let too_much = Charge::Part { quantity: 9, amount: 99 };
    let settled = ground.records.settle_hold(ground.ws(), "m", too_much).await.unwrap().unwrap();
    assert!(matches!(settled.state, HoldState::Ended { quantity: 1, amount: 2, .. }));
    assert_eq!(money(&ground).await, (3, 0, 0, 7));
    assert!(ground.records.settle_hold(ground.ws(), "nobody's", Charge::Whole).await.unwrap().is_none());
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn every_step_is_taken_once(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10).await;
    let records = &ground.records;
    for _ in 0..2 {
        assert_eq!(records.hold(&wish(&ground, "k", 4)).await.unwrap().round, 1);
    }
    let other = NewHold { quantity: 2, ..wish(&ground, "k", 4) };
    assert_eq!(refusal(records.hold(&other).await), "conflict");
    for _ in 0..2 {
        records.release_hold(ground.ws(), "k").await.unwrap();
        assert_eq!(money(&ground).await, (10, 0, 0, 0));
    }
    // What was released is not charged, but may be held anew.
    let late = records.settle_hold(ground.ws(), "k", Charge::Whole).await.unwrap().unwrap();
    assert!(late.is_over_for_nothing());
    assert_eq!(records.hold(&wish(&ground, "k", 4)).await.unwrap().round, 2);
    for _ in 0..2 {
        records.settle_hold(ground.ws(), "k", Charge::Whole).await.unwrap();
        assert_eq!(records.hold(&wish(&ground, "k", 4)).await.unwrap().round, 2, "paid is paid");
        assert_eq!(money(&ground).await, (6, 0, 0, 4));
    }
    assert!(records.adjust_hold(ground.ws(), "k", 3).await.unwrap());
    assert!(!records.adjust_hold(ground.ws(), "k", 1).await.unwrap());
    assert_eq!(money(&ground).await, (7, 0, 0, 3));
    assert!(records.refund_hold(ground.ws(), "k").await.unwrap());
    assert!(!records.refund_hold(ground.ws(), "k").await.unwrap());
    assert!(!records.adjust_hold(ground.ws(), "k", 0).await.unwrap());
    assert_eq!(money(&ground).await, (10, 0, 0, 0));
    assert!(!records.refund_hold(ground.ws(), "nobody's").await.unwrap());
    assert!(records.verify_ledger().await.unwrap().is_sound());
    for sql in ["update ledger_holds set amount = 1", "delete from ledger_hold_steps"] {
        assert!(records.db().query(sql).execute().await.is_err(), "{sql}");
    }
}

async fn bonus_goes_first_and_comes_back_last(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10).await;
    let bonus = CreditMove {
        by: Scope::Platform,
        key: "welcome".into(),
        from: Scope::Platform,
        to: Scope::Workspace(ground.ws().into()),
        amount: 5,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: true,
        reference: None,
    };
    ground.records.move_credits(&bonus).await.unwrap();
    ground.records.hold(&wish(&ground, "k", 8)).await.unwrap();
    assert_eq!(money(&ground).await, (7, 0, 8, 0));
    let part = Charge::Part { quantity: 1, amount: 6 };
    ground.records.settle_hold(ground.ws(), "k", part).await.unwrap();
    assert_eq!(money(&ground).await, (9, 0, 0, 6), "five of the bonus, one of the wallet");
    ground.records.adjust_hold(ground.ws(), "k", 3).await.unwrap();
    assert_eq!(money(&ground).await, (10, 2, 0, 3));
    ground.records.refund_hold(ground.ws(), "k").await.unwrap();
    assert_eq!(money(&ground).await, (10, 5, 0, 0));
    ground.records.hold(&wish(&ground, "l", 3)).await.unwrap();
    ground.records.release_hold(ground.ws(), "l").await.unwrap();
    assert_eq!(money(&ground).await, (10, 5, 0, 0));
}

async fn what_nobody_ends_expires(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10).await;
    ground.records.hold(&wish(&ground, "k", 4)).await.unwrap();
    ground.records.hold(&NewHold { expires_at: START + 90_000, ..wish(&ground, "l", 5) }).await.unwrap();
    assert_eq!(ground.records.expire_holds(10).await.unwrap(), 0);
    ground.pass(60_000);
    assert_eq!(ground.records.expire_holds(10).await.unwrap(), 1);
    assert_eq!(money(&ground).await, (5, 0, 5, 0));
    let expired = ground.records.find_hold(ground.ws(), "k").await.unwrap().unwrap();
    assert!(matches!(expired.state, HoldState::Ended { how: HoldEnd::Expired, quantity: 0, amount: 0, .. }));
    assert!(!ground.records.refund_hold(ground.ws(), "k").await.unwrap(), "nothing was charged");
    assert_eq!(ground.records.expire_holds(10).await.unwrap(), 0);
}

fn counted(ground: &Ground, key: &str, limit: i64, overage: Option<i64>) -> NewHold {
    let quota = Quota { unit: "messages@0".into(), limit: Some(limit), overage };
    NewHold { quota: Some(quota), ..wish(ground, key, 0) }
}

async fn a_limit_stops_before_it_is_passed(db: Db) {
    let ground = Ground::bare(db).await;
    for key in ["a", "b"] {
        ground.records.hold(&counted(&ground, key, 2, None)).await.unwrap();
    }
    assert_eq!(refusal(ground.records.hold(&counted(&ground, "c", 2, None)).await), "plan_limit_reached");
    ground.records.release_hold(ground.ws(), "a").await.unwrap();
    ground.records.hold(&counted(&ground, "c", 2, None)).await.unwrap();
    ground.records.settle_hold(ground.ws(), "c", Charge::Whole).await.unwrap();
    assert_eq!(refusal(ground.records.hold(&counted(&ground, "d", 2, None)).await), "plan_limit_reached");
    ground.records.refund_hold(ground.ws(), "c").await.unwrap();
    ground.records.hold(&counted(&ground, "d", 2, None)).await.unwrap();
    // A lower limit takes nothing back and gives nothing more; a higher one does.
    assert_eq!(refusal(ground.records.hold(&counted(&ground, "e", 1, None)).await), "plan_limit_reached");
    ground.records.hold(&counted(&ground, "e", 3, None)).await.unwrap();
    let report = ground.records.verify_ledger().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

async fn pieces_beyond_the_limit_cost(db: Db) {
    let ground = Ground::bare(db).await;
    fund(&ground, 10).await;
    let of = |key: &str, quantity| NewHold { quantity, ..counted(&ground, key, 2, Some(3)) };
    assert_eq!(ground.records.hold(&of("a", 1)).await.unwrap().amount, 0);
    assert_eq!(ground.records.hold(&of("b", 3)).await.unwrap().amount, 6, "one within, two beyond");
    assert_eq!(refusal(ground.records.hold(&of("c", 2)).await), "budget_exhausted");
    assert_eq!(ground.records.hold(&of("c", 1)).await.unwrap().amount, 3);
    assert_eq!(money(&ground).await, (1, 0, 9, 0));
}

async fn many_holds_at_once(db: Db) {
    let ground = Arc::new(Ground::bare(db).await);
    fund(&ground, 20 * RUPEE).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..120 {
        let ground = ground.clone();
        tasks.spawn(async move {
            // Sixty effects, each tried twice at once; thirty may pass, twenty can be paid.
            let key = format!("k{}", n % 60);
            let wish = NewHold { amount: RUPEE, ..counted(&ground, &key, 30, None) };
            let held = ground.records.hold(&wish).await.is_ok();
            if held {
                ground.records.settle_hold(ground.ws(), &key, Charge::Whole).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(money(&ground).await, (0, 0, 0, 20 * RUPEE));
    assert_eq!(ground.records.balance(&wallet(ground.ws())).await.unwrap(), 0);
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}
