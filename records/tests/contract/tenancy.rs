//! Resellers, workspaces, members, invitations, and what keys may do.

use crate::ground::{Ground, NUMBER, WABA, connect};
use sluice_db::Db;
use sluice_records::{
    KeyRequest, MemberStatus, NewWorkspace, Permission, Permissions, Profile, RecordError, ResellerChange,
    Role, Scope, TenantStatus, WorkspaceChange,
};

/// A person as sign-up would leave one behind.
pub(crate) async fn person(ground: &Ground, email: &str) -> String {
    let id = format!("per_{}", email.split('@').next().unwrap());
    ground
        .records
        .db()
        .query(
            "insert into people (id, email, name, status, token_version, created_at, updated_at) \
             values ($1, $2, $3, 'approved', 0, 0, 0)",
        )
        .bind(&id)
        .bind(email)
        .bind(email)
        .execute()
        .await
        .unwrap();
    id
}

async fn a_workspace_is_changed_suspended_and_deleted(db: Db) {
    let ground = Ground::connected(db).await;
    let records = &ground.records;
    let profile = Profile { industry: Some(" food ".into()), ..Profile::default() };
    let change = WorkspaceChange { display_name: Some("Asha Foods".into()), profile: Some(profile) };
    let changed = records.update_workspace(ground.ws(), change).await.unwrap();
    assert_eq!(changed.display_name, "Asha Foods");
    assert_eq!(changed.profile.industry.as_deref(), Some("food"));
    let wrong = Profile { website: Some("ftp://x".into()), ..Profile::default() };
    let change = WorkspaceChange { display_name: None, profile: Some(wrong) };
    assert!(matches!(
        records.update_workspace(ground.ws(), change).await,
        Err(RecordError::Invalid { path, .. }) if path == "profile.website"
    ));
    records.set_workspace_status(ground.ws(), TenantStatus::Suspended, Some("unpaid")).await.unwrap();
    let suspended = records.workspace(ground.ws()).await.unwrap();
    assert_eq!(
        (suspended.status, suspended.status_reason.as_deref()),
        (TenantStatus::Suspended, Some("unpaid"))
    );
    ground.contact("14155550123").await;
    records.set_workspace_status(ground.ws(), TenantStatus::Deleted, None).await.unwrap();
    assert!(records.workspace(ground.ws()).await.is_err());
    assert!(records.workspace_by_name("asha-foods").await.is_err());
    assert!(
        records.set_workspace_status(ground.ws(), TenantStatus::Active, None).await.is_err(),
        "it never comes back"
    );
    let mut rounds = 0;
    while records.purge_deleted_workspaces(1).await.unwrap() > 0 {
        rounds += 1;
        assert!(rounds < 100);
    }
    assert!(rounds >= 3, "a credential, a number, a contact");
    for table in ["contacts", "contact_identities", "credentials", "numbers"] {
        let left = records.db().query(format!("select count(*) from {table}")).one().await.unwrap();
        assert_eq!(left.int(0).unwrap(), 0, "{table}");
    }
    let again = records.create_workspace("asha-foods").await.unwrap();
    assert_ne!(again.id, ground.ws(), "its name is free");
    connect(records, &again.id, NUMBER, WABA).await;
}

async fn a_role_counts_in_its_own_kind_of_scope(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let asha = person(&ground, "asha@example.com").await;
    let reseller = records.create_reseller("agency", "The Agency").await.unwrap();
    let client = NewWorkspace {
        name: "client".into(),
        reseller_id: Some(reseller.id.clone()),
        owner: Some(asha.clone()),
        ..NewWorkspace::default()
    };
    let client = records.create_tenant(client).await.unwrap();
    let of_reseller = Scope::Reseller(reseller.id.clone());
    records.put_member(&of_reseller, &asha, Role::ResellerAdmin, MemberStatus::Active).await.unwrap();
    for (scope, role) in [
        (Scope::Platform, Role::Owner),
        (of_reseller.clone(), Role::SuperAdmin),
        (Scope::Workspace(client.id.clone()), Role::ResellerAdmin),
    ] {
        let refused = records.put_member(&scope, &asha, role, MemberStatus::Active).await;
        assert!(matches!(refused, Err(RecordError::Invalid { path, .. }) if path == "role"));
    }
    assert_eq!(records.memberships_of(&asha).await.unwrap().len(), 2);
    assert_eq!(records.workspaces_of(&asha).await.unwrap()[0].1, Role::Owner);
    assert_eq!(records.list_workspaces(Some(&reseller.id)).await.unwrap(), std::slice::from_ref(&client));
    let change = ResellerChange { status: Some(TenantStatus::Suspended), display_name: None };
    records.update_reseller(&reseller.id, change).await.unwrap();
    let left = records.memberships_of(&asha).await.unwrap();
    assert_eq!(left.len(), 1, "a suspended reseller acts no more");
    assert_eq!(left[0].scope, Scope::Workspace(client.id.clone()));
    records.set_workspace_status(&client.id, TenantStatus::Deleted, None).await.unwrap();
    assert!(records.memberships_of(&asha).await.unwrap().is_empty());
}

async fn a_workspace_keeps_an_owner(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let (asha, ben) = (person(&ground, "asha@example.com").await, person(&ground, "ben@example.com").await);
    let scope = Scope::Workspace(ground.ws().to_owned());
    let refused = records.put_member(&scope, &asha, Role::Viewer, MemberStatus::Active).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })), "the first member is an owner");
    records.put_member(&scope, &asha, Role::Owner, MemberStatus::Active).await.unwrap();
    records.put_member(&scope, &ben, Role::Owner, MemberStatus::Active).await.unwrap();
    let (one, other) =
        tokio::join!(records.remove_member(&scope, &asha), records.remove_member(&scope, &ben));
    assert_eq!(
        usize::from(one.is_ok()) + usize::from(other.is_ok()),
        1,
        "two owners cannot remove each other"
    );
    let left = records.list_members(&scope).await.unwrap();
    assert_eq!(left.len(), 1);
    let last = &left[0].person_id;
    assert!(records.put_member(&scope, last, Role::Owner, MemberStatus::Suspended).await.is_err());
    assert!(records.put_member(&scope, last, Role::Admin, MemberStatus::Active).await.is_err());
    assert!(matches!(
        records.put_member(&scope, "per_nobody", Role::Agent, MemberStatus::Active).await,
        Err(RecordError::NotFound { .. })
    ));
}

async fn an_invitation_is_for_one_address_and_once(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let (asha, ben) = (person(&ground, "asha@example.com").await, person(&ground, "ben@example.com").await);
    let scope = Scope::Workspace(ground.ws().to_owned());
    records.put_member(&scope, &asha, Role::Owner, MemberStatus::Active).await.unwrap();
    for wrong in ["", "ben", "ben@", "@example.com", "b en@example.com", "ben@example", "a@b@c.d"] {
        let refused = records.invite(&scope, wrong, Role::Agent).await;
        assert!(matches!(refused, Err(RecordError::Invalid { path, .. }) if path == "email"), "{wrong}");
    }
    assert!(records.invite(&scope, "asha@example.com", Role::Agent).await.is_err(), "a member already");
    let first = records.invite(&scope, "Ben@Example.com", Role::Agent).await.unwrap();
    let second = records.invite(&scope, "ben@example.com", Role::Viewer).await.unwrap();
    assert!(records.invitation(&first.token).await.is_err(), "the later one counts");
    assert_eq!(records.list_invitations(&scope).await.unwrap(), std::slice::from_ref(&second.info));
    let stored = db.query("select token_hash from invitations").all().await.unwrap();
    assert!(stored.iter().all(|row| !second.token.contains(&row.text(0).unwrap())), "only a hash is stored");
    assert!(records.accept_invitation(&second.token, &asha).await.is_err(), "it is for Ben");
    records.accept_invitation(&second.token, &ben).await.unwrap();
    assert_eq!(records.member(&scope, &ben).await.unwrap().role, Role::Viewer);
    assert!(records.accept_invitation(&second.token, &ben).await.is_err(), "once");
    let late = records.invite(&scope, "cleo@example.com", Role::Agent).await.unwrap();
    let ended = records.invite(&scope, "dora@example.com", Role::Agent).await.unwrap();
    records.revoke_invitation(&scope, &ended.info.id).await.unwrap();
    assert!(records.invitation(&ended.token).await.is_err());
    assert!(records.revoke_invitation(&Scope::Platform, &late.info.id).await.is_err(), "of another scope");
    ground.pass(7 * 24 * 60 * 60 * 1_000);
    assert!(records.invitation(&late.token).await.is_err(), "over");
}

async fn a_key_may_what_it_was_given_from_where_and_until_when(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let scope = Scope::Workspace(ground.ws().to_owned());
    let read_only: Permissions = [Permission::RunRead].into_iter().collect();
    let request = KeyRequest {
        name: "ci".into(),
        allowed: Some(read_only),
        addresses: vec!["203.0.113.0/24".into(), "2001:db8::1".into()],
        expires_at: Some(records_time(&ground).await + 1_000),
    };
    let made = records.make_api_key(scope.clone(), request.clone()).await.unwrap();
    let found = records.find_api_key(&made.key).await.unwrap().unwrap();
    assert_eq!(found.permissions(), read_only);
    assert!(made.key.starts_with(&found.prefix));
    for (address, good) in [
        ("203.0.113.7", true),
        ("::ffff:203.0.113.7", true),
        ("2001:db8::1", true),
        ("203.0.114.7", false),
        ("::1", false),
    ] {
        assert_eq!(found.allows_address(Some(address.parse().unwrap())), good, "{address}");
    }
    assert!(!found.allows_address(None), "unknown is not allowed");
    let successor = records.rotate_api_key(&scope, &found.id, 500).await.unwrap();
    assert_eq!(successor.info.rotated_from.as_deref(), Some(&*found.id));
    assert_eq!(successor.info.permissions(), read_only);
    assert!(records.find_api_key(&made.key).await.unwrap().is_some(), "both work for a while");
    ground.pass(500);
    assert!(records.find_api_key(&made.key).await.unwrap().is_none(), "the old one is over");
    assert!(records.find_api_key(&successor.key).await.unwrap().is_some());
    assert!(records.rotate_api_key(&scope, &found.id, 500).await.is_err(), "an old key has no successor");
    ground.pass(500);
    assert!(records.find_api_key(&successor.key).await.unwrap().is_none(), "it keeps its end");
    for (wrong, path) in [
        (KeyRequest { addresses: vec!["example.com".into()], ..KeyRequest::default() }, "addresses[0]"),
        (KeyRequest { expires_at: Some(1), ..KeyRequest::default() }, "expires_at"),
        (
            KeyRequest {
                allowed: Some([Permission::PlatformEnter].into_iter().collect()),
                ..KeyRequest::default()
            },
            "permissions",
        ),
    ] {
        let Err(error) = records.make_api_key(scope.clone(), wrong).await else { panic!("{path}") };
        assert!(matches!(&error, RecordError::Invalid { path: at, .. } if at == path), "{error}");
    }
}

/// The hand-turned clock, as the records see it.
async fn records_time(ground: &Ground) -> i64 {
    ground.records.create_api_key(Scope::Platform, "clock").await.unwrap().info.created_at
}

sluice_db::contract_tests! {
    a_workspace_is_changed_suspended_and_deleted,
    a_role_counts_in_its_own_kind_of_scope,
    a_workspace_keeps_an_owner,
    an_invitation_is_for_one_address_and_once,
    a_key_may_what_it_was_given_from_where_and_until_when,
}
