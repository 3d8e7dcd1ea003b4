//! A few node types of the tests' own: the API must work with nodes it has never heard of.

use sluice_node_sdk::node::{Node, node};
use sluice_node_sdk::outcome::Reply;
use sluice_node_sdk::prelude::*;
use sluice_node_sdk::registry::Registry;

/// All of them.
pub(crate) fn registry() -> Registry {
    let nodes = [
        node(Start),
        node(Hook),
        node(Heard),
        node(Set),
        node(Fail),
        node(Lose),
        node(Ask),
        node(Pause),
        node(Answer),
    ];
    Registry::new(nodes).unwrap()
}

/// Parameters of nodes that have none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A trigger for people.
struct Start;

impl Node for Start {
    const TYPE: &'static str = "test.start";
    type Params = Nothing;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Start", "Starts by hand").trigger(TriggerSource::Manual, false)
    }

    async fn run(&self, _: &Context<'_, Nothing>, input: Input) -> Result<Outcome, NodeError> {
        Ok(input.items().to_vec().into())
    }
}

/// A webhook trigger.
struct Hook;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookParams {
    /// Where.
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) path: String,
    /// Which method.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) method: Option<String>,
    /// When to answer.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) respond: Option<String>,
    /// Who may call.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) credential: Option<String>,
}

impl Node for Hook {
    const TYPE: &'static str = "test.hook";
    type Params = HookParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Hook", "Starts by a request")
            .trigger(TriggerSource::Webhook, false)
            .credential("credential", &["http_header", "http_bearer", "http_basic"], false)
            .credential_kinds([CredentialKind::new("http_header", "Header", "Sent along.")
                .public("name", "Header", "Its name")
                .secret("value", "Value", "Nobody sees it")])
    }

    async fn run(&self, _: &Context<'_, HookParams>, input: Input) -> Result<Outcome, NodeError> {
        let wanted = input.items().iter().filter(|item| item.json["query"]["decline"].is_null());
        Ok(wanted.cloned().collect::<Vec<_>>().into())
    }
}

/// Starts with a customer's message.
struct Heard;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeardParams {
    /// The event.
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) event: String,
    /// Whose events.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the host")]
    pub(crate) credential: Option<String>,
}

impl Node for Heard {
    const TYPE: &'static str = "test.heard";
    type Params = HeardParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Heard", "Starts by an event")
            .trigger(TriggerSource::Event { topic: String::new() }, true)
            .credential("credential", &["google"], false)
    }

    async fn run(&self, _: &Context<'_, HeardParams>, input: Input) -> Result<Outcome, NodeError> {
        Ok(input.items().to_vec().into())
    }
}

/// Replaces each item by a value.
struct Set;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetParams {
    /// The value.
    pub(crate) value: Value,
    /// How often.
    #[serde(default = "one")]
    pub(crate) times: usize,
}

fn one() -> usize {
    1
}

impl Node for Set {
    const TYPE: &'static str = "test.set";
    type Params = SetParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Set", "Gives a value")
    }

    async fn run(&self, ctx: &Context<'_, SetParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut items = Vec::new();
        for index in 0..input.items().len() {
            let params = ctx.params(index)?;
            items.extend((0..params.times).map(|_| Item::new(params.value.clone()).from_input(index)));
        }
        Ok(items.into())
    }
}

/// Fails.
struct Fail;

impl Node for Fail {
    const TYPE: &'static str = "test.fail";
    type Params = Nothing;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Fail", "Fails")
    }

    async fn run(&self, _: &Context<'_, Nothing>, _: Input) -> Result<Outcome, NodeError> {
        Err(NodeError::rejected("the secret inner reason").code("no_luck"))
    }
}

/// Does something that must not be repeated; the first attempt gets no answer.
struct Lose;

impl Node for Lose {
    const TYPE: &'static str = "test.lose";
    type Params = Nothing;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Lose", "Loses the answer to its first attempt").effect(Effect::Once)
    }

    async fn run(&self, ctx: &Context<'_, Nothing>, input: Input) -> Result<Outcome, NodeError> {
        if ctx.attempt == 1 {
            return Err(NodeError::unknown_outcome("The line went dead"));
        }
        Ok(input.items().to_vec().into())
    }
}

/// Asks a person.
struct Ask;

impl Node for Ask {
    const TYPE: &'static str = "test.ask";
    type Params = Nothing;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Ask", "Waits for a decision")
    }

    async fn run(&self, ctx: &Context<'_, Nothing>, _: Input) -> Result<Outcome, NodeError> {
        match &ctx.resumed {
            Some(resumed) => match &resumed.cause {
                Cause::Signal { payload } => Ok(vec![Item::new(payload.clone())].into()),
                Cause::Timer => Ok(vec![].into()),
            },
            None => {
                let info = json!({ "title": "Go <b>now</b>?", "message": "It costs 5 & more", "approvers": ["a@b.c"] });
                Ok(Suspend::for_signal(WaitKind::Approval, format!("approval:{}", ctx.effect_id()))
                    .info(info)
                    .into())
            }
        }
    }
}

/// Waits for a signal.
struct Pause;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseParams {
    /// The key.
    pub(crate) key: String,
}

impl Node for Pause {
    const TYPE: &'static str = "test.pause";
    type Params = PauseParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Pause", "Waits for a signal")
    }

    async fn run(&self, ctx: &Context<'_, PauseParams>, _: Input) -> Result<Outcome, NodeError> {
        match &ctx.resumed {
            Some(resumed) => match &resumed.cause {
                Cause::Signal { payload } => Ok(vec![Item::new(payload.clone())].into()),
                Cause::Timer => Ok(vec![].into()),
            },
            None => Ok(Suspend::for_signal(WaitKind::Signal, ctx.params(0)?.key.clone()).into()),
        }
    }
}

/// Answers the caller of a webhook.
struct Answer;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerParams {
    /// The answer.
    pub(crate) reply: Value,
}

impl Node for Answer {
    const TYPE: &'static str = "test.answer";
    type Params = AnswerParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Answer", "Answers the caller")
    }

    async fn run(&self, ctx: &Context<'_, AnswerParams>, input: Input) -> Result<Outcome, NodeError> {
        let reply: Reply = serde_json::from_value(ctx.params(0)?.reply.clone()).unwrap();
        Ok(Output { reply: Some(reply), ..Output::main(input.items().to_vec()) }.into())
    }
}
