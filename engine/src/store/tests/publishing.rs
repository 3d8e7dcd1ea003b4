//! Versions, triggers and schedules.

use super::workflows::create;
use super::*;
use sluice_db::Db;

sluice_db::contract_tests! {
    publishing_freezes_a_version,
    publishing_replaces_triggers_and_schedules,
    a_webhook_path_is_used_once,
    triggers_are_asked_in_order,
    two_who_publish_at_once_get_two_versions,
    a_path_is_won_by_one_of_two_rivals,
    a_tick_is_taken_once,
    what_uses_a_paused_credential_rests,
}

async fn what_uses_a_paused_credential_rests(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Sheet").await;
    create(&store, "wf_2", "Other").await;
    let with = |trigger: TriggerRow, name: &str| TriggerRow { credential: Some(name.into()), ..trigger };
    let triggers = vec![
        with(trigger("on", "event", "sheet.row", 0), "google"),
        with(trigger("hook", "webhook", "rows", 0), "google"),
        with(trigger("tick", "schedule", "", 0), "google"),
    ];
    publish_with(&store, "wf_1", triggers, vec![schedule("tick", Some(5))]).await.unwrap();
    let other = vec![with(trigger("on", "event", "sheet.row", 1), "other")];
    publish_with(&store, "wf_2", other, vec![schedule("tick", Some(9))]).await.unwrap();
    let asked = async || {
        let found = store.triggers_for(WS, "event", "sheet.row").await.unwrap();
        found.into_iter().map(|trigger| trigger.workflow_id).collect::<Vec<_>>()
    };
    assert_eq!(asked().await, ["wf_1", "wf_2"]);
    let resting = [("google".to_owned(), "revoked".to_owned()), ("unused".to_owned(), "x".to_owned())];
    for _ in 0..2 {
        store.pause_credentials(WS, &resting, 40).await.unwrap();
        assert_eq!(asked().await, ["wf_2"]);
        assert_eq!(store.next_schedule_at().await.unwrap(), Some(9));
        let due = store.due_schedules(100, 9).await.unwrap();
        assert_eq!(due.iter().map(|row| row.workflow_id.as_str()).collect::<Vec<_>>(), ["wf_2"]);
    }
    let hook = store.webhook(WS, "rows").await.unwrap().unwrap();
    assert_eq!(hook.paused.as_deref(), Some("revoked"));
    let paused = store.paused_triggers(WS).await.unwrap();
    assert_eq!(paused.iter().map(|row| row.node.as_str()).collect::<Vec<_>>(), ["hook", "on", "tick"]);
    assert_eq!(store.paused_triggers("ws_other").await.unwrap(), []);
    // What is published while the credential rests, rests too.
    publish_with(&store, "wf_2", vec![with(trigger("on", "event", "sheet.row", 1), "google")], vec![])
        .await
        .unwrap();
    assert_eq!(asked().await, [""; 0]);
    store.pause_credentials(WS, &[], 50).await.unwrap();
    assert_eq!(asked().await, ["wf_1", "wf_2"]);
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(5));
}

fn trigger(node: &str, source: &str, key: &str, priority: i64) -> TriggerRow {
    TriggerRow {
        workspace_id: String::new(),
        workflow_id: String::new(),
        version: 0,
        node: node.into(),
        source: source.into(),
        key: key.into(),
        priority,
        listen_only: false,
        competes: true,
        credential: None,
        paused: None,
    }
}

fn schedule(node: &str, next_at: Option<i64>) -> ScheduleRow {
    ScheduleRow {
        workspace_id: String::new(),
        workflow_id: String::new(),
        node: node.into(),
        params: r#"{"cron":"0 9 * * *"}"#.into(),
        next_at,
    }
}

/// Publishes a workflow with a webhook trigger per path and one schedule, due at 100.
pub(super) async fn publish(store: &Store, id: &str, paths: Vec<&str>) -> Result<i64, StoreError> {
    let triggers =
        paths.iter().enumerate().map(|(n, path)| trigger(&format!("n{n}"), "webhook", path, 0)).collect();
    publish_with(store, id, triggers, vec![schedule("tick", Some(100))]).await
}

async fn publish_with(
    store: &Store,
    id: &str,
    triggers: Vec<TriggerRow>,
    schedules: Vec<ScheduleRow>,
) -> Result<i64, StoreError> {
    store
        .publish(
            WS,
            id,
            Publication { document: r#"{"sluice":1}"#, triggers, schedules, retention_ms: None, at: 30 },
        )
        .await
}

async fn publishing_freezes_a_version(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    for version in 1..=3 {
        assert_eq!(publish(&store, "wf_1", vec!["greet"]).await.unwrap(), version);
    }
    let row = store.workflow(WS, "wf_1").await.unwrap().unwrap();
    assert_eq!((row.published_version, row.revision), (Some(3), 1));
    let expected = VersionRow {
        workflow_id: "wf_1".into(),
        version: 2,
        document: r#"{"sluice":1}"#.into(),
        published_at: 30,
    };
    assert_eq!(store.version(WS, "wf_1", 2).await.unwrap(), Some(expected));
    assert_eq!(store.version(WS, "wf_1", 4).await.unwrap(), None);
    let numbers = |page: &Page<VersionRow>| page.items.iter().map(|row| row.version).collect::<Vec<_>>();
    let first = store.list_versions(WS, "wf_1", None, 2).await.unwrap();
    assert_eq!(numbers(&first), [3, 2]);
    let second = store.list_versions(WS, "wf_1", first.next.as_deref(), 2).await.unwrap();
    assert_eq!((numbers(&second), second.next), (vec![1], None));
    assert!(matches!(publish(&store, "wf_9", vec![]).await, Err(StoreError::NotFound)));
}

async fn publishing_replaces_triggers_and_schedules(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    let topics =
        vec![trigger("on", "event", "contact.tagged", 0), trigger("on", "event", "contact.created", 0)];
    publish_with(&store, "wf_1", topics, vec![schedule("tick", Some(5)), schedule("never", None)])
        .await
        .unwrap();
    assert_eq!(store.triggers_of(WS, "wf_1").await.unwrap().len(), 2);
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(5));

    publish(&store, "wf_1", vec!["a", "b"]).await.unwrap();
    let expected = TriggerRow {
        workspace_id: WS.into(),
        workflow_id: "wf_1".into(),
        version: 2,
        ..trigger("n1", "webhook", "b", 0)
    };
    assert_eq!(store.webhook(WS, "b").await.unwrap(), Some(expected));
    assert_eq!(store.triggers_for(WS, "event", "contact.tagged").await.unwrap(), []);
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(100));

    store.unpublish(WS, "wf_1").await.unwrap();
    assert_eq!(store.workflow(WS, "wf_1").await.unwrap().unwrap().published_version, None);
    assert_eq!(store.triggers_of(WS, "wf_1").await.unwrap(), []);
    assert_eq!(store.next_schedule_at().await.unwrap(), None);
    assert!(matches!(store.unpublish(WS, "wf_9").await, Err(StoreError::NotFound)));
    // Numbers are not used again.
    assert_eq!(publish(&store, "wf_1", vec![]).await.unwrap(), 3);
}

async fn a_webhook_path_is_used_once(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    create(&store, "wf_2", "Farewell").await;
    publish(&store, "wf_1", vec!["greet", "hello"]).await.unwrap();
    match publish(&store, "wf_2", vec!["bye", "hello"]).await {
        Err(StoreError::PathTaken { path, workflow }) => {
            assert_eq!((&*path, &*workflow), ("hello", "Greeting"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(store.workflow(WS, "wf_2").await.unwrap().unwrap().published_version, None);
    assert_eq!(store.list_versions(WS, "wf_2", None, 9).await.unwrap().items, []);
    match publish(&store, "wf_2", vec!["bye", "bye"]).await {
        Err(StoreError::PathTaken { path, workflow }) => {
            assert_eq!((&*path, &*workflow), ("bye", "Farewell"));
        }
        other => panic!("{other:?}"),
    }
    store.unpublish(WS, "wf_1").await.unwrap();
    publish(&store, "wf_2", vec!["hello"]).await.unwrap();
    assert_eq!(store.webhook("ws_2", "hello").await.unwrap(), None);
}

async fn triggers_are_asked_in_order(db: Db) {
    let store = Store::new(db);
    // The order of creation differs from that of ids and names.
    for (id, name, at, priority) in
        [("wf_1", "A", 30, 5), ("wf_2", "B", 20, 5), ("wf_3", "C", 10, 9), ("wf_4", "D", 40, 1)]
    {
        store.create_workflow(WS, NewWorkflow { id, name, draft: "{}", at }).await.unwrap();
        let on = trigger("on", "event", "message", priority);
        publish_with(&store, id, vec![on], vec![]).await.unwrap();
    }
    let asked = store.triggers_for(WS, "event", "message").await.unwrap();
    let asked: Vec<_> = asked.iter().map(|trigger| &*trigger.workflow_id).collect();
    assert_eq!(asked, ["wf_4", "wf_2", "wf_1", "wf_3"]);
    assert_eq!(store.triggers_for("ws_2", "event", "message").await.unwrap(), []);
}

async fn two_who_publish_at_once_get_two_versions(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    let (one, two) = tokio::join!(publish(&store, "wf_1", vec!["a"]), publish(&store, "wf_1", vec!["a"]));
    let mut versions = [one.unwrap(), two.unwrap()];
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
}

async fn a_path_is_won_by_one_of_two_rivals(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    create(&store, "wf_2", "Farewell").await;
    let (one, two) = tokio::join!(publish(&store, "wf_1", vec!["a"]), publish(&store, "wf_2", vec!["a"]));
    let (lost, winner) = if one.is_ok() { (two, "Greeting") } else { (one, "Farewell") };
    match lost {
        Err(StoreError::PathTaken { path, workflow }) => assert_eq!((&*path, &*workflow), ("a", winner)),
        other => panic!("{other:?}"),
    }
}

async fn a_tick_is_taken_once(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    let schedules = vec![schedule("b", Some(20)), schedule("a", Some(10)), schedule("c", None)];
    publish_with(&store, "wf_1", vec![], schedules).await.unwrap();
    assert_eq!(store.due_schedules(9, 9).await.unwrap(), []);
    let due = store.due_schedules(20, 9).await.unwrap();
    assert_eq!(due.iter().map(|due| &*due.node).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(store.due_schedules(20, 1).await.unwrap(), due[..1]);
    assert_eq!(due[0].params, schedule("", None).params);
    assert!(store.set_next(&due[0], Some(30)).await.unwrap());
    assert!(!store.set_next(&due[0], Some(40)).await.unwrap());
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(20));
    assert!(store.set_next(&due[1], None).await.unwrap());
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(30));
    let resting = ScheduleRow { next_at: None, ..due[1].clone() };
    assert!(store.set_next(&resting, Some(25)).await.unwrap());
    assert_eq!(store.next_schedule_at().await.unwrap(), Some(25));
}
