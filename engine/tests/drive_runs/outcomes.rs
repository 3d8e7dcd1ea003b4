//! Effects of which nobody knows whether they took place, and signals that are taken once.

use crate::home::{Home, WS, code, doc, node, one, output};
use crate::world::Act;
use serde_json::{Value, json};
use sluice_engine::core::{RunStatus, SettledBy, Settlement, Verdict};
use sluice_engine::drive::{EngineError, FaultPlan, OutsideEvent};
use sluice_engine::store::{Attention, RunFilter, RunKey};
use sluice_engine::view::{NodeStatus, OutcomeView};
use sluice_node_sdk::context::Doubt;
use sluice_node_sdk::error::ErrorKind;

/// A run whose node was under way when the process died.
async fn lost(node_type: &str, settings: Value) -> (Home, RunKey) {
    let mut home = Home::new().await;
    home.world.plan("act", [Act::Stuck]);
    let workflow = home.publish(one(node_type, settings)).await;
    let key = home.start(&workflow, json!({ "n": 1 })).await;
    home.world.begun("act", 1).await;
    home.crash().await;
    (home, key)
}

async fn settle(home: &Home, key: &RunKey, settlement: Settlement) -> Result<(), EngineError> {
    let answer = home.engine.settle_outcome(key, &format!("{}/act/0", key.run_id), &settlement).await;
    home.engine.settle().await;
    answer
}

async fn outcome(home: &Home, key: &RunKey) -> OutcomeView {
    node(&home.view(key).await, "act").outcome.clone().unwrap()
}

async fn listed(home: &Home) -> Vec<(String, Option<Attention>)> {
    let filter = RunFilter { attention: true, limit: 10, ..RunFilter::default() };
    let page = home.engine.store().list_runs(WS, &filter).await.unwrap();
    page.items.into_iter().map(|run| (run.id, run.attention)).collect()
}

#[tokio::test]
async fn what_must_not_be_repeated_waits_for_a_person() {
    let (home, key) = lost("once", json!({ "retry": { "max_attempts": 5 } })).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, view.attention), (RunStatus::Waiting, Some(Attention::UnknownOutcome)));
    assert_eq!(listed(&home).await, [(key.run_id.to_string(), Some(Attention::UnknownOutcome))]);
    assert!(outcome(&home, &key).await.is_open);
    let person = Settlement {
        who: Some("Asha".to_owned()),
        note: Some("the customer has it".to_owned()),
        ..Settlement::new(Verdict::Done, SettledBy::Person)
    };
    settle(&home, &key, person.clone()).await.unwrap();
    let view = home.view(&key).await;
    assert_eq!((view.status, view.attention, home.world.calls().len()), (RunStatus::Succeeded, None, 1));
    assert_eq!(output(&view, "act"), [json!({ "n": 1 })]);
    let told = outcome(&home, &key).await;
    assert_eq!(
        (told.is_open, told.settled_by, told.decision),
        (false, Some(SettledBy::Person), Some(Verdict::Done))
    );
    assert_eq!((told.who, told.note), (person.who.clone(), person.note.clone()));
    assert!(listed(&home).await.is_empty());
    assert!(matches!(settle(&home, &key, person).await, Err(EngineError::Refused(_))), "it is settled");
}

#[tokio::test]
async fn a_person_has_it_done_again_or_fail() {
    let (home, key) = lost("once", json!({})).await;
    settle(&home, &key, Settlement::new(Verdict::Retry, SettledBy::Person)).await.unwrap();
    assert_eq!((home.status(&key).await, home.world.calls().len()), (RunStatus::Succeeded, 2));
    let calls = home.world.calls();
    assert_eq!((&calls[0].effect_id, calls[1].attempt), (&calls[1].effect_id, 2));
    let (home, key) = lost("once", json!({})).await;
    settle(&home, &key, Settlement::new(Verdict::Fail, SettledBy::Person)).await.unwrap();
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view), view.attention), (RunStatus::Failed, "unknown_outcome", None));
}

#[tokio::test]
async fn the_settings_of_the_node_can_decide() {
    let (home, key) = lost("once", json!({ "unknown_outcome": "assume_done" })).await;
    let view = home.view(&key).await;
    let act = node(&view, "act");
    assert_eq!(
        (view.status, act.status, home.world.calls().len()),
        (RunStatus::Succeeded, NodeStatus::Succeeded, 1)
    );
    assert_eq!(outcome(&home, &key).await.settled_by, Some(SettledBy::Policy));
    assert!(act.logs.iter().any(|line| line.level == "warn" && line.message.contains("assumed")));
    let (home, key) = lost("once", json!({ "unknown_outcome": "retry", "retry": { "initial": "1s" } })).await;
    assert_eq!(home.world.calls().len(), 1);
    home.pass(1_000).await;
    assert_eq!((home.status(&key).await, home.world.calls().len()), (RunStatus::Succeeded, 2));
    assert_eq!(home.world.calls()[1].doubt, None);
}

#[tokio::test]
async fn what_can_find_evidence_looks_and_is_told_when_some_comes() {
    let (home, key) = lost("seek", json!({})).await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded, "what is on record was enough");
    assert_eq!(home.world.calls()[1].doubt, Some(Doubt::Ask));
    assert_eq!(outcome(&home, &key).await.settled_by, Some(SettledBy::Evidence));

    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::UnknownOutcome), Act::Fail(ErrorKind::UnknownOutcome)]);
    let key = home.run(one("seek", json!({})), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, view.attention), (RunStatus::Waiting, None));
    let effect_id = format!("{}/act/0", key.run_id);
    assert!(!home.engine.evidence(WS, "run_other/act/0").await.unwrap());
    assert!(home.engine.evidence(WS, &format!("{effect_id}#3")).await.unwrap());
    home.engine.settle().await;
    assert_eq!((home.status(&key).await, home.world.calls().len()), (RunStatus::Succeeded, 3));
}

#[tokio::test]
async fn without_evidence_a_person_is_asked_after_a_minute() {
    let home = Home::new().await;
    home.world.plan("act", [(); 3].map(|()| Act::Fail(ErrorKind::UnknownOutcome)));
    let key = home.run(one("seek", json!({})), json!({})).await;
    home.pass(59_999).await;
    assert!(listed(&home).await.is_empty());
    home.pass(1).await;
    assert_eq!((listed(&home).await.len(), home.world.calls().len()), (1, 3));
    settle(&home, &key, Settlement::new(Verdict::Done, SettledBy::Person)).await.unwrap();
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_eq!(home.world.calls()[3].doubt, Some(Doubt::CountsAsDone));
}

#[tokio::test]
async fn who_ends_without_knowing_is_listed_until_somebody_has_looked() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": "once" },
        { "id": "other", "type": "idem" },
    ]);
    home.world.plan("act", [Act::Fail(ErrorKind::UnknownOutcome)]);
    home.world.plan("other", [Act::Hold]);
    let workflow = home.publish(doc("Two", nodes, &["start > act", "start > other"])).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    home.world.begun("other", 1).await;
    home.world.plan("other", [Act::Fail(ErrorKind::Rejected)]);
    home.world.release("other", 1);
    home.engine.settle().await;
    assert_eq!(listed(&home).await.len(), 1);
    assert!(!home.engine.store().acknowledge(&key, None).await.unwrap(), "an open question goes on asking");
    home.engine.cancel(&key).await.unwrap();
    assert!(listed(&home).await.is_empty(), "who cancels a run has seen what it asks");
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(listed(&home).await.len(), 1, "the question is open still");
    assert_eq!(home.world.order(), ["act", "other"]);
    assert_eq!(home.engine.store().count_attention().await.unwrap(), [(Attention::UnknownOutcome, 1)]);
}

fn reply(text: &str) -> OutsideEvent {
    OutsideEvent {
        workspace_id: WS.to_owned(),
        topic: "msg".to_owned(),
        data: json!({ "text": text }),
        lane: Some("conversation:1".to_owned()),
        reply_key: Some("conversation:1".to_owned()),
        dedupe_key: Some(format!("msg/{text}")),
        inbound_id: Some("in_1".to_owned()),
        effect_id: None,
    }
}

/// A published workflow that answers any message, and one whose run waits for a reply and then for another.
async fn conversation(home: &Home) -> RunKey {
    let hears = json!([
        { "id": "hears", "type": "event", "params": { "event": "msg" } },
        { "id": "greet", "type": "idem" },
    ]);
    home.publish(doc("Greet", hears, &["hears > greet"])).await;
    let waits = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "wait", "params": { "signal": "conversation:1" } },
        { "id": "second", "type": "wait", "params": { "signal": "conversation:1" } },
    ]);
    home.run(doc("Asks", waits, &["start > first", "first > second"]), json!({})).await
}

#[tokio::test]
async fn a_reply_that_was_taken_before_a_crash_is_taken_once() {
    let mut home = Home::new().await;
    let key = conversation(&home).await;
    // The process dies right after the commit that takes the reply, and before anybody hears of that.
    home.restart_with(FaultPlan::stop_after(1), "");
    let engine = home.engine.clone();
    tokio::select! {
        _ = engine.dispatch(reply("yes"), None) => panic!("the process is dead"),
        () = home.faults.dead() => {}
    }
    home.crash().await;
    let again = home.engine.dispatch(reply("yes"), None).await.unwrap();
    home.engine.settle().await;
    assert_eq!((again.woken, again.started.len()), (Some(key.clone()), 0));
    let view = home.view(&key).await;
    assert_eq!(
        node(&view, "second").status,
        NodeStatus::Waiting,
        "the same words do not answer two questions"
    );
    assert_eq!(home.world.order(), Vec::<String>::new(), "and nobody else answers them");
    let next = home.engine.dispatch(reply("no"), None).await.unwrap();
    home.engine.settle().await;
    assert_eq!((next.woken, home.status(&key).await), (Some(key.clone()), RunStatus::Succeeded));
}

#[tokio::test]
async fn an_event_is_no_reply_to_the_run_that_it_started() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "hears", "type": "event", "params": { "event": "msg" } },
        { "id": "ask", "type": "wait", "params": { "signal": "conversation:1" } },
    ]);
    home.publish(doc("Asks", nodes, &["hears > ask"])).await;
    let first = home.engine.dispatch(reply("hi"), None).await.unwrap();
    home.engine.settle().await;
    let again = home.engine.dispatch(reply("hi"), None).await.unwrap();
    home.engine.settle().await;
    assert_eq!((again.woken, again.started.len()), (None, 0));
    assert_eq!(home.status(&first.started[0]).await, RunStatus::Waiting);
}

#[tokio::test]
async fn a_named_signal_is_taken_once_by_each_run() {
    let home = Home::new().await;
    let waits = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "wait", "params": { "signal": "paid" } },
        { "id": "second", "type": "wait", "params": { "signal": "paid" } },
    ]);
    let workflow = home.publish(doc("Asks", waits, &["start > first", "first > second"])).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        keys.push(home.start(&workflow, json!({})).await);
        home.engine.settle().await;
    }
    home.clock.advance(10);
    let signal = || home.engine.signal_once(WS, "paid", json!(1), Some("order-7"));
    assert_eq!(signal().await.unwrap().len(), 2);
    home.engine.settle().await;
    home.clock.advance(10);
    let late = home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    assert_eq!(signal().await.unwrap().len(), 2);
    home.engine.settle().await;
    for key in &keys {
        assert_eq!(node(&home.view(key).await, "second").status, NodeStatus::Waiting);
    }
    assert_eq!(
        node(&home.view(&late).await, "first").status,
        NodeStatus::Waiting,
        "it came after the signal"
    );
    home.engine.signal_once(WS, "paid", json!(1), Some("order-8")).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&keys[0]).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_signal_that_two_tell_at_once_leaves_the_run_as_it_was_stored() {
    let home = Home::new().await;
    let key = conversation(&home).await;
    // Both look for a receipt before either is written; the second finds it at its commit.
    let (first, second) = tokio::join!(
        home.engine.signal_once(WS, "conversation:1", json!("a"), Some("x")),
        home.engine.signal_once(WS, "conversation:1", json!("b"), Some("x")),
    );
    home.engine.settle().await;
    assert_eq!((first.unwrap(), second.unwrap()), (vec![key.clone()], vec![key.clone()]));
    let view = home.view(&key).await;
    assert_eq!((view.status, node(&view, "second").status), (RunStatus::Waiting, NodeStatus::Waiting));
    home.engine.signal(WS, "conversation:1", json!("c")).await.unwrap();
    home.engine.settle().await;
    let view = home.view(&key).await;
    assert_eq!((view.status, output(&view, "second")), (RunStatus::Succeeded, vec![json!({ "came": "c" })]));
}
