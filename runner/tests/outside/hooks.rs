//! A workflow by hand, as the README shows it: a key, a draft, a publication, a request, the run.

use crate::support::{Api, Sluice, command, read, run};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_created_published_called_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Sluice::start(command(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    let port = service.port();
    // Also while the service runs.
    let (code, out, error) =
        run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]));
    assert_eq!(code, 0, "{error}");
    let api = Api::new(&format!("http://127.0.0.1:{port}"), out.lines().last().unwrap());

    let document: Value =
        serde_json::from_str(include_str!("../../../examples/workflows/greeting.json")).unwrap();
    let (status, created) = api.post("/api/workflows", &document).await;
    assert_eq!(status, 201, "{created}");
    let id = created["id"].as_str().unwrap().to_owned();
    let (status, published) = api.post(&format!("/api/workflows/{id}/publish"), &json!({})).await;
    assert_eq!(status, 200, "{published}");

    let (status, answer) = api.post("/hooks/shop/greet", &json!({ "name": "Asha", "score": 41 })).await;
    assert_eq!((status, &answer), (200, &json!({ "name": "Asha", "score": 42, "grade": "high" })));
    let runs = api.get(&format!("/api/runs?workflow={id}")).await;
    let view = api.get(&format!("/api/runs/{}", runs["items"][0]["id"].as_str().unwrap())).await;
    let statuses: Vec<_> = view["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node["status"].as_str().unwrap()))
        .collect();
    assert!(statuses.contains(&("high", "succeeded")) && statuses.contains(&("low", "skipped")), "{view:#}");

    // Killed and started again, the same hook answers.
    service.kill();
    let service =
        Sluice::start(command(folder.path()).args(["serve", "--listen", &format!("127.0.0.1:{port}")]));
    service.line_with(&["listening"]);
    let (status, _) = api.post("/hooks/shop/greet", &json!({ "name": "Ben", "score": 1 })).await;
    assert_eq!(status, 200);
    let stranger = api.client.get(format!("{}/api/runs", api.base)).send().await.unwrap();
    assert_eq!(read(stranger).await.0, 401);
}
