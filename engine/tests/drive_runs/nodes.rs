//! The node types of the tests.

use crate::world::World;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::{Call, Cause, Outcome, Output, Reply, Stop, Suspend, WaitKind};
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::{Effect, NodeSpec, Ports, TriggerSource};
use std::sync::Arc;

type Work = fn(&World, &NodeContext, &Input) -> Result<Outcome, NodeError>;

/// What a type does: at once, or as the world says.
enum Doing {
    AtOnce(Work),
    AsPlanned,
}

struct TestNode {
    spec: NodeSpec,
    doing: Doing,
    world: Arc<World>,
}

impl DynNode for TestNode {
    fn spec(&self) -> &NodeSpec {
        &self.spec
    }

    fn run<'a>(&'a self, ctx: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async move {
            match self.doing {
                Doing::AtOnce(work) => work(&self.world, ctx, &input),
                Doing::AsPlanned => self.world.act(ctx, &input).await,
            }
        })
    }
}

/// All types; `but` leaves one out.
pub(crate) fn registry(world: &Arc<World>, but: &str) -> Registry {
    let plain = || {
        let mut spec = NodeSpec::new("Test", "A node of the tests");
        spec.params_schema = json!({ "type": "object" });
        spec
    };
    let trigger = |source, competes| plain().trigger(source, competes);
    let many = || Ports::fixed(&[("main", ""), ("a", ""), ("b", "")]);
    let planned = |effect| (plain().effect(effect), Doing::AsPlanned);
    let event = TriggerSource::Event { topic: String::new() };
    let types: Vec<(&str, (NodeSpec, Doing))> = vec![
        ("t.start", (trigger(TriggerSource::Manual, false), Doing::AtOnce(accept))),
        ("t.event", (trigger(event.clone(), true), Doing::AtOnce(accept))),
        ("t.notice", (trigger(event, false), Doing::AtOnce(accept))),
        ("t.plan", (trigger(TriggerSource::Schedule, false), Doing::AtOnce(accept))),
        ("t.called", (trigger(TriggerSource::Workflow, false), Doing::AtOnce(accept))),
        ("t.failed", (trigger(TriggerSource::Error, false), Doing::AtOnce(accept))),
        ("t.idem", planned(Effect::Idempotent)),
        ("t.once", planned(Effect::Once)),
        ("t.seek", (plain().effect(Effect::Once).evidence(60_000), Doing::AsPlanned)),
        ("t.set", (plain(), Doing::AtOnce(set))),
        ("t.fault", (plain(), Doing::AtOnce(fault))),
        ("t.wait", (plain(), Doing::AtOnce(wait))),
        ("t.call", (plain(), Doing::AtOnce(call))),
        ("t.respond", (plain(), Doing::AtOnce(respond))),
        ("t.stop", (plain(), Doing::AtOnce(stop))),
        ("t.shape", (plain().outputs(many()), Doing::AtOnce(shape))),
        ("t.merge", (plain().inputs(Ports::fixed(&[("main", ""), ("other", "")])), Doing::AtOnce(merge))),
        (
            "t.loop",
            (plain().loop_entry().outputs(Ports::fixed(&[("item", ""), ("done", "")])), Doing::AtOnce(each)),
        ),
    ];
    let nodes = types.into_iter().filter(|(name, _)| *name != but).map(|(name, (mut spec, doing))| {
        name.clone_into(&mut spec.node_type);
        Arc::new(TestNode { spec, doing, world: world.clone() }) as Arc<dyn DynNode>
    });
    Registry::new(nodes).unwrap()
}

/// Accepts every event, unless its parameter `only` names another `text`, or the event says otherwise.
fn accept(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let event = &input.items()[0].json;
    if event["fail"] == true || ctx.params.resolve_at("/broken", 0)? == true {
        return Err(NodeError::invalid_input("the event is broken"));
    }
    let only = ctx.params.resolve_at("/only", 0)?;
    let declines = event["decline"] == true || (!only.is_null() && only != event["text"]);
    let items = if declines { Vec::new() } else { input.pass() };
    Ok(items.into())
}

/// Per item: the parameter `value`, merged into the item if both are objects.
fn set(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let made = input.items().iter().enumerate().map(|(ix, item)| {
        let value = ctx.params.resolve_at("/value", ix)?;
        let json = match (&*item.json, value) {
            (Value::Object(old), Value::Object(new)) => {
                Value::Object(old.clone().into_iter().chain(new).collect())
            }
            (_, value) => value,
        };
        Ok(Item::new(json).from_input(ix))
    });
    Ok(made.collect::<Result<Vec<_>, NodeError>>()?.into())
}

fn fault(_: &World, ctx: &NodeContext, _: &Input) -> Result<Outcome, NodeError> {
    if ctx.params.resolve_at("/panic", 0)? == true {
        panic!("as planned");
    }
    Err(NodeError::rejected("as planned").code("planned"))
}

/// Waits `ms` milliseconds, for the signal `signal`, or for whichever comes first.
fn wait(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let Some(resumed) = &ctx.resumed else {
        let until = ctx.params.resolve_at("/ms", 0)?.as_i64().map(|pause| ctx.now_ms() + pause);
        return Ok(match ctx.params.resolve_at("/signal", 0)?.as_str() {
            Some(key) => Suspend::for_signal(WaitKind::Signal, key).or_until(until).into(),
            None => Suspend::until(until.unwrap_or_default()).into(),
        });
    };
    let came = match &resumed.cause {
        Cause::Timer => json!("timer"),
        Cause::Signal { payload } => payload.clone(),
    };
    let made = input.items().iter().enumerate().map(|(ix, item)| {
        let mut json = item.json.as_object().cloned().unwrap_or_default();
        json.insert("came".to_owned(), came.clone());
        Item::new(Value::Object(json)).from_input(ix)
    });
    Ok(made.collect::<Vec<_>>().into())
}

fn call(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let waits = ctx.params.resolve_at("/wait", 0)? != false;
    let Some(resumed) = &ctx.resumed else {
        let workflow = ctx.params.resolve_at("/workflow", 0)?.as_str().unwrap_or_default().to_owned();
        return Ok(Outcome::Call(Call { workflow, items: input.items().to_vec(), wait: waits }));
    };
    let Cause::Signal { payload } = &resumed.cause else { return Err(NodeError::bug("a timer")) };
    if waits && payload["status"] != "succeeded" {
        return Err(NodeError::rejected("the child failed").code("child_failed").details(payload.clone()));
    }
    Ok(vec![Item::new(payload.clone())].into())
}

fn respond(_: &World, _: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let body = (*input.items()[0].json).clone();
    let reply = Reply { status: 201, headers: Default::default(), body };
    Ok(Output { reply: Some(reply), ..Output::main(input.pass()) }.into())
}

fn stop(_: &World, _: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    Ok(Outcome::Stop(Stop { error: None, items: input.pass() }))
}

/// `filter` keeps items whose `n` is odd, `sort` turns the order round, `split` parts them by `n` over the ports
/// `a` (odd) and `b`, `sum` makes one of all.
fn shape(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let n = |item: &Item| item.json["n"].as_i64().unwrap_or_default();
    let mut items = input.pass();
    let mode = ctx.params.resolve_at("/mode", 0)?;
    Ok(match mode.as_str().unwrap_or_default() {
        "filter" => {
            items.retain(|item| n(item) % 2 == 1);
            items.into()
        }
        "sort" => {
            items.reverse();
            items.into()
        }
        "split" => {
            let (odd, even) = items.into_iter().partition(|item| n(item) % 2 == 1);
            Output::port("a", odd).and("b", even).into()
        }
        _ => vec![Item::new(json!({ "sum": items.iter().map(n).sum::<i64>() }))].into(),
    })
}

/// The items of `main`, then those of `other`, whose origin nobody knows.
fn merge(_: &World, _: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let mut items = input.pass();
    items.extend(input.port("other").iter().map(|item| Item { from: None, ..item.clone() }));
    Ok(items.into())
}

/// One item per round; in the end all that came back.
fn each(_: &World, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
    let next = ctx.loop_state.as_ref().map_or(0, |state| state["next"].as_u64().unwrap_or_default() as usize);
    let mut back: Vec<Item> = input.rounds().iter().flat_map(|round| round.iter().cloned()).collect();
    back.extend(input.returned().iter().cloned());
    Ok(match input.items().get(next) {
        Some(item) => Output {
            loop_state: Some(json!({ "next": next + 1 })),
            ..Output::port("item", vec![item.clone().from_input(next)])
        }
        .into(),
        None => {
            let back = back.into_iter().map(|item| Item { from: None, ..item }).collect();
            Output::port("done", back).into()
        }
    })
}
