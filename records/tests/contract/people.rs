//! Contacts: identities, linking, merging, attributes, consent.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::{Consent, ContactChange, Identity, IdentityKind, MARKETING, RecordError};

use crate::ground::{Ground, NUMBER, phone_of};

async fn an_identity_finds_its_contact(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let (asha, made) =
        records.resolve_contact(ws, &[phone_of("+91 98765 43210")], Some("Asha Rao")).await.unwrap();
    assert!(made.created);
    assert_eq!((asha.name.as_deref(), asha.first_name()), (Some("Asha Rao"), Some("Asha")));
    let user = Identity::user_id("IN.123").unwrap();
    let (same, again) =
        records.resolve_contact(ws, &[phone_of("919876543210"), user.clone()], None).await.unwrap();
    assert_eq!((again.created, &same.id), (false, &asha.id));
    assert_eq!(same.address(&IdentityKind::Phone), Some("919876543210"), "the spelling used last");
    assert_eq!(records.find_contact(ws, &user).await.unwrap().unwrap().id, asha.id);
    let view = same.view();
    assert_eq!(
        (&view["phone"], &view["user_id"], &view["tags"]),
        (&json!("919876543210"), &json!("IN.123"), &json!([]))
    );
    let none = records.resolve_contact(ws, &[], None).await;
    assert!(matches!(none, Err(RecordError::Invalid { .. })));
    let other = records.create_workspace("other").await.unwrap();
    assert!(matches!(records.contact(&other.id, &asha.id).await, Err(RecordError::NotFound { .. })));
    assert!(records.find_contact(&other.id, &user).await.unwrap().is_none());
    assert!(records.resolve_contact("ws_nobody", &[user], None).await.is_err());
}

async fn two_contacts_that_are_one_person_become_one(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let old = ground.contact("16505551234").await;
    ground.pass(1000);
    let user = Identity::user_id("US.1").unwrap();
    let young = records.resolve_contact(ws, std::slice::from_ref(&user), Some("Sheena")).await.unwrap().0.id;
    let change = ContactChange {
        add_tags: vec!["vip".into()],
        name: Some("Sheena N.".into()),
        ..ContactChange::default()
    };
    records.update_contact(ws, &young, &change, None).await.unwrap();
    let ours = records.open_conversation(ws, NUMBER, &old).await.unwrap();
    let theirs = records.open_conversation(ws, NUMBER, &young).await.unwrap();
    let stop = Consent { topic: MARKETING.into(), granted: false, source: "test".into(), changed_at: 5 };
    records.set_consent(ws, &young, &stop, None).await.unwrap();

    let (kept, done) = records.resolve_contact(ws, &[phone_of("16505551234"), user], None).await.unwrap();
    assert_eq!((&kept.id, &done.merged), (&old, &vec![young.clone()]), "the older survives");
    assert_eq!(kept.identities.len(), 2);
    assert_eq!((kept.name.as_deref(), &kept.attributes["tags"]), (Some("Sheena N."), &json!(["vip"])));
    assert_eq!(kept.profile_name.as_deref(), Some("Sheena"));
    assert_eq!(records.contact(ws, &young).await.unwrap().id, old, "the old id still leads somewhere");
    assert_eq!(records.conversation(ws, &theirs.id).await.unwrap().id, ours.id);
    assert_eq!(records.list_conversations(ws, None, None, 10).await.unwrap().items.len(), 1);
    assert_eq!(records.consents(ws, &old).await.unwrap(), [stop]);
    assert_eq!(records.list_contacts(ws, None, None, 10).await.unwrap().items.len(), 1);

    // A second merge moves the first one's redirection along.
    ground.pass(-5000);
    let oldest = ground.contact("12125550000").await;
    assert_eq!(records.merge_contacts(ws, &[young.clone(), oldest.clone()]).await.unwrap(), oldest);
    assert_eq!(records.contact(ws, &young).await.unwrap().id, oldest);
    assert!(records.merge_contacts(ws, &[young, old]).await.is_err(), "they are one already");
}

async fn changed_numbers_follow_the_person(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let (old, new) = (phone_of("16505551234"), phone_of("12195555358"));
    let asha = ground.contact("16505551234").await;
    for _ in 0..2 {
        let done = records
            .change_identities(ws, std::slice::from_ref(&old), std::slice::from_ref(&new))
            .await
            .unwrap();
        assert_eq!(done.contact_id, asha, "repeating it changes nothing");
    }
    assert_eq!(records.find_contact(ws, &new).await.unwrap().unwrap().id, asha);
    assert!(records.find_contact(ws, &old).await.unwrap().is_none(), "the given-up number is free");
    assert_ne!(ground.contact("16505551234").await, asha, "and will be somebody else's");
}

/// Whatever identities come together in whatever order: afterwards two identities have the same contact exactly when
/// a chain of common appearances connects them.
async fn contacts_are_what_the_identities_say(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let mut runner = TestRunner::deterministic();
    let history = vec(vec(0usize..9, 1..4), 1..14);
    for round in 0..12 {
        let identity = |n: usize| match n % 3 {
            0 => phone_of(&format!("1650{round:03}{n:04}")),
            1 => Identity::user_id(&format!("US.{round}.{n}")).unwrap(),
            _ => Identity::external("crm", &format!("{round}-{n}")).unwrap(),
        };
        let groups = history.new_tree(&mut runner).unwrap().current();
        let mut expected: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut ids_seen = BTreeSet::new();
        for group in &groups {
            ground.pass(1);
            let identities: Vec<Identity> = group.iter().map(|n| identity(*n)).collect();
            let (contact, _) = records.resolve_contact(ws, &identities, None).await.unwrap();
            ids_seen.insert(contact.id);
            let mut united: BTreeSet<usize> = group.iter().copied().collect();
            united
                .extend(group.iter().filter_map(|n| expected.get(n)).flatten().copied().collect::<Vec<_>>());
            for member in united.clone() {
                expected.insert(member, united.clone());
            }
        }
        for (member, united) in &expected {
            let contact = records.find_contact(ws, &identity(*member)).await.unwrap().unwrap();
            let wanted: BTreeSet<String> = united.iter().map(|n| identity(*n).value).collect();
            let found: BTreeSet<String> = contact.identities.iter().map(|one| one.value.clone()).collect();
            assert_eq!(found, wanted, "after {groups:?}");
        }
        for id in ids_seen {
            records.contact(ws, &id).await.unwrap();
        }
    }
}

async fn many_at_once_make_one_contact(db: Db) {
    let ground = Ground::bare(db).await;
    let all: Vec<_> = (0..12)
        .map(|n| {
            let (records, ws) = (ground.records.clone(), ground.workspace.id.clone());
            tokio::spawn(async move {
                let mut identities = vec![phone_of("16505551234")];
                if n % 2 == 0 {
                    identities.push(Identity::user_id("US.1").unwrap());
                }
                records.resolve_contact(&ws, &identities, None).await.unwrap().1
            })
        })
        .collect();
    let mut created = 0;
    for one in all {
        created += usize::from(one.await.unwrap().created);
    }
    assert_eq!(created, 1);
    assert_eq!(ground.records.list_contacts(ground.ws(), None, None, 10).await.unwrap().items.len(), 1);
}

async fn an_effect_changes_a_contact_once(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let id = ground.contact("16505551234").await;
    let change = |value: Value| serde_json::from_value::<ContactChange>(value).unwrap();
    let first = change(json!({"set": {"city": "Pune", "score": 1}, "add_tags": ["lead"], "name": "Asha"}));
    let (contact, applied) = records.update_contact(ws, &id, &first, Some("run_1/tag/0")).await.unwrap();
    assert!(applied);
    assert_eq!((contact.name.as_deref(), &contact.attributes["city"]), (Some("Asha"), &json!("Pune")));
    let second = change(json!({"set": {"city": "Goa"}}));
    let (contact, applied) = records.update_contact(ws, &id, &second, Some("run_1/tag/0")).await.unwrap();
    assert!(!applied, "the effect was applied already");
    assert_eq!(contact.attributes["city"], json!("Pune"));
    let third = change(json!({"set": {"city": null}, "name": ""}));
    let (contact, _) = records.update_contact(ws, &id, &third, Some("run_1/tag/1")).await.unwrap();
    assert_eq!((contact.name, contact.attributes.get("city")), (None, None));
    let reserved = records.update_contact(ws, &id, &change(json!({"set": {"phone": "1"}})), None).await;
    assert!(matches!(reserved, Err(RecordError::Invalid { ref path, .. }) if path == "set.phone"));
    let large = change(json!({"set": {"note": "x".repeat(70_000)}}));
    assert!(matches!(
        records.update_contact(ws, &id, &large, Some("e")).await,
        Err(RecordError::Invalid { .. })
    ));
    assert!(
        records.update_contact(ws, &id, &third, Some("e")).await.unwrap().1,
        "a refused change used nothing up"
    );
}

async fn the_last_word_about_consent_counts(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let id = ground.contact("16505551234").await;
    let say = |granted, changed_at| Consent {
        topic: MARKETING.into(),
        granted,
        source: "whatsapp".into(),
        changed_at,
    };
    assert!(records.set_consent(ws, &id, &say(false, 20), None).await.unwrap());
    assert!(!records.set_consent(ws, &id, &say(true, 10), None).await.unwrap(), "an older word came later");
    assert!(!records.consents(ws, &id).await.unwrap()[0].granted);
    assert!(records.set_consent(ws, &id, &say(true, 30), Some("e1")).await.unwrap());
    assert!(!records.set_consent(ws, &id, &say(false, 40), Some("e1")).await.unwrap());
    assert!(records.consents(ws, &id).await.unwrap()[0].granted);
    assert!(records.set_consent(ws, "con_nobody", &say(true, 1), None).await.is_err());
}

async fn contacts_are_listed_in_pages_and_found_by_parts(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    for n in 0..7 {
        // Two of each share a time: the cursor must not lose one.
        ground.pass(n % 2);
        let name = format!("Guest {n}%");
        records.resolve_contact(ws, &[phone_of(&format!("1650555000{n}"))], Some(&name)).await.unwrap();
    }
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = records.list_contacts(ws, None, cursor.as_deref(), 3).await.unwrap();
        names.extend(page.items.iter().map(|one| one.name.clone().unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), 7);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 7);
    let found = |text: &'static str| async move {
        records.list_contacts(ws, Some(text), None, 10).await.unwrap().items.len()
    };
    assert_eq!(
        (found("GUEST 3").await, found("5550004").await, found("3%").await, found("_uest").await),
        (1, 1, 1, 0)
    );
    assert!(matches!(records.list_contacts(ws, None, Some("?"), 3).await, Err(RecordError::Invalid { .. })));
}

async fn nul_characters_do_no_harm(db: Db) {
    let ground = Ground::bare(db).await;
    let user = Identity::user_id("US.\u{0}1").unwrap();
    let (contact, _) = ground.records.resolve_contact(ground.ws(), &[user], Some("A\u{0}sha")).await.unwrap();
    assert_eq!(contact.name.as_deref(), Some("Asha"));
    let change = ContactChange {
        set: [("x".to_owned(), json!("a\u{0}b"))].into_iter().collect(),
        name: Some("B\u{0}".into()),
        ..ContactChange::default()
    };
    let (contact, _) = ground.records.update_contact(ground.ws(), &contact.id, &change, None).await.unwrap();
    assert_eq!((contact.name.as_deref(), &contact.attributes["x"]), (Some("B"), &json!("a\u{0}b")));
}

async fn changes_leave_events_until_they_are_forgotten(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let contact = records.resolve_contact(ws, &[phone_of("16505551234")], None).await.unwrap().0.id;
    let change = ContactChange { add_tags: vec!["vip".into()], ..ContactChange::default() };
    records.update_contact(ws, &contact, &change, Some("effect")).await.unwrap();
    records.update_contact(ws, &contact, &change, Some("effect")).await.unwrap();
    records.report_event(ws, "order.paid", &json!({ "amount": 5 })).await.unwrap();
    let pending = records.pending_events(10).await.unwrap();
    let topics: Vec<_> = pending.iter().map(|event| event.topic.as_str()).collect();
    assert_eq!(topics, ["contact.created", "contact.updated", "contact.tagged", "order.paid"]);
    assert_eq!(pending[2].data["tag"], "vip");
    for event in &pending {
        records.forget_event(&event.workspace_id, &event.id).await.unwrap();
    }
    assert!(records.pending_events(10).await.unwrap().is_empty());
    assert!(records.report_event(ws, "Order Paid", &json!(null)).await.is_err());
}

sluice_db::contract_tests! {
    an_identity_finds_its_contact, two_contacts_that_are_one_person_become_one, changed_numbers_follow_the_person,
    contacts_are_what_the_identities_say, many_at_once_make_one_contact, an_effect_changes_a_contact_once,
    the_last_word_about_consent_counts, contacts_are_listed_in_pages_and_found_by_parts, nul_characters_do_no_harm,
    changes_leave_events_until_they_are_forgotten,
}
