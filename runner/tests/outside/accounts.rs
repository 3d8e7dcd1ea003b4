//! Accounts with the real binary: letters reach the mail server, the first person comes from the command line, and a crash
//! loses no mail.

use crate::support::{Sluice, address_in, command, read, run};
use serde_json::{Value, json};
use sluice_sandbox::{Sandbox, SandboxConfig};
use std::path::Path;

const ASHA: &str = "asha@example.com";
const PASSWORD: &str = "correct horse";

fn serve(folder: &Path, smtp: Option<&str>) -> (Sluice, String) {
    let mut command = command(folder);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    if let Some(url) = smtp {
        command.args(["--smtp-url", url, "--mail-from", "Sluice <no-reply@sluice.test>"]);
    }
    let process = Sluice::start(&mut command);
    let base = format!("http://127.0.0.1:{}", process.port());
    (process, base)
}

async fn post(url: &str, body: Value) -> (u16, Value) {
    read(reqwest::Client::new().post(url).json(&body).send().await.unwrap()).await
}

/// The next letter to an address, as the sandbox shows it.
async fn letter(sandbox: &Sandbox, to: &str) -> Value {
    let url = format!("{}/_sandbox/mail?to={to}&wait=60s", sandbox.base_url());
    let (_, answer) = read(reqwest::get(url).await.unwrap()).await;
    answer["items"].as_array().and_then(|items| items.last()).cloned().unwrap_or_else(|| panic!("{answer}"))
}

fn code_in(letter: &Value) -> String {
    letter["text"].as_str().unwrap().split("code is ").nth(1).unwrap().chars().take(6).collect()
}

fn wish(email: &str) -> Value {
    json!({ "name": "Ashä Rao", "email": email, "business_name": "Rao Foods", "password": PASSWORD })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_arrives_and_its_code_opens() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let (mut process, base) = serve(folder.path(), Some(&sandbox.smtp_url()));
    assert_eq!(post(&format!("{base}/api/signup"), wish(ASHA)).await.0, 201);
    let letter = letter(&sandbox, ASHA).await;
    assert_eq!(
        (&letter["from"], &letter["subject"]),
        (&json!("no-reply@sluice.test"), &json!("Your sign-up code"))
    );
    assert!(letter["message_id"].as_str().unwrap().starts_with("<mail_"), "{letter}");
    let proof = json!({ "email": ASHA, "code": code_in(&letter) });
    assert_eq!(post(&format!("{base}/api/verify-email"), proof).await.0, 200);
    let login = json!({ "email": ASHA, "password": PASSWORD, "tokens": true });
    let (status, view) = post(&format!("{base}/api/login"), login).await;
    assert_eq!((status, &view["user"]["name"]), (200, &json!("Ashä Rao")));
    let token = view["tokens"]["access_token"].as_str().unwrap();
    let sessions = reqwest::Client::new().get(format!("{base}/api/sessions")).bearer_auth(token).send().await;
    let (_, sessions) = read(sessions.unwrap()).await;
    assert_eq!(sessions["items"][0]["address"], "127.0.0.1");
    assert_eq!(process.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_no_letter() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let smtp = sandbox.smtp_url();
    // Nobody listens there any more.
    drop(sandbox);
    let (mut process, base) = serve(folder.path(), Some(&smtp));
    assert_eq!(post(&format!("{base}/api/signup"), wish(ASHA)).await.0, 201);
    process.line_with(&["mail was not taken"]);
    process.kill();

    let config =
        SandboxConfig { smtp_listen: smtp.trim_start_matches("smtp://").to_owned(), ..Default::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let (_process, base) = serve(folder.path(), Some(&smtp));
    let letter = letter(&sandbox, ASHA).await;
    let proof = json!({ "email": ASHA, "code": code_in(&letter) });
    assert_eq!(post(&format!("{base}/api/verify-email"), proof).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_person_comes_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let create = ["person", "create", "--email", "boss@example.com", "--as", "super_admin"];
    let (exit, out, err) = run(command(folder.path()).args(create));
    assert_eq!(exit, 0, "{err}");
    let first = out.lines().last().unwrap().to_owned();
    let (exit, out, err) =
        run(command(folder.path()).args(["person", "code", "--email", "boss@example.com"]));
    assert_eq!(exit, 0, "{err}");
    let code = out.lines().last().unwrap().to_owned();
    let (_process, base) = serve(folder.path(), None);
    let reset = |code: &str| json!({ "email": "boss@example.com", "code": code, "new_password": PASSWORD });
    assert_eq!(
        post(&format!("{base}/api/password/reset"), reset(&first)).await.0,
        400,
        "replaced by the second"
    );
    assert_eq!(post(&format!("{base}/api/password/reset"), reset(&code)).await.0, 200);
    let login = json!({ "email": "boss@example.com", "password": PASSWORD, "tokens": true });
    let (_, view) = post(&format!("{base}/api/login"), login).await;
    let people = reqwest::Client::new().get(format!("{base}/api/people"));
    let people = people.bearer_auth(view["tokens"]["access_token"].as_str().unwrap()).send().await.unwrap();
    let (status, people) = read(people).await;
    assert_eq!((status, people["items"].as_array().unwrap().len()), (200, 1));
    let (status, refused) = post(&format!("{base}/api/signup"), wish(ASHA)).await;
    assert_eq!((status, &refused["error"]["code"]), (503, &json!("mail_not_configured")));

    for (wrong, reason) in [
        (vec!["--as", "king"], "no role"),
        (vec!["--as", "owner"], "role in a workspace"),
        (vec!["--as", "owner", "--workspace", "none"], "no workspace"),
    ] {
        let mut all = vec!["person", "create", "--email", "x@example.com"];
        all.extend(wrong);
        let (exit, _, err) = run(command(folder.path()).args(all));
        assert_eq!(exit, 2);
        assert!(err.contains(reason), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_an_owner_who_can_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"];
    let demo = Sluice::start(command(folder.path()).args(arguments));
    let base = address_in(&demo.line_with(&["Service", "http://"]));
    let line = demo.line_with(&["Sign in", "password"]);
    let words: Vec<_> = line.split_whitespace().collect();
    let login = json!({ "email": words[2], "password": words.last().unwrap() });
    let (status, view) = post(&format!("{base}/api/login"), login).await;
    assert_eq!((status, &view["workspaces"][0]["name"]), (200, &json!("demo")), "{view}");
}

/// The whole way through the sandbox's provider, as a browser goes it.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_at_another_provider() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start_on("127.0.0.1:0", SandboxConfig::default()).await.unwrap();
    let app = SandboxConfig::default().oauth;
    let mut command = command(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--egress-allow", "127.0.0.1"]);
    command.args(["--oidc-issuer", &sandbox.base_url(), "--oidc-client-id", &app.client_id]);
    let service = Sluice::start(command.env("SLUICE_OIDC_CLIENT_SECRET", &app.client_secret));
    let base = format!("http://127.0.0.1:{}", service.port());
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    let cookie = |answer: &reqwest::Response, name: &str| {
        let all = answer.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let found = all.filter_map(|line| line.split(';').next()).find(|pair| pair.starts_with(name));
        found.unwrap_or_else(|| panic!("no cookie {name}")).to_owned()
    };

    let is_signed_in = |answer: &reqwest::Response| {
        let mut all = answer.headers().get_all("set-cookie").iter();
        all.any(|line| line.as_bytes().starts_with(b"sluice_access=ey"))
    };
    // From the beginning to the address that the provider sends the browser back to.
    let go = async || {
        let begun = browser.get(format!("{base}/api/oidc/start")).send().await.unwrap();
        let back = browser.get(location(&begun)).send().await.unwrap();
        // The service was told to listen on any port, so its public address has none.
        let back = url::Url::parse(&location(&back)).unwrap();
        (cookie(&begun, "sluice_oidc="), format!("{base}{}?{}", back.path(), back.query().unwrap()))
    };
    let (_, stolen) = go().await;
    let (own, callback) = go().await;
    let elsewhere = browser.get(&stolen).header("cookie", &own).send().await.unwrap();
    assert!(!is_signed_in(&elsewhere), "with the cookie of another attempt");
    let done = browser.get(&callback).header("cookie", &own).send().await.unwrap();
    let session = cookie(&done, "sluice_access=");
    let me = browser.get(format!("{base}/api/me")).header("cookie", session).send().await.unwrap();
    let me: Value = serde_json::from_str(&me.text().await.unwrap()).unwrap();
    assert_eq!(me["user"]["email"], app.user.email.as_str(), "{me}");
    let again = browser.get(&callback).header("cookie", &own).send().await.unwrap();
    assert!(!is_signed_in(&again), "a second time");
    sandbox.stop();
}
