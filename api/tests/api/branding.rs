//! White label over HTTP: what visitors of a host see, who may set it, and that a proved name is served.

use crate::ground::Ground;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::branding::TxtLookup;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// A name server with one text for every name.
#[derive(Default)]
struct OneText(Mutex<String>);

impl TxtLookup for OneText {
    fn txt<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>> {
        let text = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(vec![text]) })
    }
}

async fn seen_at(ground: &Ground, host: &str) -> Value {
    let request = Request::get("/api/branding").header("host", host).body(Body::empty());
    ground.send(request.unwrap()).await.expect(200).json()
}

async fn visitors_see_the_brand_of_the_host(db: Db) {
    let mut ground = Ground::new(db).await;
    let names = Arc::new(OneText::default());
    ground.state = ground.state.clone().with_dns(names.clone());
    ground.api = sluice_api::router(ground.state.clone());
    assert_eq!(seen_at(&ground, "localhost:8080").await["name"], "Sluice");
    let looks = json!({
        "name": "Asha's Shop", "accent": "#aa3300", "support_email": "help@asha.example",
        "logo": "data:image/png;base64,iVBORw0KGgpyZXN0",
    });
    let set = ground.call("PUT", "/api/branding/workspace", looks).await.expect(200).json();
    assert_eq!((&set["own"]["name"], &set["own"]["has_logo"]), (&json!("Asha's Shop"), &json!(true)));
    let logo = set["seen"]["logo_url"].as_str().unwrap();
    let picture = ground.send(Request::get(logo).body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!((picture.header("content-type"), picture.bytes.len()), ("image/png", 12));
    assert!(picture.header("cache-control").contains("immutable"));

    let claim = json!({ "host": "chat.asha.example" });
    let made = ground.post("/api/branding/workspace/domains", claim).await.expect(201).json();
    let path = "/api/branding/workspace/domains/chat.asha.example";
    let checked = ground.post(&format!("{path}/verify"), Value::Null).await.expect(200).json();
    assert_eq!(checked["status"], "pending");
    assert_eq!(seen_at(&ground, "chat.asha.example").await["name"], "Sluice", "not before it is proved");
    *names.0.lock().unwrap() = made["record_value"].as_str().unwrap().to_owned();
    let checked = ground.post(&format!("{path}/verify"), Value::Null).await.expect(200).json();
    assert_eq!(checked["status"], "verified");
    assert_eq!(seen_at(&ground, "chat.asha.example:443").await["name"], "Asha's Shop");
    let listed = ground.get("/api/branding/workspace/domains").await.expect(200).json();
    assert_eq!(listed["items"][0]["host"], "chat.asha.example");
    // Others neither see nor touch it.
    let other = async |method, path: &str| ground.call_as(&ground.other_key, method, path, Value::Null).await;
    assert_eq!(other("GET", "/api/branding/workspace/domains").await.expect(200).json()["items"], json!([]));
    other("DELETE", path).await.fails(404, "not_found");
    other("POST", &format!("{path}/verify")).await.fails(404, "not_found");
    other("GET", "/api/branding/team").await.fails(403, "forbidden");
    ground.call("DELETE", path, Value::Null).await.expect(204);
    assert_eq!(seen_at(&ground, "chat.asha.example").await["name"], "Sluice");
}

async fn the_platform_sets_what_others_start_from(db: Db) {
    let ground = Ground::new(db).await;
    let platform =
        async |method, body| ground.call_as(&ground.platform_key, method, "/api/branding/team", body).await;
    platform("PUT", json!({ "name": "House" })).await.expect(200);
    assert_eq!(platform("GET", Value::Null).await.expect(200).json()["own"]["name"], "House");
    assert_eq!(ground.get("/api/branding/workspace").await.expect(200).json()["seen"]["name"], "House");
    assert_eq!(seen_at(&ground, "anything.example").await["name"], "House");
    let refused = platform("PUT", json!({ "accent": "blue" })).await.expect(422).json();
    assert_eq!(refused["error"]["details"]["path"], "/accent");
    ground.call_as(&ground.platform_key, "GET", "/api/branding/team/domains", Value::Null).await.expect(200);
}

sluice_db::contract_tests! { visitors_see_the_brand_of_the_host, the_platform_sets_what_others_start_from }
