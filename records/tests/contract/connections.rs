//! Connected accounts: the way out and back, renewal once for all, and what happens when the grant is gone.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::audit::AuditFilter;
use sluice_records::connections::{
    Answer, Callback, Connections, Outside, Provider, StartConnection, Started, Unreachable,
};
use sluice_records::{
    Actor, ActorKind, Connection, ConnectionError, CredentialChange, NewCredential, RecordError, Secret,
};

use crate::ground::Ground;

const HOUR: i64 = 3_600_000;

/// A token endpoint that counts what it is asked.
#[derive(Default)]
struct Endpoint {
    asked: Mutex<Vec<Vec<(String, String)>>>,
    /// Answers in place of tokens, the next one last.
    answers: Mutex<Vec<Result<(u16, Value), &'static str>>>,
    /// Held while the endpoint thinks.
    gate: tokio::sync::RwLock<()>,
}

impl Endpoint {
    fn next(&self, answer: Result<(u16, Value), &'static str>) {
        self.answers.lock().unwrap().insert(0, answer);
    }

    fn count(&self, grant: &str) -> usize {
        let is = |form: &&Vec<(String, String)>| {
            form.iter().any(|(name, value)| name == "grant_type" && value == grant)
        };
        self.asked.lock().unwrap().iter().filter(is).count()
    }

    fn field(&self, name: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        asked.last()?.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

impl Outside for Endpoint {
    fn post_form<'a>(
        &'a self,
        url: &'a str,
        form: Vec<(String, String)>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + 'a>> {
        Box::pin(async move {
            let _open = self.gate.read().await;
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(form);
                asked.len()
            };
            let scripted = self.answers.lock().unwrap().pop();
            let (status, body) = match scripted {
                Some(answer) => answer.map_err(|why| Unreachable(why.to_owned()))?,
                None if url.ends_with("/revoke") => (200, json!({})),
                None => (
                    200,
                    json!({
                        "access_token": format!("access-{number}"),
                        "refresh_token": format!("refresh-{number}"),
                        "expires_in": 3600,
                        "scope": "sheets openid email",
                    }),
                ),
            };
            Ok(Answer { status, body: body.to_string().into_bytes() })
        })
    }
}

struct World {
    ground: Ground,
    endpoint: Arc<Endpoint>,
    connections: Connections,
}

impl World {
    async fn new(db: Db) -> Self {
        let ground = Ground::bare(db).await;
        let endpoint = Arc::new(Endpoint::default());
        let connections = process(&ground, &endpoint);
        Self { ground, endpoint, connections }
    }

    async fn start(&self, name: &str) -> Started {
        self.connections.start(self.ground.ws(), wish(name)).await.unwrap()
    }

    async fn connect(&self, name: &str) -> Connection {
        let started = self.start(name).await;
        self.connections.finish(back(&started)).await.unwrap().result.unwrap()
    }

    async fn token(&self, name: &str) -> Result<String, ConnectionError> {
        let open = self.connections.open(self.ground.ws(), name).await?;
        Ok(open.secret.text("access_token").unwrap().to_owned())
    }

    async fn topics(&self) -> Vec<String> {
        let events = self.ground.records.pending_events(50).await.unwrap();
        events.into_iter().map(|event| event.topic).collect()
    }
}

/// What one process of an installation makes of it.
fn process(ground: &Ground, endpoint: &Arc<Endpoint>) -> Connections {
    let provider =
        Provider::google("client".into(), "shh".into(), "https://accounts.test", "https://tokens.test");
    let redirect = "https://sluice.test/api/connections/callback".to_owned();
    Connections::new(ground.records.clone(), vec![provider], endpoint.clone(), redirect)
}

fn wish(name: &str) -> StartConnection {
    StartConnection {
        provider: "google".into(),
        name: name.into(),
        scopes: vec!["sheets".into()],
        started_by: "key_1 (ci)".into(),
        ..StartConnection::default()
    }
}

fn back(started: &Started) -> Callback {
    Callback {
        state: started.state.clone(),
        code: Some("code-1".into()),
        browser: Some(started.browser.clone()),
        ..Callback::default()
    }
}

async fn a_person_goes_out_and_comes_back_once(db: Db) {
    let world = World::new(db.clone()).await;
    let started = world.start("sheets").await;
    let url = url::Url::parse(&started.authorize_url).unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(started.authorize_url.starts_with("https://accounts.test/o/oauth2/v2/auth?"));
    assert_eq!((query["scope"].as_str(), query["access_type"].as_str()), ("sheets openid email", "offline"));
    assert_eq!((query["code_challenge_method"].as_str(), &query["state"]), ("S256", &started.state));
    // What is stored opens nothing for who reads the database.
    let row = db.query("select * from oauth_states").one().await.unwrap();
    assert_ne!(row.text("state_hash").unwrap(), started.state);
    assert_ne!(row.text("browser_hash").unwrap(), started.browser);

    let made = world.connections.finish(back(&started)).await.unwrap().result.unwrap();
    assert_eq!((made.status.as_str(), made.scopes.len()), ("connected", 3));
    assert_eq!(world.endpoint.field("code").as_deref(), Some("code-1"));
    assert_eq!(
        world.endpoint.field("redirect_uri").as_deref(),
        Some("https://sluice.test/api/connections/callback")
    );
    assert!(world.endpoint.field("code_verifier").unwrap().len() >= 43);
    assert_eq!(world.token("sheets").await.unwrap(), "access-1");
    let credential = world.ground.records.credential(world.ground.ws(), "sheets").await.unwrap();
    assert_eq!((credential.kind.as_str(), credential.secret_fields.len()), ("google", 2));
    assert_eq!(world.topics().await, ["connection.connected"]);
    let again = world.connections.finish(back(&started)).await;
    assert!(matches!(again, Err(ConnectionError::BadState)), "a state works once");
}

async fn a_state_is_bound_signed_and_short_lived(db: Db) {
    let world = World::new(db).await;
    let started = world.start("sheets").await;
    let with = |change: &dyn Fn(&mut Callback)| {
        let mut callback = back(&started);
        change(&mut callback);
        callback
    };
    for bad in ["", "x", "ws.x.y", &started.state[1..], &format!("{}x", started.state)] {
        let refused = world.connections.finish(with(&|callback| callback.state = bad.to_owned())).await;
        assert!(matches!(refused, Err(ConnectionError::BadState)), "{bad}");
    }
    for browser in [None, Some("another".to_owned())] {
        let refused = world.connections.finish(with(&|callback| callback.browser = browser.clone())).await;
        assert!(matches!(refused, Err(ConnectionError::OtherBrowser)));
    }
    world.ground.pass(10 * 60_000);
    let late = world.connections.finish(back(&started)).await;
    assert!(matches!(late, Err(ConnectionError::BadState)), "ten minutes");

    let mut own = wish("mine");
    own.person_id = Some("per_1".into());
    let started = world.connections.start(world.ground.ws(), own).await.unwrap();
    assert!(started.ticket.is_none(), "a person needs no link");
    let other = Callback { person_id: Some("per_2".into()), ..back(&started) };
    assert!(matches!(world.connections.finish(other).await, Err(ConnectionError::OtherBrowser)));
    let same = Callback { person_id: Some("per_1".into()), ..back(&started) };
    assert!(world.connections.finish(same).await.unwrap().result.is_ok());
    assert_eq!(world.endpoint.count("authorization_code"), 1, "nobody else's code was exchanged");
}

async fn a_sign_in_goes_on_in_another_browser_by_a_link_that_works_once(db: Db) {
    let world = World::new(db).await;
    let started = world.start("sheets").await;
    let ticket = started.ticket.clone().unwrap();
    for _ in 0..2 {
        let asked = world.connections.asked(&started.state, &ticket).await.unwrap();
        assert_eq!((asked.name.as_str(), asked.started_by.as_str()), ("sheets", "key_1 (ci)"));
    }
    assert!(world.connections.asked(&started.state, "wrong").await.is_err());
    let there = world.connections.hand_over(&started.state, &ticket).await.unwrap();
    assert_eq!(there.authorize_url, started.authorize_url);
    assert!(world.connections.hand_over(&started.state, &ticket).await.is_err());
    let here = world.connections.finish(back(&started)).await;
    assert!(matches!(here, Err(ConnectionError::OtherBrowser)), "the first browser lost it");
    assert!(world.connections.finish(back(&there)).await.unwrap().result.is_ok());
}

async fn refusals_are_told_and_nothing_is_kept(db: Db) {
    let world = World::new(db).await;
    let denied = |result: Result<Connection, ConnectionError>| match result {
        Err(ConnectionError::Denied { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let started = world.start("sheets").await;
    let callback = Callback { code: None, error: Some("access_denied".into()), ..back(&started) };
    assert_eq!(denied(world.connections.finish(callback).await.unwrap().result), "access_denied");
    let started = world.start("sheets").await;
    world.endpoint.next(Ok((400, json!({ "error": "invalid_grant" }))));
    assert_eq!(denied(world.connections.finish(back(&started)).await.unwrap().result), "invalid_grant");
    let started = world.start("sheets").await;
    world.endpoint.next(Err("no route"));
    let failed = world.connections.finish(back(&started)).await.unwrap().result;
    assert!(matches!(failed, Err(ConnectionError::Unavailable { .. })), "{failed:?}");
    assert!(world.ground.records.list_credentials(world.ground.ws()).await.unwrap().is_empty());

    let new = NewCredential {
        name: "taken".into(),
        kind: "http_bearer".into(),
        public: Value::Null,
        secret: Secret::new(json!({ "token": "x" })),
    };
    world.ground.records.create_credential(world.ground.ws(), new).await.unwrap();
    let taken = world.connections.start(world.ground.ws(), wish("taken")).await;
    assert!(matches!(taken, Err(ConnectionError::Record(RecordError::Conflict { .. }))));
    let unknown = StartConnection { provider: "other".into(), ..wish("x") };
    let unknown = world.connections.start(world.ground.ws(), unknown).await;
    assert!(matches!(unknown, Err(ConnectionError::NoProvider(_))));
    let elsewhere = StartConnection { return_to: Some("//evil.test".into()), ..wish("x") };
    assert!(world.connections.start(world.ground.ws(), elsewhere).await.is_err());
}

async fn a_hundred_users_cause_one_renewal(db: Db) {
    let world = World::new(db).await;
    world.connect("sheets").await;
    world.ground.pass(HOUR - 5 * 60_000 + 1);
    // Two processes, fifty users each, while the provider takes its time.
    let other = process(&world.ground, &world.endpoint);
    let closed = world.endpoint.gate.write().await;
    let users: Vec<_> = (0..100)
        .map(|at| {
            let connections = if at % 2 == 0 { world.connections.clone() } else { other.clone() };
            let ws = world.ground.ws().to_owned();
            tokio::spawn(async move { connections.open(&ws, "sheets").await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(closed);
    for user in users {
        assert_eq!(user.await.unwrap().secret.text("access_token"), Some("access-2"));
    }
    assert_eq!(world.endpoint.count("refresh_token"), 1);
    assert_eq!(world.endpoint.field("refresh_token").as_deref(), Some("refresh-1"));
    // The provider gave another refresh token with it: that one counts from now on.
    world.ground.pass(HOUR);
    assert_eq!(world.token("sheets").await.unwrap(), "access-3");
    assert_eq!(world.endpoint.field("refresh_token").as_deref(), Some("refresh-2"));
    assert_eq!(world.token("sheets").await.unwrap(), "access-3", "a fresh token is not renewed");
}

async fn a_dead_process_does_not_hold_up_renewal(db: Db) {
    let world = World::new(db.clone()).await;
    world.connect("sheets").await;
    world.ground.pass(HOUR);
    let until = 1_750_000_000_000_i64 + HOUR + 60_000;
    db.query("update connections set refresh_until = $1").bind(until).execute().await.unwrap();
    world.ground.pass(60_000);
    assert_eq!(world.token("sheets").await.unwrap(), "access-2");
}

async fn an_old_token_is_used_while_the_provider_is_away(db: Db) {
    let world = World::new(db).await;
    world.connect("sheets").await;
    world.ground.pass(HOUR - 4 * 60_000);
    world.endpoint.next(Err("no route"));
    assert_eq!(world.token("sheets").await.unwrap(), "access-1", "four minutes are left");
    world.endpoint.next(Ok((503, json!({}))));
    let refused = world.connections.open_anew(world.ground.ws(), "sheets", "access-1").await;
    assert!(matches!(refused, Err(ConnectionError::Unavailable { .. })), "the provider did not take it");
    world.ground.pass(4 * 60_000);
    world.endpoint.next(Ok((503, json!({}))));
    let failed = world.token("sheets").await;
    assert!(matches!(failed, Err(ConnectionError::Unavailable { .. })), "{failed:?}");
    let status = world.ground.records.list_connections(world.ground.ws()).await.unwrap()[0].status.clone();
    assert_eq!(status, "connected", "it may be another time");
}

async fn a_grant_that_is_gone_is_seen_and_can_be_granted_again(db: Db) {
    let world = World::new(db.clone()).await;
    let ws = world.ground.ws();
    let made = world.connect("sheets").await;
    world.ground.pass(HOUR);
    world
        .endpoint
        .next(Ok((400, json!({ "error": "invalid_grant", "error_description": "Token has been revoked." }))));
    for _ in 0..2 {
        match world.token("sheets").await {
            Err(ConnectionError::Revoked { name, reason }) => {
                assert_eq!(
                    (name.as_str(), reason.as_str()),
                    ("sheets", "invalid_grant: Token has been revoked.")
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.endpoint.count("refresh_token"), 1, "nobody asks again");
    assert_eq!(world.topics().await, ["connection.connected", "connection.revoked"]);
    let resting = world.ground.records.revoked_connections(ws).await.unwrap();
    assert_eq!(resting, [("sheets".to_owned(), "invalid_grant: Token has been revoked.".to_owned())]);
    let credential = world.ground.records.credential(ws, "sheets").await.unwrap();
    assert!(credential.secret_fields.is_empty(), "the tokens are gone");
    let renamed = CredentialChange { name: Some("tables".into()), ..CredentialChange::default() };
    world.ground.records.update_credential(ws, "sheets", renamed).await.unwrap();
    assert_eq!(world.ground.records.revoked_connections(ws).await.unwrap()[0].0, "tables");

    let again = world.connect("tables").await;
    assert_eq!((again.credential_id, again.status.as_str()), (made.credential_id, "connected"));
    assert!(world.token("tables").await.is_ok());
    assert!(world.ground.records.revoked_connections(ws).await.unwrap().is_empty());
    assert_eq!(world.topics().await.last().unwrap(), "connection.connected");
}

async fn what_is_granted_again_meanwhile_counts(db: Db) {
    let world = World::new(db).await;
    world.connect("sheets").await;
    world.ground.pass(HOUR);
    let closed = world.endpoint.gate.write().await;
    let (connections, ws) = (world.connections.clone(), world.ground.ws().to_owned());
    let user = tokio::spawn(async move { connections.open(&ws, "sheets").await });
    tokio::task::yield_now().await;
    drop(closed);
    // Whichever comes first: a late refusal of the old grant must not end the new one.
    let again = world.connect("sheets").await;
    assert_eq!(again.status, "connected");
    let _ = user.await.unwrap();
    assert!(world.token("sheets").await.is_ok());
}

async fn revoking_tells_the_provider_and_forgets_the_tokens(db: Db) {
    let world = World::new(db).await;
    let ws = world.ground.ws();
    world.connect("sheets").await;
    let (ended, told) =
        world.connections.revoke(ws, "sheets", &Actor::new(ActorKind::Key, "key_1", "ci")).await.unwrap();
    assert!(told);
    assert_eq!((ended.status.as_str(), ended.reason.as_deref()), ("revoked", Some("by key_1 (ci)")));
    assert_eq!(world.endpoint.field("token").as_deref(), Some("refresh-1"));
    let (again, _) = world.connections.revoke(ws, "sheets", &Actor::system()).await.unwrap();
    assert_eq!(again, ended, "repeating changes nothing");
    let filter = AuditFilter { action: Some("connection".into()), ..AuditFilter::default() };
    let trail = world.ground.records.list_audit(&filter, None, 10).await.unwrap().items;
    let told: Vec<_> = trail.iter().map(|one| (one.action.as_str(), one.actor_kind.as_str())).collect();
    assert_eq!(told, [("connection.revoked", "key"), ("connection.connected", "key")]);
    assert_eq!((trail[0].actor_id.as_str(), trail[0].target_name.as_str()), ("key_1", "sheets"));
    assert!(!format!("{trail:?}").contains("refresh-1"));
    assert!(matches!(world.token("sheets").await, Err(ConnectionError::Revoked { .. })));
    world.connect("other").await;
    world.endpoint.next(Err("no route"));
    let (ended, told) = world.connections.revoke(ws, "other", &Actor::system()).await.unwrap();
    assert!(!told && ended.status == "revoked", "here it ends all the same");
    assert!(world.connections.revoke(ws, "missing", &Actor::system()).await.is_err());
}

async fn tokens_of_a_connection_are_the_providers_business(db: Db) {
    let world = World::new(db.clone()).await;
    let ws = world.ground.ws();
    world.connect("sheets").await;
    let change =
        CredentialChange { secret: Some(Secret::new(json!({ "access_token": "x" }))), ..Default::default() };
    let refused = world.ground.records.update_credential(ws, "sheets", change).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })));
    world.ground.records.delete_credential(ws, "sheets").await.unwrap();
    let left = db.query("select count(*) as n from connections").one().await.unwrap().int("n").unwrap();
    assert_eq!(left, 0);
    assert_eq!(world.topics().await.last().unwrap(), "connection.changed");
    // Without a refresh token it ends when its access ends.
    world.endpoint.next(Ok((200, json!({ "access_token": "short", "expires_in": 60 }))));
    world.connect("short").await;
    assert_eq!(world.token("short").await.unwrap(), "short");
    world.ground.pass(60_000);
    assert!(matches!(world.token("short").await, Err(ConnectionError::Expired { .. })));
    assert_eq!(world.ground.records.list_connections(ws).await.unwrap()[0].status, "expired");
}

sluice_db::contract_tests! {
    a_person_goes_out_and_comes_back_once,
    a_state_is_bound_signed_and_short_lived,
    a_sign_in_goes_on_in_another_browser_by_a_link_that_works_once,
    refusals_are_told_and_nothing_is_kept,
    a_hundred_users_cause_one_renewal,
    a_dead_process_does_not_hold_up_renewal,
    an_old_token_is_used_while_the_provider_is_away,
    a_grant_that_is_gone_is_seen_and_can_be_granted_again,
    what_is_granted_again_meanwhile_counts,
    revoking_tells_the_provider_and_forgets_the_tokens,
    tokens_of_a_connection_are_the_providers_business,
}
