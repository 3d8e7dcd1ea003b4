//! Events come back as they were, and are found by number.

use super::arbitrary::{VARIANTS, event, variant};
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sluice_db::Db;
use sluice_node_sdk::outcome::Cause;

sluice_db::contract_tests! {
    every_event_survives_the_database,
    events_are_found_by_number,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_survive_the_codec(at in any::<i64>(), events in vec(event(), 0..6)) {
        let bytes = codec::encode(at, &events).unwrap();
        let back = codec::decode(at, &bytes).unwrap();
        prop_assert_eq!(&back, &events);
        prop_assert_eq!(codec::encode(at, &back).unwrap(), bytes);
    }
}

/// A few hundred events, with every variant among them.
fn many_events() -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    let events = vec(event(), 300).new_tree(&mut runner).unwrap().current();
    for wanted in 0..VARIANTS {
        assert!(events.iter().any(|event| variant(&event.kind) == wanted), "variant {wanted}");
    }
    events
}

async fn every_event_survives_the_database(db: Db) {
    let store = Store::new(db);
    let events = many_events();
    let turn = Turn { events: events.clone(), ..first_turn(facts("run_1", 100), RunStatus::Running) };
    commit_all(&store, vec![turn]).await;
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events, events);
}

async fn events_are_found_by_number(db: Db) {
    let store = Store::new(db);
    let event = |n: u32| skipped(i64::from(n) * 10, n);
    let turn = |expected, numbers: std::ops::Range<u32>| Turn {
        first_seq: i64::from(numbers.start),
        events: numbers.map(event).collect(),
        ..next_turn("run_1", expected, 0, RunStatus::Running)
    };
    let first =
        Turn { events: (0..3).map(event).collect(), ..first_turn(facts("run_1", 1), RunStatus::Running) };
    commit_all(&store, vec![first, turn(1, 3..4), turn(2, 4..4), turn(3, 4..9)]).await;
    for from in [-1_i64, 0, 1, 2, 3, 4, 5, 8, 9, 50] {
        let found = store.events_since(&key("run_1"), from).await.unwrap();
        let expected: Vec<_> = (0..9).map(|n| (i64::from(n), event(n))).filter(|(n, _)| *n >= from).collect();
        assert_eq!(found, expected, "from {from}");
    }
    assert_eq!(store.events_since(&key("run_2"), 0).await.unwrap(), []);
}

#[test]
fn data_of_the_allowed_depth_can_be_read_in_every_place() {
    let deep = (1..codec::MAX_DEPTH).fold(json!([]), |inner, _| json!([inner]));
    let output = || NodeOutput {
        ports: vec![(0, Arc::new(vec![deep.clone().into()]))],
        loop_state: Some(deep.clone()),
        ..NodeOutput::default()
    };
    let wait =
        Wait { kind: WaitKind::Signal, until: None, signal: None, state: deep.clone(), info: deep.clone() };
    let mut pinned = started(0, deep.clone());
    if let EventKind::RunStarted { pins, .. } = &mut pinned.kind {
        pins.insert(7, vec![(2, Arc::new(vec![deep.clone().into()]))]);
    }
    let kinds = [
        pinned.kind,
        EventKind::NodeSucceeded { node: 1, began: None, output: Arc::new(output()) },
        EventKind::NodeSuspended { node: 1, wait: Arc::new(wait) },
        EventKind::NodeResumed { node: 1, cause: Cause::Signal { payload: deep.clone() } },
    ];
    let events: Vec<_> = kinds.into_iter().map(|kind| Event { at: 1, kind }).collect();
    assert_eq!(codec::decode(1, &codec::encode(1, &events).unwrap()).unwrap(), events);
}

/// What earlier versions stored can be read for ever, whatever is written today.
#[test]
fn what_was_stored_can_be_read() {
    let events = [started(1_000, json!({ "name": "Asha" })), skipped(1_005, 2)];
    let json = r#"[[0,{"run_started":{"trigger":0,"output":{"p":[[0,[{"json":{"name":"Asha"}}]]]}}}],[5,{"node_skipped":{"node":2}}]]"#;
    let plain = [&[0], json.as_bytes()].concat();
    assert_eq!(codec::decode(1_000, &plain).unwrap(), events);
    // Another release of zstd may write other bytes, but must read these.
    let compressed = [
        0x01, 0x20, 0x73, 0x95, 0x00, 0x00, 0x10, 0x35, 0x5d, 0x05, 0xfc, 0xc4, 0x82, 0x46, 0x15, 0x2a, 0x8a,
        0xce, 0x52, 0x54, 0x44, 0xcb, 0xc2, 0xcd,
    ];
    assert_eq!(codec::decode(1_000, &compressed).unwrap(), events);
    assert_eq!(codec::encode(1_000, &events).unwrap()[0], 1);
}

#[test]
fn what_is_not_events_is_refused() {
    let text = |body: &[u8]| codec::decode(0, body).unwrap_err().to_string();
    assert_eq!(text(b""), "the body is empty");
    assert_eq!(text(b"\x07[]"), "the codec 7 is not known to this version");
    assert_eq!(text(b"\x00[[0]]"), "the JSON of the events is damaged");
    assert_eq!(text(b"\x01[[0]]"), "the compressed events are damaged");
}
