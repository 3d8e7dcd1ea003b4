//! From bodies to records and to what the dispatcher reacts to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::whatsapp::{Ingested, IngestedBody, ingest_body};
use sluice_records::{Delivery, Direction, Identity, InboundStatus, MARKETING, OutboundMessage};

use crate::ground::{Ground, NUMBER, START, WABA, body, connect, message, phone_of};

/// Stores a body and ingests it, as a server would.
async fn deliver(ground: &Ground, raw: &[u8]) -> (String, IngestedBody) {
    let stored = ground.records.store_inbound("whatsapp", raw, true).await.unwrap();
    let done = ingest_body(&ground.records, &stored.id, raw).await.unwrap();
    let note = done.note.as_deref();
    ground.records.finish_inbound(&stored.id, done.status, &done.changes, &done.shares, note).await.unwrap();
    (stored.id, done)
}

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/whatsapp");
    fs::read(folder.join(format!("{name}.json"))).unwrap()
}

/// The event, whether it may be answered, and whether it is new, of a body with one message.
fn only_message(done: &IngestedBody) -> (&Value, bool, bool) {
    match done.events.as_slice() {
        [Ingested::Message { event, answerable, is_new, .. }] => (event, *answerable, *is_new),
        other => panic!("not one message: {other:?}"),
    }
}

async fn a_text_becomes_an_event_for_people(db: Db) {
    let ground = Ground::connected(db).await;
    let (id, done) = deliver(&ground, &sample("msg_text_ctwa_referral")).await;
    assert_eq!(done.status, InboundStatus::Processed);
    let (event, answerable, is_new) = only_message(&done);
    assert!(answerable && is_new);
    assert_eq!(event["message"]["text"], json!("Hello! Can I get more info on this?"));
    assert_eq!(event["message"]["referral"]["source_type"], json!("ad"));
    assert_eq!(event["message"]["raw"]["type"], json!("text"));
    assert_eq!(event["contact"]["first_name"], json!("Sheena"));
    assert_eq!(event["contact"]["phone"], json!("16505551234"));
    assert_eq!(event["conversation"]["is_first_message"], json!(true));
    assert_eq!(event["conversation"]["window_expires_at"], json!(1_750_275_992_000_i64 + 86_400_000));
    assert_eq!(event["conversation"]["referral"]["source_id"], json!("120226305854810726"));
    assert_eq!(event["number"]["phone_number_id"], json!(NUMBER));
    let shown = ground.records.inbound(Some(ground.ws()), &id).await.unwrap();
    assert_eq!((shown.status, shown.raw.is_some()), (InboundStatus::Processed, true));
    assert_eq!(shown.changes[0]["messages"][0]["type"], json!("text"));
}

async fn replies_media_and_flows_have_one_shape(db: Db) {
    let ground = Ground::connected(db).await;
    let cases = [
        ("msg_interactive_button_reply", "reply", "kind", json!("button")),
        ("msg_interactive_list_reply", "reply", "kind", json!("list")),
        ("msg_button_template_quick_reply", "reply", "kind", json!("template_button")),
        ("msg_interactive_nfm_reply_flow", "flow", "name", json!("flow")),
        ("msg_document", "media", "mime_type", json!("application/pdf")),
        ("msg_reaction_removed", "reaction", "removed", json!(true)),
        ("msg_reaction_added", "reaction", "removed", json!(false)),
    ];
    for (name, part, field, wanted) in cases {
        // Many samples share an id; each gets its own here.
        let mut raw: Value = serde_json::from_slice(&sample(name)).unwrap();
        raw["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!(format!("wamid.{name}"));
        let (_, done) = deliver(&ground, raw.to_string().as_bytes()).await;
        let (event, _, is_new) = only_message(&done);
        assert!(is_new, "{name}");
        assert_eq!(event["message"][part][field], wanted, "{name}: {event}");
    }
}

async fn what_must_not_be_answered_is_not(db: Db) {
    let ground = Ground::connected(db).await;
    let cases = [
        ("msg_text", true),
        ("msg_image", true),
        ("msg_order", true),
        ("msg_interactive_nfm_reply_flow", true),
        ("msg_interactive_call_permission_reply", false),
        ("msg_request_welcome", false),
        ("msg_reaction_added", false),
        ("msg_edit", false),
        ("msg_revoke", false),
        ("msg_unsupported", false),
        ("msg_text_group", false),
        ("smb_message_echo", false),
        ("msg_system_user_changed_number", false),
    ];
    for (name, wanted) in cases {
        let mut raw: Value = serde_json::from_slice(&sample(name)).unwrap();
        let value = &mut raw["entry"][0]["changes"][0]["value"];
        let list = if name.starts_with("smb") { "message_echoes" } else { "messages" };
        value[list][0]["id"] = json!(format!("wamid.{name}"));
        let (_, done) = deliver(&ground, raw.to_string().as_bytes()).await;
        let (event, answerable, _) = only_message(&done);
        assert_eq!((answerable, &event["message"]["answerable"]), (wanted, &json!(wanted)), "{name}");
    }
}

async fn repetitions_are_known_across_bodies(db: Db) {
    let ground = Ground::connected(db).await;
    let text = json!({"type": "text", "text": {"body": "hi"}});
    let (first, done) = deliver(&ground, &message("wamid.1", "16505551234", text.clone())).await;
    assert!(only_message(&done).2);
    let mut other = text;
    other["extra"] = json!("other bytes, same message");
    let (_, done) = deliver(&ground, &message("wamid.1", "16505551234", other)).await;
    assert_eq!((only_message(&done).2, done.status), (false, InboundStatus::Duplicate));
    let raw = ground.records.inbound(None, &first).await.unwrap().raw.unwrap();
    let replay = ingest_body(&ground.records, &first, &raw).await.unwrap();
    assert!(only_message(&replay).2, "a replay is handled like the first time");
    let page = ground.records.list_conversations(ground.ws(), None, None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].unread), (1, 1));
}

async fn statuses_find_the_effect_that_sent(db: Db) {
    let ground = Ground::connected(db).await;
    let sent = OutboundMessage {
        workspace_id: ground.workspace.id.clone(),
        phone_number_id: NUMBER.into(),
        contact_id: ground.contact("16505551234").await,
        effect_id: "run_1/send/0".into(),
        kind: "text".into(),
        content: json!({}),
    };
    ground.records.record_outbound_pending(&sent).await.unwrap();
    let status = |word: &str| {
        body(
            "messages",
            json!({"statuses": [{"id": "wamid.1", "status": word, "timestamp": "1750000000",
            "recipient_id": "16505551234", "biz_opaque_callback_data": "run_1/send/0"}]}),
        )
    };
    let (_, done) = deliver(&ground, &status("read")).await;
    let [Ingested::Status { effect_id, changed, is_new, message_id, event, .. }] = done.events.as_slice()
    else {
        panic!("{done:?}")
    };
    assert_eq!((effect_id.as_deref(), *changed, *is_new), (Some("run_1/send/0"), true, true));
    assert!(message_id.is_some());
    assert_eq!((&event["status"]["status"], &event["message"]["status"]), (&json!("read"), &json!("read")));
    let (_, done) = deliver(&ground, &status("sent")).await;
    assert!(matches!(done.events.as_slice(), [Ingested::Status { changed: false, is_new: true, .. }]));
    let known = ground.records.message_by_effect(ground.ws(), "run_1/send/0").await.unwrap().unwrap();
    assert_eq!((known.status, known.wamid.as_deref()), (Delivery::Read, Some("wamid.1")));
    let (_, done) = deliver(&ground, &sample("status_out_of_order_batch")).await;
    let new = done.events.iter().filter(|event| event.is_new()).count();
    assert!(done.events.len() == 4 && new >= 3, "{done:?}");
}

async fn people_without_a_number_are_people(db: Db) {
    let ground = Ground::connected(db).await;
    let (_, done) = deliver(&ground, &sample("msg_text_bsuid_no_phone")).await;
    let (event, answerable, _) = only_message(&done);
    assert!(answerable);
    assert_eq!(event["contact"]["user_id"], json!("US.13491208655302741918"));
    assert_eq!(
        (&event["contact"]["phone"], &event["contact"]["name"]),
        (&Value::Null, &json!("Sheena Nelson"))
    );
}

async fn a_changed_number_is_followed_even_when_repeated(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let asha = ground.contact("16505551234").await;
    deliver(&ground, &sample("msg_system_user_changed_number")).await;
    let mut again: Value = serde_json::from_slice(&sample("msg_system_user_changed_number")).unwrap();
    again["again"] = json!(true);
    deliver(&ground, again.to_string().as_bytes()).await;
    assert_eq!(records.find_contact(ws, &phone_of("12195555358")).await.unwrap().unwrap().id, asha);
    assert!(records.find_contact(ws, &phone_of("16505551234")).await.unwrap().is_none());
    assert_eq!(records.list_contacts(ws, None, None, 10).await.unwrap().items.len(), 1);

    let user = Identity::user_id("US.16947314024294055421").unwrap();
    let next = phone_of("12195555358");
    records.resolve_contact(ws, &[user.clone(), next.clone()], None).await.unwrap();
    let mut raw: Value =
        serde_json::from_slice(&sample("bsuid_2026/msg_system_user_changed_number")).unwrap();
    raw["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = json!("wamid.other");
    deliver(&ground, raw.to_string().as_bytes()).await;
    let now = Identity::user_id("US.11306741477953667318").unwrap();
    assert_eq!(records.find_contact(ws, &now).await.unwrap().unwrap().id, asha);
    assert_eq!(records.find_contact(ws, &next).await.unwrap().unwrap().id, asha);
    assert!(records.find_contact(ws, &user).await.unwrap().is_none());
}

async fn edits_and_deletions_change_our_copy(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let text = |body: &str| json!({"type": "text", "text": {"body": body}});
    deliver(&ground, &message("wamid.1", "16505551234", text("helo"))).await;
    let edit = json!({"type": "edit", "edit": {"original_message_id": "wamid.1", "message": text("hello")}});
    deliver(&ground, &message("wamid.2", "16505551234", edit)).await;
    let copy = || async { records.message_by_wamid(ws, NUMBER, "wamid.1").await.unwrap().unwrap().content };
    let edited = copy().await;
    assert_eq!((&edited["text"], &edited["edited"]), (&json!("hello"), &json!(true)));
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.1"}});
    deliver(&ground, &message("wamid.3", "16505551234", revoke)).await;
    assert_eq!(copy().await, json!({"id": "wamid.1", "revoked": true}));
    assert_eq!(records.list_conversations(ws, None, None, 9).await.unwrap().items[0].unread, 1);
}

async fn consent_is_heard(db: Db) {
    let ground = Ground::connected(db).await;
    let (_, done) = deliver(&ground, &sample("user_preferences_stop")).await;
    let [Ingested::Consent { contact_id, granted: false, is_new: true, .. }] = done.events.as_slice() else {
        panic!("{done:?}")
    };
    let consents = ground.records.consents(ground.ws(), contact_id).await.unwrap();
    assert_eq!((consents[0].topic.as_str(), consents[0].granted), (MARKETING, false));
}

async fn the_businesss_own_words_are_shown_as_outgoing(db: Db) {
    let ground = Ground::connected(db).await;
    let (_, done) = deliver(&ground, &sample("smb_message_echo")).await;
    let [Ingested::Message { direction: Direction::Out, conversation_id, .. }] = done.events.as_slice()
    else {
        panic!("{done:?}")
    };
    let conversation = ground.records.conversation(ground.ws(), conversation_id).await.unwrap();
    assert_eq!((conversation.unread, conversation.window_expires_at), (0, None));
    deliver(&ground, &sample("smb_app_state_sync_add")).await;
    deliver(&ground, &sample("smb_app_state_sync_remove")).await;
    let contact = ground.records.contact(ground.ws(), &conversation.contact_id).await.unwrap();
    assert_eq!(contact.name.as_deref(), Some("Pablo Morales"));
}

async fn history_fills_conversations_quietly(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let (_, done) = deliver(&ground, &sample("history_chunk")).await;
    assert!(matches!(done.events.as_slice(), [Ingested::Other { field, .. }] if field == "history"));
    let conversations = records.list_conversations(ws, None, None, 9).await.unwrap().items;
    assert_eq!(conversations.len(), 2);
    assert!(conversations.iter().all(|one| one.unread == 0));
    deliver(&ground, &sample("history_media")).await;
    let media = records
        .message_by_wamid(ws, NUMBER, "wamid.QyNUEHBgLMTY0NjcwNDM1OTUVAgARGBI1Rj3NEYxMzAzMzQ5MkEA")
        .await;
    let media = media.unwrap().unwrap();
    assert_eq!(
        (media.kind.as_str(), media.direction, media.status),
        ("image", Direction::Out, Delivery::Played)
    );
    assert_eq!(media.content["media"]["id"], json!("24230790383178626"));
    deliver(&ground, &sample("history_declined")).await;
}

async fn bodies_of_several_workspaces_are_kept_apart(db: Db) {
    let ground = Ground::connected(db).await;
    let theirs = ground.records.create_workspace("theirs").await.unwrap().id;
    let raw = sample("batch_several_entries_and_changes");
    let parsed: Value = serde_json::from_slice(&raw).unwrap();
    let numbers: Vec<&str> = parsed["entry"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry["changes"].as_array().unwrap())
        .filter_map(|change| change["value"]["metadata"]["phone_number_id"].as_str())
        .collect();
    let other = numbers.iter().find(|number| **number != NUMBER).expect("the batch names a second number");
    connect(&ground.records, &theirs, other, "419561257915477").await;
    let (id, done) = deliver(&ground, &raw).await;
    assert_eq!(done.shares.len(), 2);
    let ours = ground.records.inbound(Some(ground.ws()), &id).await.unwrap();
    let theirs = ground.records.inbound(Some(&theirs), &id).await.unwrap();
    assert_eq!((ours.raw, theirs.raw), (None, None));
    assert!(!ours.changes.to_string().contains("419561257915477"));
    assert!(!theirs.changes.to_string().contains(WABA));
}

async fn bodies_for_nobody_are_kept_as_ignored(db: Db) {
    let ground = Ground::bare(db).await;
    let (id, done) = deliver(&ground, &sample("msg_text")).await;
    assert_eq!(done.status, InboundStatus::Ignored);
    assert!(matches!(done.events.as_slice(), [Ingested::NotConnected { .. }]));
    assert!(ground.records.inbound(Some(ground.ws()), &id).await.is_err());
    assert_eq!(ground.records.inbound(None, &id).await.unwrap().changes[0]["field"], json!("messages"));
    assert_eq!(ground.records.list_contacts(ground.ws(), None, None, 9).await.unwrap().items.len(), 0);
    // The number is connected afterwards: the body can be replayed.
    connect(&ground.records, ground.ws(), NUMBER, WABA).await;
    let replay = ingest_body(&ground.records, &id, &sample("msg_text")).await.unwrap();
    assert_eq!(replay.status, InboundStatus::Processed);
    let broken = ingest_body(&ground.records, &id, b"{").await.unwrap();
    assert_eq!(broken.status, InboundStatus::Quarantined);
}

async fn account_events_reach_the_workspace_once(db: Db) {
    let ground = Ground::connected(db).await;
    let mut raw: Value = serde_json::from_slice(&sample("template_status_approved")).unwrap();
    let (_, done) = deliver(&ground, raw.to_string().as_bytes()).await;
    assert!(matches!(done.events.as_slice(), [Ingested::Other { is_new: true, .. }]), "{done:?}");
    raw["more"] = json!(1);
    let (_, done) = deliver(&ground, raw.to_string().as_bytes()).await;
    assert_eq!(done.status, InboundStatus::Duplicate);
    raw["entry"][0]["time"] = json!(START / 1000);
    let (_, done) = deliver(&ground, raw.to_string().as_bytes()).await;
    assert_eq!(done.status, InboundStatus::Processed, "the same event at another time is another event");
}

async fn a_message_from_nobody_does_not_lose_the_others(db: Db) {
    let ground = Ground::connected(db).await;
    let text = |id: &str, from: &str| json!({"id": id, "from": from, "type": "text", "text": {"body": "hi"}});
    let raw = body(
        "messages",
        json!({"messages": [text("wamid.1", "16505551234"), text("wamid.2", "12"), text("wamid.3", "16505551235")]}),
    );
    let (_, done) = deliver(&ground, &raw).await;
    assert_eq!((done.events.len(), done.status), (2, InboundStatus::Processed));
    assert!(done.note.unwrap().contains("wamid.2"), "nothing is lost silently");
    let (_, done) = deliver(&ground, &body("messages", json!({"messages": [text("wamid.4", "12")]}))).await;
    assert_eq!(done.status, InboundStatus::Quarantined);
}

/// The provider delivers in parallel and repeats itself.
async fn many_deliveries_at_once_lose_and_double_nothing(db: Db) {
    let ground = Ground::connected(db).await;
    let deliveries: Vec<_> = (0..18)
        .map(|n| {
            let records = ground.records.clone();
            let mut text = json!({"type": "text", "text": {"body": "hi"}});
            text["delivery"] = json!(n);
            let raw = message(&format!("wamid.{}", n % 6), &format!("1650555000{}", n % 2), text);
            tokio::spawn(async move {
                let stored = records.store_inbound("whatsapp", &raw, true).await.unwrap();
                ingest_body(&records, &stored.id, &raw).await.unwrap()
            })
        })
        .collect();
    let mut new = 0;
    for one in deliveries {
        new += usize::from(only_message(&one.await.unwrap()).2);
    }
    assert_eq!(new, 6);
    let page = ground.records.list_conversations(ground.ws(), None, None, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|one| one.unread).collect::<Vec<_>>(), [3, 3]);
}

/// With a single connection, as in an in-memory database: nothing waits for itself.
#[tokio::test]
async fn one_connection_is_enough() {
    let db = Db::open(sluice_db::DbOptions::new("sqlite::memory:")).await.unwrap();
    db.migrate().await.unwrap();
    every_sample_is_ingested(db).await;
}

/// Whoever wrote must be answered when the database can be written again: that is nothing for people to look at.
#[tokio::test]
async fn a_database_that_cannot_be_written_puts_no_message_aside() {
    let db = Db::open(sluice_db::DbOptions::new("sqlite::memory:")).await.unwrap();
    db.migrate().await.unwrap();
    let ground = Ground::connected(db.clone()).await;
    let raw = sample("msg_text");
    let stored = ground.records.store_inbound("whatsapp", &raw, true).await.unwrap();
    db.query("pragma query_only = on").execute().await.unwrap();
    let refused = ingest_body(&ground.records, &stored.id, &raw).await;
    assert!(refused.as_ref().is_err_and(sluice_records::RecordError::is_transient), "{refused:?}");
    db.query("pragma query_only = off").execute().await.unwrap();
    let done = ingest_body(&ground.records, &stored.id, &raw).await.unwrap();
    assert_eq!(done.status, InboundStatus::Processed);
}

/// Every published sample goes through, twice, and nothing in it is a problem.
async fn every_sample_is_ingested(db: Db) {
    let ground = Ground::connected(db).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/whatsapp/_index.json");
    let index: Value = serde_json::from_slice(&fs::read(folder).unwrap()).unwrap();
    for file in index["files"].as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let raw = sample(name.trim_end_matches(".json"));
        for _ in 0..2 {
            let (_, done) = deliver(&ground, &raw).await;
            assert_ne!(done.status, InboundStatus::Quarantined, "{name}: {:?}", done.note);
            assert_eq!(done.changes, file["changes"], "{name}");
        }
    }
}

sluice_db::contract_tests! {
    a_text_becomes_an_event_for_people, replies_media_and_flows_have_one_shape, what_must_not_be_answered_is_not,
    repetitions_are_known_across_bodies, statuses_find_the_effect_that_sent, people_without_a_number_are_people,
    a_changed_number_is_followed_even_when_repeated, edits_and_deletions_change_our_copy, consent_is_heard,
    the_businesss_own_words_are_shown_as_outgoing, history_fills_conversations_quietly,
    bodies_of_several_workspaces_are_kept_apart, bodies_for_nobody_are_kept_as_ignored,
    account_events_reach_the_workspace_once, a_message_from_nobody_does_not_lose_the_others,
    many_deliveries_at_once_lose_and_double_nothing, every_sample_is_ingested,
}
