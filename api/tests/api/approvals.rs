//! Decisions by key and by link.

use crate::ground::{Answer, Ground, chain};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use std::time::Duration;

async fn asking(ground: &Ground, name: &str) -> Value {
    let id = ground
        .workflow(chain(name, &[("start", "test.start", json!({})), ("ask", "test.ask", json!({}))]))
        .await;
    let run = ground.post(&format!("/api/workflows/{id}/run?wait=30s"), Value::Null).await.expect(200).json();
    let list = ground.get("/api/approvals").await.expect(200).json();
    list["items"].as_array().unwrap().iter().find(|one| one["run_id"] == run["id"]).unwrap().clone()
}

async fn open(ground: &Ground, link: &str) -> Answer {
    let path = link.strip_prefix("https://sluice.test").unwrap();
    ground.send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn submit(ground: &Ground, link: &str, form: &str) -> Answer {
    let path = link.strip_prefix("https://sluice.test").unwrap();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    ground.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

async fn a_decision_is_taken_once(db: Db) {
    let ground = Ground::new(db).await;
    let asked = asking(&ground, "Ask").await;
    assert_eq!(
        (&asked["title"], &asked["approvers"], &asked["node"]),
        (&json!("Go <b>now</b>?"), &json!(["a@b.c"]), &json!("ask"))
    );
    let path = format!("/api/approvals/{}", asked["id"].as_str().unwrap());
    ground.post(&path, json!({ "decision": "maybe" })).await.fails(422, "invalid_body");
    ground
        .post(&path, json!({ "decision": "approve", "note": "x".repeat(4_001) }))
        .await
        .fails(422, "invalid_value");
    let decided =
        ground.post(&path, json!({ "decision": "approve", "note": "fine" })).await.expect(200).json();
    assert_eq!((&decided["run_id"], &decided["decision"]), (&asked["run_id"], &json!("approve")));
    ground.post(&path, json!({ "decision": "reject" })).await.fails(409, "already_decided");
    ground.state.engine.settle().await;
    let run = ground.get(&format!("/api/runs/{}", asked["run_id"].as_str().unwrap())).await.json();
    let payload = &run["nodes"][1]["output"]["main"][0]["json"];
    assert_eq!((&payload["decision"], &payload["note"]), (&json!("approve"), &json!("fine")));
    assert!(payload["by"].as_str().unwrap().starts_with("key_"), "{payload}");
    assert_eq!(ground.get("/api/approvals").await.json()["items"], json!([]));
    for odd in [
        "x",
        "run_1.ask.0",
        "run_1.ask",
        &format!("{}.start.0", asked["run_id"].as_str().unwrap()),
        &format!("{}.ask.7", asked["run_id"].as_str().unwrap()),
    ] {
        let answer = ground.post(&format!("/api/approvals/{odd}"), json!({ "decision": "approve" })).await;
        assert!(matches!(answer.status.as_u16(), 404 | 409), "{odd}: {}", answer.text());
    }
}

async fn a_link_shows_and_decides_once(db: Db) {
    let ground = Ground::new(db).await;
    let asked = asking(&ground, "Ask & tell").await;
    let link = asked["link"].as_str().unwrap();
    for _ in 0..2 {
        let page = open(&ground, link).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(
            (page.header("cache-control"), page.header("referrer-policy")),
            ("no-store", "no-referrer")
        );
        let text = page.text();
        assert!(text.contains("Go &lt;b&gt;now&lt;/b&gt;?") && text.contains("Ask &amp; tell"), "{text}");
    }
    submit(&ground, link, "decision=perhaps").await.expect(422);
    submit(&ground, link, "").await.expect(422);
    assert!(
        submit(&ground, link, "decision=reject&note=too+dear").await.expect(200).text().contains("Rejected")
    );
    assert!(submit(&ground, link, "decision=approve").await.expect(409).text().contains("Already decided"));
    open(&ground, link).await.expect(409);
    ground.state.engine.settle().await;
    let run = ground.get(&format!("/api/runs/{}", asked["run_id"].as_str().unwrap())).await.json();
    assert_eq!(
        run["nodes"][1]["output"]["main"][0]["json"],
        json!({ "decision": "reject", "note": "too dear", "by": "link" })
    );
    open(&ground, &format!("{link}x")).await.expect(404);
    open(&ground, "https://sluice.test/approvals/nonsense").await.expect(404);
    submit(&ground, link, &"x".repeat(70_000)).await.expect(413);
}

async fn a_link_has_an_end(db: Db) {
    let ground = Ground::with(db, |config| config.link_life = Duration::ZERO).await;
    let asked = asking(&ground, "Ask").await;
    let link = asked["link"].as_str().unwrap();
    // The link was good for the millisecond in which it was made.
    let made = ground.state.engine.now_ms();
    while ground.state.engine.now_ms() <= made {
        tokio::task::yield_now().await;
    }
    open(&ground, link).await.expect(410);
    submit(&ground, link, "decision=approve").await.expect(410);
    assert_eq!(ground.get("/api/approvals").await.json()["items"].as_array().unwrap().len(), 1);
}

sluice_db::contract_tests! { a_decision_is_taken_once, a_link_shows_and_decides_once, a_link_has_an_end }
