//! Pages of the studio, as far as the server has to do with them. Whether they are built or not: the tests of the other
//! crates must not need Node.js.

use crate::ground::{Answer, Ground};
use axum::body::Body;
use axum::http::Request;
use sluice_db::Db;

async fn ask(ground: &Ground, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ground.send(request.body(Body::empty()).unwrap()).await
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

async fn a_browser_gets_the_page_and_a_program_an_error(db: Db) {
    let ground = Ground::new(db).await;
    for path in ["/", "/workflows/wf_1", "/approvals", "/runs?status=failed"] {
        let page = ask(&ground, "GET", path, &[BROWSER]).await;
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!page.header("content-security-policy").contains("unsafe-eval"), "{path}");
        match sluice_studio::file(sluice_studio::INDEX) {
            Some(index) => assert_eq!(page.expect(200).bytes, index.bytes.as_ref()),
            None => assert!(page.expect(503).text().contains("make studio")),
        }
        ask(&ground, "GET", path, &[("accept", "application/json")]).await.fails(404, "no_such_route");
    }
    for path in ["/api/none", "/assets/none.js", "/healthz/none"] {
        ask(&ground, "GET", path, &[BROWSER]).await.fails(404, "no_such_route");
    }
    ask(&ground, "POST", "/", &[BROWSER]).await.fails(404, "no_such_route");
}

async fn what_a_browser_has_is_not_sent_again(db: Db) {
    let ground = Ground::new(db).await;
    if sluice_studio::file(sluice_studio::INDEX).is_none() {
        return;
    }
    let first = ask(&ground, "GET", "/", &[BROWSER]).await.expect(200);
    assert_eq!(first.header("cache-control"), "no-cache");
    let again =
        ask(&ground, "GET", "/", &[BROWSER, ("if-none-match", first.header("etag"))]).await.expect(304);
    assert!(again.bytes.is_empty());
    let page = first.text();
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let script = ask(&ground, "GET", script, &[]).await.expect(200);
    assert!(script.header("cache-control").contains("immutable"));
    assert!(script.header("content-type").contains("javascript"));
}

sluice_db::contract_tests! { a_browser_gets_the_page_and_a_program_an_error, what_a_browser_has_is_not_sent_again }
