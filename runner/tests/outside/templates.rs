//! The built-in templates and the example workflows: valid without a warning, green in their own tests, and
//! of one mind about who answers when several are published.

use crate::support::{command, run};
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::{Dispatched, Engine, OutsideEvent};
use sluice_engine::testing::Host;
use sluice_node_sdk::http::ScriptedHttp;
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use sluice_runner::{MemoryHost, Settings};
use std::path::Path;
use std::sync::Arc;

const KEYWORDS: &str = include_str!("../../../templates/keyword-reply.json");
const MENU: &str = include_str!("../../../templates/support-menu.json");

#[test]
fn templates_and_examples_are_valid_and_green() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["templates", "examples/workflows"] {
        let (code, text, errors) = run(command(&root).args(["validate", folder]));
        let faults: Vec<&str> = text.lines().filter(|line| !line.ends_with(": ok")).collect();
        assert_eq!((code, faults), (0, Vec::new()), "{errors}");
        let (code, text, errors) = run(command(&root).args(["test", folder]));
        assert_eq!(code, 0, "{text}{errors}");
    }
}

#[test]
fn the_documents_in_the_reference_are_valid_and_green() {
    let page = include_str!("../../../docs/workflows.md");
    let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let documents: Vec<&str> = blocks.filter(|block| block.contains("\"sluice\": 1")).collect();
    assert!(!documents.is_empty());
    for document in documents {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("it.json"), document).unwrap();
        let (code, text, _) = run(command(folder.path()).args(["validate", "it.json"]));
        assert_eq!((code, text.trim()), (0, "it.json: ok"));
        let (code, text, _) = run(command(folder.path()).args(["test", "it.json"]));
        assert_eq!(code, 0, "{text}");
    }
}

/// A workspace with these workflows published, in this order.
async fn published(documents: &[&str]) -> (Engine, String) {
    let host = MemoryHost { extra: Vec::new(), config: Settings::default().resolve().unwrap() };
    let clock = Arc::new(SimClock::at(TEST_NOW_MS));
    let (engine, workspace) = host.engine(clock, Arc::new(ScriptedHttp::default())).await.unwrap();
    for text in documents {
        let document: Document = serde_json::from_str(text).unwrap();
        let row = engine.create_workflow(&workspace, document).await.unwrap();
        engine.publish(&workspace, &row.id, None).await.unwrap();
    }
    (engine, workspace)
}

/// A customer writes in a conversation.
async fn writes(
    engine: &Engine,
    workspace: &str,
    conversation: &str,
    first: bool,
    message: Value,
) -> Dispatched {
    let mut said = json!({ "id": "wamid.1", "type": "text", "timestamp": TEST_NOW_MS, "answerable": true });
    said.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    let data = json!({
        "message": said,
        "contact": { "id": "con_1", "first_name": "Asha", "phone": "919876543210" },
        "conversation": { "id": conversation, "is_first_message": first },
        "number": { "phone_number_id": "106540352242922" },
    });
    let event = OutsideEvent {
        workspace_id: workspace.to_owned(),
        topic: "whatsapp.message".to_owned(),
        data,
        lane: Some(conversation.to_owned()),
        reply_key: Some(format!("conversation:{conversation}")),
        ..OutsideEvent::default()
    };
    let place = engine.queue(&event);
    let dispatched = engine.dispatch(event, place).await.unwrap();
    engine.settle().await;
    dispatched
}

/// The name of the one workflow that was started.
async fn answered_by(engine: &Engine, dispatched: &Dispatched) -> String {
    assert_eq!((dispatched.failed.len(), dispatched.started.len()), (0, 1), "{dispatched:?}");
    engine.run_view(&dispatched.started[0]).await.unwrap().unwrap().workflow_name
}

#[tokio::test]
async fn installed_together_exactly_one_answers() {
    let old_tap = json!({ "type": "interactive", "text": "Opening hours",
                          "reply": { "kind": "button", "id": "menu_hours", "title": "Opening hours" } });
    let table = [
        (json!({ "text": "Menu" }), false, "Support menu"),
        (json!({ "text": "hi!" }), true, "Support menu"),
        (json!({ "text": "I need help" }), false, "Support menu"),
        (old_tap, false, "Support menu"),
        (json!({ "text": "What is the price?" }), false, "Keyword replies"),
        (json!({ "text": "Hi, what is the price?" }), true, "Keyword replies"),
        (json!({ "text": "I have a question" }), true, "Keyword replies"),
        (json!({ "type": "image", "text": null }), false, "Keyword replies"),
    ];
    // The order of publishing does not matter, the priorities do.
    for order in [[KEYWORDS, MENU], [MENU, KEYWORDS]] {
        let (engine, workspace) = published(&order).await;
        for (number, (message, first, wanted)) in table.iter().enumerate() {
            let conversation = format!("conv_{number}");
            let dispatched = writes(&engine, &workspace, &conversation, *first, message.clone()).await;
            assert_eq!(&answered_by(&engine, &dispatched).await, wanted, "{message}");
        }
    }
}

#[tokio::test]
async fn alone_the_menu_greets_whoever_writes_first_and_leaves_the_rest() {
    let (engine, workspace) = published(&[MENU]).await;
    let question = json!({ "text": "I have a question" });
    let first = writes(&engine, &workspace, "conv_1", true, question.clone()).await;
    assert_eq!(answered_by(&engine, &first).await, "Support menu");
    let later = writes(&engine, &workspace, "conv_2", false, question).await;
    assert_eq!(later, Dispatched::default());
}

#[tokio::test]
async fn while_the_menu_waits_it_takes_every_message_of_its_conversation() {
    let (engine, workspace) = published(&[KEYWORDS, MENU]).await;
    let menu = writes(&engine, &workspace, "conv_1", false, json!({ "text": "menu" })).await;
    let reply = writes(&engine, &workspace, "conv_1", false, json!({ "text": "price" })).await;
    assert_eq!((reply.woken.as_ref(), reply.started.len()), (menu.started.first(), 0));
    let elsewhere = writes(&engine, &workspace, "conv_2", false, json!({ "text": "price" })).await;
    assert_eq!(answered_by(&engine, &elsewhere).await, "Keyword replies");
    let handoff = writes(&engine, &workspace, "conv_1", false, json!({ "text": "Talk to us" })).await;
    assert_eq!(handoff.woken, menu.started.first().cloned());
    let after = writes(&engine, &workspace, "conv_1", false, json!({ "text": "price" })).await;
    assert_eq!(answered_by(&engine, &after).await, "Keyword replies");
}
