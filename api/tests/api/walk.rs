//! Every documented route, as somebody of another workspace with the ids of this one, and as people whose role is too
//! low. The routes come from the API document, so that a new one is walked by itself.

use crate::ground::{Ground, chain, greeting};
use crate::keys::{filled, permitted};
use crate::people::{sign_up, tokens};
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::{Identity, KeyRequest, MemberStatus, Role, Scope};
use std::collections::BTreeMap;

const NUMBER: &str = "106540352242922";

/// Routes whose parameter names nothing of a workspace: catalogues, providers, topics of the caller's own events.
const OF_NOBODY: [&str; 3] =
    ["/api/templates/{id}/install", "/api/connections/{id}/start", "/api/events/{topic}"];

/// Permissions that reach beyond workspaces, and resources that are not of one: a key of a workspace has none of them.
pub(crate) fn reaches_beyond(path: &str, permission: &str) -> bool {
    ["client:", "reseller:", "team:", "person:"].iter().any(|start| permission.starts_with(start))
        || [
            "/api/platform/",
            "/api/clients/",
            "/api/credits",
            "/api/plans",
            "/api/prices",
            "/api/branding/team",
        ]
        .iter()
        .any(|start| path.starts_with(start))
}

/// A person with a role in the workspace of `ground`, which has an owner besides: access token and id.
async fn somebody(ground: &Ground, role: Role) -> (String, String) {
    let scope = Scope::Workspace(ground.asha.id.clone());
    let joins = async |email: &str, role: Role| {
        sign_up(ground, email).await;
        let id = ground.records.person_by_email(email).await.unwrap().id;
        ground.records.put_member(&scope, &id, role, MemberStatus::Active).await.unwrap();
        id
    };
    joins("asha@example.com", Role::Owner).await;
    let id = joins("ravi@example.com", role).await;
    (tokens(ground, "ravi@example.com").await.0, id)
}

/// One thing of every kind in the workspace of `ground`: where its routes begin, and its id.
async fn belongings(ground: &Ground) -> BTreeMap<&'static str, String> {
    let hook = ground.published(chain("Hook", &[("hook", "test.hook", json!({ "path": "p" }))])).await;
    let ask = ("ask", "test.ask", json!({}));
    let pause = ("pause", "test.pause", json!({ "key": "k" }));
    let asking =
        ground.workflow(chain("Ask", &[("start", "test.start", json!({})), ask, pause.clone()])).await;
    let waiting = ground.workflow(chain("Wait", &[("start", "test.start", json!({})), pause])).await;
    let begin = async |id: &str| {
        let path = format!("/api/workflows/{id}/run?wait=30s");
        ground.post(&path, Value::Null).await.expect(200).json()["id"].as_str().unwrap().to_owned()
    };
    begin(&asking).await;
    let run = begin(&waiting).await;
    let first = async |path: &str| {
        let list = ground.get(path).await.expect(200).json();
        list["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{path}: {list}")).to_owned()
    };
    let approval = first("/api/approvals").await;
    ground.connect(NUMBER, "102290129340398").await;
    let body = std::fs::read(crate::webhook::samples().join("msg_text.json")).unwrap();
    let inbound = ground.deliver(&body).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    ground.state.settle_inbound().await;
    let conversation = first("/api/conversations").await;
    let message = first(&format!("/api/conversations/{conversation}/messages")).await;
    let contact = first("/api/contacts").await;
    let limit = json!({ "level": "workspace", "route": "read", "daily_limit": 1_000_000 });
    let limit = ground.call("PUT", "/api/limits", limit).await.expect(200).json();
    let (_, person) = somebody(ground, Role::Agent).await;
    let invitation = json!({ "email": "mina@example.com", "role": "viewer" });
    let invitation = ground.post("/api/invitations", invitation).await.expect(201).json();
    let host = json!({ "host": "chat.example.com" });
    ground.post("/api/branding/workspace/domains", host).await.expect(201);
    let gone = [Identity::phone("+919812345678", None).unwrap()];
    let (gone, _) = ground.records.resolve_contact(&ground.asha.id, &gone, None).await.unwrap();
    let erase = format!("/api/contacts/{}/erase", gone.id);
    let erasure = ground.post(&erase, Value::Null).await.expect(202).json();
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    BTreeMap::from([
        ("/api/workflows/", hook),
        ("/api/runs/", run),
        ("/api/approvals/", approval),
        ("/api/signals/", "k".to_owned()),
        ("/api/contacts/", contact),
        ("/api/erasures/", id(&erasure)),
        ("/api/conversations/", conversation),
        ("/api/messages/", message),
        ("/api/credentials/", first("/api/credentials").await),
        ("/api/connections/", first("/api/credentials").await),
        ("/api/numbers/", NUMBER.to_owned()),
        ("/api/inbound/", inbound),
        ("/api/limits/", id(&limit)),
        ("/api/workspaces/", ground.asha.id.clone()),
        ("/api/members/", person),
        ("/api/invitations/", id(&invitation)),
        ("/api/keys/", first("/api/keys").await),
        ("/api/branding/workspace/domains/", "chat.example.com".to_owned()),
    ])
}

/// What a route needs in its body before it looks for the thing.
fn body_for(method: &str, path: &str) -> Value {
    match (method, path) {
        ("PUT", "/api/workflows/{id}") => json!({ "revision": 1, "document": greeting() }),
        ("POST", "/api/approvals/{id}") => json!({ "decision": "approve" }),
        ("POST", "/api/runs/{id}/outcome") => json!({ "node": "pause", "decision": "done" }),
        ("PUT", "/api/credentials/{id}") => json!({ "name": "mine" }),
        ("PUT", "/api/members/{person_id}") => json!({ "role": "viewer" }),
        _ => json!({}),
    }
}

/// The path with the id of the thing in the place of its first parameter.
fn aimed(path: &str, belongings: &BTreeMap<&'static str, String>) -> String {
    let (start, rest) = path.split_once('{').unwrap();
    let id =
        belongings.get(start).unwrap_or_else(|| panic!("{path}: name a thing of this kind in `belongings`"));
    let rest = rest.split_once('}').unwrap().1.replace("{version}", "1");
    format!("{start}{id}{rest}")
}

async fn what_belongs_to_others_is_not_there(db: Db) {
    let ground = Ground::new(db).await;
    let belongings = belongings(&ground).await;
    let mut walked = 0;
    for (method, path, permission) in permitted() {
        if !path.contains('{') || OF_NOBODY.contains(&&*path) || reaches_beyond(&path, &permission) {
            continue;
        }
        let address = aimed(&path, &belongings);
        let answer = ground.call_as(&ground.other_key, &method, &address, body_for(&method, &path)).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
        walked += 1;
    }
    assert!(walked > 45, "{walked}");
    let version = format!("/api/workflows/{}/run?version=1", belongings["/api/workflows/"]);
    ground.call_as(&ground.other_key, "POST", &version, json!({})).await.fails(404, "not_found");
    let number =
        json!({ "phone_number_id": NUMBER, "waba_id": "1", "display_phone_number": "1", "credential": "x" });
    ground.call_as(&ground.other_key, "POST", "/api/numbers", number).await.fails(404, "not_found");
    for list in
        ["workflows", "runs", "approvals", "credentials", "inbound", "numbers", "contacts", "conversations"]
    {
        let own = ground.call_as(&ground.other_key, "GET", &format!("/api/{list}"), Value::Null).await;
        assert_eq!(own.expect(200).json()["items"], json!([]), "{list}");
    }
    // Nothing of it was touched: whoever owns it finds it as it was.
    for (start, id) in &belongings {
        if ![
            "/api/signals/",
            "/api/approvals/",
            "/api/limits/",
            "/api/members/",
            "/api/invitations/",
            "/api/connections/",
        ]
        .contains(start)
            && !start.contains("/domains/")
        {
            ground.get(&format!("{start}{id}")).await.expect(200);
        }
    }
    assert_eq!(
        ground.get(&format!("/api/runs/{}", belongings["/api/runs/"])).await.json()["status"],
        "waiting"
    );
}

async fn too_low_a_role_is_refused_everywhere(db: Db) {
    let ground = Ground::new(db).await;
    let (token, person) = somebody(&ground, Role::Viewer).await;
    let scope = Scope::Workspace(ground.asha.id.clone());
    let mut refused = 0;
    for role in [Role::Viewer, Role::Agent, Role::Admin] {
        ground.records.put_member(&scope, &person, role, MemberStatus::Active).await.unwrap();
        let allowed = role.permissions();
        for (method, path, permission) in permitted() {
            if allowed.iter().any(|one| one.as_text() == permission) {
                continue;
            }
            let path = path.replace("/api/workspaces/{id}", &format!("/api/workspaces/{}", ground.asha.id));
            let request = axum::http::Request::builder()
                .method(&*method)
                .uri(filled(&path))
                .header("authorization", format!("Bearer {token}"))
                .header("x-sluice-workspace", &ground.asha.id)
                .header("content-type", "application/json");
            let answer = ground.send(request.body(axum::body::Body::from("{}")).unwrap()).await;
            assert_eq!(answer.status, 403, "{role:?} {method} {path}: {}", answer.text());
            refused += 1;
        }
    }
    assert!(refused > 100, "{refused}");
    // A key cannot be given more than its maker has.
    let viewer =
        KeyRequest { name: "v".into(), allowed: Some(Role::Viewer.permissions()), ..KeyRequest::default() };
    let key = ground.records.make_api_key(scope, viewer).await.unwrap().key;
    ground.call_as(&key, "GET", "/api/workflows", Value::Null).await.expect(200);
    ground.call_as(&key, "POST", "/api/workflows", greeting()).await.fails(403, "forbidden");
}

sluice_db::contract_tests! { what_belongs_to_others_is_not_there, too_low_a_role_is_refused_everywhere }
