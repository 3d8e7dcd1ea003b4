//! `whatsapp.send`: one message per item, checked against WhatsApp's limits, sent once; and what is known of a message
//! of which an earlier attempt did not say whether it was sent.
//! Must not know SQL or the engine; what is on record it learns from the [`Desk`].

use super::desk::{Desk, OnRecord, Sender, Sending, Thread, Trace};
use super::errors;
use super::event::Event;
use super::limits::wrong;
use super::media;
use super::message::{Addressing, Message, SendParams};
use super::payload::{self, Recipient, Surroundings};
use super::sender::{self, simulated};
use serde_json::{Value, json};
use sluice_node_sdk::context::{Doubt, NodeContext};
use sluice_node_sdk::prelude::*;
use std::sync::Arc;

/// How long the status webhook of a message may take, milliseconds. It mostly comes within seconds.
const EVIDENCE_MS: u64 = 60_000;

/// The node.
pub(crate) struct Send {
    pub(crate) desk: Arc<dyn Desk>,
}

/// One message, ready to go except for its file.
struct Draft {
    message: Message,
    sender: Sender,
    recipient: Recipient,
    addressing: Addressing,
    thread: Option<Thread>,
    current_message: Option<String>,
    effect_id: String,
}

/// A message that Meta accepted, or would have been given in a dry run, or that counts as accepted.
struct Sent {
    message_id: Option<String>,
    to: Option<String>,
    conversation_id: Option<String>,
    status: String,
    /// Why Meta could not deliver what it had accepted, if that is known already.
    error: Option<Value>,
    body: Value,
}

impl Node for Send {
    const TYPE: &'static str = "whatsapp.send";
    type Params = SendParams;

    fn spec(&self) -> NodeSpec {
        super::examples::send(
            NodeSpec::new("Send WhatsApp message", "Sends a text, template, media or interactive message")
                .docs(include_str!("send.md"))
                .effect(Effect::Once)
                .outputs(Ports::fixed(&[
                    ("main", "The items, each with what was sent under `sent`"),
                    ("error", "The items, when sending failed and errors are routed"),
                ]))
                .credential("credential", &["whatsapp"], false)
                .credential_kinds([super::credential_kind()])
                .evidence(EVIDENCE_MS)
                .needs_window(super::WINDOW, super::WINDOW_MS, "/type", &["template"])
                .timeout_ms(60_000)
                .retry(4, 1_000, 60_000),
        )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        super::check::message(params)
    }

    async fn run(&self, ctx: &Context<'_, SendParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut output = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let sent = self.send(ctx, index, item).await;
            let sent = sent.map_err(|error| about_item(error, index, input.items().len()))?;
            if sent.status != DRY_RUN {
                let category = category_of(sent.body["type"].as_str());
                let attributes: Vec<_> =
                    category.map(|category| ("category", category)).into_iter().collect();
                ctx.usage_as(&index.to_string(), MESSAGE, 1, &attributes);
            }
            output.push(with_sent(item, index, sent));
        }
        Ok(output.into())
    }
}

impl Send {
    async fn send(
        &self,
        ctx: &Context<'_, SendParams>,
        index: usize,
        item: &Item,
    ) -> Result<Sent, NodeError> {
        if let Some(doubt) = ctx.doubt
            && let Some(sent) = self.known(ctx, index, item, doubt).await?
        {
            return Ok(sent);
        }
        let draft = self.draft(ctx, index, item).await?;
        let file = draft.file(item)?;
        // Everything is checked before anything is sent, the upload included.
        let body = draft.body(None)?;
        let unsigned = request(ctx, &draft, "", &body)?;
        if simulated(ctx, &unsigned) {
            ctx.info(format!("Dry run: a {} message was checked and not sent", draft.message.kind()));
            return Ok(draft.not_sent(body));
        }
        draft.check_window(ctx)?;
        let recorded = !ctx.services.http.is_scripted();
        if !recorded {
            return self.deliver(ctx, draft, file, body, false).await;
        }
        // Put aside before anything goes out; nothing is sent that cannot be paid.
        let spending = spending(&draft.effect_id, Some(draft.message.kind()));
        ctx.reserve(&spending).await?;
        let sent = self.deliver(ctx, draft, file, body, true).await;
        close_account(ctx, &spending, &sent).await;
        sent
    }

    /// Puts a message on record, unless that is only a pretence, and sends it.
    async fn deliver(
        &self,
        ctx: &NodeContext,
        draft: Draft,
        file: Option<&FileRef>,
        body: Value,
        recorded: bool,
    ) -> Result<Sent, NodeError> {
        let sending = draft.sending(&ctx.run.workspace_id, &body);
        if recorded
            && let Some(record) = self.desk.announce(&sending).await?
            && record.message_id.is_some()
        {
            ctx.info("An earlier attempt already sent this message; it is not sent again");
            return Ok(already_sent(record, draft.to(), body));
        }
        let credential = draft.addressing.credential.as_deref().or(draft.sender.credential.as_deref());
        let token = sender::token(ctx, credential).await?;
        let body = match file {
            Some(file) => draft.body(Some(&upload(ctx, &draft, &token, file).await?))?,
            None => body,
        };
        let answer = ctx.http(request(ctx, &draft, &token, &body)?).await?;
        let sent = draft.read(&answer, body, ctx.attempt);
        if !recorded {
            return sent;
        }
        match sent {
            Ok(sent) => self.note_accepted(ctx, &sending, sent).await,
            Err(error) => {
                if error.kind == ErrorKind::Rejected {
                    self.desk.refused(&sending, &error).await?;
                }
                Err(error)
            }
        }
    }

    /// What became of a message after an attempt in doubt; `None` when it was not sent, so that it may be. Comes before
    /// everything that may fail: a failure would say that the doubt is over.
    async fn known(
        &self,
        ctx: &Context<'_, SendParams>,
        index: usize,
        item: &Item,
        doubt: Doubt,
    ) -> Result<Option<Sent>, NodeError> {
        if sender::is_pretence(ctx) {
            // Nothing went out, and nothing is on record.
            return Ok(None);
        }
        let effect_id = item_effect(&ctx.effect_id(), index);
        let trace = self.desk.trace(&ctx.run.workspace_id, &effect_id).await;
        let trace = trace.unwrap_or_else(|error| {
            ctx.warn(format!("What is on record could not be read: {error}"));
            Trace::Unknown
        });
        let trace = match trace {
            Trace::NotAnnounced if !self.desk.keeps(&self.draft(ctx, index, item).await?.recipient) => {
                Trace::Unknown
            }
            trace => trace,
        };
        let record = match (trace, doubt) {
            (Trace::NotSent | Trace::NotAnnounced, _) => return Ok(None),
            (Trace::Taken(record), _) => {
                ctx.info("Evidence shows that an earlier attempt sent this message; it is not sent again");
                record
            }
            (Trace::Unknown, Doubt::CountsAsDone) => {
                ctx.warn(format!(
                    "Nobody knows whether the message of item {index} was sent; it counts as sent"
                ));
                OnRecord { conversation_id: None, message_id: None, status: "assumed".into(), error: None }
            }
            (Trace::Unknown, Doubt::Ask) => {
                let message =
                    "Nobody knows whether an earlier attempt sent this message; no status has come so far";
                return Err(NodeError::unknown_outcome(message));
            }
        };
        // The parameters may not be readable any more; what was sent was sent.
        let draft = self.draft(ctx, index, item).await.ok();
        let body = draft.as_ref().and_then(|draft| draft.body(None).ok()).unwrap_or_default();
        let kind = draft.as_ref().map(|draft| draft.message.kind());
        let sent = Ok(already_sent(record, draft.as_ref().and_then(Draft::to), body));
        close_account(ctx, &spending(&effect_id, kind), &sent).await;
        sent.map(Some)
    }

    /// Meta has the message. A record that cannot be written must not make the engine send it again.
    async fn note_accepted(
        &self,
        ctx: &NodeContext,
        sending: &Sending,
        mut sent: Sent,
    ) -> Result<Sent, NodeError> {
        match self.desk.accepted(sending, sent.message_id.as_deref().unwrap_or_default()).await {
            Ok(on_record) => {
                sent.conversation_id =
                    on_record.and_then(|record| record.conversation_id).or(sent.conversation_id);
            }
            Err(error) => {
                ctx.warn(format!("The message was sent, but could not be put on record: {error}"));
            }
        }
        Ok(sent)
    }

    async fn draft(
        &self,
        ctx: &Context<'_, SendParams>,
        index: usize,
        item: &Item,
    ) -> Result<Draft, NodeError> {
        let (addressing, message) = ctx.params(index)?.read()?;
        let event = Event::of_item(ctx, index, &item.json);
        let workspace = &ctx.run.workspace_id;
        let known = match event.conversation_id() {
            Some(id) if addressing.to.is_none() => self.desk.thread(workspace, id).await?,
            _ => None,
        };
        let wanted = addressing.from.as_deref().or(event.phone_number_id());
        let wanted = wanted.or(known.as_ref().map(|thread| thread.phone_number_id.as_str()));
        let relaxed = sender::is_pretence(ctx);
        let has_credential = addressing.credential.is_some();
        let numbers = self.desk.numbers(workspace).await?;
        let sender = sender::choose(numbers, wanted, has_credential || relaxed, relaxed)?;
        let recipient = match &addressing.to {
            Some(to) => Recipient::parse(to)?,
            None => {
                let of_thread = known.as_ref().and_then(|thread| thread.recipient.clone());
                event.recipient().or(of_thread).ok_or_else(nobody)?
            }
        };
        let thread = match known {
            Some(thread) if thread.phone_number_id == sender.phone_number_id => Some(thread),
            // Looking for a conversation may open one, which a pretence must not.
            _ if relaxed => None,
            _ => self.desk.thread_with(workspace, &sender.phone_number_id, &recipient).await?,
        };
        Ok(Draft {
            message,
            sender,
            recipient,
            addressing,
            thread,
            current_message: event.message_id().map(ToOwned::to_owned),
            effect_id: item_effect(&ctx.effect_id(), index),
        })
    }
}

/// What a message is counted as.
const MESSAGE: &str = "message";

/// The status of what a dry run would have sent.
const DRY_RUN: &str = "dry_run";

/// The category under which a message of a type is charged: what is no template belongs to the service that a customer
/// asked for; of templates the status webhook tells.
fn category_of(kind: Option<&str>) -> Option<&'static str> {
    kind.filter(|kind| *kind != "template").map(|_| "service")
}

fn spending(effect_id: &str, kind: Option<&str>) -> Spending {
    Spending {
        key: effect_id.to_owned(),
        kind: MESSAGE.to_owned(),
        quantity: 1,
        category: category_of(kind).unwrap_or_default().to_owned(),
    }
}

/// Charges what was put aside for a message, or gives it back. As long as nobody knows what became of the message it stays
/// aside.
async fn close_account(ctx: &NodeContext, spending: &Spending, sent: &Result<Sent, NodeError>) {
    match sent {
        Ok(sent) if sent.status == "failed" => ctx.release(spending).await,
        Ok(_) => ctx.settle(spending).await,
        Err(error) => match error.kind {
            ErrorKind::UnknownOutcome | ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Bug => {}
            _ => ctx.release(spending).await,
        },
    }
}

/// The call that sends a message.
fn request(ctx: &NodeContext, draft: &Draft, token: &str, body: &Value) -> Result<HttpRequest, NodeError> {
    sender::messages_request(ctx, &draft.sender.phone_number_id, token, body)
}

async fn upload(ctx: &NodeContext, draft: &Draft, token: &str, file: &FileRef) -> Result<String, NodeError> {
    let base = ctx.base_url("graph")?;
    let answer = ctx.http(media::upload(base, &draft.sender.phone_number_id, token, file)).await;
    let answer = answer.map_err(|error| match error.kind {
        // Only the message itself is seen by anybody: a file uploaded twice harms nobody.
        ErrorKind::UnknownOutcome => NodeError { kind: ErrorKind::Unavailable, ..error },
        _ => error,
    })?;
    if !answer.is_success() {
        return Err(errors::error_of(&answer, ctx.attempt));
    }
    let id = answer.json().and_then(|body| Some(body.get("id")?.as_str()?.to_owned()));
    id.ok_or_else(|| {
        NodeError::unavailable("WhatsApp took the file but gave no media id").code("unreadable_answer")
    })
}

impl Draft {
    /// The file to upload, checked.
    fn file<'a>(&self, item: &'a Item) -> Result<Option<&'a FileRef>, NodeError> {
        let Some(name) = self.message.media().and_then(|media| media.file) else { return Ok(None) };
        let file = item.file(name).ok_or_else(|| {
            let message = format!("The item has no file named `{name}`");
            NodeError::invalid_input(message).code("file_missing").at("/file")
        })?;
        media::check(self.message.kind(), file)?;
        Ok(Some(file))
    }

    fn body(&self, uploaded: Option<&str>) -> Result<Value, NodeError> {
        let current_message = self.current_message.as_deref();
        let around = Surroundings { uploaded, current_message, token: &self.effect_id };
        let reply_to = self.addressing.reply_to.as_deref();
        payload::body(&self.message, &self.recipient, reply_to, &self.effect_id, around)
    }

    fn check_window(&self, ctx: &NodeContext) -> Result<(), NodeError> {
        let Some(thread) = &self.thread else { return Ok(()) };
        let open = thread.window_expires_at.is_none_or(|until| until > ctx.now_ms());
        if open || ctx.run.dry_run || matches!(self.message, Message::Template(_)) {
            return Ok(());
        }
        let message =
            "More than 24 hours have passed since the customer wrote; only a template may be sent now";
        Err(NodeError::rejected(message).code("window_closed").at("/type"))
    }

    fn sending(&self, workspace_id: &str, body: &Value) -> Sending {
        let kind = self.message.kind();
        Sending {
            workspace_id: workspace_id.to_owned(),
            phone_number_id: self.sender.phone_number_id.clone(),
            recipient: self.recipient.clone(),
            effect_id: self.effect_id.clone(),
            kind: kind.to_owned(),
            content: body[kind].clone(),
        }
    }

    fn conversation_id(&self) -> Option<String> {
        self.thread.as_ref().map(|thread| thread.conversation_id.clone())
    }

    fn to(&self) -> Option<String> {
        match &self.recipient {
            Recipient::Phone(to) | Recipient::User(to) | Recipient::Group(to) => Some(to.clone()),
        }
    }

    fn not_sent(&self, body: Value) -> Sent {
        let (conversation_id, to) = (self.conversation_id(), self.to());
        let message_id = Some(format!("wamid.dry-run.{}", self.effect_id));
        Sent { message_id, to, conversation_id, status: DRY_RUN.into(), error: None, body }
    }

    /// Reads Meta's answer to the send call.
    fn read(&self, answer: &HttpResponse, body: Value, attempt: u32) -> Result<Sent, NodeError> {
        if !answer.is_success() {
            return Err(errors::error_of(answer, attempt));
        }
        let said = answer.json().unwrap_or_default();
        let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        let Some(message_id) = text("/messages/0/id") else {
            // Accepted, as the status says, but under which name? The status webhooks will tell.
            let message = "WhatsApp accepted the message, but its answer names no message id";
            return Err(NodeError::unknown_outcome(message).code("unreadable_answer"));
        };
        let to = text("/contacts/0/wa_id").or_else(|| text("/contacts/0/user_id")).or_else(|| self.to());
        let status = text("/messages/0/message_status").unwrap_or_else(|| "accepted".into());
        let conversation_id = self.conversation_id();
        Ok(Sent { message_id: Some(message_id), to, conversation_id, status, error: None, body })
    }
}

/// What an earlier attempt sent.
fn already_sent(record: OnRecord, to: Option<String>, body: Value) -> Sent {
    let OnRecord { conversation_id, message_id, status, error } = record;
    Sent { message_id, to, conversation_id, status, error, body }
}

fn nobody() -> NodeError {
    let message = "Nobody to write to: the item belongs to no conversation. Set `to`";
    wrong("/to", "recipient_missing", message)
}

/// The effect id of one item: the node's for the first, numbered for the others, so that each message of a
/// list is recognised on its own when the node is tried again.
pub(crate) fn item_effect(effect_id: &str, index: usize) -> String {
    if index == 0 { effect_id.to_owned() } else { format!("{effect_id}#{index}") }
}

fn about_item(mut error: NodeError, index: usize, count: usize) -> NodeError {
    if count > 1 {
        error.message = format!("Item {index}: {}", error.message);
    }
    error
}

/// The input item with `sent` added.
fn with_sent(item: &Item, index: usize, sent: Sent) -> Item {
    let mut json = match &*item.json {
        Value::Object(object) => object.clone(),
        Value::Null => serde_json::Map::new(),
        other => serde_json::Map::from_iter([("value".to_owned(), other.clone())]),
    };
    let mut facts = json!({
        "message_id": sent.message_id,
        "to": sent.to,
        "conversation_id": sent.conversation_id,
        "status": sent.status,
        "message": sent.body,
    });
    if let Some(error) = sent.error {
        facts["error"] = error;
    }
    json.insert("sent".to_owned(), facts);
    let mut output = Item::new(Value::Object(json)).from_input(index);
    output.files = item.files.clone();
    output
}
