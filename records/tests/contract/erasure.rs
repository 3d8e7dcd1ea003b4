//! Erasing a person: nothing of them stays, others lose nothing, and what they refused stays refused.

use serde_json::json;
use sluice_db::Db;
use sluice_records::erasure::{BodyStep, Erasure, Phase};
use sluice_records::whatsapp::ingest_body;
use sluice_records::{
    Consent, ContactChange, HandledInbound, MARKETING, OutboundMessage, RecordError, Records, SealError,
};

use crate::ground::{Ground, NUMBER, START, body, message, phone_of};

const PHONE: &str = "919876543210";
const OTHER: &str = "919876500000";

/// A message comes in, is stored and read.
async fn comes_in(ground: &Ground, wamid: &str, from: &str, text: &str) {
    let raw = message(wamid, from, json!({ "type": "text", "text": { "body": text } }));
    let name = if from == PHONE { "Asha Rao" } else { "Ravi" };
    let raw = String::from_utf8(raw).unwrap().replace("Asha Rao", name).into_bytes();
    read(ground, &raw).await;
}

/// A body is stored and read.
async fn read(ground: &Ground, raw: &[u8]) {
    let id = ground.records.store_inbound("whatsapp", raw, true).await.unwrap().id;
    let found = ingest_body(&ground.records, &id, raw).await.unwrap();
    let handled = HandledInbound {
        id: id.clone(),
        status: found.status,
        changes: found.changes,
        shares: found.shares,
        note: found.note,
        runs: Vec::new(),
    };
    ground.records.finish_all_inbound(&[handled]).await.unwrap();
}

/// Does what the steps of the records do, in their order.
async fn go_on(records: &Records, erasure: &mut Erasure) {
    let mut last = None;
    while erasure.phase != Phase::Done {
        let traces = records.traces(erasure).await.unwrap();
        let finder = traces.finder().unwrap();
        match erasure.phase {
            Phase::Stopping => erasure.enter(Phase::Leaving),
            Phase::Leaving => records.leave(erasure).await.unwrap(),
            Phase::Bodies | Phase::Late => {
                assert_ne!(records.erase_bodies(erasure, &traces, &finder).await.unwrap(), BodyStep::Waiting);
            }
            Phase::Runs => erasure.enter(Phase::Messages),
            Phase::Messages => {
                let step = records.messages_to_erase(erasure, &traces).await.unwrap();
                last = step.run_ids.last().cloned().or(last);
                match step.is_empty() {
                    true => records.erase_conversations(erasure, &traces).await.unwrap(),
                    false => records.erase_messages(erasure, &step).await.unwrap(),
                }
            }
            Phase::Scrubbing => records.finish_erasure(erasure).await.unwrap(),
            Phase::Done => {}
        }
    }
    assert_eq!(last.as_deref(), Some("run_1"), "the run that wrote to them is named");
}

/// Every text and every byte of every table, but the migrations.
async fn everything(db: &Db) -> String {
    let mut all = String::new();
    for (table, columns) in [
        ("contacts", "id, display_name, profile_name, attributes"),
        ("contact_identities", "contact_id, value, address"),
        ("contact_merges", "merged_id, was"),
        ("contact_consents", "contact_id, topic"),
        ("conversations", "id, contact_id, referral"),
        ("messages", "id, contact_id, content, wamid"),
        ("message_statuses", "wamid, error, participant"),
        ("inbound_bodies", "changes, note, raw"),
        ("inbound_body_shares", "changes"),
        ("record_events", "data"),
        ("audit_entries", "target_name, actor_name, value_before, value_after"),
        ("erasures", "marks, counts, note"),
        ("refusals", "mark, topic"),
    ] {
        for row in db.query(format!("select {columns} from {table}")).all().await.unwrap() {
            for column in columns.split(", ") {
                match row.opt_text(column) {
                    Ok(text) => all.push_str(&text.unwrap_or_default()),
                    Err(_) => all.push_str(&String::from_utf8_lossy(&row.bytes(column).unwrap())),
                }
                all.push('\n');
            }
        }
    }
    all
}

async fn nothing_of_a_person_stays_and_others_lose_nothing(db: Db) {
    let ground = Ground::connected(db.clone()).await;
    let (records, ws) = (&ground.records, ground.ws());
    comes_in(&ground, "wamid.1", PHONE, "the secret of Asha").await;
    comes_in(&ground, "wamid.2", OTHER, "what Ravi says").await;
    let asha = records.find_contact(ws, &phone_of(PHONE)).await.unwrap().unwrap().id;
    let ravi = records.find_contact(ws, &phone_of(OTHER)).await.unwrap().unwrap().id;
    // Somebody who turned out to be her, and what is known about her.
    let second = ground.contact("919876511111").await;
    records.merge_contacts(ws, &[asha.clone(), second.clone()]).await.unwrap();
    let change = ContactChange {
        name: Some("Asha Rao".into()),
        set: json!({ "city": "Kothrud" }).as_object().unwrap().clone(),
        ..ContactChange::default()
    };
    records.update_contact(ws, &asha, &change, None).await.unwrap();
    records
        .record_outbound_accepted(
            &OutboundMessage {
                workspace_id: ws.into(),
                phone_number_id: NUMBER.into(),
                contact_id: asha.clone(),
                effect_id: "run_1/send/0".into(),
                kind: "text".into(),
                content: json!({ "text": { "body": "for Asha alone" } }),
            },
            "wamid.out",
        )
        .await
        .unwrap();
    let key = records.vault().subject_key(ws, &asha).await.unwrap();
    let sealed = key.seal("row", "field", b"x").unwrap();
    assert!(key.open("row", "field", &sealed).is_ok());

    let held = records.held(ws, &second).await.unwrap();
    assert_eq!((held.contact.id.as_str(), held.conversations.len(), held.merged.len()), (&*asha, 1, 1));
    assert_eq!(records.messages_of_contact(ws, &asha, "", 10).await.unwrap().len(), 2);
    for word in ["Asha Rao", "Kothrud", "the secret of Asha", "for Asha alone", PHONE, "919876511111"] {
        assert!(everything(&db).await.contains(word), "{word}");
    }
    ground.pass(1);
    let mut erasure = records.request_erasure(ws, &second).await.unwrap();
    assert_eq!(records.request_erasure(ws, &asha).await.unwrap(), erasure, "asked for once");
    assert_eq!(records.open_erasures(10).await.unwrap(), [erasure.clone()]);
    go_on(records, &mut erasure).await;
    let stored = everything(&db).await;
    for word in
        ["Asha Rao", "of Asha", "Asha alone", "Kothrud", PHONE, "919876511111", "wamid.1", "wamid.out"]
    {
        assert!(!stored.contains(word), "{word} in {stored}");
    }
    assert!(stored.contains("what Ravi says") && stored.contains(OTHER));
    assert_eq!(records.contact(ws, &ravi).await.unwrap().name.as_deref(), Some("Ravi"));
    for id in [&asha, &second] {
        assert!(matches!(records.contact(ws, id).await, Err(RecordError::NotFound { .. })));
        let key = records.vault().subject_key(ws, id).await;
        assert!(matches!(key, Err(RecordError::Seal(SealError::Erased))));
    }
}

async fn the_record_proves_itself_and_the_trail_is_whole(db: Db) {
    let ground = Ground::connected(db.clone()).await;
    let (records, ws) = (&ground.records, ground.ws());
    let missing = records.request_erasure(ws, "con_x").await;
    assert!(matches!(missing, Err(RecordError::NotFound { .. })));
    comes_in(&ground, "wamid.1", PHONE, "hi").await;
    let asha = records.find_contact(ws, &phone_of(PHONE)).await.unwrap().unwrap().id;
    let message = OutboundMessage {
        workspace_id: ws.into(),
        phone_number_id: NUMBER.into(),
        contact_id: asha.clone(),
        effect_id: "run_1/send/0".into(),
        kind: "text".into(),
        content: json!({}),
    };
    records.record_outbound_pending(&message).await.unwrap();
    let mut erasure = records.request_erasure(ws, &asha).await.unwrap();
    assert_eq!(records.verify_erasure(&erasure), None, "not finished");
    records.leave(&mut erasure).await.unwrap();
    ground.pass(1_000);
    // News of what was sent before comes late.
    let late = json!({ "id": "wamid.7", "status": "read", "timestamp": "1750000000", "recipient_id": PHONE });
    read(&ground, &body("messages", json!({ "statuses": [late] }))).await;
    go_on(records, &mut erasure).await;
    assert!(records.open_erasures(10).await.unwrap().is_empty());
    let found = records.erasure(ws, &erasure.id).await.unwrap();
    assert_eq!((found.asked_at, found.finished_at), (START, Some(START + 1_000)));
    assert_eq!(found.counts["messages"], 2);
    assert_eq!(found.counts["inbound_bodies"], 2, "the late one, too");
    assert_eq!(found.marks.len(), 1);
    assert_eq!(records.verify_erasure(&found), Some(true));
    assert_eq!(records.list_erasures(ws, None, 10).await.unwrap().items, std::slice::from_ref(&found));
    let gone = records.traces(&found).await;
    assert!(matches!(gone, Err(RecordError::NotFound { .. })), "what to look for is forgotten");
    // Asked again, it is the same; told of by nobody else.
    assert_eq!(records.request_erasure(ws, &asha).await.unwrap().id, found.id);
    let other = records.create_workspace("theirs").await.unwrap().id;
    assert!(matches!(records.erasure(&other, &found.id).await, Err(RecordError::NotFound { .. })));
    let report = records.verify_audit_chain(ws, &Default::default()).await.unwrap();
    assert_eq!(report.fault, None);
    // A record that somebody changed is found out.
    db.query("update erasures set counts = '{\"messages\":3}'").execute().await.unwrap();
    let changed = records.erasure(ws, &erasure.id).await.unwrap();
    assert_eq!(records.verify_erasure(&changed), Some(false));
}

async fn somebody_who_was_erased_is_new_and_still_not_to_be_bothered(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    comes_in(&ground, "wamid.1", PHONE, "hi").await;
    let asha = records.find_contact(ws, &phone_of(PHONE)).await.unwrap().unwrap().id;
    let no = Consent { topic: "offers".into(), granted: false, source: "import".into(), changed_at: START };
    records.set_consent(ws, &asha, &no, None).await.unwrap();
    let yes = Consent { topic: "news".into(), granted: true, source: "import".into(), changed_at: START };
    records.set_consent(ws, &asha, &yes, None).await.unwrap();
    let message = OutboundMessage {
        workspace_id: ws.into(),
        phone_number_id: NUMBER.into(),
        contact_id: asha.clone(),
        effect_id: "run_1/send/0".into(),
        kind: "text".into(),
        content: json!({}),
    };
    records.record_outbound_pending(&message).await.unwrap();
    let mut erasure = records.request_erasure(ws, &asha).await.unwrap();
    go_on(records, &mut erasure).await;
    // Nothing can be sent to who is gone.
    let late = OutboundMessage { effect_id: "run_2/send/0".into(), ..message };
    assert!(matches!(records.record_outbound_pending(&late).await, Err(RecordError::NotFound { .. })));
    // The provider repeats itself: that is no news, and its content does not come back.
    ground.pass(1_000);
    let raw = crate::ground::message("wamid.1", PHONE, json!({ "type": "text", "text": { "body": "hi" } }));
    let again = records.store_inbound("whatsapp", &raw, true).await.unwrap();
    assert!(again.duplicate_of.is_some());
    let shown = records.inbound(None, &again.id).await.unwrap();
    assert_eq!(shown.raw.as_deref(), Some(&b"{\"erased\":true}"[..]));
    // They write again.
    ground.pass(1_000);
    comes_in(&ground, "wamid.9", PHONE, "me again").await;
    let new = records.find_contact(ws, &phone_of(PHONE)).await.unwrap().unwrap();
    assert_ne!(new.id, asha);
    let consents = records.consents(ws, &new.id).await.unwrap();
    let said: Vec<_> = consents.iter().map(|one| (one.topic.as_str(), one.granted)).collect();
    assert_eq!(said, [(MARKETING, false), ("offers", false)]);
    // A later word counts.
    let later = Consent { granted: true, changed_at: START + 5_000, topic: MARKETING.into(), ..yes };
    assert!(records.set_consent(ws, &new.id, &later, None).await.unwrap());
    // A stranger is not concerned, and neither is the same person elsewhere.
    let stranger = ground.contact(OTHER).await;
    assert!(records.consents(ws, &stranger).await.unwrap().is_empty());
    let other = records.create_workspace("theirs").await.unwrap().id;
    let there = records.resolve_contact(&other, &[phone_of(PHONE)], None).await.unwrap().0.id;
    assert!(records.consents(&other, &there).await.unwrap().is_empty());
}

sluice_db::contract_tests! {
    nothing_of_a_person_stays_and_others_lose_nothing,
    the_record_proves_itself_and_the_trail_is_whole,
    somebody_who_was_erased_is_new_and_still_not_to_be_bothered,
}
