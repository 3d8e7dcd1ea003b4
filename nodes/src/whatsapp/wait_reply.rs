//! `whatsapp.wait_reply`: the run sleeps until the customer writes again, then checks the answer.

use super::event::Event;
use super::limits::wrong;
use super::reply::{self, Accept, Validation};
use crate::values::check;
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::prelude::*;

/// The node.
pub(crate) struct WaitReply;

/// What is waited for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// How long to wait, for example `24h`; without limit when left out.
    #[serde(default)]
    timeout: Option<Duration>,
    /// What kind of message counts.
    #[serde(default)]
    accept: Accept,
    /// What the answer must be.
    #[serde(default)]
    validation: Option<Validation>,
    /// The conversation. Left out: the one that the item belongs to.
    #[serde(default)]
    conversation: Option<String>,
}

impl Node for WaitReply {
    const TYPE: &'static str = "whatsapp.wait_reply";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        super::examples::wait_reply(
            NodeSpec::new("Wait for a WhatsApp reply", "Waits until the customer writes again")
                .docs(include_str!("wait_reply.md"))
                .effect(Effect::Pure)
                .outputs(Ports::fixed(&[
                    ("main", "The item with the customer's answer under `reply`"),
                    ("invalid", "The answer was not what was asked for; `reply.reason` says why"),
                    ("timeout", "The time limit passed without an answer"),
                ]))
                .timeout_param("/timeout")
                .opens_window(super::WINDOW),
        )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(&params["validation"], reply::check)
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let Some(resumed) = &ctx.resumed else { return wait(ctx, &params, &input) };
        let payload = match &resumed.cause {
            Cause::Timer => {
                let items = with(&input, "timed_out", &Value::Bool(true));
                return Ok(Output::port("timeout", items).into());
            }
            Cause::Signal { payload } => payload,
        };
        let reply = reply::read(payload, params.accept, params.validation.as_ref(), today(ctx)?)?;
        let port = if reply.reason.is_none() { "main" } else { "invalid" };
        Ok(Output::port(port, with(&input, "reply", &reply.json)).into())
    }
}

fn wait(ctx: &NodeContext, params: &Params, input: &Input) -> Result<Outcome, NodeError> {
    if input.items().is_empty() {
        return Ok(Vec::new().into());
    }
    let conversation = conversation(ctx, params, input)?;
    let until = params.timeout.map(|timeout| timeout.after(ctx.now_ms()));
    let state = json!({ "conversation_id": conversation });
    let info = json!({ "title": "Waiting for a WhatsApp reply", "conversation_id": conversation });
    let signal = format!("conversation:{conversation}");
    Ok(Suspend::for_signal(WaitKind::Reply, signal).or_until(until).state(state).info(info).into())
}

/// The one conversation of all items.
fn conversation(ctx: &NodeContext, params: &Params, input: &Input) -> Result<String, NodeError> {
    if let Some(conversation) = params.conversation.as_deref().filter(|id| !id.trim().is_empty()) {
        return Ok(conversation.to_owned());
    }
    let of_item = |(index, item): (usize, &Item)| {
        let event = Event::of_item(ctx, index, &item.json);
        event.conversation_id().map(ToOwned::to_owned).ok_or_else(|| {
            let message = "The item belongs to no conversation; set `conversation`";
            wrong("/conversation", "conversation_missing", message)
        })
    };
    let mut all = input.items().iter().enumerate().map(of_item).collect::<Result<Vec<_>, _>>()?;
    all.dedup();
    if all.len() > 1 {
        let message =
            "The items belong to several conversations; wait for one at a time, for example in a flow.loop";
        return Err(wrong("/conversation", "several_conversations", message));
    }
    all.pop().ok_or_else(|| wrong("/conversation", "conversation_missing", "There is no item"))
}

/// Today where the workflow lives.
fn today(ctx: &NodeContext) -> Result<Date, NodeError> {
    let zone = jiff::tz::TimeZone::get(&ctx.run.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(ctx.now_ms())
        .map_err(|error| NodeError::bug(format!("The clock shows an impossible time: {error}")))?;
    Ok(now.to_zoned(zone).date())
}

/// Every input item with one more field.
fn with(input: &Input, key: &str, value: &Value) -> Vec<Item> {
    let items = input.items().iter().enumerate();
    items
        .map(|(index, item)| {
            let mut json = match &*item.json {
                Value::Object(object) => object.clone(),
                other => Map::from_iter([("value".to_owned(), other.clone())]),
            };
            json.insert(key.to_owned(), value.clone());
            let mut output = Item::new(Value::Object(json)).from_input(index);
            output.files = item.files.clone();
            output
        })
        .collect()
}
