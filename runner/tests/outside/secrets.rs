//! Secrets from outside: they are used, echoed by whoever got them, rotated, and found nowhere; accounts are connected at a
//! stand-in of the provider and lost again.

use crate::support::{Api, Sluice, address_in, command, read, run};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TOKEN: &str = "tok/SECRET+bearer=0123";
const PASSWORD: &str = "pass \"SECRET\" word&9";

/// A server that gives everything back that it was sent: as JSON, in the text of an error, and in other clothes.
async fn echo() -> String {
    let answer = |uri: axum::http::Uri, headers: HeaderMap| async move {
        let all: BTreeMap<String, String> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let sent = all.get("authorization").cloned().unwrap_or_default();
        let form: String = url::form_urlencoded::byte_serialize(sent.as_bytes()).collect();
        let body = json!({ "headers": all, "form": form, "base64": STANDARD.encode(&sent), "nested": json!({ "was": sent }).to_string() });
        let status = if uri.path() == "/fails" { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        (status, axum::Json(body)).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    format!("http://{address}")
}

/// A webhook that calls `url` with a credential and answers what came of it.
fn caller(name: &str, url: &str, credential: &str) -> Value {
    json!({
        "sluice": 1, "name": name,
        "nodes": [
            { "id": "hook", "type": "trigger.webhook", "params": { "path": name, "respond": "last_node" } },
            { "id": "call", "type": "http.request", "params": { "url": url, "credential": credential } },
        ],
        "edges": [{ "from": "hook", "to": "call" }],
    })
}

async fn publish(api: &Api, document: &Value) -> String {
    let (status, made) = api.post("/api/workflows", document).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let (status, published) = api.post(&format!("/api/workflows/{id}/publish"), &json!({})).await;
    assert_eq!(status, 200, "{published}");
    id
}

/// All the ways in which a secret could be found.
fn traces_of(text: &str) -> Vec<String> {
    let pair = STANDARD.encode(format!("asha:{PASSWORD}"));
    let mut found = Vec::new();
    for secret in [TOKEN, PASSWORD, pair.as_str()] {
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let quoted = Value::from(secret).to_string();
        let bearer = STANDARD.encode(format!("Bearer {secret}"));
        let core = &bearer[12..bearer.len() - 4];
        for form in [secret, form.as_str(), &quoted[1..quoted.len() - 1], core] {
            if text.contains(form) {
                found.push(form.to_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_echo_is_found_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let echo = echo().await;
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--egress-allow", "127.0.0.1", "--log", "info,sluice=debug"];
    let mut service = Sluice::start(command(folder.path()).args(arguments));
    let port = service.port();
    let (code, out, error) =
        run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]));
    assert_eq!(code, 0, "{error}");
    let api = Api::new(&format!("http://127.0.0.1:{port}"), out.lines().last().unwrap());
    let bearer = json!({ "name": "bearer", "kind": "http_bearer", "secret": { "token": TOKEN } });
    let basic = json!({ "name": "basic", "kind": "http_basic", "public": { "username": "asha" }, "secret": { "password": PASSWORD } });
    let mut seen = String::new();
    for credential in [&bearer, &basic] {
        let (status, made) = api.post("/api/credentials", credential).await;
        assert_eq!(status, 201, "{made}");
        assert!(made.get("secret").is_none());
        seen += &made.to_string();
    }
    let listed = api.get("/api/credentials").await;
    assert_eq!(listed["items"][0]["secret_fields"], json!(["password"]));
    seen += &listed.to_string();
    // A credential that is sent twice is refused without being repeated.
    seen += &api.post("/api/credentials", &bearer).await.1.to_string();

    let mut workflows = Vec::new();
    for (credential, path) in [("bearer", ""), ("basic", ""), ("bearer", "/fails"), ("basic", "/fails")] {
        let name = format!("{credential}{}", path.replace('/', "-"));
        workflows.push(publish(&api, &caller(&name, &format!("{echo}{path}"), credential)).await);
        let (status, answer) = api.post(&format!("/hooks/shop/{name}"), &json!({ "n": 1 })).await;
        assert_eq!(status, if path.is_empty() { 200 } else { 500 }, "{answer}");
        assert!(answer.to_string().contains("***") || status == 500, "{answer}");
        seen += &answer.to_string();
    }
    for id in &workflows {
        seen += &api.get(&format!("/api/workflows/{id}/export")).await.to_string();
        let runs = api.get(&format!("/api/runs?workflow={id}")).await;
        let run = api.get(&format!("/api/runs/{}", runs["items"][0]["id"].as_str().unwrap())).await;
        assert!(run.to_string().contains("***"), "the trace shows that something was there: {run:#}");
        seen += &run.to_string();
    }
    assert_eq!(traces_of(&seen), [""; 0]);
    assert_eq!(service.terminate(), 0);
    assert_eq!(traces_of(&service.rest().join("\n")), [""; 0], "the log");
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(traces_of(&String::from_utf8_lossy(&bytes)), [""; 0], "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn master_and_data_keys_are_rotated_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let echo = echo().await;
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    let start = |keys: &[(&str, &str)]| {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--egress-allow", "127.0.0.1"];
        Sluice::start(command(folder.path()).args(arguments).envs(keys.iter().copied()))
    };
    let vault = |arguments: &[&str], keys: &[(&str, &str)]| {
        run(command(folder.path()).arg("vault").args(arguments).envs(keys.iter().copied()))
    };
    let (only_old, both, only_new) = (
        [("SLUICE_MASTER_KEY", old.as_str())],
        [("SLUICE_MASTER_KEY", new.as_str()), ("SLUICE_MASTER_KEY_EARLIER", old.as_str())],
        [("SLUICE_MASTER_KEY", new.as_str())],
    );
    let mut service = start(&only_old);
    let port = service.port();
    let (_, out, error) =
        run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]).envs(only_old));
    let key = out.lines().last().unwrap_or_else(|| panic!("{error}")).to_owned();
    let api = Api::new(&format!("http://127.0.0.1:{port}"), &key);
    let bearer = json!({ "name": "bearer", "kind": "http_bearer", "secret": { "token": TOKEN } });
    assert_eq!(api.post("/api/credentials", &bearer).await.0, 201);
    publish(&api, &caller("call", &echo, "bearer")).await;
    let works = |api: Api| async move {
        let (status, answer) = api.post("/hooks/shop/call", &json!({})).await;
        assert_eq!(
            (status, &answer["body"]["headers"]["authorization"]),
            (200, &json!("Bearer ***")),
            "{answer}"
        );
        api
    };
    let api = works(api).await;
    service.terminate();

    // The new key alone opens nothing, and says which is missing.
    let (code, told, _) = vault(&["status"], &only_new);
    assert!(code == 1 && told.contains("SLUICE_MASTER_KEY_EARLIER"), "{told}");
    let service = start(&both);
    let api = works(Api { base: format!("http://127.0.0.1:{}", service.port()), ..api }).await;
    let (code, told, error) = vault(&["rotate"], &both);
    assert!(code == 0 && told.contains("wrapped with the current master key: 1"), "{told}{error}");
    let (code, told, error) = vault(&["rotate", "--data-keys"], &both);
    assert!(code == 0 && told.contains("values sealed anew: 1"), "{told}{error}");
    let api = works(api).await;
    drop(service);
    let service = start(&only_new);
    works(Api { base: format!("http://127.0.0.1:{}", service.port()), ..api }).await;
    let (code, told, _) = vault(&["status"], &only_new);
    assert!(code == 0 && !told.contains("MISSING"), "{told}");
}

/// A browser without a window: follows the provider to the callback with its cookie. Status and text of the answer.
async fn browse(api: &Api, authorize_url: &str, cookie: Option<&str>) -> (u16, String, String) {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let back = browser.get(authorize_url).send().await.unwrap();
    let back = url::Url::parse(back.headers()["location"].to_str().unwrap()).unwrap();
    // The service was told to listen on any port, so its public address has none.
    let url = format!("{}{}?{}", api.base, back.path(), back.query().unwrap());
    let mut request = browser.get(url);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let answer = request.send().await.unwrap();
    let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), location, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_used_lost_and_connected_again() {
    let folder = tempfile::tempdir().unwrap();
    let process = Sluice::start(command(folder.path()).args([
        "demo",
        "--listen",
        "127.0.0.1:0",
        "--sandbox-listen",
        "127.0.0.1:0",
        "--egress-allow",
        "127.0.0.1",
    ]));
    let service = address_in(&process.line_with(&["Service", "http://"]));
    let sandbox = address_in(&process.line_with(&["Sandbox", "http://"]));
    let key = process.line_with(&["API key"]).split_whitespace().last().unwrap().to_owned();
    let api = Api::new(&service, &key);
    let control = |path: &str, body: Value| {
        let request = api.client.post(format!("{sandbox}{path}")).json(&body);
        async move { read(request.send().await.unwrap()).await.1 }
    };
    let start = async |return_to: Option<&str>| {
        let body = json!({ "name": "sheets", "scopes": ["https://www.googleapis.com/auth/spreadsheets"], "return_to": return_to });
        let url = format!("{service}/api/connections/google/start");
        let answer = api.client.post(url).bearer_auth(&key).json(&body).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        let (status, body) = read(answer).await;
        assert_eq!(status, 200, "{body}");
        (body, cookie.split(';').next().unwrap().to_owned())
    };

    let (started, cookie) = start(None).await;
    let url = started["authorize_url"].as_str().unwrap();
    assert_eq!(browse(&api, url, None).await.0, 403, "another browser");
    let (status, _, page) = browse(&api, url, Some(&cookie)).await;
    assert!(status == 200 && page.contains("asha@example.com"), "{page}");
    assert_eq!(browse(&api, url, Some(&cookie)).await.0, 400, "it works once");
    let listed = api.get("/api/credentials/sheets").await;
    assert_eq!(
        (&listed["connection"]["status"], &listed["connection"]["account"]),
        (&json!("connected"), &json!("asha@example.com"))
    );
    assert_eq!(listed["secret_fields"], json!(["access_token", "refresh_token"]));

    publish(&api, &caller("who", &format!("{sandbox}/v1/userinfo"), "sheets")).await;
    let (status, answer) = api.post("/hooks/demo/who", &json!({})).await;
    assert_eq!((status, &answer["body"]["email"]), (200, &json!("asha@example.com")), "{answer}");
    // The provider takes the access token no more: it is renewed at once.
    control("/_sandbox/clock", json!({ "advance": "2h" })).await;
    let (status, answer) = api.post("/hooks/demo/who", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let grants = api.client.get(format!("{sandbox}/_sandbox/oauth")).send().await.unwrap();
    assert_eq!(read(grants).await.1["grants"][0]["renewals"], 1);

    // The person takes access back there.
    control("/_sandbox/oauth/withdraw", json!({})).await;
    let (status, answer) = api.post("/hooks/demo/who", &json!({})).await;
    assert_eq!(
        (status, &answer["error"]["details"]["error"]["code"]),
        (500, &json!("connection_revoked")),
        "{answer}"
    );
    let listed = api.get("/api/credentials/sheets").await;
    assert_eq!(listed["connection"]["status"], "revoked");
    assert!(listed["connection"]["reason"].as_str().unwrap().starts_with("invalid_grant"));

    // By the link for another browser, and back to a page of our own.
    let (started, first) = start(Some("/healthz?x=1")).await;
    let link = started["begin_url"].as_str().unwrap();
    let path = &link[link.find("/api/").unwrap()..];
    let page = api.client.get(format!("{service}{path}")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("“demo”") && page.contains("spreadsheets"), "{page}");
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let gone_on = browser.post(format!("{service}{path}")).send().await.unwrap();
    assert_eq!(gone_on.status(), 303);
    let second = gone_on.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let url = gone_on.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(browse(&api, &url, Some(&first)).await.0, 403);
    let (status, location, _) = browse(&api, &url, Some(&second)).await;
    assert!(status == 303 && location.contains("/healthz?x=1&connection=crd_"), "{location}");
    assert_eq!(api.post("/hooks/demo/who", &json!({})).await.0, 200);

    let (status, revoked) = api.post("/api/connections/sheets/revoke", &json!({})).await;
    assert_eq!((status, &revoked["provider_told"]), (200, &json!(true)), "{revoked}");
    assert_eq!(revoked["credential"]["connection"]["status"], "revoked");
}
