//! Stored bodies: kept, claimed, shown to whom they concern, purged.

use serde_json::json;
use sluice_db::Db;
use sluice_records::{HandledInbound, InboundFilter, InboundShare, InboundStatus, RecordError, TakenInbound};

use crate::ground::Ground;

async fn a_body_is_kept_byte_for_byte_and_recognised(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let raw = b"{\"\\u00e4\": \xff\x00}";
    let first = records.store_inbound("whatsapp", raw, true).await.unwrap();
    assert_eq!(first.duplicate_of, None);
    ground.pass(10);
    let second = records.store_inbound("whatsapp", raw, true).await.unwrap();
    assert_eq!(second.duplicate_of.as_ref(), Some(&first.id));
    assert_eq!(records.store_inbound("other", raw, true).await.unwrap().duplicate_of, None);
    let body = records.inbound(None, &first.id).await.unwrap();
    assert_eq!((body.raw.as_deref(), body.status), (Some(raw.as_slice()), InboundStatus::Received));
    assert_eq!(body.view()["raw_base64"], json!("eyJcdTAwZTQiOiD/AH0="));
    assert_eq!(records.inbound(None, &second.id).await.unwrap().status, InboundStatus::Duplicate);
    // What was ignored may concern somebody by now.
    records.finish_inbound(&first.id, InboundStatus::Ignored, &json!([]), &[], Some("nobody")).await.unwrap();
    assert_eq!(records.store_inbound("whatsapp", raw, true).await.unwrap().duplicate_of, None);
    let missing = records.finish_inbound("in_x", InboundStatus::Ignored, &json!([]), &[], None).await;
    assert!(matches!(missing, Err(RecordError::NotFound { .. })));
}

async fn pending_bodies_are_claimed_by_one(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    for n in 0..5 {
        records.store_inbound("whatsapp", format!("{n}").as_bytes(), true).await.unwrap();
        ground.pass(1);
    }
    assert!(
        records.claim_pending_inbound(10).await.unwrap().is_empty(),
        "whoever stored them is handling them"
    );
    ground.pass(60_000);
    let (a, b) = tokio::join!(records.claim_pending_inbound(10), records.claim_pending_inbound(10));
    let mut ids: Vec<String> = a.unwrap().into_iter().chain(b.unwrap()).collect();
    assert_eq!(ids.len(), 5);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "nobody got one twice");
    assert!(records.claim_pending_inbound(10).await.unwrap().is_empty());
    records.finish_inbound(&ids[0], InboundStatus::Processed, &json!([]), &[], None).await.unwrap();
    assert_eq!(records.pending_inbound().await.unwrap().len(), 4, "whoever claimed them");
    assert_eq!(records.release_pending_inbound().await.unwrap(), 4);
    assert_eq!(records.claim_pending_inbound(2).await.unwrap().len(), 2);
}

async fn a_workspace_sees_its_part_and_nothing_else(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ours) = (&ground.records, ground.ws());
    let theirs = records.create_workspace("theirs").await.unwrap().id;
    let strangers = records.create_workspace("strangers").await.unwrap().id;
    let share =
        |workspace: &str, n: i64| InboundShare { workspace_id: workspace.into(), changes: json!([n]) };
    let mixed = records.store_inbound("whatsapp", b"mixed", true).await.unwrap().id;
    let shares = [share(ours, 1), share(&theirs, 2)];
    records
        .finish_inbound(&mixed, InboundStatus::Processed, &json!([1, 2]), &shares, Some("note"))
        .await
        .unwrap();
    records.add_inbound_run(ours, &mixed, "run_1").await.unwrap();
    records.add_inbound_run(ours, &mixed, "run_1").await.unwrap();
    records.add_inbound_run(&theirs, &mixed, "run_2").await.unwrap();
    ground.pass(1);
    let own = records.store_inbound("whatsapp", b"own", true).await.unwrap().id;
    let changes = json!([1]);
    records.finish_inbound(&own, InboundStatus::Processed, &changes, &[share(ours, 1)], None).await.unwrap();

    let all = records.inbound(None, &mixed).await.unwrap();
    assert_eq!((all.changes, all.runs.len(), all.raw.is_some()), (json!([1, 2]), 2, true));
    let part = records.inbound(Some(ours), &mixed).await.unwrap();
    assert_eq!(
        (part.changes, part.runs, part.raw, part.note),
        (json!([1]), vec!["run_1".into()], None, None)
    );
    assert!(records.inbound(Some(ours), &own).await.unwrap().raw.is_some(), "nobody else is in there");
    assert!(matches!(records.inbound(Some(&strangers), &mixed).await, Err(RecordError::NotFound { .. })));
    let again = records.store_inbound("whatsapp", b"own", true).await.unwrap();
    assert_eq!(records.inbound(Some(ours), &again.id).await.unwrap().changes, json!([1]));

    let list = |workspace_id: Option<&str>, status| InboundFilter {
        workspace_id: workspace_id.map(str::to_owned),
        source: Some("whatsapp".into()),
        status,
    };
    let count = |filter: InboundFilter| async move {
        records.list_inbound(&filter, None, 10).await.unwrap().items.len()
    };
    assert_eq!(count(list(None, None)).await, 3);
    assert_eq!(count(list(Some(ours), None)).await, 3);
    assert_eq!(count(list(Some(ours), Some(InboundStatus::Processed))).await, 2);
    assert_eq!(count(list(Some(&theirs), None)).await, 1);
    assert_eq!(count(list(Some(&strangers), None)).await, 0);
    let first = records.list_inbound(&list(Some(ours), None), None, 2).await.unwrap();
    let rest = records.list_inbound(&list(Some(ours), None), first.next.as_deref(), 2).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.items[0].id.as_str()), (2, 1, mixed.as_str()));
    assert_eq!(first.items[0].view()["status"], json!("duplicate"));
    assert_eq!((&first.items[1].view()["raw"], &rest.items[0].view()["raw"]), (&json!("own"), &json!(null)));
}

async fn old_bodies_go_and_pending_ones_stay(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let done = records.store_inbound("whatsapp", b"done", true).await.unwrap().id;
    let pending = records.store_inbound("whatsapp", b"pending", true).await.unwrap().id;
    let share = InboundShare { workspace_id: ground.workspace.id.clone(), changes: json!([]) };
    records.finish_inbound(&done, InboundStatus::Processed, &json!([]), &[share], None).await.unwrap();
    records.add_inbound_run(ground.ws(), &done, "run_1").await.unwrap();
    assert!(records.first_seen("event", &done).await.unwrap());
    assert!(records.first_seen("event", &done).await.unwrap(), "the same body again");
    assert!(!records.first_seen("event", &pending).await.unwrap());
    ground.pass(1000);
    let before = crate::ground::START + 500;
    assert_eq!(records.purge_inbound(before, 10).await.unwrap(), 1);
    assert_eq!(records.purge_seen(before, 10).await.unwrap(), 1);
    assert!(records.inbound(None, &done).await.is_err());
    assert!(records.inbound(None, &pending).await.is_ok());
    assert!(records.first_seen("event", &pending).await.unwrap(), "forgotten");
}

async fn old_things_go_in_batches_and_leave_no_trace_of_themselves(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    for number in 0..5 {
        let id = records.store_inbound("whatsapp", format!("{number}").as_bytes(), true).await.unwrap().id;
        let share = InboundShare { workspace_id: ground.workspace.id.clone(), changes: json!([]) };
        records.finish_inbound(&id, InboundStatus::Processed, &json!([]), &[share], None).await.unwrap();
        records.add_inbound_run(ground.ws(), &id, "run_1").await.unwrap();
        records.first_seen(&format!("event {number}"), &id).await.unwrap();
        records.report_event(ground.ws(), "order.paid", &json!({})).await.unwrap();
        db.query("insert into applied_effects (workspace_id, effect_id, applied_at) values ($1, $2, $3)")
            .bind(ground.ws())
            .bind(format!("run_1/a/{number}"))
            .bind(crate::ground::START)
            .execute()
            .await
            .unwrap();
        ground.pass(10);
    }
    let before = crate::ground::START + 35;
    let batches = async |limit| {
        [
            records.purge_inbound(before, limit).await.unwrap(),
            records.purge_seen(before, limit).await.unwrap(),
            records.purge_events(before, limit).await.unwrap(),
            records.purge_applied_effects(before, limit).await.unwrap(),
        ]
    };
    assert_eq!(batches(3).await, [3, 3, 3, 3]);
    assert_eq!(batches(3).await, [1, 1, 1, 2]);
    assert_eq!(batches(3).await, [0, 0, 0, 0]);
    for (table, left) in [
        ("inbound_bodies", 1),
        ("inbound_body_shares", 1),
        ("inbound_body_runs", 1),
        ("inbound_seen", 1),
        ("record_events", 1),
        ("applied_effects", 0),
    ] {
        let row = db.query(format!("select count(*) as n from {table}")).one().await.unwrap();
        assert_eq!(row.int("n").unwrap(), left, "{table}");
    }
}

sluice_db::contract_tests! {
    old_things_go_in_batches_and_leave_no_trace_of_themselves,
    a_body_is_kept_byte_for_byte_and_recognised, pending_bodies_are_claimed_by_one,
    a_workspace_sees_its_part_and_nothing_else, old_bodies_go_and_pending_ones_stay,
    a_body_that_is_never_finished_is_put_aside, a_clock_that_jumps_back_changes_no_order,
    bodies_are_taken_up_together_and_suspects_are_told, many_bodies_are_finished_at_once,
}

async fn a_body_that_is_never_finished_is_put_aside(db: Db) {
    let records = Ground::bare(db).await.records;
    let id = records.store_inbound("whatsapp", b"poison", true).await.unwrap().id;
    for _ in 0..5 {
        assert!(records.count_attempt(&id).await.unwrap());
    }
    // A failure in good order does not count.
    records.forget_attempt(&id).await.unwrap();
    assert!(records.count_attempt(&id).await.unwrap());
    assert!(!records.count_attempt(&id).await.unwrap());
    let body = records.inbound(None, &id).await.unwrap();
    assert_eq!(body.status, InboundStatus::Quarantined);
    assert!(body.note.unwrap().contains("put aside"));
}

async fn a_clock_that_jumps_back_changes_no_order(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let mut stored = Vec::new();
    for (n, jump) in [0, 3_600_000, -3_600_000, 5].into_iter().enumerate() {
        ground.pass(jump);
        stored.push(records.store_inbound("whatsapp", format!("{n}").as_bytes(), false).await.unwrap().id);
    }
    assert_eq!(records.pending_inbound().await.unwrap(), stored);
    assert_eq!(records.claim_pending_inbound(10).await.unwrap(), stored);
    ground.pass(-5_000);
    assert_eq!(
        records.claim_pending_inbound(10).await.unwrap(),
        [""; 0],
        "clocks of two machines may differ"
    );
    ground.pass(-3_600_000);
    assert_eq!(
        records.claim_pending_inbound(10).await.unwrap(),
        stored,
        "nobody waits for the clock to come back"
    );
}

async fn bodies_are_taken_up_together_and_suspects_are_told(db: Db) {
    let records = Ground::bare(db).await.records;
    let mut ids = Vec::new();
    for raw in ["a", "b", "c", "d", "e"] {
        ids.push(records.store_inbound("whatsapp", raw.as_bytes(), false).await.unwrap().id);
    }
    let told = |taken: Vec<TakenInbound>| -> Vec<(String, bool)> {
        taken.into_iter().map(|one| (String::from_utf8(one.raw).unwrap(), one.is_suspect)).collect()
    };
    let words = |words: &[(&str, bool)]| -> Vec<(String, bool)> {
        words.iter().map(|(word, is_suspect)| ((*word).to_owned(), *is_suspect)).collect()
    };
    assert!(records.take_up_inbound(&[]).await.unwrap().is_empty());
    let order = [ids[2].clone(), ids[0].clone(), ids[1].clone()];
    let all = words(&[("c", false), ("a", false), ("b", false)]);
    assert_eq!(told(records.take_up_inbound(&order).await.unwrap()), all);
    assert_eq!(told(records.look_at_inbound(&order).await.unwrap()), all);
    records.forget_attempt(&ids[0]).await.unwrap();
    records.finish_inbound(&ids[1], InboundStatus::Processed, &json!([]), &[], None).await.unwrap();
    let taken = records.take_up_inbound(&ids).await.unwrap();
    assert_eq!(told(taken), words(&[("a", false), ("c", false), ("d", false), ("e", false)]));
    assert_eq!(told(records.take_up_inbound(&ids[2..3]).await.unwrap()), words(&[("c", false)]));
    // Three times without an end: from now on it is to be taken up alone, and only then it counts.
    for _ in 0..9 {
        let taken = records.take_up_inbound(&order).await.unwrap();
        assert_eq!(told(taken)[0], ("c".to_owned(), true));
    }
    let looked = records.look_at_inbound(&ids[1..3]).await.unwrap();
    assert_eq!(told(looked), words(&[("b", false), ("c", true)]), "handled or not");
    for _ in 3..5 {
        assert!(records.count_attempt(&ids[2]).await.unwrap());
    }
    assert!(!records.count_attempt(&ids[2]).await.unwrap());
    assert!(records.take_up_inbound(&ids[2..3]).await.unwrap().is_empty(), "it is put aside");
}

async fn many_bodies_are_finished_at_once(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ours) = (&ground.records, ground.ws());
    let mut done = Vec::new();
    for number in 0..7 {
        let id = records.store_inbound("whatsapp", format!("{number}").as_bytes(), true).await.unwrap().id;
        done.push(HandledInbound {
            id,
            status: InboundStatus::Processed,
            changes: json!([number]),
            shares: vec![InboundShare { workspace_id: ours.to_owned(), changes: json!([number]) }],
            note: (number % 2 == 0).then(|| format!("note {number}")),
            runs: (0..number % 3).map(|run| (ours.to_owned(), format!("run_{run}"))).collect(),
        });
    }
    let gone = HandledInbound { id: "in_gone".to_owned(), ..done[1].clone() };
    assert_eq!(records.finish_all_inbound(&[]).await.unwrap(), 0);
    assert_eq!(records.finish_all_inbound(&[&done[..], &[gone]].concat()).await.unwrap(), 7);
    // Repeating it changes nothing.
    assert_eq!(records.finish_all_inbound(&done).await.unwrap(), 7);
    for one in &done {
        let body = records.inbound(Some(ours), &one.id).await.unwrap();
        assert_eq!((body.status, &body.changes, &body.note), (one.status, &one.changes, &one.note));
        assert_eq!(body.runs, one.runs.iter().map(|(_, run)| run.clone()).collect::<Vec<_>>());
    }
}
