//! The vault: envelope keys, rotation while the service runs, values of earlier releases, keys of persons.

use serde_json::json;
use sluice_db::Db;
use sluice_records::vault::{Rotated, SealedValues};
use sluice_records::{
    Cipher, MasterKey, NewCredential, RecordError, Records, SealError, Secret, Vault, system_clock,
};

use crate::ground::Ground;

/// Sealed by the first release for credential `crd_old` of workspace `ws_old` (made with another AES library): version
/// 1, the name of the key of 32 bytes 5a, the nonce 0 to 11, `{"token":"sealed-by-release-one"}`.
const RELEASE_ONE: &str = "01382c5a8d000102030405060708090a0b3683590a55a6d0ee3416be8bdb4b306ca729ae562f891f779d5fdf856b4ea2384278c0aa76cdf28e54c5fd0f94ddda229b";

fn old_key() -> MasterKey {
    MasterKey::parse(&"5a".repeat(32)).unwrap()
}

fn new_key() -> MasterKey {
    MasterKey::parse(&"a5".repeat(32)).unwrap()
}

async fn store(records: &Records, workspace: &str, name: &str, token: &str) -> String {
    let credential = NewCredential {
        name: name.into(),
        kind: "http_bearer".into(),
        public: json!({"account": "asha"}),
        secret: Secret::new(json!({"token": token, "refresh": token, "unset": null})),
    };
    records.create_credential(workspace, credential).await.unwrap().id
}

async fn token(records: &Records, workspace: &str, name: &str) -> String {
    let opened = records.open_credential(workspace, name).await.unwrap();
    opened.secret.text("token").unwrap().to_owned()
}

async fn sealed(db: &Db, id: &str) -> Vec<u8> {
    let sql = "select sealed from credentials where id = $1";
    db.query(sql).bind(id).one().await.unwrap().bytes(0).unwrap()
}

async fn of_release_one(db: &Db) {
    db.query("insert into workspaces (id, name, created_at) values ('ws_old', 'old', 1)")
        .execute()
        .await
        .unwrap();
    let bytes: Vec<u8> = (0..RELEASE_ONE.len() / 2)
        .map(|at| u8::from_str_radix(&RELEASE_ONE[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let sql = "insert into credentials (workspace_id, id, name, kind, public_fields, sealed, created_at, updated_at) \
               values ('ws_old', 'crd_old', 'old', 'http_bearer', '{}', $1, 1, 1)";
    db.query(sql).bind(bytes).execute().await.unwrap();
}

async fn what_earlier_releases_sealed_opens_and_is_resealed(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    of_release_one(&db).await;
    assert_eq!(token(records, "ws_old", "old").await, "sealed-by-release-one");
    assert_eq!(records.credential("ws_old", "old").await.unwrap().secret_fields, ["token"]);
    let direct = |found: Vec<SealedValues>| found[0].direct;
    assert_eq!(direct(records.vault().status().await.unwrap().values), 1);
    let done = records.vault().rotate(false).await.unwrap();
    assert_eq!((done.resealed, done.made), (1, 0));
    assert_eq!(direct(records.vault().status().await.unwrap().values), 0);
    assert_eq!(sealed(&db, "crd_old").await[0], 2);
    assert_eq!(token(records, "ws_old", "old").await, "sealed-by-release-one");
    assert_eq!(records.vault().rotate(false).await.unwrap(), Rotated::default(), "nothing is left to do");
}

async fn every_workspace_has_its_own_key_and_values_stay_in_their_place(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let (vault, ws) = (ground.records.vault(), ground.ws());
    let other = ground.records.create_workspace("other").await.unwrap().id;
    for scope in [ws, &other, ""] {
        let sealed = vault.seal(scope, "row_1", "field", b"plain").await.unwrap();
        assert_eq!(vault.open(scope, "row_1", "field", &sealed).await.unwrap().as_slice(), b"plain");
        for (scope, row, field) in
            [("ws_x", "row_1", "field"), (scope, "row_2", "field"), (scope, "row_1", "other")]
        {
            let refused = vault.open(scope, row, field, &sealed).await;
            assert!(matches!(refused, Err(RecordError::Seal(SealError::Damaged))), "{scope} {row} {field}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(scope, "row_1", "field", &changed).await.is_err(), "byte {at}");
            assert!(vault.open(scope, "row_1", "field", &sealed[..at]).await.is_err(), "length {at}");
        }
    }
    let keys = db.query("select count(*) as n from data_keys").one().await.unwrap().int("n").unwrap();
    assert_eq!(keys, 3);
}

async fn a_first_key_is_made_once(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let processes: Vec<Records> = (0..8).map(|_| Records::new(db.clone(), Cipher::new(old_key()))).collect();
    let ws = ground.ws();
    let sealing = processes
        .iter()
        .map(|records| async move { records.vault().seal(ws, "row", "field", b"plain").await.unwrap() });
    let sealed = futures_join(sealing).await;
    for value in &sealed {
        assert_eq!(
            ground.records.vault().open(ws, "row", "field", value).await.unwrap().as_slice(),
            b"plain"
        );
    }
    let keys = db.query("select count(*) as n from data_keys").one().await.unwrap().int("n").unwrap();
    assert_eq!(keys, 1);
}

/// Polls all of them in turn until each is done.
async fn futures_join<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut open: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|cx| {
        let mut waiting = false;
        for (one, done) in &mut open {
            if done.is_none() {
                match one.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    open.into_iter().filter_map(|(_, done)| done).collect()
}

async fn a_new_master_key_rewraps_data_keys_and_touches_no_value(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let ws = ground.ws();
    let id = store(&ground.records, ws, "crm", "first-token").await;
    let before = sealed(&db, &id).await;
    let both = Records::new(db.clone(), Cipher::new(new_key()).with_earlier(old_key()));
    assert_eq!(token(&both, ws, "crm").await, "first-token", "the earlier key opens before rotation");
    let status = both.vault().status().await.unwrap();
    assert!(status.data_keys.iter().all(|(id, _, known)| *known && *id != status.master_key));
    let done = both.vault().rotate(false).await.unwrap();
    assert_eq!((done.rewrapped, done.resealed, done.made), (1, 0, 0));
    assert_eq!(sealed(&db, &id).await, before);
    let only_new = Records::new(db.clone(), Cipher::new(new_key()));
    assert_eq!(token(&only_new, ws, "crm").await, "first-token");
    // A process with the old key alone goes on with what it has in memory, and says what is missing otherwise.
    assert_eq!(token(&ground.records, ws, "crm").await, "first-token");
    let stranger = Records::new(db, Cipher::new(old_key()));
    let Err(error) = stranger.open_credential(ws, "crm").await else { panic!("opened") };
    assert!(matches!(error, RecordError::Seal(SealError::WrongKey { .. })), "{error:?}");
    assert!(stranger.vault().rotate(false).await.is_err());
}

async fn new_data_keys_are_taken_up_by_processes_that_run(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let (running, ws) = (&ground.records, ground.ws());
    let id = store(running, ws, "crm", "first-token").await;
    let subject = running.vault().subject_key(ws, "con_1").await.unwrap();
    let of_subject = subject.seal("msg_1", "text", b"hello").unwrap();
    let held = running.vault().sealer(ws).await.unwrap();
    let before = sealed(&db, &id).await;

    let operator = Records::new(db.clone(), Cipher::new(old_key()));
    let done = operator.vault().rotate(true).await.unwrap();
    assert_eq!(
        (done.made, done.resealed, done.failed.len()),
        (1, 2, 0),
        "the credential and the person's key"
    );
    assert_ne!(sealed(&db, &id).await, before);
    assert_eq!(token(running, ws, "crm").await, "first-token", "an unknown data key is loaded");
    assert_eq!(subject.open("msg_1", "text", &of_subject).unwrap().as_slice(), b"hello");
    // Work that began before the rotation writes under the old key, and can be read.
    let late = held.seal("row", "field", b"late").unwrap();
    assert_eq!(operator.vault().open(ws, "row", "field", &late).await.unwrap().as_slice(), b"late");
    store(running, ws, "second", "second-token").await;
    let status = operator.vault().status().await.unwrap();
    assert_eq!(status.retired, 1);
    assert_eq!((status.values[0].current, status.values[0].retired), (2, 0), "new values use the new key");
}

async fn an_interrupted_renewal_goes_on_where_it_stopped(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let ws = ground.ws();
    let first = store(&ground.records, ws, "one", "token-one").await;
    store(&ground.records, ws, "two", "token-two").await;
    let before = sealed(&db, &first).await;
    ground.records.vault().rotate(true).await.unwrap();
    // As if the process had died between the two values, before it noted its end.
    db.query("update credentials set sealed = $1 where id = $2")
        .bind(before)
        .bind(&first)
        .execute()
        .await
        .unwrap();
    db.query("update vault_rotations set finished_at = null").execute().await.unwrap();
    let status = ground.records.vault().status().await.unwrap();
    assert!(status.unfinished_since.is_some());
    assert_eq!((status.values[0].current, status.values[0].retired), (1, 1));
    for name in ["one", "two"] {
        assert_eq!(token(&ground.records, ws, name).await, format!("token-{name}"), "both keys open");
    }
    let done = ground.records.vault().rotate(false).await.unwrap();
    assert_eq!(done, Rotated { resealed: 1, resumed: true, ..Rotated::default() });
    assert!(ground.records.vault().status().await.unwrap().unfinished_since.is_none());
}

async fn retired_keys_go_when_nothing_needs_them(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let ws = ground.ws();
    store(&ground.records, ws, "one", "token-one").await;
    let vault = ground.records.vault();
    assert_eq!(vault.rotate(true).await.unwrap().dropped, 0, "somebody may still write under it");
    ground.pass(24 * 60 * 60 * 1000 + 1);
    assert_eq!(vault.rotate(true).await.unwrap().dropped, 1);
    // A value that does not open keeps every key, because nobody can say which it needs.
    let broken = store(&ground.records, ws, "two", "token-two").await;
    let mut bytes = sealed(&db, &broken).await;
    *bytes.last_mut().unwrap() ^= 1;
    db.query("update credentials set sealed = $1 where id = $2")
        .bind(bytes)
        .bind(&broken)
        .execute()
        .await
        .unwrap();
    ground.pass(24 * 60 * 60 * 1000 + 1);
    let done = vault.rotate(true).await.unwrap();
    assert_eq!((done.dropped, done.failed.len()), (0, 1));
    assert!(done.failed[0].contains(&broken), "{:?}", done.failed);
    assert_eq!(token(&ground.records, ws, "one").await, "token-one");
}

async fn rotation_and_writers_do_not_get_into_each_others_way(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let ws = ground.ws();
    for at in 0..5 {
        store(&ground.records, ws, &format!("c{at}"), "token").await;
    }
    let operator = Records::with_clock(db, Cipher::new(old_key()), system_clock());
    let rotating = async {
        for _ in 0..5 {
            operator.vault().rotate(true).await.unwrap();
        }
    };
    let writing = async {
        for round in 0..20 {
            let change = sluice_records::CredentialChange {
                secret: Some(Secret::new(json!({"token": format!("round-{round}")}))),
                ..Default::default()
            };
            ground.records.update_credential(ws, "c0", change).await.unwrap();
            assert_eq!(token(&ground.records, ws, "c0").await, format!("round-{round}"));
        }
    };
    tokio::join!(rotating, writing);
    assert_eq!(token(&ground.records, ws, "c0").await, "round-19");
}

async fn the_key_of_a_person_can_be_destroyed_for_good(db: Db) {
    let ground = Ground::bare(db).await;
    let (vault, ws): (&Vault, _) = (ground.records.vault(), ground.ws());
    assert!(vault.find_subject_key(ws, "con_1").await.unwrap().is_none());
    let key = vault.subject_key(ws, "con_1").await.unwrap();
    let sealed = key.seal("msg_1", "text", b"hello").unwrap();
    let again = vault.subject_key(ws, "con_1").await.unwrap();
    assert_eq!(again.open("msg_1", "text", &sealed).unwrap().as_slice(), b"hello");
    assert!(matches!(again.open("msg_2", "text", &sealed), Err(SealError::Damaged)));
    let other = vault.subject_key(ws, "con_2").await.unwrap();
    assert!(matches!(other.open("msg_1", "text", &sealed), Err(SealError::Damaged)));
    assert!(vault.destroy_subject_key(ws, "con_1").await.unwrap());
    assert!(!vault.destroy_subject_key(ws, "con_1").await.unwrap(), "repeating changes nothing");
    let gone = vault.subject_key(ws, "con_1").await;
    assert!(matches!(gone, Err(RecordError::Seal(SealError::Erased))));
    assert!(!vault.destroy_subject_key(ws, "con_3").await.unwrap(), "it never had one");
    assert!(vault.subject_key(ws, "con_3").await.is_err(), "and gets none any more");
    assert!(vault.subject_key(ws, "con_2").await.is_ok());
}

sluice_db::contract_tests! {
    what_earlier_releases_sealed_opens_and_is_resealed,
    every_workspace_has_its_own_key_and_values_stay_in_their_place,
    a_first_key_is_made_once,
    a_new_master_key_rewraps_data_keys_and_touches_no_value,
    new_data_keys_are_taken_up_by_processes_that_run,
    an_interrupted_renewal_goes_on_where_it_stopped,
    retired_keys_go_when_nothing_needs_them,
    rotation_and_writers_do_not_get_into_each_others_way,
    the_key_of_a_person_can_be_destroyed_for_good,
}
