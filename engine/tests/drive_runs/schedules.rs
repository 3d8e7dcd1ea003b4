//! Time plans: they fire once per moment, and what was missed is made up for as the trigger says.

use crate::home::{Home, WS, doc, engine_with, output};
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::{EngineConfig, EngineError, FaultPlan};

/// Milliseconds of a day and an hour.
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

/// Every day at noon. The clock of the tests starts at 10:00.
fn daily(catch_up: Value) -> Document {
    let params = json!({ "cron": "0 12 * * *", "catch_up": catch_up });
    doc("Daily", json!([{ "id": "in", "type": "plan", "params": params }]), &[])
}

async fn fire(home: &Home) -> usize {
    let fired = home.engine.fire_schedules().await.unwrap();
    home.engine.settle().await;
    fired
}

#[tokio::test]
async fn a_plan_fires_at_its_moment_and_once() {
    let home = Home::new().await;
    let workflow = home.publish(daily(json!("once"))).await;
    home.clock.advance(2 * HOUR - 1);
    assert_eq!(fire(&home).await, 0);
    home.clock.advance(1);
    assert_eq!((fire(&home).await, fire(&home).await), (1, 0));
    let runs = home.runs(&workflow).await;
    let event = &output(&home.view(&runs[0]).await, "in")[0];
    assert_eq!(event["scheduled_at"], "2026-01-05T12:00:00Z");
    home.clock.advance(DAY);
    assert_eq!(fire(&home).await, 1);
    assert_eq!(home.runs(&workflow).await.len(), 2);
}

/// Too much to do at that moment is no reason to leave out what was to be done then.
#[tokio::test]
async fn a_moment_outlasts_a_time_without_room() {
    let home = Home::new().await;
    let workflow = home.publish(daily(json!("skip"))).await;
    home.clock.advance(2 * HOUR);
    let config = EngineConfig { max_queued: 0, ..EngineConfig::default() };
    let full = engine_with(&home.db, &home.clock, &home.world, config, "");
    let refused = full.fire_schedules().await.unwrap_err();
    assert!(matches!(refused, EngineError::Overloaded { .. }), "{refused}");
    assert_eq!(fire(&home).await, 1);
    assert_eq!(home.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_as_the_trigger_says() {
    for (catch_up, expected) in [("skip", 0), ("once", 1), ("all", 3)] {
        let mut home = Home::new().await;
        let workflow = home.publish(daily(json!(catch_up))).await;
        home.restart();
        home.clock.advance(2 * DAY + 12 * HOUR);
        fire(&home).await;
        assert_eq!(home.runs(&workflow).await.len(), expected, "{catch_up}");
        assert_eq!(fire(&home).await, 0);
        // The next moment comes as ever.
        home.clock.advance(14 * HOUR);
        assert_eq!(fire(&home).await, 1, "{catch_up}");
    }
}

#[tokio::test]
async fn two_engines_and_a_crash_in_between_fire_each_moment_once() {
    let mut home = Home::new().await;
    let workflow = home.publish(daily(json!("all"))).await;
    home.clock.advance(2 * DAY);
    // The engine dies after it started the first of two runs and before it moved the plan on.
    home.restart_with(FaultPlan::stop_after(1), "");
    let engine = home.engine.clone();
    tokio::select! {
        biased;
        _ = engine.fire_schedules() => panic!("it should have died"),
        () = home.faults.dead() => {}
    }
    assert_eq!(home.runs(&workflow).await.len(), 1);
    home.restart();
    let first = home.engine.clone();
    home.faults = FaultPlan::counting();
    home.restart();
    let (one, two) = tokio::join!(first.fire_schedules(), home.engine.fire_schedules());
    one.unwrap();
    two.unwrap();
    first.settle().await;
    home.engine.settle().await;
    assert_eq!(home.runs(&workflow).await.len(), 2);
}

#[tokio::test]
async fn a_stopping_engine_leaves_the_moment_to_the_next() {
    let mut home = Home::new().await;
    let workflow = home.publish(daily(json!("skip"))).await;
    home.clock.advance(2 * HOUR);
    home.engine.shut_down(std::time::Duration::from_secs(60)).await;
    assert!(home.engine.fire_schedules().await.is_err());
    home.restart();
    assert_eq!(fire(&home).await, 1);
    assert_eq!(home.runs(&workflow).await.len(), 1);
}

#[tokio::test]
async fn a_plan_out_of_service_is_silent_and_a_changed_one_counts_from_then() {
    let home = Home::new().await;
    let workflow = home.publish(daily(json!("all"))).await;
    home.engine.store().unpublish(WS, &workflow).await.unwrap();
    home.clock.advance(DAY);
    assert_eq!(fire(&home).await, 0);
    home.engine.publish(WS, &workflow, None).await.unwrap();
    assert_eq!(fire(&home).await, 0);
    home.clock.advance(DAY);
    assert_eq!(fire(&home).await, 1);
}
