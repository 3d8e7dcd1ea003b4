//! Events of every sort, with every sort of data inside.

use crate::core::{Event, EventKind, NodeOutput, RunError, RunStatus, Wait};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Number, Value};
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::{FileRef, Item, Items};
use sluice_node_sdk::outcome::{Cause, Reply, WaitKind};
use std::sync::Arc;

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{0,8}", any::<String>(), Just("\u{0}\"\\\u{2028}🦀".to_owned())]
}

/// JSON of a few levels. The same value may stand where `null` and nothing mean the same, so see [`some`].
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An optional JSON value. A present `null` is left out: it is written like an absent value.
fn some() -> impl Strategy<Value = Option<Value>> {
    option::of(json()).prop_map(|value| value.filter(|value| !value.is_null()))
}

fn item() -> impl Strategy<Value = Item> {
    let file = (text(), text(), vec(any::<u8>(), 0..20))
        .prop_map(|(name, mime_type, data)| FileRef::new(name, mime_type, data));
    (json(), option::of(btree_map(text(), file, 0..3)), option::of(any::<u32>()))
        .prop_map(|(json, files, from)| Item { json: Arc::new(json), files: files.map(Arc::new), from })
}

fn items() -> impl Strategy<Value = Items> {
    vec(item(), 0..3).prop_map(Arc::new)
}

fn logs() -> impl Strategy<Value = Vec<LogLine>> {
    vec((any::<i64>(), text(), text()).prop_map(|(at, level, message)| LogLine { at, level, message }), 0..2)
}

fn reply() -> impl Strategy<Value = Reply> {
    (any::<u16>(), btree_map(text(), text(), 0..3), json()).prop_map(|(status, headers, body)| Reply {
        status,
        headers,
        body,
    })
}

fn output() -> impl Strategy<Value = Arc<NodeOutput>> {
    (vec((any::<u16>(), items()), 0..3), option::of(reply()), some(), logs())
        .prop_map(|(ports, reply, loop_state, logs)| Arc::new(NodeOutput { ports, reply, loop_state, logs }))
}

fn node_error() -> impl Strategy<Value = Box<NodeError>> {
    let kind = prop_oneof![
        Just(ErrorKind::InvalidParams),
        Just(ErrorKind::RateLimited),
        Just(ErrorKind::UnknownOutcome),
        Just(ErrorKind::Bug),
    ];
    (kind, text(), text(), option::of(text()), some(), option::of(any::<u64>())).prop_map(
        |(kind, code, message, path, details, retry_after_ms)| {
            Box::new(NodeError { kind, code: code.into(), message, path, details, retry_after_ms })
        },
    )
}

fn run_error() -> impl Strategy<Value = Box<RunError>> {
    (text(), option::of(text()), text(), option::of(text()), some()).prop_map(
        |(code, node, message, path, details)| Box::new(RunError { code, node, message, path, details }),
    )
}

fn wait() -> impl Strategy<Value = Arc<Wait>> {
    let kind = prop_oneof![
        Just(WaitKind::Time),
        Just(WaitKind::Signal),
        Just(WaitKind::Reply),
        Just(WaitKind::Approval),
        Just(WaitKind::Call),
        Just(WaitKind::Outcome),
    ];
    (kind, option::of(any::<i64>()), option::of(text()), json(), json())
        .prop_map(|(kind, until, signal, state, info)| Arc::new(Wait { kind, until, signal, state, info }))
}

fn status() -> impl Strategy<Value = RunStatus> {
    (0..6_usize).prop_map(|number| super::columns::STATUSES[number])
}

fn kind() -> impl Strategy<Value = EventKind> {
    let node = any::<u32>;
    let moment = || option::of(any::<i64>());
    let cause = prop_oneof![Just(Cause::Timer), json().prop_map(|payload| Cause::Signal { payload })];
    prop_oneof![
        (node(), output(), btree_map(node(), vec((any::<u16>(), items()), 0..3), 0..3), moment()).prop_map(
            |(trigger, output, pins, deadline)| EventKind::RunStarted { trigger, output, pins, deadline }
        ),
        (node(), any::<u32>()).prop_map(|(node, attempt)| EventKind::NodeStarted { node, attempt }),
        (node(), moment(), output()).prop_map(|(node, began, output)| EventKind::NodeSucceeded {
            node,
            began,
            output
        }),
        (node(), moment(), node_error(), moment(), option::of(output()), logs()).prop_map(
            |(node, began, error, retry_at, output, logs)| EventKind::NodeFailed {
                node,
                began,
                error,
                retry_at,
                output,
                logs
            }
        ),
        node().prop_map(|node| EventKind::NodeSkipped { node }),
        (node(), wait()).prop_map(|(node, wait)| EventKind::NodeSuspended { node, wait }),
        (node(), cause).prop_map(|(node, cause)| EventKind::NodeResumed { node, cause }),
        node().prop_map(|node| EventKind::NodeCancelled { node }),
        (status(), option::of(run_error()))
            .prop_map(|(status, error)| EventKind::RunEnding { status, error }),
        status().prop_map(|status| EventKind::RunFinished { status }),
        Just(EventKind::RunRetried {}),
    ]
}

/// Any event.
pub(super) fn event() -> impl Strategy<Value = Event> {
    (any::<i64>(), kind()).prop_map(|(at, kind)| Event { at, kind })
}

/// The place of a variant in a list of all; a new variant does not compile until it is here and above.
pub(super) fn variant(kind: &EventKind) -> usize {
    match kind {
        EventKind::RunStarted { .. } => 0,
        EventKind::NodeStarted { .. } => 1,
        EventKind::NodeSucceeded { .. } => 2,
        EventKind::NodeFailed { .. } => 3,
        EventKind::NodeSkipped { .. } => 4,
        EventKind::NodeSuspended { .. } => 5,
        EventKind::NodeResumed { .. } => 6,
        EventKind::NodeCancelled { .. } => 7,
        EventKind::RunEnding { .. } => 8,
        EventKind::RunFinished { .. } => 9,
        EventKind::RunRetried {} => 10,
    }
}

/// Number of variants.
pub(super) const VARIANTS: usize = 11;
