//! Who may do what: keys with few permissions, resellers with their own clients, suspended workspaces, invitations.

use crate::ground::{Answer, Ground, chain};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::Scope;

async fn ask(ground: &Ground, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) });
    ground.send(request.unwrap()).await
}

async fn a_key_may_do_what_it_was_given_and_no_more(db: Db) {
    let ground = Ground::new(db).await;
    let wanted = json!({ "name": "reader", "permissions": ["workflow:read", "key:read", "key:write"] });
    let made = ask(&ground, &ground.key, "POST", "/api/keys", wanted).await.expect(201).json();
    let reader = made["key"].as_str().unwrap().to_owned();
    assert_eq!(made["permissions"], json!(["workflow:read", "key:read", "key:write"]));
    ask(&ground, &reader, "GET", "/api/workflows", Value::Null).await.expect(200);
    let refused = ask(&ground, &reader, "POST", "/api/workflows", json!({})).await.fails(403, "forbidden");
    assert!(refused["message"].as_str().unwrap().contains("workflow:write"), "{refused}");
    ask(&ground, &reader, "GET", "/api/runs", Value::Null).await.fails(403, "forbidden");
    ask(&ground, &reader, "GET", "/api/clients", Value::Null).await.fails(403, "forbidden");
    // It cannot make itself mightier.
    let more = json!({ "name": "x", "permissions": ["run:read"] });
    ask(&ground, &reader, "POST", "/api/keys", more).await.fails(403, "forbidden");
    let same = ask(&ground, &reader, "POST", "/api/keys", json!({ "name": "x" })).await.expect(201).json();
    assert_eq!(same["permissions"], made["permissions"], "what is not said is what the maker may");
    let keys = ask(&ground, &reader, "GET", "/api/keys", Value::Null).await.expect(200).json();
    let all = keys["items"].as_array().unwrap();
    let first = all.iter().find(|one| one["name"] == "test").unwrap()["id"].as_str().unwrap();
    ask(&ground, &reader, "POST", &format!("/api/keys/{first}/rotate"), Value::Null)
        .await
        .fails(403, "forbidden");
    let unknown = json!({ "name": "x", "permissions": ["workflow:fly"] });
    let refused = ask(&ground, &ground.key, "POST", "/api/keys", unknown).await.expect(422).json();
    assert_eq!(refused["error"]["details"]["path"], "/permissions/0");
    assert!(!keys.to_string().contains(&reader), "a key is shown once");
    // Rotation and end.
    let id = made["id"].as_str().unwrap();
    let next =
        ask(&ground, &ground.key, "POST", &format!("/api/keys/{id}/rotate"), json!({ "overlap": 0 })).await;
    let next = next.expect(201).json();
    ask(&ground, &reader, "GET", "/api/workflows", Value::Null).await.fails(401, "unauthenticated");
    let (next_id, next) = (next["id"].as_str().unwrap().to_owned(), next["key"].as_str().unwrap().to_owned());
    ask(&ground, &next, "GET", "/api/workflows", Value::Null).await.expect(200);
    ask(&ground, &ground.key, "DELETE", &format!("/api/keys/{next_id}"), Value::Null).await.expect(204);
    ask(&ground, &next, "GET", "/api/workflows", Value::Null).await.fails(401, "unauthenticated");
    let path = format!("/api/keys/{id}");
    ask(&ground, &ground.other_key, "GET", &path, Value::Null).await.fails(404, "not_found");
}

async fn a_reseller_runs_its_own_clients_only(db: Db) {
    let ground = Ground::new(db).await;
    let platform = &ground.platform_key;
    let mut keys = Vec::new();
    for name in ["agency", "rival"] {
        let wanted = json!({ "name": name, "display_name": name });
        let made = ask(&ground, platform, "POST", "/api/resellers", wanted).await.expect(201).json();
        let scope = Scope::Reseller(made["id"].as_str().unwrap().to_owned());
        keys.push(ground.records.create_api_key(scope, "r").await.unwrap().key);
    }
    let (agency, rival) = (&keys[0], &keys[1]);
    let client = json!({ "name": "client", "display_name": "Client" });
    let client = ask(&ground, agency, "POST", "/api/clients", client).await.expect(201).json();
    let path = format!("/api/clients/{}", client["id"].as_str().unwrap());
    ask(&ground, agency, "GET", &path, Value::Null).await.expect(200);
    ask(&ground, rival, "GET", &path, Value::Null).await.fails(404, "not_found");
    ask(&ground, rival, "PUT", &path, json!({ "suspended": true })).await.fails(404, "not_found");
    let invited = json!({ "email": "x@example.com", "role": "owner" });
    ask(&ground, rival, "POST", &format!("{path}/invitations"), invited.clone())
        .await
        .fails(404, "not_found");
    ask(&ground, agency, "POST", &format!("{path}/invitations"), invited).await.expect(201);
    let foreign = format!("/api/clients/{}", ground.asha.id);
    ask(&ground, agency, "GET", &foreign, Value::Null).await.fails(404, "not_found");
    assert_eq!(ask(&ground, rival, "GET", "/api/clients", Value::Null).await.json()["items"], json!([]));
    // Running a client is not reading its customers' messages.
    let request = Request::get("/api/contacts")
        .header("authorization", format!("Bearer {agency}"))
        .header("x-sluice-workspace", "client");
    ground.send(request.body(Body::empty()).unwrap()).await.fails(404, "not_found");
    // Nobody makes himself a reseller, nor gives what he does not have.
    let more = json!({ "name": "more", "display_name": "More" });
    ask(&ground, agency, "POST", "/api/resellers", more.clone()).await.fails(403, "forbidden");
    ask(&ground, &ground.key, "POST", "/api/resellers", more).await.fails(403, "forbidden");
    let team = json!({ "email": "x@example.com", "role": "super_admin" });
    ask(&ground, agency, "POST", "/api/team/invitations", team).await.fails(403, "forbidden");
    // A field that is not listed changes nothing.
    let grab = json!({ "display_name": "Mine", "reseller_id": "rs_x" });
    ask(&ground, agency, "PUT", &path, grab).await.expect(422);
}

async fn a_suspended_workspace_is_told_so_and_starts_nothing(db: Db) {
    let ground = Ground::new(db).await;
    let hook = chain("Hook", &[("hook", "test.hook", json!({ "path": "p" }))]);
    ground.published(hook).await;
    let call = async || {
        let request = Request::post("/hooks/asha-foods/p").header("content-type", "application/json");
        ground.send(request.body(Body::from("{}")).unwrap()).await
    };
    call().await.expect(200);
    let path = format!("/api/clients/{}", ground.asha.id);
    let suspend = json!({ "suspended": true, "reason": "unpaid" });
    let seen = ask(&ground, &ground.platform_key, "PUT", &path, suspend).await.expect(200).json();
    assert_eq!((&seen["status"], &seen["status_reason"]), (&json!("suspended"), &json!("unpaid")));
    ask(&ground, &ground.key, "GET", "/api/workflows", Value::Null).await.fails(403, "workspace_suspended");
    call().await.fails(403, "workspace_suspended");
    ask(&ground, &ground.other_key, "GET", "/api/workflows", Value::Null).await.expect(200);
    ask(&ground, &ground.platform_key, "PUT", &path, json!({ "suspended": false })).await.expect(200);
    call().await.expect(200);
    ask(&ground, &ground.key, "GET", "/api/workflows", Value::Null).await.expect(200);
}

async fn a_workspace_tells_about_itself(db: Db) {
    let ground = Ground::new(db).await;
    let path = format!("/api/workspaces/{}", ground.asha.id);
    let change =
        json!({ "display_name": "Asha Foods", "profile": { "sells_to": "b2c", "industry": "food" } });
    let seen = ask(&ground, &ground.key, "PUT", &path, change).await.expect(200).json();
    assert_eq!(seen["profile"], json!({ "sells_to": "b2c", "industry": "food" }));
    let wrong = json!({ "profile": { "sells_to": "cats" } });
    let refused = ask(&ground, &ground.key, "PUT", &path, wrong).await.expect(422).json();
    assert_eq!(refused["error"]["details"]["path"], "/profile/sells_to", "{refused}");
    ask(&ground, &ground.other_key, "GET", &path, Value::Null).await.fails(404, "not_found");
    ask(&ground, &ground.key, "GET", "/api/workspaces/asha-foods", Value::Null).await.expect(200);
    let own = ask(&ground, &ground.key, "GET", "/api/workspaces", Value::Null).await.json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "a key sees its own");
    ask(&ground, &ground.key, "POST", "/api/workspaces", json!({ "name": "x" }))
        .await
        .fails(403, "forbidden");
    ask(&ground, &ground.key, "DELETE", &path, Value::Null).await.expect(204);
    ask(&ground, &ground.key, "GET", "/api/workflows", Value::Null).await.fails(404, "not_found");
}

sluice_db::contract_tests! {
    a_key_may_do_what_it_was_given_and_no_more,
    a_reseller_runs_its_own_clients_only,
    a_suspended_workspace_is_told_so_and_starts_nothing,
    a_workspace_tells_about_itself,
}
