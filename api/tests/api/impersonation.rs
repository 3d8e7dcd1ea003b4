//! Acting in somebody else's place: for a short time, in one workspace, with both names on every change; and the end of an
//! account.

use crate::ground::{Ground, greeting};
use crate::people::{Browser, PASSWORD, post, sign_up, tokens};
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::people::{CodePurpose, NewPerson};
use sluice_records::{Role, Scope};

const ASHA: &str = "asha@example.com";
const ADMIN: &str = "admin@example.com";

/// Somebody with a role and a password.
async fn somebody(ground: &Ground, email: &str, role: Role, scope: Scope) -> String {
    let new = NewPerson { email: email.into(), name: String::new(), role, scope };
    let person = ground.records.create_person(&new).await.unwrap();
    let code = ground.records.make_code(CodePurpose::ResetPassword, email).await.unwrap();
    let reset = json!({ "email": email, "code": code, "new_password": PASSWORD });
    post(ground, "/api/password/reset", reset).await.expect(200);
    person.id
}

fn token(view: &Value) -> String {
    view["tokens"]["access_token"].as_str().unwrap().to_owned()
}

async fn an_admin_acts_in_somebodys_place_and_both_are_named(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    let admin_id = somebody(&ground, ADMIN, Role::PlatformAdmin, Scope::Platform).await;
    let (admin, _) = tokens(&ground, ADMIN).await;
    let wish = json!({ "workspace": "rao-foods", "reason": "ticket 17", "tokens": true });
    let as_admin =
        async |method: &str, path: &str, body: Value| ground.call_as(&admin, method, path, body).await;
    // Without the right, without a reason, for somebody else's member, as a program.
    let (asha, _) = tokens(&ground, ASHA).await;
    ground.call_as(&asha, "POST", "/api/impersonate", wish.clone()).await.fails(403, "forbidden");
    ground
        .call_as(&ground.platform_key, "POST", "/api/impersonate", wish.clone())
        .await
        .fails(403, "forbidden");
    let silent = json!({ "workspace": "rao-foods", "reason": " " });
    as_admin("POST", "/api/impersonate", silent).await.fails(422, "invalid_value");
    let nobody = json!({ "workspace": "rao-foods", "person": "per_x", "reason": "x" });
    as_admin("POST", "/api/impersonate", nobody).await.fails(404, "not_found");
    let nowhere = json!({ "workspace": "nowhere", "reason": "x" });
    as_admin("POST", "/api/impersonate", nowhere).await.fails(404, "not_found");

    let view = as_admin("POST", "/api/impersonate", wish.clone()).await.expect(201).json();
    assert_eq!((&view["user"]["email"], &view["impersonated_by"]), (&json!(ASHA), &json!(admin_id)));
    assert!(view["tokens"].get("refresh_token").is_none(), "it cannot be renewed");
    let there = token(&view);
    let act = async |method: &str, path: &str, body: Value| ground.call_as(&there, method, path, body).await;
    let me = act("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!((&me["impersonated_by"]["email"], &me["workspace"]), (&json!(ADMIN), &view["workspace"]));
    assert!(!me["permissions"].as_array().unwrap().contains(&json!("key:write")), "{me}");
    assert_eq!(
        ground.call_as(&asha, "GET", "/api/me", Value::Null).await.json()["impersonated_by"],
        Value::Null
    );
    let made = json!({ "name": "crm", "kind": "http_bearer", "secret": { "token": "t" } });
    act("POST", "/api/credentials", made).await.expect(201);
    let trail = ground.call_as(&asha, "GET", "/api/audit?action=credential.created", Value::Null).await;
    let actor = trail.expect(200).json()["items"][0]["actor"].clone();
    assert_eq!((&actor["name"], &actor["impersonated_by"]), (&json!(ASHA), &json!(admin_id)));
    let trail = ground.call_as(&asha, "GET", "/api/audit?action=person.impersonated", Value::Null).await;
    let entry = trail.expect(200).json()["items"][0].clone();
    assert_eq!((&entry["actor"]["name"], &entry["after"]["reason"]), (&json!(ADMIN), &json!("ticket 17")));
    let own = as_admin("GET", "/api/platform/audit?action=person.impersonated", Value::Null).await;
    assert_eq!(own.expect(200).json()["items"].as_array().unwrap().len(), 1);
    let sessions = ground.call_as(&asha, "GET", "/api/sessions", Value::Null).await.expect(200).json();
    assert!(
        sessions.to_string().contains("\"impersonation\""),
        "she sees that somebody is there: {sessions}"
    );

    // What is hers alone, and what would outlast it.
    let change = json!({ "current_password": PASSWORD, "new_password": "another password" });
    for (method, path, body) in [
        ("POST", "/api/password/change", change),
        ("PUT", "/api/me", json!({ "name": "Me" })),
        ("DELETE", "/api/me", json!({ "current_password": PASSWORD })),
        ("GET", "/api/me/export", Value::Null),
        ("POST", "/api/switch", json!({ "workspace": "rao-foods" })),
        ("POST", "/api/logout-all", Value::Null),
        ("GET", "/api/sessions", Value::Null),
        ("POST", "/api/workspaces", json!({ "name": "mine", "display_name": "Mine" })),
    ] {
        act(method, path, body).await.fails(403, "impersonating");
    }
    for (path, body) in [
        ("/api/impersonate", wish.clone()),
        ("/api/keys", json!({ "name": "back door" })),
        ("/api/invitations", json!({ "email": ADMIN, "role": "owner" })),
    ] {
        act("POST", path, body).await.fails(403, "forbidden");
    }

    // It ends with the sign-out, and the admin's own session does not.
    act("POST", "/api/logout", Value::Null).await.expect(200);
    act("GET", "/api/me", Value::Null).await.fails(401, "unauthenticated");
    as_admin("GET", "/api/me", Value::Null).await.expect(200);
    let trail =
        ground.call_as(&asha, "GET", "/api/audit?action=person.impersonation_ended", Value::Null).await;
    assert_eq!(trail.expect(200).json()["items"][0]["actor"]["impersonated_by"], json!(admin_id));
    // And with the right to be there.
    let there = token(&as_admin("POST", "/api/impersonate", wish).await.expect(201).json());
    ground.call_as(&there, "GET", "/api/workflows", Value::Null).await.expect(200);
    let path = format!("/api/people/{admin_id}/suspend");
    ground.call_as(&ground.platform_key, "POST", &path, json!({ "reason": "left" })).await.expect(200);
    ground.call_as(&there, "GET", "/api/workflows", Value::Null).await.fails(401, "unauthenticated");
}

async fn a_reseller_acts_for_its_own_clients_only(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    let platform = &ground.platform_key;
    let wanted = json!({ "name": "agency", "display_name": "Agency" });
    let made = ground.call_as(platform, "POST", "/api/resellers", wanted).await.expect(201).json();
    let reseller = made["id"].as_str().unwrap();
    let scope = Scope::Reseller(reseller.to_owned());
    somebody(&ground, "agent@example.com", Role::ResellerAdmin, scope).await;
    let (agent, _) = tokens(&ground, "agent@example.com").await;
    let client = json!({ "name": "client", "display_name": "Client" });
    let client = ground.call_as(&agent, "POST", "/api/clients", client).await.expect(201).json();
    let client = client["id"].as_str().unwrap().to_owned();
    let foreign = json!({ "workspace": "rao-foods", "reason": "curious" });
    ground.call_as(&agent, "POST", "/api/impersonate", foreign).await.fails(404, "not_found");
    let wish = json!({ "workspace": "client", "reason": "help", "tokens": true });
    ground.call_as(&agent, "POST", "/api/impersonate", wish.clone()).await.fails(404, "not_found");
    somebody(&ground, "ravi@example.com", Role::Viewer, Scope::Workspace(client.clone())).await;
    ground.call_as(&agent, "POST", "/api/impersonate", wish.clone()).await.fails(404, "not_found");
    let mut named = wish;
    named["person"] = json!("ravi@example.com");
    let view = ground.call_as(&agent, "POST", "/api/impersonate", named).await.expect(201).json();
    let there = token(&view);
    ground.call_as(&there, "GET", "/api/workflows", Value::Null).await.expect(200);
    // No more than that member may.
    ground.call_as(&there, "POST", "/api/workflows", greeting()).await.fails(403, "forbidden");
}

async fn a_browser_is_itself_again_after_signing_out(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    somebody(&ground, ADMIN, Role::PlatformAdmin, Scope::Platform).await;
    let mut browser = Browser::new(&ground);
    browser.sign_in(ADMIN).await;
    let wish = json!({ "workspace": "rao-foods", "reason": "ticket 17" });
    let view = browser.call("POST", "/api/impersonate", wish).await.expect(201).json();
    browser.csrf = view["csrf_token"].as_str().unwrap().to_owned();
    let me = browser.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!((&me["user"]["email"], &me["impersonated_by"]["email"]), (&json!(ASHA), &json!(ADMIN)));
    browser.call("POST", "/api/logout", Value::Null).await.expect(200);
    assert_eq!(browser.cookie("sluice_access"), None);
    browser.call("POST", "/api/refresh", Value::Null).await.expect(200);
    let me = browser.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!((&me["user"]["email"], &me["impersonated_by"]), (&json!(ADMIN), &Value::Null));
}

async fn an_account_is_exported_and_ends(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    let (asha, refresh) = tokens(&ground, ASHA).await;
    let as_asha =
        async |method: &str, path: &str, body: Value| ground.call_as(&asha, method, path, body).await;
    let export = as_asha("GET", "/api/me/export", Value::Null).await.expect(200).json();
    assert_eq!(
        (&export["person"]["email"], &export["memberships"][0]["role"]),
        (&json!(ASHA), &json!("owner"))
    );
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    assert!(!export.to_string().contains("argon2"), "{export}");
    ground.call_as(&ground.key, "DELETE", "/api/me", Value::Null).await.fails(403, "forbidden");
    as_asha("DELETE", "/api/me", Value::Null).await.fails(422, "invalid_value");
    let proof = json!({ "current_password": PASSWORD });
    // Her workspace would belong to nobody.
    as_asha("DELETE", "/api/me", proof.clone()).await.fails(409, "conflict");
    as_asha("GET", "/api/me", Value::Null).await.expect(200);
    let workspace = export["memberships"][0]["id"].as_str().unwrap().to_owned();
    somebody(&ground, "ravi@example.com", Role::Owner, Scope::Workspace(workspace)).await;
    as_asha("DELETE", "/api/me", proof).await.expect(200);
    as_asha("GET", "/api/me", Value::Null).await.fails(401, "unauthenticated");
    post(&ground, "/api/refresh", json!({ "refresh_token": refresh })).await.fails(401, "unauthenticated");
    let login = json!({ "email": ASHA, "password": PASSWORD });
    post(&ground, "/api/login", login).await.fails(401, "invalid_credentials");
    let people = ground.call_as(&ground.platform_key, "GET", "/api/people", Value::Null).await.expect(200);
    assert!(!people.text().contains(ASHA));
    let (ravi, _) = tokens(&ground, "ravi@example.com").await;
    let members = ground.call_as(&ravi, "GET", "/api/members", Value::Null).await.expect(200).json();
    assert_eq!(members["items"].as_array().unwrap().len(), 1, "{members}");
    // The address is free again.
    sign_up(&ground, ASHA).await;
    tokens(&ground, ASHA).await;
    // The platform keeps somebody who runs it.
    somebody(&ground, "root@example.com", Role::SuperAdmin, Scope::Platform).await;
    let (root, _) = tokens(&ground, "root@example.com").await;
    let proof = json!({ "current_password": PASSWORD });
    ground.call_as(&root, "DELETE", "/api/me", proof).await.fails(409, "conflict");
}

sluice_db::contract_tests! {
    an_admin_acts_in_somebodys_place_and_both_are_named,
    a_reseller_acts_for_its_own_clients_only,
    a_browser_is_itself_again_after_signing_out,
    an_account_is_exported_and_ends,
}
