//! `whatsapp.status_received`: starts a workflow when the delivery status of a message changes.

use super::message_received::at_number;
use serde_json::Value;
use sluice_node_sdk::prelude::*;

/// The node.
pub(crate) struct StatusReceived;

/// A delivery status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Left Meta.
    Sent,
    /// Reached the phone.
    Delivered,
    /// Was read.
    Read,
    /// A voice note was played.
    Played,
    /// Could not be delivered; `status.error` says why.
    Failed,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }
}

/// Which statuses start the workflow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Only these statuses; every one when left out.
    #[serde(default)]
    statuses: Vec<Status>,
    /// Only messages of these numbers (phone number id or display number).
    #[serde(default)]
    numbers: Vec<String>,
}

impl Node for StatusReceived {
    const TYPE: &'static str = "whatsapp.status_received";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        super::examples::status_received(
            NodeSpec::new("WhatsApp status received", "Starts when a message is delivered, read or fails")
                .docs(
                    "Starts the workflow with the event `{ status, message, contact, conversation, number }`. \
                     `status.status` is `sent`, `delivered`, `read`, `played` or `failed`, `status.message_id` names \
                     the message. Statuses may arrive late, twice or out of order.",
                )
                .trigger(TriggerSource::Event { topic: "whatsapp.status".to_owned() }, false),
        )
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let wanted = |event: &Value| {
            let status = event.pointer("/status/status").and_then(Value::as_str);
            let Some(status) = status else { return false };
            let listed = params.statuses.iter().any(|wanted| wanted.as_str() == status);
            (params.statuses.is_empty() || listed) && at_number(&params.numbers, event)
        };
        let accepted = input.items().iter().enumerate().filter(|(_, item)| wanted(&item.json));
        Ok(accepted.map(|(index, item)| item.clone().from_input(index)).collect::<Vec<_>>().into())
    }
}
