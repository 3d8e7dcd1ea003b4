//! `whatsapp.message_received`: starts a workflow with a customer's message. Decides only whether this
//! trigger accepts the message; which of several accepting triggers answers is decided by the host.

use super::keywords::{Keywords, Matcher};
use crate::values::check;
use serde_json::Value;
use sluice_node_sdk::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The node.
#[derive(Default)]
pub(crate) struct MessageReceived {
    compiled: Mutex<HashMap<Keywords, Arc<Matcher>>>,
}

/// How many compiled keyword lists are kept.
const KEPT: usize = 1_000;

/// Which messages start the workflow. Conditions left out hold for every message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Only messages to these numbers (phone number id or display number).
    #[serde(default)]
    numbers: Vec<String>,
    /// Only messages that say one of these words.
    #[serde(default, rename = "match")]
    keywords: Option<Keywords>,
    /// Only taps on these buttons or list rows (ids). Together with `match`: either will do.
    #[serde(default)]
    button_ids: Vec<String>,
    /// Only these types, such as `text`, `image`, `interactive`, `location`.
    #[serde(default)]
    message_types: Vec<String>,
    /// Only the first message of a conversation.
    #[serde(default)]
    first_message_only: bool,
    /// Among workflows that accept one message, the lowest priority answers.
    #[serde(default = "default_priority")]
    #[allow(dead_code, reason = "read by the host, which chooses among competing triggers")]
    priority: i64,
    /// Start in addition to the workflow that answers, and see also what must not be answered (reactions,
    /// notices, edits).
    #[serde(default)]
    listen_only: bool,
}

fn default_priority() -> i64 {
    100
}

impl Node for MessageReceived {
    const TYPE: &'static str = "whatsapp.message_received";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        super::examples::message_received(
            NodeSpec::new("WhatsApp message received", "Starts when a customer writes")
                .docs(include_str!("message_received.md"))
                .trigger(TriggerSource::Event { topic: "whatsapp.message".to_owned() }, true)
                .opens_window(super::WINDOW),
        )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(&params["match"], |keywords: &Keywords| Matcher::new(keywords).map(drop))
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let matcher = params.keywords.as_ref().map(|keywords| self.matcher(keywords)).transpose()?;
        let accepted = input.items().iter().enumerate();
        let accepted = accepted.filter(|(_, item)| accepts(&params, matcher.as_deref(), &item.json));
        Ok(accepted.map(|(index, item)| item.clone().from_input(index)).collect::<Vec<_>>().into())
    }
}

impl MessageReceived {
    fn matcher(&self, keywords: &Keywords) -> Result<Arc<Matcher>, NodeError> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(matcher) = compiled.get(keywords) {
            return Ok(matcher.clone());
        }
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        let matcher = Arc::new(Matcher::new(keywords)?);
        compiled.insert(keywords.clone(), matcher.clone());
        Ok(matcher)
    }
}

fn accepts(params: &Params, matcher: Option<&Matcher>, event: &Value) -> bool {
    let Some(message) = event.get("message").filter(|message| message.is_object()) else { return false };
    let answerable = message.get("answerable").and_then(Value::as_bool).unwrap_or(true);
    let first = || event.pointer("/conversation/is_first_message").and_then(Value::as_bool) == Some(true);
    (answerable || params.listen_only)
        && at_number(&params.numbers, event)
        && (!params.first_message_only || first())
        && of_type(&params.message_types, message)
        && says(params, matcher, message)
}

/// Whether the event happened at one of these numbers; an empty list means any.
pub(super) fn at_number(numbers: &[String], event: &Value) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let own = |key: &str| event.pointer(&format!("/number/{key}")).and_then(Value::as_str);
    numbers.is_empty()
        || numbers.iter().any(|wanted| {
            own("phone_number_id") == Some(wanted)
                || own("display_phone_number")
                    .is_some_and(|shown| !digits(shown).is_empty() && digits(shown) == digits(wanted))
        })
}

fn of_type(types: &[String], message: &Value) -> bool {
    let kind = message.get("type").and_then(Value::as_str).unwrap_or_default();
    types.is_empty() || types.iter().any(|wanted| wanted == kind)
}

fn says(params: &Params, matcher: Option<&Matcher>, message: &Value) -> bool {
    if matcher.is_none() && params.button_ids.is_empty() {
        return true;
    }
    let part = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
    let text = part("/text").or_else(|| part("/reply/title")).unwrap_or_default();
    let worded = matcher.is_some_and(|matcher| matcher.find(text).is_some());
    let tapped = part("/reply/id").is_some_and(|id| params.button_ids.iter().any(|wanted| wanted == id));
    worded || tapped
}
