//! Connected accounts: the way out and back through the routes, and triggers that rest while an account is gone.

use crate::ground::{Answer, Ground, chain};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_api::router;
use sluice_db::Db;
use sluice_records::Connections;
use sluice_records::connections::{self, Outside, Provider, Unreachable};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A provider that always says yes.
struct Willing;

impl Outside for Willing {
    fn post_form<'a>(
        &'a self,
        _: &'a str,
        _: Vec<(String, String)>,
    ) -> Pin<Box<dyn Future<Output = Result<connections::Answer, Unreachable>> + Send + 'a>> {
        let tokens =
            json!({ "access_token": "EAAtopsecret", "refresh_token": "EAAalso", "expires_in": 3600 });
        let answer = connections::Answer { status: 200, body: tokens.to_string().into_bytes() };
        Box::pin(async move { Ok(answer) })
    }
}

async fn ground(db: Db) -> Ground {
    let mut ground = Ground::new(db).await;
    let google =
        Provider::google("client".into(), "shh".into(), "https://accounts.test", "https://tokens.test");
    let redirect = "https://sluice.test/api/connections/callback".to_owned();
    let connections = Connections::new(ground.records.clone(), vec![google], Arc::new(Willing), redirect);
    ground.state = ground.state.clone().with_connections(connections);
    ground.api = router(ground.state.clone());
    ground
}

fn query(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
}

/// A browser comes back from the provider.
async fn back(ground: &Ground, state: &str, cookie: &str) -> Answer {
    let request = Request::get(format!("/api/connections/callback?state={state}&code=c&iss=x"));
    ground.send(request.header("cookie", format!("a=b; {cookie}")).body(Body::empty()).unwrap()).await
}

async fn connect(ground: &Ground, name: &str) -> String {
    let body = json!({ "name": name, "scopes": ["sheets"] });
    let started = ground.post("/api/connections/google/start", body).await.expect(200);
    let cookie = started.header("set-cookie").split(';').next().unwrap().to_owned();
    let state = query(started.json()["authorize_url"].as_str().unwrap(), "state");
    back(ground, &state, &cookie).await.expect(200);
    ground.get(&format!("/api/credentials/{name}")).await.expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn an_account_is_connected_in_the_browser_that_began_it(db: Db) {
    let ground = ground(db).await;
    let body = json!({ "name": "sheets", "scopes": ["sheets"], "return_to": "/studio?tab=2" });
    let started = ground.post("/api/connections/google/start", body).await.expect(200);
    let cookie = started.header("set-cookie").to_owned();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax; Secure") && cookie.contains("Max-Age=600"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    let state = query(started.json()["authorize_url"].as_str().unwrap(), "state");
    assert!(back(&ground, &state, "").await.expect(403).text().contains("another browser"));
    assert!(back(&ground, "forged", cookie).await.expect(400).text().contains("start it again"));
    let done = back(&ground, &state, cookie).await.expect(303);
    assert!(done.header("location").starts_with("https://sluice.test/studio?tab=2&connection=crd_"));
    assert!(done.header("set-cookie").contains("Max-Age=0"));
    back(&ground, &state, cookie).await.expect(400);
    let shown = ground.get("/api/credentials").await.expect(200);
    let item = shown.json()["items"][0].clone();
    assert_eq!((&item["kind"], &item["connection"]["status"]), (&json!("google"), &json!("connected")));
    assert_eq!(item["secret_fields"], json!(["access_token", "refresh_token"]));
    assert!(!shown.text().contains("EAA"));
    let id = item["id"].as_str().unwrap();
    let change = json!({ "secret": { "access_token": "mine" } });
    ground.call("PUT", &format!("/api/credentials/{id}"), change).await.fails(409, "conflict");
    // Another workspace sees and ends nothing.
    let path = format!("/api/connections/{id}/revoke");
    ground.call_as(&ground.other_key, "POST", &path, Value::Null).await.fails(404, "not_found");
    let ended = ground.post(&path, Value::Null).await.expect(200).json();
    assert_eq!(ended["credential"]["connection"]["status"], "revoked");
}

async fn refusals_say_what_is_wrong(db: Db) {
    let bare = Ground::new(db.clone()).await;
    let body = json!({ "name": "sheets" });
    bare.post("/api/connections/google/start", body.clone()).await.fails(404, "provider_not_configured");
    let ground = Ground { key: bare.key.clone(), ..connected(&bare) };
    ground.post("/api/connections/other/start", body).await.fails(404, "provider_not_configured");
    for bad in [json!({ "name": "" }), json!({ "name": "x", "return_to": "https://evil.test" })] {
        ground.post("/api/connections/google/start", bad).await.fails(422, "invalid_value");
    }
    let other = json!({ "name": "taken", "kind": "http_bearer", "secret": { "token": "x" } });
    ground.post("/api/credentials", other).await.expect(201);
    ground.post("/api/connections/google/start", json!({ "name": "taken" })).await.fails(409, "conflict");
    ground.post("/api/connections/taken/revoke", Value::Null).await.fails(404, "not_found");
    let gone = ground.get("/api/connections/begin?state=x&ticket=y").await.expect(400);
    assert!(gone.text().contains("start it again"));
    let denied = ground.post("/api/connections/google/start", json!({ "name": "sheets" })).await.expect(200);
    let cookie = denied.header("set-cookie").split(';').next().unwrap().to_owned();
    let state = query(denied.json()["authorize_url"].as_str().unwrap(), "state");
    let request = Request::get(format!("/api/connections/callback?state={state}&error=access_denied"));
    let request = request.header("cookie", cookie).body(Body::empty()).unwrap();
    assert!(ground.send(request).await.expect(422).text().contains("access_denied"));
}

/// The same ground with a provider.
fn connected(bare: &Ground) -> Ground {
    let google =
        Provider::google("client".into(), "shh".into(), "https://accounts.test", "https://tokens.test");
    let outside = Arc::new(Willing);
    let connections =
        Connections::new(bare.records.clone(), vec![google], outside, "https://x.test/cb".into());
    let mut ground = Ground::clone_of(bare);
    ground.state = ground.state.clone().with_connections(connections);
    ground.api = router(ground.state.clone());
    ground
}

async fn triggers_rest_while_their_account_is_gone(db: Db) {
    let ground = ground(db).await;
    ground.state.spawn_loops();
    let id = connect(&ground, "sheets").await;
    let mut document =
        chain("Rows", &[("heard", "test.heard", json!({ "event": "sheet.row", "credential": "sheets" }))]);
    document["nodes"][0]["id"] = "heard".into();
    let workflow = ground.published(document).await;
    let path = format!("/api/workflows/{workflow}");
    let until = async |wanted: Value| {
        for _ in 0..1_000_000 {
            if ground.get(&path).await.expect(200).json()["paused"] == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{}", ground.get(&path).await.text());
    };
    until(json!([])).await;
    ground.post(&format!("/api/connections/{id}/revoke"), Value::Null).await.expect(200);
    let shown = ground.get(&format!("/api/credentials/{id}")).await.json();
    let reason = shown["connection"]["reason"].clone();
    until(json!([{ "node": "heard", "credential": "sheets", "reason": reason }])).await;
    assert_eq!(ground.get("/api/workflows").await.json()["items"][0]["paused"][0]["node"], "heard");
    assert_eq!(connect(&ground, "sheets").await, id);
    until(json!([])).await;
    ground.state.stopping.cancel();
}

sluice_db::contract_tests! {
    an_account_is_connected_in_the_browser_that_began_it,
    refusals_say_what_is_wrong,
    triggers_rest_while_their_account_is_gone,
}
