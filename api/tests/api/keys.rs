//! Who gets in: every documented route without a key, with a bad key, and with the key of another workspace.

use crate::ground::{Ground, greeting};
use crate::walk::reaches_beyond;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::{KeyRequest, Permissions, Scope};

/// Every documented operation that needs a credential.
fn guarded() -> Vec<(String, String)> {
    let document = serde_json::to_value(sluice_api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            if item.get(method).is_some_and(|operation| operation.get("security").is_some()) {
                all.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(all.len() > 50, "{}", all.len());
    all
}

/// Under `/api` only these prove themselves in another way than with a key or a session: a signature, a password, a code,
/// a token of their own, or nothing that anybody may not know.
#[test]
fn only_these_addresses_are_open() {
    let document = serde_json::to_value(sluice_api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/api/"));
    let is_open = |item: &Value| item.as_object().unwrap().values().any(|one| one.get("security").is_none());
    let mut open: Vec<_> = paths.filter(|(_, item)| is_open(item)).map(|(path, _)| path.as_str()).collect();
    open.sort_unstable();
    let wanted = [
        "/api/branding",
        "/api/branding/logos/{hash}",
        "/api/connections/begin",
        "/api/connections/callback",
        "/api/invitations/show",
        "/api/login",
        "/api/logout",
        "/api/oidc/callback",
        "/api/oidc/start",
        "/api/openapi.json",
        "/api/password/forgot",
        "/api/password/forgot/validate",
        "/api/password/reset",
        "/api/refresh",
        "/api/resend-code",
        "/api/sign-in-options",
        "/api/signup",
        "/api/status",
        "/api/verify-email",
        "/api/whatsapp/webhook",
    ];
    assert_eq!(open, wanted);
}

pub(crate) fn filled(path: &str) -> String {
    path.replace("{version}", "1")
        .replace("{id}", "x_1")
        .replace("{key}", "k")
        .replace("{phone_number_id}", "1")
        .replace("{type}", "a.b")
}

async fn nobody_gets_in_without_a_good_key(db: Db) {
    let ground = Ground::new(db).await;
    let gone = ground.records.create_api_key(Scope::Platform, "gone").await.unwrap();
    ground.records.revoke_api_key(&Scope::Platform, &gone.info.id).await.unwrap();
    for (method, path) in guarded() {
        for key in [
            None,
            Some("Bearer sk_wrong"),
            Some("Bearer"),
            Some("Basic c2s6"),
            // What an older system took for the id of a user.
            Some("Bearer 42"),
            Some(&*format!("Bearer {}", gone.key)),
        ] {
            let mut request = Request::builder()
                .method(&*method)
                .uri(filled(&path) + "?user_id=1")
                .header("content-type", "application/json")
                .header("x-user-id", "1")
                .header("cookie", "user_id=1");
            if let Some(key) = key {
                request = request.header("authorization", key);
            }
            let answer = ground.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"sluice\"", "{method} {path}");
            answer.fails(401, "unauthenticated");
        }
    }
}

async fn a_platform_key_names_its_workspace(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(greeting()).await;
    let call = async |key: &str, workspace: &str, path: &str| {
        let request = Request::get(path)
            .header("authorization", format!("bearer {key}"))
            .header("x-sluice-workspace", workspace);
        ground.send(request.body(Body::empty()).unwrap()).await
    };
    let path = format!("/api/workflows/{id}");
    for workspace in ["asha-foods", ground.asha.id.as_str()] {
        call(&ground.platform_key, workspace, &path).await.expect(200);
        call(&ground.key, workspace, &path).await.expect(200);
        call(&ground.other_key, workspace, &path).await.fails(404, "not_found");
    }
    call(&ground.platform_key, "other", &path).await.fails(404, "not_found");
    call(&ground.platform_key, "none", &path).await.fails(404, "not_found");
    ground.call_as(&ground.platform_key, "GET", &path, Value::Null).await.fails(400, "workspace_required");
    let own = ground.get("/api/workspaces").await.expect(200).json();
    assert_eq!(own["items"][0]["name"], "asha-foods", "a key sees its own");
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    ground.post("/api/workspaces", json!({ "name": "mine" })).await.fails(403, "forbidden");
    let platform = async |method: &str, path: &str, body: Value| {
        ground.call_as(&ground.platform_key, method, path, body).await
    };
    platform("POST", "/api/workspaces", json!({ "name": "third" })).await.expect(201);
    platform("POST", "/api/workspaces", json!({ "name": "third" })).await.fails(409, "conflict");
    let refused =
        platform("POST", "/api/workspaces", json!({ "name": "Third!" })).await.fails(422, "invalid_value");
    assert_eq!(refused["details"]["path"], "/name");
    let list = platform("GET", "/api/workspaces", Value::Null).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    platform("GET", "/api/workspaces/third", Value::Null).await.expect(200);
    platform("GET", "/api/workspaces/fourth", Value::Null).await.fails(404, "not_found");
}

/// Every documented operation that needs a permission, with it.
pub(crate) fn permitted() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(sluice_api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(permission) = operation["x-sluice-permission"].as_str() {
                all.push((method.to_uppercase(), path.clone(), permission.to_owned()));
            }
        }
    }
    assert!(all.len() > 80, "{}", all.len());
    all
}

async fn whoever_may_nothing_is_told_what_is_missing(db: Db) {
    let ground = Ground::new(db).await;
    let scope = Scope::Workspace(ground.asha.id.clone());
    let request =
        KeyRequest { name: "idle".into(), allowed: Some(Permissions::NONE), ..KeyRequest::default() };
    let key = ground.records.make_api_key(scope, request).await.unwrap().key;
    for (method, path, permission) in permitted() {
        let path = path.replace("/api/workspaces/{id}", &format!("/api/workspaces/{}", ground.asha.id));
        let refused = ground.call_as(&key, &method, &filled(&path), json!({})).await.fails(403, "forbidden");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{permission}`")), "{method} {path}: {message}");
    }
}

async fn another_workspace_is_not_there_whatever_is_asked_of_it(db: Db) {
    let ground = Ground::new(db).await;
    let mut walked = 0;
    for (method, path, permission) in permitted() {
        let path = path.replace("/api/workspaces/{id}", "/api/workspaces/other");
        let request = Request::builder()
            .method(&*method)
            .uri(filled(&path))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", ground.key))
            .header("x-sluice-workspace", "other");
        let answer = ground.send(request.body(Body::from("{}")).unwrap()).await;
        // What reaches beyond workspaces is refused to a key of one; everything else is about `other`, which is not there.
        if reaches_beyond(&path, &permission) {
            answer.fails(403, "forbidden");
        } else {
            answer.fails(404, "not_found");
            walked += 1;
        }
    }
    assert!(walked > 60, "{walked}");
}

async fn everybody_may_ask_what_they_may(db: Db) {
    let ground = Ground::new(db).await;
    let own = ground.get("/api/access").await.expect(200).json();
    assert_eq!((&own["kind"], &own["workspace"]["id"]), (&json!("key"), &json!(ground.asha.id)));
    assert_eq!(own["workspace"]["permissions"], own["grants"][0]["permissions"]);
    assert_eq!(
        (&own["grants"][0]["scope"], &own["grants"][0]["id"]),
        (&json!("workspace"), &json!(ground.asha.id))
    );
    let platform =
        ground.call_as(&ground.platform_key, "GET", "/api/access", Value::Null).await.expect(200).json();
    assert_eq!((&platform["workspace"], &platform["grants"][0]["scope"]), (&Value::Null, &json!("platform")));
    let named = |key: &str| {
        let request = Request::get("/api/access").header("authorization", format!("Bearer {key}"));
        ground.send(request.header("x-sluice-workspace", &ground.asha.id).body(Body::empty()).unwrap())
    };
    assert_eq!(
        named(&ground.platform_key).await.expect(200).json()["workspace"]["id"],
        json!(ground.asha.id)
    );
    named(&ground.other_key).await.fails(404, "not_found");
}

sluice_db::contract_tests! {
    everybody_may_ask_what_they_may,
    whoever_may_nothing_is_told_what_is_missing,
    another_workspace_is_not_there_whatever_is_asked_of_it,
    nobody_gets_in_without_a_good_key,
    a_platform_key_names_its_workspace,
}
