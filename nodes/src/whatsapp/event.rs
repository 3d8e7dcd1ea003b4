//! Finds conversation, contact, number and message in what a node was given: in the item, or, when an
//! earlier node replaced the item's data, among the run's variables of the same names. Reads only.

use super::payload::Recipient;
use serde_json::Value;
use sluice_node_sdk::context::NodeContext;

/// The parts of a WhatsApp event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event {
    conversation: Value,
    contact: Value,
    number: Value,
    message: Value,
}

impl Event {
    /// The event that an item carries.
    pub(crate) fn of(json: &Value) -> Self {
        let part = |name: &str| json.get(name).cloned().unwrap_or_default();
        // After a wait the conversation has moved on: the newest message is the reply.
        let reply = json.pointer("/reply/message").filter(|message| message.is_object()).cloned();
        Self {
            conversation: part("conversation"),
            contact: part("contact"),
            number: part("number"),
            message: reply.unwrap_or_else(|| part("message")),
        }
    }

    /// The same, filled up from the variables of the run.
    pub(crate) fn of_item(ctx: &NodeContext, index: usize, json: &Value) -> Self {
        let mut event = Self::of(json);
        if event.conversation.is_null() && event.contact.is_null() {
            // A variable that the run does not have is an error of the script, and no news here.
            let variable = |name: &str| ctx.params.run_script(name, index, Vec::new()).unwrap_or_default();
            event.conversation = variable("conversation");
            event.contact = variable("contact");
            event.number = variable("number");
            event.message = variable("message");
        }
        event
    }

    pub(crate) fn conversation_id(&self) -> Option<&str> {
        text(&self.conversation, &["id"])
    }

    pub(crate) fn phone_number_id(&self) -> Option<&str> {
        text(&self.number, &["phone_number_id", "id"])
            .or_else(|| self.conversation.get("phone_number_id").and_then(Value::as_str))
    }

    pub(crate) fn message_id(&self) -> Option<&str> {
        text(&self.message, &["wamid", "id"])
    }

    /// Where an answer goes.
    pub(crate) fn recipient(&self) -> Option<Recipient> {
        if let Some(group) =
            self.conversation.get("group_id").and_then(Value::as_str).filter(|id| !id.is_empty())
        {
            return Some(Recipient::Group(group.to_owned()));
        }
        let phone = ["wa_id", "phone"].iter().find_map(|key| self.contact.get(*key)?.as_str());
        if let Some(phone) = phone.filter(|phone| !phone.is_empty()) {
            return Some(Recipient::Phone(phone.to_owned()));
        }
        let user = self.contact.get("user_id").and_then(Value::as_str).filter(|id| !id.is_empty());
        user.map(|id| Recipient::User(id.to_owned()))
    }
}

/// A part that is either an object with one of these keys, or the text itself.
fn text<'a>(part: &'a Value, keys: &[&str]) -> Option<&'a str> {
    let found = part.as_str().or_else(|| keys.iter().find_map(|key| part.get(*key)?.as_str()));
    found.filter(|text| !text.is_empty())
}
