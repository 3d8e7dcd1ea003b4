//! Who answers an outside event.

use crate::home::{Home, WS, doc, output};
use crate::world::Act;
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{Dispatched, EngineError, OutsideEvent};
use std::time::Duration;

/// A workflow that reacts to `msg`, acts, and waits for the conversation's reply if `asks`.
fn reacting(name: &str, node_type: &str, params: Value, asks: bool) -> Document {
    let mut trigger = json!({ "event": "msg" });
    trigger.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    let mut nodes = json!([
        { "id": "in", "type": node_type, "params": trigger },
        { "id": name.to_lowercase(), "type": "idem" },
    ]);
    let first = format!("in > {}", name.to_lowercase());
    let second = format!("{} > ask", name.to_lowercase());
    let mut edges = vec![first.as_str()];
    if asks {
        let ask =
            json!({ "id": "ask", "type": "wait", "params": { "signal": "conversation:1", "ms": 60_000 } });
        nodes.as_array_mut().unwrap().push(ask);
        edges.push(&second);
    }
    doc(name, nodes, &edges)
}

fn message(text: &str) -> OutsideEvent {
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

async fn hand_in(home: &Home, event: OutsideEvent) -> Dispatched {
    let place = home.engine.queue(&event);
    let done = home.engine.dispatch(event, place).await.unwrap();
    home.engine.settle().await;
    done
}

#[tokio::test]
async fn of_competing_triggers_the_first_that_accepts_answers_alone() {
    let home = Home::new().await;
    home.publish(reacting("Late", "event", json!({ "priority": 200 }), false)).await;
    home.publish(reacting("Picky", "event", json!({ "priority": 1, "only": "stop" }), false)).await;
    home.publish(reacting("Default", "event", json!({}), false)).await;
    home.publish(reacting("Early", "event", json!({ "priority": 50 }), false)).await;
    let done = hand_in(&home, message("hi")).await;
    assert_eq!((done.started.len(), home.world.order()), (1, vec!["early".to_owned()]));
    let done = hand_in(&home, message("stop")).await;
    assert_eq!((done.started.len(), home.world.order().last().unwrap().as_str()), (1, "picky"));
    let view = home.view(&done.started[0]).await;
    assert_eq!(view.inbound_id.as_deref(), Some("in_1"));
    assert_eq!(
        hand_in(&home, OutsideEvent { topic: "other".to_owned(), ..message("x") }).await,
        Dispatched::default()
    );
}

#[tokio::test]
async fn listeners_all_hear_and_never_answer() {
    let home = Home::new().await;
    home.publish(reacting("Ear", "event", json!({ "listen_only": true }), false)).await;
    home.publish(reacting("Other", "event", json!({ "listen_only": true, "priority": 1 }), false)).await;
    home.publish(reacting("Mouth", "event", json!({ "priority": 300 }), true)).await;
    assert_eq!(hand_in(&home, message("hi")).await.started.len(), 3);
    let done = hand_in(&home, message("and then")).await;
    assert_eq!((done.woken.is_some(), done.started.len()), (true, 2));
    assert_eq!(home.world.order().iter().filter(|node| *node == "mouth").count(), 1);
}

#[tokio::test]
async fn triggers_that_do_not_compete_all_answer() {
    let home = Home::new().await;
    home.publish(reacting("One", "notice", json!({}), false)).await;
    home.publish(reacting("Two", "notice", json!({}), false)).await;
    assert_eq!(hand_in(&home, message("hi")).await.started.len(), 2);
}

#[tokio::test]
async fn a_waiting_run_gets_the_reply_before_triggers_are_asked() {
    let home = Home::new().await;
    home.publish(reacting("Greet", "event", json!({}), true)).await;
    let first = hand_in(&home, message("hi")).await;
    let second = hand_in(&home, message("my name is Asha")).await;
    assert_eq!((second.woken.as_ref(), second.started.len()), (Some(&first.started[0]), 0));
    let view = home.view(&first.started[0]).await;
    assert_eq!(
        (view.status, output(&view, "ask")[0]["came"]["text"].clone()),
        (RunStatus::Succeeded, json!("my name is Asha"))
    );
    let third = hand_in(&home, message("hi again")).await;
    assert_eq!((third.woken, third.started.len()), (None, 1));
}

#[tokio::test]
async fn a_message_to_a_busy_conversation_is_held_until_the_run_waits() {
    let home = Home::new().await;
    home.publish(reacting("Slow", "event", json!({ "priority": 1 }), true)).await;
    home.world.plan("slow", [Act::Hold]);
    let first = message("hi");
    let place = home.engine.queue(&first);
    let first = home.engine.dispatch(first, place).await.unwrap();
    home.world.begun("slow", 1).await;
    let (second, third) = (message("Asha"), message("what next?"));
    let places = (home.engine.queue(&second), home.engine.queue(&third));
    let hand_on = |event, place| {
        let engine = home.engine.clone();
        tokio::spawn(async move { engine.dispatch(event, place).await.unwrap() })
    };
    // Handed on in the wrong order: their places count.
    let third = hand_on(third, places.1);
    let second = hand_on(second, places.0);
    tokio::task::yield_now().await;
    assert!(!second.is_finished() && !third.is_finished());
    home.world.release("slow", 1);
    assert_eq!(second.await.unwrap().woken.as_ref(), Some(&first.started[0]));
    assert_eq!(third.await.unwrap().started.len(), 1);
    home.engine.settle().await;
    let view = home.view(&first.started[0]).await;
    assert_eq!(output(&view, "ask")[0]["came"]["text"], "Asha");
}

#[tokio::test]
async fn a_reply_and_a_timer_of_the_same_run_do_not_lock_each_other_up() {
    let home = Home::new().await;
    home.publish(reacting("Greet", "event", json!({}), true)).await;
    let first = hand_in(&home, message("hi")).await;
    let reply = message("Asha");
    let place = home.engine.queue(&reply);
    home.clock.advance(60_000);
    // The run is woken by its timer and waits for the lane, which the reply holds.
    assert_eq!(home.engine.fire_due().await.unwrap(), 1);
    let done = tokio::time::timeout(Duration::from_secs(30), home.engine.dispatch(reply, place));
    assert_eq!(done.await.expect("no lock").unwrap().woken.as_ref(), Some(&first.started[0]));
    home.engine.settle().await;
    let view = home.view(&first.started[0]).await;
    assert_eq!(output(&view, "ask")[0]["came"]["text"], "Asha");
}

#[tokio::test]
async fn a_reply_that_is_refused_leaves_the_lane_with_the_event() {
    let home = Home::new().await;
    home.publish(reacting("Greet", "event", json!({}), true)).await;
    let first = hand_in(&home, message("hi")).await;
    home.engine.cancel(&first.started[0]).await.unwrap();
    home.world.plan("greet", [Act::Hold]);
    let second = message("hello?");
    let place = home.engine.queue(&second);
    let second = home.engine.dispatch(second, place).await.unwrap();
    assert_eq!((second.woken, second.started.len()), (None, 1));
    let third = message("still there?");
    let place = home.engine.queue(&third);
    let engine = home.engine.clone();
    let third = tokio::spawn(async move { engine.dispatch(third, place).await.unwrap() });
    tokio::task::yield_now().await;
    assert!(!third.is_finished());
    home.world.release("greet", 1);
    assert_eq!(third.await.unwrap().woken.as_ref(), Some(&second.started[0]));
    home.engine.settle().await;
}

#[tokio::test]
async fn a_trigger_that_fails_does_not_stop_the_others() {
    let home = Home::new().await;
    let broken =
        home.publish(reacting("Broken", "event", json!({ "priority": 1, "broken": true }), false)).await;
    home.publish(reacting("Fine", "event", json!({}), false)).await;
    let done = hand_in(&home, message("hi")).await;
    assert_eq!((done.failed.len(), done.failed[0].0.as_str(), done.started.len()), (1, broken.as_str(), 1));
}

#[tokio::test]
async fn an_event_that_comes_again_starts_nothing() {
    let home = Home::new().await;
    home.publish(reacting("First", "event", json!({ "priority": 1 }), false)).await;
    home.publish(reacting("Second", "event", json!({ "priority": 2 }), false)).await;
    let first = hand_in(&home, message("hi")).await;
    assert_eq!(first.started.len(), 1);
    let again = hand_in(&home, message("hi")).await;
    assert_eq!(again, Dispatched { started_before: first.started, ..Dispatched::default() });
    assert_eq!(home.world.order(), ["first"]);
}

#[tokio::test]
async fn an_engine_that_stops_leaves_the_event_to_whoever_keeps_it() {
    let home = Home::new().await;
    home.publish(reacting("First", "event", json!({}), false)).await;
    home.engine.shut_down(Duration::from_secs(60)).await;
    let refused = home.engine.dispatch(message("hi"), None).await.unwrap_err();
    assert!(matches!(refused, EngineError::ShuttingDown), "{refused}");
}
