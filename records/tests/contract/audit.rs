//! The audit trail: every change is in it, and it is sealed with keys that change.

use serde_json::json;
use sluice_db::{Db, Dialect};
use sluice_records::audit::{AuditEntry, AuditFilter, ChainReport, Change, PLATFORM, Target, Witness};
use sluice_records::{
    Actor, ActorKind, Cipher, Consent, ContactChange, CredentialChange, MasterKey, NewCredential,
    RecordError, Records, Secret,
};

use crate::ground::{Ground, NUMBER, START};

fn person() -> Actor {
    Actor {
        impersonated_by: Some("per_admin".into()),
        address: Some("203.0.113.7".into()),
        request_id: Some("req_1".into()),
        ..Actor::new(ActorKind::Person, "per_asha", "asha@example.in")
    }
}

pub(crate) fn thing(chain: &str, number: usize) -> Change {
    Change::new(chain, "thing.updated", Target::new("thing", format!("thing_{number}")).named("Thing"))
        .between(json!({ "n": number }), json!({ "n": number + 1 }))
}

pub(crate) async fn write(records: &Records, changes: Vec<Change>) {
    let mut tx = records.db().begin().await.unwrap();
    records.audit_as(&mut tx, &person(), changes).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn verify(records: &Records, chain: &str) -> ChainReport {
    records.verify_audit_chain(chain, &Witness::new()).await.unwrap()
}

/// The number and the reason of the fault that is found.
pub(crate) async fn fault(records: &Records, chain: &str) -> (Option<i64>, String) {
    let fault = verify(records, chain).await.fault.expect("the tampering is found");
    (fault.seq, fault.reason)
}

/// What somebody does who can write to the database: the guards against mistakes go first.
pub(crate) async fn disarm(db: &Db) {
    let statements: &[&str] = match db.dialect() {
        Dialect::Sqlite => &[
            "drop trigger audit_entries_are_never_changed",
            "drop trigger audit_entries_are_never_deleted",
            "drop trigger audit_entries_are_never_replaced",
        ],
        Dialect::Postgres => &[
            "drop trigger audit_entries_are_never_changed on audit_entries",
            "alter table audit_entries disable row level security",
        ],
    };
    for statement in statements {
        db.query(*statement).execute().await.unwrap();
    }
}

async fn all(records: &Records, chain: &str) -> Vec<AuditEntry> {
    let filter = AuditFilter { chain: Some(chain.to_owned()), ..AuditFilter::default() };
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = records.list_audit(&filter, cursor.as_deref(), 500).await.unwrap();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            found.reverse();
            return found;
        }
    }
}

async fn every_change_is_written_down_with_who_and_from_where(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (ground.records.acting(person()), ground.ws());
    let new = NewCredential {
        name: "crm".into(),
        kind: "http_bearer".into(),
        public: json!({"account": "asha", "api_key": "hush-hush"}),
        secret: Secret::new(json!({"token": "hush-hush"})),
    };
    let made = records.create_credential(ws, new).await.unwrap();
    let change = CredentialChange {
        name: Some("crm-2".into()),
        secret: Some(Secret::new(json!({"token": "hush-hush"}))),
        ..CredentialChange::default()
    };
    records.update_credential(ws, &made.id, change).await.unwrap();
    records.delete_credential(ws, &made.id).await.unwrap();
    let contact = ground.contact("919876543210").await;
    let change = ContactChange {
        name: Some("Asha Rao".into()),
        add_tags: vec!["vip".into()],
        set: json!({"email": "asha@example.in", "city": "Pune"}).as_object().unwrap().clone(),
        ..ContactChange::default()
    };
    records.update_contact(ws, &contact, &change, None).await.unwrap();
    let consent =
        Consent { topic: "marketing".into(), granted: false, source: "import".into(), changed_at: START };
    assert!(records.set_consent(ws, &contact, &consent, None).await.unwrap());
    assert!(!records.set_consent(ws, &contact, &consent, None).await.unwrap());
    let conversation = records.open_conversation(ws, NUMBER, &contact).await.unwrap();
    records.close_conversation(ws, &conversation.id).await.unwrap();
    records.close_conversation(ws, &conversation.id).await.unwrap();
    let other = ground.contact("919876543211").await;
    records.merge_contacts(ws, &[contact.clone(), other.clone()]).await.unwrap();
    records.set_number_status(ws, NUMBER, "restricted").await.unwrap();
    records.disconnect_number(ws, NUMBER).await.unwrap();

    let entries = all(&records, ws).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "credential.created",
        "number.connected",
        "credential.created",
        "credential.updated",
        "credential.deleted",
        "contact.updated",
        "consent.changed",
        "conversation.closed",
        "contact.merged",
        "number.status_changed",
        "number.disconnected",
    ];
    assert_eq!(actions, expected);
    assert_eq!((entries[0].actor_kind.as_str(), entries[0].actor_id.as_str()), ("system", ""));
    for entry in &entries[2..] {
        assert_eq!((entry.actor_kind.as_str(), entry.actor_id.as_str()), ("person", "per_asha"));
        assert_eq!(entry.actor_name, "asha@example.in");
        assert_eq!(entry.impersonated_by.as_deref(), Some("per_admin"));
        assert_eq!(entry.address.as_deref(), Some("203.0.113.7"));
        assert_eq!(entry.request_id.as_deref(), Some("req_1"));
        assert_eq!(entry.at, START);
    }
    assert_eq!((&entries[3].target_id, entries[3].target_name.as_str()), (&made.id, "crm-2"));
    assert_eq!(entries[3].before_value(), json!({"name": "crm"}));
    assert_eq!(entries[3].after_value(), json!({"name": "crm-2", "has_new_secret": true}));
    assert_eq!(
        entries[5].after_value(),
        json!({"email": "•••", "city": "•••", "tags": ["vip"], "name": "•••"})
    );
    assert_eq!(entries[8].before_value(), json!({"merged": [other]}));
    let text = format!("{entries:?}");
    for secret in ["hush", "Asha Rao", "Pune", "EAAtoken"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(verify(&records, ws).await.fault, None);
    assert_eq!(verify(&records, PLATFORM).await.fault, None);
}

async fn a_change_that_fails_leaves_no_entry(db: Db) {
    let ground = Ground::connected(db).await;
    let before = all(&ground.records, ground.ws()).await;
    let refused = ground.records.delete_credential(ground.ws(), &format!("whatsapp-{NUMBER}")).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })));
    assert!(ground.records.disconnect_number(ground.ws(), "999").await.is_err());
    let mut tx = ground.records.db().begin().await.unwrap();
    ground.records.audit(&mut tx, thing(ground.ws(), 1)).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(all(&ground.records, ground.ws()).await, before);
    assert_eq!(verify(&ground.records, ground.ws()).await.fault, None);
}

async fn lists_are_filtered_and_continued(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    for number in 0..7 {
        write(records, vec![thing("ws_a", number), thing("ws_b", number)]).await;
        ground.pass(1_000);
    }
    let mut tx = records.db().begin().await.unwrap();
    let other = Change::of_platform("plan.created", Target::new("plan", "plan_1"));
    records.audit(&mut tx, other).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |filter: AuditFilter| records.list_audit(&filter, None, 500).await.unwrap().items.len();
    let none = AuditFilter::default;
    let some = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (AuditFilter { chain: some("ws_a"), ..none() }, 7),
        (AuditFilter { action: some("thing"), ..none() }, 14),
        (AuditFilter { action: some("thing.updated"), ..none() }, 14),
        (AuditFilter { action: some("thi"), ..none() }, 0),
        (AuditFilter { actor: some("per_asha"), chain: some("ws_b"), ..none() }, 7),
        (AuditFilter { actor: some("asha@example.in"), action: some("thing"), ..none() }, 14),
        (AuditFilter { actor: some("per_admin"), action: some("thing"), ..none() }, 14),
        (AuditFilter { actor_kind: some("system"), action: some("plan.created"), ..none() }, 1),
        (AuditFilter { target: some("thing_3"), ..none() }, 2),
        (AuditFilter { target: some("Thing"), target_kind: some("thing"), chain: some("ws_a"), ..none() }, 7),
        (AuditFilter { request_id: some("req_1"), chain: some("ws_a"), ..none() }, 7),
        (
            AuditFilter {
                since: Some(START + 2_000),
                until: Some(START + 4_000),
                action: some("thing"),
                ..none()
            },
            4,
        ),
    ] {
        assert_eq!(count(filter.clone()).await, expected, "{filter:?}");
    }
    for chain in [None, some("ws_a")] {
        let filter = AuditFilter { chain, ..none() };
        let whole = records.list_audit(&filter, None, 500).await.unwrap().items;
        let (mut pieces, mut cursor) = (Vec::new(), None);
        loop {
            let page = records.list_audit(&filter, cursor.as_deref(), 2).await.unwrap();
            pieces.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(pieces, whole);
    }
    assert!(records.list_audit(&none(), Some("nonsense"), 5).await.is_err());
}

async fn another_master_key_writes_nothing_and_earlier_ones_verify(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    write(&ground.records, vec![thing("ws_k", 1)]).await;
    let (old, new) = (MasterKey::parse(&"5a".repeat(32)).unwrap(), MasterKey::generate().unwrap());
    let stranger = Records::new(db.clone(), Cipher::new(new.clone()));
    let mut tx = db.begin().await.unwrap();
    let refused = stranger.audit(&mut tx, thing("ws_k", 2)).await;
    assert!(matches!(refused, Err(RecordError::Seal(_))), "{refused:?}");
    drop(tx);
    assert_eq!(fault(&stranger, "ws_k").await.0, Some(1));
    let rotated = Records::new(db.clone(), Cipher::new(new).with_earlier(old));
    write(&rotated, vec![thing("ws_k", 2)]).await;
    assert_eq!(verify(&rotated, "ws_k").await.entries, 2);
    assert_eq!(verify(&rotated, "ws_k").await.fault, None);
    // Where nobody wrote since, the newest entry waits for a key that will be taken away.
    write(&ground.records, vec![thing("ws_quiet", 1)]).await;
    write(&ground.records, vec![thing("ws_damaged", 1)]).await;
    db.query("update audit_heads set entries = 7 where chain = 'ws_damaged'").execute().await.unwrap();
    assert!(stranger.reseal_audit_heads().await.is_err(), "a key is missing");
    assert_eq!(
        rotated.reseal_audit_heads().await.unwrap(),
        2,
        "this and the platform's: one was current, one is damaged"
    );
    assert_eq!(rotated.reseal_audit_heads().await.unwrap(), 0);
    write(&stranger, vec![thing("ws_quiet", 2)]).await;
    assert_eq!(verify(&rotated, "ws_quiet").await.fault, None);
    assert!(verify(&rotated, "ws_damaged").await.fault.is_some());
}

sluice_db::contract_tests! {
    every_change_is_written_down_with_who_and_from_where,
    a_change_that_fails_leaves_no_entry,
    lists_are_filtered_and_continued,
    another_master_key_writes_nothing_and_earlier_ones_verify,
}
