//! Which bodies have to be read one after the other, told by what they say and before anything is looked up: those that
//! concern the same person at the same number. Must not know the database, nor who reads.

use super::ingest::identities;
use super::ingest_other::person;
use super::message::{InboundMessage, items};
use super::webhook::{Change, ParseError, Parsed, StatusUpdate};
use crate::{Identity, IdentityKind};

/// The place of a body among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// After everything before it, and before everything after it.
    Alone,
    /// After those before it with which it shares a tie.
    Tied(Vec<Tie>),
}

/// Something that must be handled in the order in which it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    what: String,
    side: Side,
}

/// Two ties of the same name bind, except those of one and the same open side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Closed,
    /// Somebody of whom only the telephone number is told.
    OnlyPhone,
    /// Somebody of whom only the user id is told: perhaps the same person.
    OnlyUserId,
}

impl Tie {
    /// A tie of this name binds every two that have it.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), side: Side::Closed }
    }

    fn binds(&self, other: &Tie) -> bool {
        self.what == other.what && (self.side != other.side || self.side == Side::Closed)
    }
}

impl Order {
    /// The place of a body that was read. What is not understood is alone.
    pub fn of(parsed: &Result<Parsed, ParseError>) -> Self {
        let Ok(parsed) = parsed else { return Order::Alone };
        let mut ties = Vec::new();
        let is_understood = parsed.problems.is_empty()
            && !parsed.changes.is_empty()
            && parsed.changes.iter().all(|change| tie(change, &mut ties).is_some());
        if is_understood { Order::Tied(ties) } else { Order::Alone }
    }

    /// Whether the later one of two has to wait for the earlier one.
    pub fn binds(&self, other: &Order) -> bool {
        match (self, other) {
            (Order::Tied(ours), Order::Tied(theirs)) => {
                ours.iter().any(|one| theirs.iter().any(|other| one.binds(other)))
            }
            _ => true,
        }
    }
}

/// Adds what a change is tied to; none when it concerns more than the people whom it names.
fn tie(change: &Change, ties: &mut Vec<Tie>) -> Option<()> {
    let number = change.phone_number_id.as_deref()?;
    let before = ties.len();
    match change.field.as_str() {
        "messages" => {
            for message in &change.messages {
                // A notice may say that somebody has another number now.
                let people = Some(identities(message)).filter(|_| message.kind != "system")?;
                tie_people(number, &people, ties)?;
            }
            for status in &change.statuses {
                tie_status(number, status, ties)?;
            }
        }
        "smb_message_echoes" => {
            for raw in items(&change.value, "message_echoes") {
                InboundMessage::read(raw, &change.value)?;
                tie_people(number, &person(raw, "to", "to_user_id"), ties)?;
            }
        }
        _ => return None,
    }
    (ties.len() > before).then_some(())
}

fn tie_people(number: &str, people: &[Identity], ties: &mut Vec<Tie>) -> Option<()> {
    let has = |kind: &IdentityKind| people.iter().any(|one| &one.kind == kind);
    let side = match (has(&IdentityKind::Phone), has(&IdentityKind::UserId)) {
        (true, true) => Side::Closed,
        (true, false) => Side::OnlyPhone,
        (false, true) => Side::OnlyUserId,
        (false, false) => return None,
    };
    if side != Side::Closed {
        ties.push(Tie { what: format!("{number}|told by"), side });
    }
    ties.extend(people.iter().map(|one| Tie::new(format!("{number}|{}|{}", one.kind.as_text(), one.value))));
    Some(())
}

/// A status is tied to its message too: the recipient may be a group.
fn tie_status(number: &str, status: &StatusUpdate, ties: &mut Vec<Tie>) -> Option<()> {
    let phone = status.recipient_id.as_deref().and_then(|phone| Identity::phone(phone, None).ok());
    let user_id = status.recipient_user_id.as_deref().and_then(|id| Identity::user_id(id).ok());
    let people: Vec<Identity> = phone.into_iter().chain(user_id).collect();
    match &status.recipient_id {
        Some(group) if people.is_empty() => ties.push(Tie::new(format!("{number}|group|{group}"))),
        _ => tie_people(number, &people, ties)?,
    }
    ties.push(Tie::new(format!("{number}|message|{}", status.id)));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whatsapp::parse;
    use serde_json::{Value, json};

    fn order(field: &str, number: &str, mut value: Value) -> Order {
        value["metadata"] = json!({ "phone_number_id": number });
        let body = json!({ "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": field, "value": value }] }] });
        Order::of(&parse(body.to_string().as_bytes()))
    }

    fn text(number: &str, from: Value) -> Order {
        let mut message = json!({ "id": "wamid.1", "type": "text", "text": { "body": "hi" } });
        message.as_object_mut().unwrap().extend(from.as_object().unwrap().clone());
        order("messages", number, json!({ "messages": [message] }))
    }

    fn status(number: &str, id: &str, recipient: Value) -> Order {
        let mut status = json!({ "id": id, "status": "sent", "timestamp": "1750000000" });
        status.as_object_mut().unwrap().extend(recipient.as_object().unwrap().clone());
        order("messages", number, json!({ "statuses": [status] }))
    }

    #[test]
    fn only_what_concerns_one_person_at_one_number_is_bound() {
        let asha = || text("1", json!({ "from": "919876543210" }));
        let both = || text("1", json!({ "from": "919876543210", "from_user_id": "IN.1" }));
        let user_id = || text("1", json!({ "from_user_id": "IN.1" }));
        let cases = [
            ("the same person", asha(), asha(), true),
            ("another spelling", asha(), text("1", json!({ "from": "+91 98765 43210" })), true),
            ("somebody else", asha(), text("1", json!({ "from": "919876543211" })), false),
            ("at another number", asha(), text("2", json!({ "from": "919876543210" })), false),
            ("with a user id", asha(), both(), true),
            ("the user id alone", both(), user_id(), true),
            ("who may be the same", asha(), user_id(), true),
            ("other user ids", user_id(), text("1", json!({ "from_user_id": "IN.2" })), false),
            ("a status", asha(), status("1", "wamid.9", json!({ "recipient_id": "919876543210" })), true),
            ("its status", asha(), status("1", "wamid.9", json!({ "recipient_id": "919876543211" })), false),
            (
                "two statuses of a message",
                status("1", "wamid.9", json!({ "recipient_id": "919876543211" })),
                status("1", "wamid.9", json!({ "recipient_id": "120363@g.us" })),
                true,
            ),
            (
                "an echo",
                asha(),
                order(
                    "smb_message_echoes",
                    "1",
                    json!({ "message_echoes": [{ "id": "wamid.2", "to": "919876543210", "type": "text" }] }),
                ),
                true,
            ),
        ];
        for (name, one, other, bound) in cases {
            assert_eq!((one.binds(&other), other.binds(&one)), (bound, bound), "{name}: {one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_alone() {
        let cases = [
            ("no sender", text("1", json!({}))),
            ("a sender that is none", text("1", json!({ "from": "12" }))),
            ("no recipient", status("1", "wamid.9", json!({}))),
            ("a notice", text("1", json!({ "from": "919876543210", "type": "system" }))),
            ("an empty change", order("messages", "1", json!({}))),
            (
                "a message without an id",
                order("messages", "1", json!({ "messages": [{ "from": "919876543210" }] })),
            ),
            ("another field", order("history", "1", json!({ "messages": [] }))),
            ("no number", order("messages", "", json!({ "messages": [] }))),
            ("no webhook", Order::of(&parse(b"{"))),
            ("nothing", Order::of(&parse(br#"{"entry": []}"#))),
        ];
        for (name, order) in cases {
            assert_eq!(order, Order::Alone, "{name}");
        }
    }
}
