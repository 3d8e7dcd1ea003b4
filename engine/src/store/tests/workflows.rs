//! Drafts and their revisions.

use super::*;
use sluice_db::Db;

sluice_db::contract_tests! {
    a_draft_is_created_and_found,
    a_name_is_used_once,
    a_save_needs_the_current_revision,
    workflows_are_listed_by_name,
    a_deleted_workflow_leaves_its_versions,
}

pub(super) async fn create(store: &Store, id: &str, name: &str) -> WorkflowRow {
    let new = NewWorkflow { id, name, draft: r#"{"v":1}"#, at: 10 };
    store.create_workflow(WS, new).await.unwrap()
}

fn change(revision: i64, name: &'static str) -> DraftChange<'static> {
    DraftChange { revision, name, draft: r#"{"v":2}"#, at: 20 }
}

async fn a_draft_is_created_and_found(db: Db) {
    let store = Store::new(db);
    let created = create(&store, "wf_1", "Greeting").await;
    assert_eq!((created.revision, created.published_version, created.updated_at), (1, None, 10));
    assert_eq!(store.workflow(WS, "wf_1").await.unwrap(), Some(created.clone()));
    assert_eq!(store.workflow_by_name(WS, "Greeting").await.unwrap(), Some(created));
    assert_eq!(store.workflow(WS, "wf_2").await.unwrap(), None);
    assert_eq!(store.workflow("ws_2", "wf_1").await.unwrap(), None);
    assert_eq!(store.workflow_by_name("ws_2", "Greeting").await.unwrap(), None);
}

async fn a_name_is_used_once(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    create(&store, "wf_2", "Farewell").await;
    let new = |id| NewWorkflow { id, name: "Greeting", draft: "{}", at: 1 };
    assert!(matches!(store.create_workflow(WS, new("wf_3")).await, Err(StoreError::NameTaken)));
    assert!(matches!(store.save_draft(WS, "wf_2", change(1, "Greeting")).await, Err(StoreError::NameTaken)));
    store.create_workflow("ws_2", new("wf_3")).await.unwrap();
    // An id that exists is a mistake of the program, not of the person who chose the name.
    let again = NewWorkflow { id: "wf_1", name: "Other", draft: "{}", at: 1 };
    assert!(matches!(store.create_workflow(WS, again).await, Err(StoreError::Db(_))));
}

async fn a_save_needs_the_current_revision(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    assert_eq!(store.save_draft(WS, "wf_1", change(1, "Greeting 2")).await.unwrap(), 2);
    let saved = store.workflow(WS, "wf_1").await.unwrap().unwrap();
    assert_eq!((saved.revision, saved.name.as_str(), saved.draft.as_str()), (2, "Greeting 2", r#"{"v":2}"#));
    assert_eq!((saved.created_at, saved.updated_at), (10, 20));
    let stale = store.save_draft(WS, "wf_1", change(1, "Greeting 3")).await;
    assert!(matches!(stale, Err(StoreError::Conflict { current_revision: 2 })), "{stale:?}");
    assert!(matches!(store.save_draft(WS, "wf_9", change(1, "X")).await, Err(StoreError::NotFound)));
}

async fn workflows_are_listed_by_name(db: Db) {
    let store = Store::new(db);
    for (id, name) in [("wf_1", "b"), ("wf_2", "B"), ("wf_3", "ä"), ("wf_4", "a")] {
        create(&store, id, name).await;
    }
    let names = |page: &Page<WorkflowRow>| page.items.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    let first = store.list_workflows(WS, None, 3).await.unwrap();
    assert_eq!(names(&first), ["B", "a", "b"]);
    let second = store.list_workflows(WS, first.next.as_deref(), 3).await.unwrap();
    assert_eq!((names(&second), second.next), (vec!["ä".to_owned()], None));
    assert!(matches!(store.list_workflows(WS, Some("x"), 3).await, Err(StoreError::BadCursor)));
}

async fn a_deleted_workflow_leaves_its_versions(db: Db) {
    let store = Store::new(db);
    create(&store, "wf_1", "Greeting").await;
    let published = super::publishing::publish(&store, "wf_1", vec!["greet"]).await;
    assert_eq!(published.unwrap(), 1);
    commit_all(&store, vec![first_turn(facts("run_1", 100), RunStatus::Waiting)]).await;
    assert!(store.delete_workflow(WS, "wf_1").await.unwrap());
    assert!(!store.delete_workflow(WS, "wf_1").await.unwrap());
    assert_eq!(store.workflow(WS, "wf_1").await.unwrap(), None);
    assert_eq!(store.webhook(WS, "greet").await.unwrap(), None);
    assert_eq!(store.next_schedule_at().await.unwrap(), None);
    assert!(store.version(WS, "wf_1", 1).await.unwrap().is_some());
    assert!(store.load(&key("run_1")).await.unwrap().is_some());
}
