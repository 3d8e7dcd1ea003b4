//! Sessions: refresh tokens, what a session allows, how it ends.

use sluice_db::Db;
use sluice_records::people::{Device, NewPerson, NewSession, SignIn, Verdict};
use sluice_records::{Actor, ActorKind, Permission, RecordError, Records, Role, Scope};

use crate::accounts::{PASSWORD, device, mail, member};
use crate::ground::Ground;

const EMAIL: &str = "asha@example.com";

async fn enter(records: &Records, email: &str) -> NewSession {
    match records.sign_in(email, PASSWORD, &device()).await.unwrap() {
        SignIn::In(session) => session,
        other => panic!("{other:?}"),
    }
}

async fn a_refresh_token_is_good_once(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let person = member(records, EMAIL).await;
    let session = enter(records, EMAIL).await;
    let stored = db.query("select token_hash from refresh_tokens").one().await.unwrap().text(0).unwrap();
    assert!(!session.refresh_token.contains(&stored), "only a hash is stored");
    ground.pass(900_000);
    let elsewhere = Device { address: Some("203.0.113.5".into()), user_agent: None };
    let next = records.refresh_session(&session.refresh_token, &elsewhere).await.unwrap().unwrap();
    assert_eq!((&next.session.id, &next.person.id), (&session.session.id, &person.id));
    assert_ne!(next.refresh_token, session.refresh_token);
    let listed = records.list_sessions(&person.id).await.unwrap();
    assert_eq!((listed.len(), listed[0].address.as_deref()), (1, Some("203.0.113.5")));
    assert_eq!(listed[0].last_used_at, listed[0].created_at + 900_000);
    // The old one comes again: somebody has a copy, so neither goes on.
    assert_eq!(records.refresh_session(&session.refresh_token, &device()).await.unwrap(), None);
    assert_eq!(records.refresh_session(&next.refresh_token, &device()).await.unwrap(), None);
    assert!(records.standing(&session.session.id, person.token_version).await.unwrap().is_none());
    let reason = db.query("select end_reason from sessions").one().await.unwrap().text(0).unwrap();
    assert_eq!(reason, "token_reuse");
    for nonsense in ["", "rt_", "rt_nonsense", &next.refresh_token[1..]] {
        assert_eq!(records.refresh_session(nonsense, &device()).await.unwrap(), None);
    }
}

/// Of many who present the same token at once, one at most gets the next, and all others end the session.
async fn many_at_once_get_no_two_tokens(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    member(records, EMAIL).await;
    let session = enter(records, EMAIL).await;
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (records, token) = (records.clone(), session.refresh_token.clone());
            tokio::spawn(async move { records.refresh_session(&token, &device()).await.unwrap() })
        })
        .collect();
    let mut won = Vec::new();
    for one in all {
        won.extend(one.await.unwrap());
    }
    assert_eq!(won.len(), 1);
    assert_eq!(records.refresh_session(&won[0].refresh_token, &device()).await.unwrap(), None);
}

async fn a_session_ends_after_thirty_days_and_is_forgotten(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let person = member(records, EMAIL).await;
    let session = enter(records, EMAIL).await;
    ground.pass(30 * 86_400_000 - 1);
    let next = records.refresh_session(&session.refresh_token, &device()).await.unwrap().unwrap();
    ground.pass(1);
    assert_eq!(records.refresh_session(&next.refresh_token, &device()).await.unwrap(), None);
    assert!(records.standing(&session.session.id, person.token_version).await.unwrap().is_none());
    let now = crate::ground::START + 31 * 86_400_000;
    records.purge_sign_in(now, 100).await.unwrap();
    for table in ["sessions", "refresh_tokens", "sign_in_codes"] {
        let sql = format!("select count(*) from {table}");
        assert_eq!(db.query(sql).one().await.unwrap().int(0).unwrap(), 0, "{table}");
    }
}

async fn what_a_session_allows_is_read_anew(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let person = member(records, EMAIL).await;
    let new = |role, scope| NewPerson { email: EMAIL.into(), name: String::new(), role, scope };
    let of_ground = Scope::Workspace(ground.ws().into());
    ground.pass(1);
    records.create_person(&new(Role::Agent, of_ground.clone())).await.unwrap();
    records.create_person(&new(Role::PlatformAdmin, Scope::Platform)).await.unwrap();
    let session = enter(records, EMAIL).await;
    let id = session.session.id.as_str();
    let own = records.workspaces_of(&person.id).await.unwrap();
    let own = own.iter().find(|(_, role)| *role == Role::Owner).unwrap().0.id.clone();
    assert_eq!(session.session.workspace_id.as_ref(), Some(&own), "the oldest membership");
    let standing = async || records.standing(id, person.token_version).await.unwrap();
    let found = standing().await.unwrap();
    assert_eq!((&found.person_id, found.email.as_str(), found.grants.len()), (&person.id, EMAIL, 3));
    let allows = |scope: &Scope, permission| {
        found.grants.iter().any(|grant| grant.scope == *scope && grant.permissions.allows(permission))
    };
    assert!(
        allows(&of_ground, Permission::ConversationWrite) && !allows(&of_ground, Permission::WorkflowWrite)
    );
    assert!(allows(&Scope::Workspace(own.clone()), Permission::WorkspaceDelete));
    assert!(
        allows(&Scope::Platform, Permission::PersonWrite)
            && !allows(&Scope::Platform, Permission::PlatformEnter)
    );

    // The workspace chosen last is home at the next sign-in.
    records.choose_workspace(id, ground.ws()).await.unwrap();
    assert_eq!(enter(records, EMAIL).await.session.workspace_id.as_deref(), Some(ground.ws()));
    let sql = "update memberships set status = 'suspended' where scope_id = $1";
    db.query(sql).bind(ground.ws()).execute().await.unwrap();
    assert_eq!(standing().await.unwrap().grants.len(), 2);
    db.query("update workspaces set status = 'deleted' where id = $1").bind(&own).execute().await.unwrap();
    assert_eq!(standing().await.unwrap().grants.len(), 1);
    assert!(records.workspaces_of(&person.id).await.unwrap().is_empty());
    assert_eq!(enter(records, EMAIL).await.session.workspace_id, None);

    for version in [0, person.token_version - 1, person.token_version + 1] {
        assert!(records.standing(id, version).await.unwrap().is_none(), "{version}");
    }
    assert!(records.standing("ses_none", 1).await.unwrap().is_none());
    records.decide_person(&person.id, Verdict::Suspend, Some("abuse")).await.unwrap();
    assert!(standing().await.is_none());
    records.decide_person(&person.id, Verdict::Approve, None).await.unwrap();
    assert!(standing().await.is_none(), "tokens from before stay worthless");
}

async fn signing_out_ends_what_it_says(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let person = member(records, EMAIL).await;
    let sessions = [enter(records, EMAIL).await, enter(records, EMAIL).await, enter(records, EMAIL).await];
    let alive = async || records.list_sessions(&person.id).await.unwrap().len();
    records.end_session(&person.id, &sessions[0].session.id).await.unwrap();
    records.end_session(&person.id, &sessions[0].session.id).await.unwrap();
    assert_eq!(alive().await, 2);
    let foreign = records.end_session("per_other", &sessions[1].session.id).await;
    assert!(matches!(foreign, Err(RecordError::NotFound { .. })), "{foreign:?}");
    records.end_session_of(&sessions[1].refresh_token).await.unwrap();
    assert_eq!(alive().await, 1);
    mail(records).await;
    let changed =
        records.change_password(&person.id, &sessions[2].session.id, "not mine", "a new password").await;
    assert!(matches!(changed, Err(RecordError::Invalid { ref path, .. }) if path == "current_password"));
    let other = enter(records, EMAIL).await;
    let changed = records
        .change_password(&person.id, &sessions[2].session.id, PASSWORD, "a new password")
        .await
        .unwrap();
    assert!(changed.token_version > person.token_version);
    assert!(records.standing(&sessions[2].session.id, person.token_version).await.unwrap().is_none());
    assert!(records.standing(&sessions[2].session.id, changed.token_version).await.unwrap().is_some());
    assert!(records.standing(&other.session.id, changed.token_version).await.unwrap().is_none());
    assert!(records.refresh_session(&sessions[2].refresh_token, &device()).await.unwrap().is_some());
    assert_eq!(mail(records).await.len(), 1, "the owner is told");
    records.sign_out_everywhere(&person.id).await.unwrap();
    assert_eq!(alive().await, 0);
}

/// What happens to an account stands in the trail of the platform, signed by who did it, and without secrets.
async fn the_trail_tells_what_became_of_an_account(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records.acting(Actor::new(ActorKind::Person, "", ""));
    let person = member(records, EMAIL).await;
    let session = enter(records, EMAIL).await;
    records.end_session(&person.id, &session.session.id).await.unwrap();
    records.end_session(&person.id, &session.session.id).await.unwrap();
    let boss = ground.records.acting(Actor::new(ActorKind::Person, "per_boss", "boss@example.com"));
    boss.decide_person(&person.id, Verdict::Suspend, Some("abuse")).await.unwrap();
    let rows = db.query("select * from audit_entries where target_id = $1 order by seq").bind(&person.id);
    let rows = rows.all().await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.text("action").unwrap(), row.text("actor_id").unwrap(), row.text("chain").unwrap()))
        .collect();
    let wanted = [
        ("person.signed_up", &*person.id),
        ("person.verified", &person.id),
        ("person.signed_in", &person.id),
        ("person.signed_out", &person.id),
        ("person.suspended", "per_boss"),
    ];
    let wanted: Vec<_> =
        wanted.map(|(action, actor)| (action.to_owned(), actor.to_owned(), "platform".to_owned())).into();
    assert_eq!(told, wanted);
    for row in &rows {
        let text = format!("{:?}{:?}", row.opt_text("value_before").ok(), row.opt_text("value_after").ok());
        assert!(!text.contains(PASSWORD) && !text.contains(&session.refresh_token), "{text}");
    }
}

sluice_db::contract_tests! {
    the_trail_tells_what_became_of_an_account,
    a_refresh_token_is_good_once,
    many_at_once_get_no_two_tokens,
    a_session_ends_after_thirty_days_and_is_forgotten,
    what_a_session_allows_is_read_anew,
    signing_out_ends_what_it_says,
}
