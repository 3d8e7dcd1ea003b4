//! Workspaces, keys, credentials, numbers.

use serde_json::json;
use sluice_db::Db;
use sluice_records::{
    Cipher, CredentialChange, MasterKey, NewCredential, NewNumber, RecordError, Records, Scope, SealError,
    Secret,
};

use crate::ground::{Ground, NUMBER, connect};

async fn workspaces_have_unique_slugs(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    assert!(matches!(records.create_workspace("asha-foods").await, Err(RecordError::Conflict { .. })));
    assert!(matches!(records.create_workspace("Asha Foods").await, Err(RecordError::Invalid { .. })));
    assert_eq!(records.workspace_by_name("asha-foods").await.unwrap(), ground.workspace);
    assert_eq!(records.workspace_or_create("asha-foods").await.unwrap(), ground.workspace);
    let other = records.workspace_or_create("beta").await.unwrap();
    assert_eq!(records.list_workspaces(None).await.unwrap(), [ground.workspace.clone(), other]);
    assert!(matches!(records.workspace("ws_nobody").await, Err(RecordError::NotFound { .. })));
}

async fn a_key_opens_its_workspace_until_it_is_revoked(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let scope = Scope::Workspace(ground.workspace.id.clone());
    let new = records.create_api_key(scope.clone(), "ci").await.unwrap();
    assert!(new.key.starts_with("sk_") && new.key.len() > 40);
    let found = records.find_api_key(&new.key).await.unwrap().unwrap();
    assert_eq!((&found.id, &found.scope), (&new.info.id, &scope));
    for wrong in ["", "sk_", "sk_x", &new.key[..new.key.len() - 1], &new.key.to_uppercase()] {
        assert!(records.find_api_key(wrong).await.unwrap().is_none());
    }
    let stored =
        ground.records.db().query("select key_hash from api_keys").one().await.unwrap().text(0).unwrap();
    assert!(!new.key.contains(&stored), "only a hash is stored");
    let used = |keys: Vec<sluice_records::ApiKey>| keys[0].last_used_at.unwrap();
    let first = used(records.list_api_keys(&scope).await.unwrap());
    ground.pass(59_000);
    records.find_api_key(&new.key).await.unwrap();
    assert_eq!(used(records.list_api_keys(&scope).await.unwrap()), first, "written once a minute");
    ground.pass(1_000);
    records.find_api_key(&new.key).await.unwrap();
    assert_eq!(used(records.list_api_keys(&scope).await.unwrap()), first + 60_000);
    let platform = Scope::Platform;
    assert!(records.revoke_api_key(&platform, &new.info.id).await.is_err(), "not a platform key");
    records.revoke_api_key(&scope, &new.info.id).await.unwrap();
    assert!(records.find_api_key(&new.key).await.unwrap().is_none());
    let root = records.create_api_key(platform.clone(), "root").await.unwrap();
    assert_eq!(records.find_api_key(&root.key).await.unwrap().unwrap().scope, platform);
    assert_eq!(records.list_api_keys(&platform).await.unwrap().len(), 1);
    assert!(records.create_api_key(Scope::Workspace("ws_nobody".into()), "x").await.is_err());
}

fn credential(name: &str) -> NewCredential {
    NewCredential {
        name: name.into(),
        kind: "http_bearer".into(),
        public: json!({"account": "asha"}),
        secret: Secret::new(json!({"token": "top-secret-token"})),
    }
}

async fn a_credential_is_sealed_and_opened_by_name(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let (records, ws) = (&ground.records, ground.ws());
    let made = records.create_credential(ws, credential("crm")).await.unwrap();
    assert!(matches!(
        records.create_credential(ws, credential("crm")).await,
        Err(RecordError::Conflict { .. })
    ));
    assert!(matches!(records.create_credential(ws, credential(" ")).await, Err(RecordError::Invalid { .. })));
    assert!(records.create_credential("ws_nobody", credential("crm")).await.is_err());
    assert_eq!(records.credential(ws, "crm").await.unwrap(), made);
    let opened = records.open_credential(ws, &made.id).await.unwrap();
    assert_eq!(opened.secret.text("token"), Some("top-secret-token"));
    let sealed = db.query("select sealed from credentials").one().await.unwrap().bytes(0).unwrap();
    assert!(!sealed.windows(10).any(|part| part == b"top-secret"));

    let change = CredentialChange { name: Some("crm-2".into()), ..CredentialChange::default() };
    records.update_credential(ws, &made.id, change).await.unwrap();
    assert_eq!(
        records.open_credential(ws, "crm-2").await.unwrap().secret.text("token"),
        Some("top-secret-token")
    );
    let change =
        CredentialChange { secret: Some(Secret::new(json!({"token": "next"}))), ..Default::default() };
    records.update_credential(ws, "crm-2", change).await.unwrap();
    assert_eq!(records.open_credential(ws, "crm-2").await.unwrap().secret.text("token"), Some("next"));
    records.create_credential(ws, credential("other")).await.unwrap();
    let change = CredentialChange { name: Some("other".into()), ..CredentialChange::default() };
    let refused = records.update_credential(ws, &made.id, change).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })), "{refused:?}");
    assert_eq!(records.list_credentials(ws).await.unwrap().len(), 2);
    records.delete_credential(ws, "crm-2").await.unwrap();
    assert!(matches!(records.open_credential(ws, "crm-2").await, Err(RecordError::NotFound { .. })));
}

async fn another_workspace_or_key_opens_nothing(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let made = ground.records.create_credential(ground.ws(), credential("crm")).await.unwrap();
    let other = ground.records.create_workspace("other").await.unwrap();
    assert!(matches!(
        ground.records.credential(&other.id, &made.id).await,
        Err(RecordError::NotFound { .. })
    ));
    // Even somebody who can write to the database cannot give a secret to another workspace.
    db.query("update credentials set workspace_id = $1").bind(&other.id).execute().await.unwrap();
    let Err(error) = ground.records.open_credential(&other.id, &made.id).await else { panic!("opened") };
    assert!(matches!(error, RecordError::Seal(SealError::Damaged)), "{error:?}");
    db.query("update credentials set workspace_id = $1").bind(ground.ws()).execute().await.unwrap();
    let stranger = Records::new(db, Cipher::new(MasterKey::generate().unwrap()));
    let Err(error) = stranger.open_credential(ground.ws(), "crm").await else { panic!("opened") };
    assert!(matches!(error, RecordError::Seal(SealError::WrongKey { .. })), "{error:?}");
}

async fn a_number_belongs_to_one_workspace(db: Db) {
    let ground = Ground::connected(db).await;
    let (records, ws) = (&ground.records, ground.ws());
    let number = records.connected_number(NUMBER).await.unwrap().unwrap();
    assert_eq!((number.workspace_id.as_str(), number.status.as_str()), (ws, "connected"));
    let other = records.create_workspace("other").await.unwrap();
    records.create_credential(&other.id, credential("token")).await.unwrap();
    let claim = NewNumber {
        phone_number_id: NUMBER.into(),
        waba_id: "1".into(),
        display_phone_number: "1".into(),
        verified_name: None,
        credential: "token".into(),
    };
    let refused = records.connect_number(&other.id, claim.clone()).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })), "{refused:?}");
    assert!(matches!(records.number(&other.id, NUMBER).await, Err(RecordError::NotFound { .. })));
    assert!(records.disconnect_number(&other.id, NUMBER).await.is_err());
    let unknown = NewNumber { credential: "missing".into(), ..claim.clone() };
    assert!(matches!(records.connect_number(ws, unknown).await, Err(RecordError::NotFound { .. })));
    let strange = NewNumber { phone_number_id: "10 65".into(), ..claim.clone() };
    assert!(matches!(records.connect_number(&other.id, strange).await, Err(RecordError::Invalid { .. })));

    let renamed = CredentialChange { name: Some("renamed".into()), ..CredentialChange::default() };
    records.update_credential(ws, &number.credential, renamed).await.unwrap();
    let number = records.number(ws, NUMBER).await.unwrap();
    assert_eq!(number.credential, "renamed", "the number follows");
    records.set_number_status(ws, NUMBER, "restricted").await.unwrap();
    let again = NewNumber { credential: number.credential.clone(), waba_id: "77".into(), ..claim.clone() };
    let refreshed = records.connect_number(ws, again).await.unwrap();
    assert_eq!((refreshed.waba_id.as_str(), refreshed.status.as_str()), ("77", "connected"));
    assert_eq!(records.workspaces_of_waba("77").await.unwrap(), [ws]);
    let kept = records.delete_credential(ws, &number.credential).await;
    assert!(matches!(kept, Err(RecordError::Conflict { .. })), "{kept:?}");

    records.disconnect_number(ws, NUMBER).await.unwrap();
    assert!(records.list_numbers(ws).await.unwrap().is_empty());
    assert_eq!(records.connect_number(&other.id, claim).await.unwrap().workspace_id, other.id);
    connect(records, ws, "222", "77").await;
    assert_eq!(records.list_numbers(ws).await.unwrap().len(), 1);
}

sluice_db::contract_tests! {
    workspaces_have_unique_slugs, a_key_opens_its_workspace_until_it_is_revoked,
    a_credential_is_sealed_and_opened_by_name, another_workspace_or_key_opens_nothing, a_number_belongs_to_one_workspace,
}
