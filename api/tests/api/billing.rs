//! Usage, wallets, credits, plans and subscriptions over HTTP: who may do what, and what it does.

use crate::ground::{Answer, Ground, greeting};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::Scope;

sluice_db::contract_tests! {
    credits_are_moved_once,
    a_reseller_gives_what_it_has_to_its_own,
    a_workspace_chooses_what_is_free,
    plans_and_prices_are_their_owners,
    published_workflows_are_limited,
    usage_is_shown_with_the_latest,
    limits_of_the_plan_count,
    changes_are_in_the_trail,
}

const RUPEE: i64 = 1_000_000;

async fn transfer(ground: &Ground, api_key: &str, key: Option<&str>, body: Value) -> Answer {
    let mut request = Request::post("/api/credits/transfers")
        .header("authorization", format!("Bearer {api_key}"))
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    ground.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn plan(name: &str, price: i64, limits: Value) -> Value {
    json!({ "name": name, "price": price, "period": "month", "trial_days": 7, "limits": limits })
}

async fn credits_are_moved_once(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let gift = json!({ "to": { "kind": "workspace", "id": "asha-foods" }, "amount": 5 * RUPEE, "reference": "INV-1" });
    transfer(&ground, platform, None, gift.clone()).await.fails(400, "idempotency_key_required");
    let first = transfer(&ground, platform, Some("k1"), gift.clone()).await.expect(201).json();
    let again = transfer(&ground, platform, Some("k1"), gift.clone()).await.expect(201).json();
    assert_eq!(
        (&first["is_new"], &again["is_new"], &first["id"]),
        (&json!(true), &json!(false), &again["id"])
    );
    let other = json!({ "to": { "kind": "workspace", "id": "asha-foods" }, "amount": 6 });
    transfer(&ground, platform, Some("k1"), other).await.fails(409, "conflict");
    let back = json!({ "from": { "kind": "workspace", "id": "asha-foods" }, "to": { "kind": "platform" }, "amount": 9 * RUPEE });
    transfer(&ground, platform, Some("k2"), back).await.fails(402, "budget_exhausted");
    let wrong = json!({ "to": { "kind": "workspace", "id": "asha-foods" }, "amount": 0 });
    transfer(&ground, platform, Some("k3"), wrong).await.fails(422, "invalid_value");
    let nobody = json!({ "to": { "kind": "workspace", "id": "nobody" }, "amount": 1 });
    transfer(&ground, platform, Some("k4"), nobody).await.fails(404, "not_found");
    transfer(&ground, &ground.key, Some("k5"), gift).await.fails(403, "forbidden");

    let wallet = ground.get("/api/wallet").await.expect(200).json();
    assert_eq!((&wallet["available"], &wallet["currency"]), (&json!(5 * RUPEE), &json!("INR")));
    let entries = ground.get("/api/wallet/entries").await.expect(200).json();
    assert_eq!(entries["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&entries["items"][0]["amount"], &entries["items"][0]["reference"]),
        (&json!(5 * RUPEE), &json!("INV-1"))
    );
    assert!(entries["items"][0]["actor"].as_str().unwrap().starts_with("key:key_"), "{entries}");
    ground.get("/api/wallet/entries?account=purse").await.fails(400, "invalid_query");
    let issued = ground.call_as(platform, "GET", "/api/credits", Value::Null).await.expect(200).json();
    assert_eq!(issued["items"][0], json!({ "account": "issued/INR", "balance": -5 * RUPEE }));
    let entries = ground.call_as(platform, "GET", "/api/credits/entries?account=issued", Value::Null).await;
    assert_eq!(entries.expect(200).json()["items"][0]["amount"], json!(-5 * RUPEE));
    let of_other =
        ground.call_as(&ground.other_key, "GET", "/api/wallet", Value::Null).await.expect(200).json();
    assert_eq!(of_other["available"], 0);
}

async fn a_reseller_gives_what_it_has_to_its_own(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let body = json!({ "name": "north", "display_name": "North" });
    let made = ground.call_as(platform, "POST", "/api/resellers", body).await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let key = ground.records.create_api_key(Scope::Reseller(id.clone()), "north").await.unwrap().key;
    let client = ground
        .call_as(&key, "POST", "/api/clients", json!({ "name": "north-client" }))
        .await
        .expect(201)
        .json();
    let client = client["id"].as_str().unwrap().to_owned();
    let to_client = json!({ "to": { "kind": "workspace", "id": client }, "amount": 3 });
    transfer(&ground, &key, Some("a"), to_client.clone()).await.fails(402, "budget_exhausted");
    let to_reseller = json!({ "to": { "kind": "reseller", "id": id }, "amount": 5 });
    transfer(&ground, &key, Some("b"), to_reseller.clone()).await.fails(422, "invalid_value");
    transfer(&ground, platform, Some("b"), to_reseller).await.expect(201);
    transfer(&ground, &key, Some("a"), to_client).await.expect(201);
    let path = format!("/api/clients/{client}/wallet");
    assert_eq!(ground.call_as(&key, "GET", &path, Value::Null).await.expect(200).json()["available"], 3);
    assert_eq!(
        ground.call_as(&key, "GET", "/api/credits", Value::Null).await.expect(200).json()["items"][0]["balance"],
        2
    );
    for foreign in [
        json!({ "to": { "kind": "workspace", "id": "asha-foods" }, "amount": 1 }),
        json!({ "from": { "kind": "platform" }, "to": { "kind": "reseller", "id": id }, "amount": 1 }),
        json!({ "from": { "kind": "workspace", "id": "asha-foods" }, "to": { "kind": "reseller", "id": id }, "amount": 1 }),
        json!({ "to": { "kind": "reseller", "id": "rs_other" }, "amount": 1 }),
    ] {
        transfer(&ground, &key, Some("c"), foreign).await.fails(404, "not_found");
    }
    ground.call_as(&key, "GET", "/api/clients/asha-foods/wallet", Value::Null).await.fails(404, "not_found");
    assert!(ground.records.verify_ledger().await.unwrap().is_sound());
}

async fn a_workspace_chooses_what_is_free(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let make = async |body| {
        let made = ground.call_as(platform, "POST", "/api/plans", body).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    };
    let free = make(plan("Free", 0, json!({ "messages": 10 }))).await;
    let paid = make(plan("Paid", RUPEE, json!({ "messages": -1 }))).await;
    let state = ground.get("/api/subscription").await.expect(200).json();
    assert_eq!((&state["subscription"], state["plans"].as_array().unwrap().len()), (&Value::Null, 2));
    let choose = async |body| ground.call("PUT", "/api/subscription", body).await;
    choose(json!({ "plan": paid })).await.fails(402, "payment_required");
    choose(json!({ "plan": "plan_none" })).await.fails(404, "not_found");
    let trial = choose(json!({ "plan": paid, "trial": true })).await.expect(200).json();
    assert_eq!((&trial["status"], &trial["plan"]["name"]), (&json!("trial"), &json!("Paid")));
    choose(json!({ "plan": paid, "trial": true })).await.fails(409, "conflict");
    assert_eq!(choose(json!({ "plan": free })).await.expect(200).json()["status"], "active");
    let left = ground.get("/api/usage/allowances").await.expect(200).json();
    let messages = left["items"].as_array().unwrap().iter().find(|one| one["kind"] == "messages").unwrap();
    assert_eq!((&messages["limit"], &messages["left"]), (&json!(10), &json!(10)));

    let managed =
        async |body| ground.call_as(platform, "PUT", "/api/clients/asha-foods/subscription", body).await;
    let moved = managed(json!({ "change": "choose", "plan": paid })).await.expect(200).json();
    assert_eq!((&moved["status"], &moved["plan"]["name"]), (&json!("active"), &json!("Paid")));
    let late = managed(json!({ "change": "past_due", "note": "card refused" })).await.expect(200).json();
    assert_eq!(late["status"], "past_due");
    assert_eq!(managed(json!({ "change": "renew" })).await.expect(200).json()["status"], "active");
    assert_eq!(
        ground.call("DELETE", "/api/subscription", Value::Null).await.expect(200).json()["status"],
        "cancelled"
    );
    ground.call("DELETE", "/api/subscription", Value::Null).await.fails(409, "conflict");
    assert_eq!(managed(json!({ "change": "expire" })).await.expect(200).json()["status"], "expired");
    managed(json!({ "change": "renew" })).await.fails(409, "conflict");
    let shown = ground.call_as(platform, "GET", "/api/clients/asha-foods/subscription", Value::Null).await;
    assert_eq!(shown.expect(200).json()["subscription"]["status"], "expired");
}

async fn plans_and_prices_are_their_owners(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let call = async |method: &str, path: &str, body| ground.call_as(platform, method, path, body).await;
    let made =
        call("POST", "/api/plans", plan("Basic", 0, json!({ "messages": 10 }))).await.expect(201).json();
    let path = format!("/api/plans/{}", made["id"].as_str().unwrap());
    let changed = call("PUT", &path, plan("Basic", 0, json!({ "messages": 20 }))).await.expect(200).json();
    assert_eq!(changed["limits"], json!({ "messages": 20 }));
    assert_eq!(call("GET", &path, Value::Null).await.expect(200).json(), changed);
    let wrong =
        call("POST", "/api/plans", plan("Basic", 0, json!({ "messages": -2 }))).await.expect(422).json();
    assert_eq!(wrong["error"]["details"]["path"], "/limits/messages");
    ground.call("PUT", "/api/subscription", json!({ "plan": made["id"] })).await.expect(200);
    call("DELETE", &path, Value::Null).await.fails(409, "conflict");
    ground
        .call_as(platform, "PUT", "/api/clients/asha-foods/subscription", json!({ "change": "expire" }))
        .await
        .expect(200);
    call("DELETE", &path, Value::Null).await.expect(204);
    call("DELETE", &path, Value::Null).await.fails(404, "not_found");
    assert_eq!(call("GET", "/api/plans", Value::Null).await.expect(200).json()["items"], json!([]));

    let price = json!({ "kind": "message", "category": "marketing", "amount": 800_000 });
    let priced = call("POST", "/api/prices", price).await.expect(201).json();
    assert_eq!((&priced["per"], &priced["currency"]), (&json!(1), &json!("INR")));
    assert_eq!(call("GET", "/api/prices", Value::Null).await.expect(200).json()["items"], json!([priced]));
    call("POST", "/api/prices", json!({ "kind": "message", "amount": -1 })).await.fails(422, "invalid_value");
    ground.get("/api/plans").await.fails(403, "forbidden");
    ground.post("/api/prices", json!({ "kind": "message", "amount": 1 })).await.fails(403, "forbidden");
}

async fn published_workflows_are_limited(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let body = plan("One", 0, json!({ "automations": 1 }));
    let made = ground.call_as(platform, "POST", "/api/plans", body).await.expect(201).json();
    ground.call("PUT", "/api/subscription", json!({ "plan": made["id"] })).await.expect(200);
    let first = ground.published(greeting()).await;
    let mut second = greeting();
    second["name"] = json!("Second");
    let second = ground.workflow(second).await;
    ground
        .post(&format!("/api/workflows/{second}/publish"), Value::Null)
        .await
        .fails(402, "plan_limit_reached");
    ground.post(&format!("/api/workflows/{first}/publish"), Value::Null).await.expect(200);
    ground.post(&format!("/api/workflows/{first}/unpublish"), Value::Null).await.expect(200);
    ground.post(&format!("/api/workflows/{second}/publish"), Value::Null).await.expect(200);
}

async fn usage_is_shown_with_the_latest(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.published(greeting()).await;
    let run = format!("/api/workflows/{id}/run?version=1&wait=10s");
    let before = ground.get("/api/usage").await.expect(200).json();
    assert_eq!(before["items"], json!([]));
    ground.post(&run, json!({ "trigger": { "name": "Asha" } })).await.expect(200);
    let after = ground.get("/api/usage").await.expect(200).json();
    assert_eq!(after["items"], json!([]), "a person's test is no usage");
    let start = sluice_engine::drive::StartRequest {
        workspace_id: ground.asha.id.clone(),
        workflow_id: id.clone(),
        event: json!({ "name": "Asha" }),
        ..Default::default()
    };
    ground.state.engine.start(start).await.unwrap();
    for roll in [false, true] {
        if roll {
            assert_eq!(ground.records.roll_up_usage(10).await.unwrap(), 1);
        }
        for by in ["day", "hour"] {
            let found = ground.get(&format!("/api/usage?by={by}&kind=run")).await.expect(200).json();
            let item = &found["items"][0];
            assert_eq!((&item["kind"], &item["quantity"]), (&json!("run"), &json!(1)));
            assert_eq!(item["attributes"], json!({ "workflow": id }));
        }
    }
    assert_eq!(ground.get("/api/usage?kind=message").await.expect(200).json()["items"], json!([]));
    ground.get("/api/usage?by=hour&from=0").await.fails(400, "invalid_query");
    ground.get("/api/usage?from=2&to=1").await.fails(400, "invalid_query");
    let of_other =
        ground.call_as(&ground.other_key, "GET", "/api/usage", Value::Null).await.expect(200).json();
    assert_eq!(of_other["items"], json!([]));
}

async fn limits_of_the_plan_count(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let made = ground.call_as(platform, "POST", "/api/plans", plan("Slow", 0, json!({}))).await;
    let id = made.expect(201).json()["id"].clone();
    ground.call("PUT", "/api/subscription", json!({ "plan": id })).await.expect(200);
    let limit = json!({ "level": "plan", "subject": id, "route": "GET /api/contacts", "daily_limit": 1 });
    ground.call_as(platform, "PUT", "/api/platform/limits", limit).await.expect(200);
    ground.get("/api/contacts").await.expect(200);
    ground.get("/api/contacts").await.fails(429, "rate_limited");
    for _ in 0..2 {
        ground.call_as(&ground.other_key, "GET", "/api/contacts", Value::Null).await.expect(200);
    }
}

async fn changes_are_in_the_trail(db: Db) {
    let ground = Ground::new(db).await;
    let platform = ground.platform_key.as_str();
    let made = ground.call_as(platform, "POST", "/api/plans", plan("Basic", 0, json!({}))).await;
    let id = made.expect(201).json()["id"].clone();
    let price = json!({ "kind": "message", "amount": 8 });
    ground.call_as(platform, "POST", "/api/prices", price).await.expect(201);
    ground.call("PUT", "/api/subscription", json!({ "plan": id })).await.expect(200);
    let gift = json!({ "to": { "kind": "workspace", "id": "asha-foods" }, "amount": 5 });
    for _ in 0..2 {
        transfer(&ground, platform, Some("k1"), gift.clone()).await.expect(201);
    }
    let seen = |trail: &Value| -> Vec<(String, String)> {
        let kinds = ["plan.", "price.", "subscription.", "credits."];
        let entries = trail["items"].as_array().unwrap().iter().rev();
        let read = entries.map(|one| {
            (one["action"].as_str().unwrap().to_owned(), one["actor"]["kind"].as_str().unwrap().to_owned())
        });
        read.filter(|(action, _)| kinds.iter().any(|kind| action.starts_with(kind))).collect()
    };
    let by_key = |actions: &[&str]| -> Vec<(String, String)> {
        actions.iter().map(|action| ((*action).to_owned(), "key".to_owned())).collect()
    };
    let own = ground.get("/api/audit").await.expect(200).json();
    assert_eq!(seen(&own), by_key(&["subscription.changed", "credits.moved"]));
    let of_platform =
        ground.call_as(platform, "GET", "/api/platform/audit", Value::Null).await.expect(200).json();
    let expected = ["plan.created", "price.created", "subscription.changed", "credits.moved"];
    assert_eq!(seen(&of_platform), by_key(&expected));
}
