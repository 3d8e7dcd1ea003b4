//! Messages, statuses, conversations.

use proptest::prelude::Just;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use sluice_db::Db;
use sluice_records::{
    Delivery, Direction, Failure, InboundRecord, OutboundMessage, RecordError, StatusRecord, WINDOW_MS,
};

use crate::ground::{Ground, NUMBER, START, phone_of};

fn inbound(ground: &Ground, wamid: &str, happened_at: i64) -> InboundRecord {
    InboundRecord {
        workspace_id: ground.workspace.id.clone(),
        phone_number_id: NUMBER.into(),
        direction: Direction::In,
        wamid: wamid.into(),
        kind: "text".into(),
        content: json!({"text": "hi"}),
        happened_at,
        identities: vec![phone_of("16505551234")],
        profile_name: Some("Asha".into()),
        group_id: None,
        referral: None,
        inbound_id: None,
        speaks: true,
        opens_window: false,
        status: Delivery::Received,
    }
}

async fn outbound(ground: &Ground, effect: &str) -> OutboundMessage {
    OutboundMessage {
        workspace_id: ground.workspace.id.clone(),
        phone_number_id: NUMBER.into(),
        contact_id: ground.contact("16505551234").await,
        effect_id: effect.into(),
        kind: "text".into(),
        content: json!({"text": {"body": "hello"}}),
    }
}

fn status(ground: &Ground, wamid: &str, word: &str) -> StatusRecord {
    StatusRecord {
        pricing: None,
        workspace_id: ground.workspace.id.clone(),
        phone_number_id: NUMBER.into(),
        wamid: wamid.into(),
        status: word.into(),
        happened_at: START,
        effect_id: None,
        participant: None,
        error: (word == "failed").then(|| Failure {
            code: 131_047,
            title: "Re-engagement message".into(),
            details: None,
        }),
        inbound_id: None,
    }
}

async fn a_message_is_recorded_once(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let first = records.record_inbound(&inbound(&ground, "wamid.1", START)).await.unwrap();
    assert!(first.is_new && first.is_first);
    assert_eq!(first.conversation.unread, 1);
    assert_eq!(first.conversation.window_expires_at, Some(START + WINDOW_MS));
    let again = records.record_inbound(&inbound(&ground, "wamid.1", START)).await.unwrap();
    assert!(!again.is_new);
    assert_eq!((again.message.id, again.conversation.unread), (first.message.id, 1));
    let earlier = records.record_inbound(&inbound(&ground, "wamid.0", START - 9000)).await.unwrap();
    assert!(earlier.is_new && !earlier.is_first);
    assert_eq!(
        earlier.conversation.window_expires_at,
        Some(START + WINDOW_MS),
        "a late one does not shorten it"
    );
    let page = records.list_messages(ws, &first.conversation.id, None, 1).await.unwrap();
    assert_eq!(page.items[0].wamid.as_deref(), Some("wamid.1"));
    let older = records.list_messages(ws, &first.conversation.id, page.next.as_deref(), 1).await.unwrap();
    assert_eq!((older.items[0].wamid.as_deref(), older.next), (Some("wamid.0"), None));
    records.mark_conversation_read(ws, &first.conversation.id).await.unwrap();
    assert_eq!(records.conversation(ws, &first.conversation.id).await.unwrap().unread, 0);
    let nameless = records.record_inbound(&inbound(&ground, "", START)).await;
    assert!(matches!(nameless, Err(RecordError::Invalid { .. })));
    assert!(records.message("ws_nobody", &earlier.message.id).await.is_err());
}

async fn the_same_message_from_the_same_body_stays_new(db: Db) {
    let ground = Ground::connected(db).await;
    let with_body =
        |id: &str| InboundRecord { inbound_id: Some(id.into()), ..inbound(&ground, "wamid.1", START) };
    assert!(ground.records.record_inbound(&with_body("in_1")).await.unwrap().is_new);
    let again = ground.records.record_inbound(&with_body("in_1")).await.unwrap();
    assert!(again.is_new, "handling the body was cut short");
    assert_eq!(again.conversation.unread, 1);
    assert!(
        !ground.records.record_inbound(&with_body("in_2")).await.unwrap().is_new,
        "the provider repeats itself"
    );
}

async fn what_does_not_speak_counts_for_nothing(db: Db) {
    let ground = Ground::connected(db).await;
    let reaction =
        InboundRecord { speaks: false, kind: "reaction".into(), ..inbound(&ground, "wamid.1", START) };
    let done = ground.records.record_inbound(&reaction).await.unwrap();
    assert_eq!((done.conversation.unread, done.conversation.window_expires_at), (0, None));
    let welcome = InboundRecord { speaks: false, opens_window: true, ..inbound(&ground, "wamid.2", START) };
    let done = ground.records.record_inbound(&welcome).await.unwrap();
    assert_eq!((done.conversation.unread, done.conversation.window_expires_at), (0, Some(START + WINDOW_MS)));
}

async fn the_first_referral_stays(db: Db) {
    let ground = Ground::connected(db).await;
    let led = |wamid: &str, ad: &str| InboundRecord {
        referral: Some(json!({"source_id": ad})),
        ..inbound(&ground, wamid, START)
    };
    ground.records.record_inbound(&led("wamid.1", "first")).await.unwrap();
    let done = ground.records.record_inbound(&led("wamid.2", "second")).await.unwrap();
    assert_eq!(done.conversation.referral, Some(json!({"source_id": "first"})));
}

async fn a_closed_conversation_is_followed_by_a_new_one(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let first = records.record_inbound(&inbound(&ground, "wamid.1", START)).await.unwrap().conversation;
    records.close_conversation(ws, &first.id).await.unwrap();
    let second = records.record_inbound(&inbound(&ground, "wamid.2", START)).await.unwrap();
    assert_ne!(first.id, second.conversation.id);
    assert!(second.is_first);
    let open = records.list_conversations(ws, Some("open"), None, 10).await.unwrap();
    assert_eq!(open.items.len(), 1);
    let group = InboundRecord { group_id: Some("g".into()), ..inbound(&ground, "wamid.3", START) };
    let group = records.record_inbound(&group).await.unwrap().conversation;
    assert_ne!(group.id, second.conversation.id, "a group is not the conversation between two");
    assert!(records.open_conversation(ws, "999", &group.contact_id).await.is_err());
}

async fn a_sent_message_moves_forward_only(db: Db) {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    let message = outbound(&ground, "run_1/send/0").await;
    let pending = records.record_outbound_pending(&message).await.unwrap();
    assert_eq!(pending.status, Delivery::Pending);
    for _ in 0..2 {
        let accepted = records.record_outbound_accepted(&message, "wamid.9").await.unwrap();
        assert_eq!((&accepted.id, accepted.status), (&pending.id, Delivery::Accepted));
    }
    let read = records.apply_status(&status(&ground, "wamid.9", "read")).await.unwrap();
    assert!(read.is_new && read.changed);
    let late = records.apply_status(&status(&ground, "wamid.9", "sent")).await.unwrap();
    assert!(late.is_new && !late.changed);
    assert_eq!(late.message.unwrap().status, Delivery::Read);
    let twice = records.apply_status(&status(&ground, "wamid.9", "read")).await.unwrap();
    assert!(!twice.is_new && !twice.changed);
    let odd = records.apply_status(&status(&ground, "wamid.9", "warning")).await.unwrap();
    assert!(odd.is_new && !odd.changed, "kept, but moves nothing");
    let accepted = records.record_outbound_accepted(&message, "wamid.9").await.unwrap();
    assert_eq!(accepted.status, Delivery::Read, "a repeated answer does not move it back");
}

async fn a_status_may_come_before_its_message(db: Db) {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    let early = records.apply_status(&status(&ground, "wamid.9", "delivered")).await.unwrap();
    assert!(early.is_new && !early.changed && early.message.is_none());
    let message =
        records.record_outbound_accepted(&outbound(&ground, "run_1/send/0").await, "wamid.9").await.unwrap();
    assert_eq!(message.status, Delivery::Delivered);
}

async fn the_effect_id_settles_an_unknown_outcome(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let message = outbound(&ground, "run_1/send/0").await;
    records.record_outbound_pending(&message).await.unwrap();
    // The process died after the call; only the status tells that it went out.
    let echo = StatusRecord { effect_id: Some("run_1/send/0".into()), ..status(&ground, "wamid.9", "sent") };
    assert!(records.apply_status(&echo).await.unwrap().changed);
    let known = records.message_by_effect(ws, "run_1/send/0").await.unwrap().unwrap();
    assert_eq!((known.wamid.as_deref(), known.status), (Some("wamid.9"), Delivery::Sent));
    // And without even a pending record.
    let echo =
        StatusRecord { effect_id: Some("run_2/send/0".into()), ..status(&ground, "wamid.10", "delivered") };
    assert!(records.apply_status(&echo).await.unwrap().message.is_none());
    let late = records.record_outbound_pending(&outbound(&ground, "run_2/send/0").await).await.unwrap();
    assert_eq!(late.status, Delivery::Pending);
    let late =
        records.record_outbound_accepted(&outbound(&ground, "run_2/send/0").await, "wamid.10").await.unwrap();
    assert_eq!(late.status, Delivery::Delivered);
}

async fn failure_is_the_end_and_says_why(db: Db) {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    records.record_outbound_accepted(&outbound(&ground, "e1").await, "wamid.1").await.unwrap();
    records.apply_status(&status(&ground, "wamid.1", "sent")).await.unwrap();
    let failed = records.apply_status(&status(&ground, "wamid.1", "failed")).await.unwrap().message.unwrap();
    assert_eq!((failed.status, failed.error.unwrap().code), (Delivery::Failed, 131_047));
    let after = records.apply_status(&status(&ground, "wamid.1", "delivered")).await.unwrap();
    assert!(!after.changed);
    let refusal =
        Failure { code: 131_026, title: "Undeliverable".into(), details: Some("no WhatsApp".into()) };
    let refused = records.record_outbound_failed(&outbound(&ground, "e2").await, &refusal).await.unwrap();
    assert_eq!((refused.status, refused.error), (Delivery::Failed, Some(refusal)));
    // A refused call that was tried again and taken is not a failed message any more.
    let again = records.record_outbound_accepted(&outbound(&ground, "e2").await, "wamid.2").await.unwrap();
    assert_eq!((again.status, again.error), (Delivery::Accepted, None));
    // In a group one participant's failure is not the message's.
    records.record_outbound_accepted(&outbound(&ground, "e3").await, "wamid.3").await.unwrap();
    let one = StatusRecord { participant: Some("1".into()), ..status(&ground, "wamid.3", "failed") };
    assert!(!records.apply_status(&one).await.unwrap().changed);
    let two = StatusRecord { participant: Some("2".into()), ..status(&ground, "wamid.3", "read") };
    assert_eq!(records.apply_status(&two).await.unwrap().message.unwrap().status, Delivery::Read);
}

/// Statuses, the answer to the call and the pending record in any order end in the same state, and the state never
/// moves back on the way.
async fn any_order_ends_the_same(db: Db) {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    let mut runner = TestRunner::deterministic();
    let steps = vec!["pending", "accepted", "sent", "delivered", "read", "delivered", "accepted"];
    let orders = Just(steps).prop_shuffle();
    for round in 0..15 {
        let (effect, wamid) = (format!("run_{round}/send/0"), format!("wamid.{round}"));
        let message = outbound(&ground, &effect).await;
        let mut furthest = Delivery::Pending;
        let order = orders.new_tree(&mut runner).unwrap().current();
        for step in &order {
            let now = match *step {
                "pending" => records.record_outbound_pending(&message).await.unwrap().status,
                "accepted" => records.record_outbound_accepted(&message, &wamid).await.unwrap().status,
                word => {
                    let report =
                        StatusRecord { effect_id: Some(effect.clone()), ..status(&ground, &wamid, word) };
                    match records.apply_status(&report).await.unwrap().message {
                        Some(message) => message.status,
                        None => continue,
                    }
                }
            };
            assert!(now >= furthest, "{order:?}: from {furthest:?} back to {now:?}");
            furthest = now;
        }
        assert_eq!(furthest, Delivery::Read, "{order:?}");
    }
}

async fn statuses_and_answer_at_the_same_time_lose_nothing(db: Db) {
    let ground = Ground::connected(db).await;
    for round in 0..10 {
        let (effect, wamid) = (format!("run_{round}/send/0"), format!("wamid.{round}"));
        let message = outbound(&ground, &effect).await;
        let (a, b) = (ground.records.clone(), ground.records.clone());
        let report = status(&ground, &wamid, "delivered");
        let id = wamid.clone();
        let answer = tokio::spawn(async move { a.record_outbound_accepted(&message, &id).await.unwrap() });
        let report = tokio::spawn(async move { b.apply_status(&report).await.unwrap() });
        answer.await.unwrap();
        report.await.unwrap();
        let end = ground.records.message_by_effect(ground.ws(), &effect).await.unwrap().unwrap();
        assert_eq!(end.status, Delivery::Delivered, "round {round}");
    }
}

sluice_db::contract_tests! {
    a_message_is_recorded_once, the_same_message_from_the_same_body_stays_new, what_does_not_speak_counts_for_nothing,
    the_first_referral_stays, a_closed_conversation_is_followed_by_a_new_one, a_sent_message_moves_forward_only,
    a_status_may_come_before_its_message, the_effect_id_settles_an_unknown_outcome, failure_is_the_end_and_says_why,
    any_order_ends_the_same, statuses_and_answer_at_the_same_time_lose_nothing,
}
