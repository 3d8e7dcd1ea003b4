//! `whatsapp.mark_read`: blue ticks, and "typing…" until the answer comes.

use super::desk::Desk;
use super::event::Event;
use super::limits::{self, wrong};
use super::{errors, sender};
use serde_json::{Value, json};
use sluice_node_sdk::prelude::*;
use std::sync::Arc;

/// The node.
pub(crate) struct MarkRead {
    pub(crate) desk: Arc<dyn Desk>,
}

/// What is marked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The customer's message. Left out: the message of the item. Earlier ones are marked with it.
    #[serde(default)]
    message_id: Option<String>,
    /// Show "typing" until the next message, for 25 seconds at most.
    #[serde(default)]
    typing: bool,
    /// The number that received the message. Left out: the number of the item.
    #[serde(default)]
    from: Option<String>,
    /// Credential of kind `whatsapp`. Left out: the one the number was connected with.
    #[serde(default)]
    credential: Option<String>,
}

impl Node for MarkRead {
    const TYPE: &'static str = "whatsapp.mark_read";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        super::examples::mark_read(
            NodeSpec::new("Mark WhatsApp message read", "Shows the customer that the message was read")
                .docs("Marks the customer's message, and all earlier ones, as read. Items pass through unchanged.")
                .effect(Effect::Idempotent)
                .outputs(Ports::fixed(&[
                    ("main", "The items, unchanged"),
                    ("error", "The items, when marking failed and errors are routed"),
                ]))
                .credential("credential", &["whatsapp"], false)
                .retry(3, 1_000, 10_000),
        )
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let mut output = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            self.mark(ctx, &params, &Event::of_item(ctx, index, &item.json)).await?;
            output.push(item.clone().from_input(index));
        }
        Ok(output.into())
    }
}

impl MarkRead {
    async fn mark(
        &self,
        ctx: &sluice_node_sdk::context::NodeContext,
        params: &Params,
        event: &Event,
    ) -> Result<(), NodeError> {
        let Some(message_id) = params.message_id.as_deref().or(event.message_id()) else {
            let message = "There is no message to mark; set `message_id`";
            return Err(wrong("/message_id", "missing", message));
        };
        limits::text("/message_id", message_id, 128)?;
        let pretence = sender::is_pretence(ctx);
        let numbers = self.desk.numbers(&ctx.run.workspace_id).await?;
        let wanted = params.from.as_deref().or(event.phone_number_id());
        let number = sender::choose(numbers, wanted, params.credential.is_some() || pretence, pretence)?;
        let body = body(message_id, params.typing);
        let request = sender::messages_request(ctx, &number.phone_number_id, "", &body)?;
        if sender::simulated(ctx, &request) {
            ctx.info("Dry run: the message was not marked as read");
            return Ok(());
        }
        let credential = params.credential.as_deref().or(number.credential.as_deref());
        let token = sender::token(ctx, credential).await?;
        let answer = ctx.http(sender::messages_request(ctx, &number.phone_number_id, &token, &body)?).await;
        let answer = answer.map_err(|error| match error.kind {
            // Marking twice changes nothing, so an unknown outcome may simply be tried again.
            ErrorKind::UnknownOutcome => NodeError { kind: ErrorKind::Unavailable, ..error },
            _ => error,
        })?;
        if answer.is_success() { Ok(()) } else { Err(errors::error_of(&answer, ctx.attempt)) }
    }
}

fn body(message_id: &str, typing: bool) -> Value {
    let mut body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": message_id });
    if typing {
        body["typing_indicator"] = json!({ "type": "text" });
    }
    body
}
