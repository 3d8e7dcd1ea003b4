//! The workflows under load. Must not know how they are broken.

use serde_json::{Value, json};

/// Node whose provider recognises a repetition by its key.
pub(super) const IDEMPOTENT: &str = "repeatable";
/// Node whose provider does everything that it is told.
pub(super) const ONCE: &str = "once";

/// Every message gets one reply that names it.
pub(super) fn replies() -> Value {
    json!({
        "sluice": 1, "name": "Replies",
        "nodes": [
            { "id": "in", "type": "whatsapp.message_received", "params": {} },
            { "id": "reply", "type": "whatsapp.send", "params": { "type": "text", "text": "re {{ json.message.text }}" } },
        ],
        "edges": [{ "from": "in", "to": "reply" }],
    })
}

/// A webhook that is answered at once, then an effect that may be repeated and one that must not be.
pub(super) fn effects(provider: &str) -> Value {
    let call = |id: &str, token: &str, key: bool| {
        json!({ "id": id, "type": "http.request", "params": {
            "method": "POST", "url": format!("http://{provider}/{id}"), "idempotency_key": key,
            "body": { "json": { "run": "{{ run.id }}", "token": token } },
        } })
    };
    json!({
        "sluice": 1, "name": "Effects",
        "nodes": [
            { "id": "in", "type": "trigger.webhook", "params": { "path": "effects", "respond": "immediately" } },
            call(IDEMPOTENT, "{{ json.body.token }}", true),
            call(ONCE, "{{ trigger.body.token }}", false),
        ],
        "edges": [{ "from": "in", "to": IDEMPOTENT }, { "from": IDEMPOTENT, "to": ONCE }],
    })
}

/// A webhook that is answered with the id of its run, after the commit.
pub(super) fn sync() -> Value {
    json!({
        "sluice": 1, "name": "Sync",
        "nodes": [
            { "id": "in", "type": "trigger.webhook", "params": { "path": "sync", "respond": "last_node" } },
            { "id": "answer", "type": "data.set", "params": { "fields": { "token": "{{ json.body.token }}", "run_id": "{{ run.id }}" } } },
        ],
        "edges": [{ "from": "in", "to": "answer" }],
    })
}
