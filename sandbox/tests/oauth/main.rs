//! The authorization server over real HTTP on loopback, as a client sees it.
//!
//! It must not know the sandbox's insides: only its library interface and its wire.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall stop where it is")]

use aws_lc_rs::digest;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sluice_sandbox::{OAuthConfig, Sandbox, SandboxConfig};
use std::collections::HashMap;

const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

struct World {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    /// What the browser is sent back with.
    async fn authorize(&self, extra: &[(&str, &str)]) -> HashMap<String, String> {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let mut query: Vec<(&str, &str)> = vec![
            ("client_id", "sandbox-client.apps.example.com"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid email https://www.googleapis.com/auth/spreadsheets"),
            ("state", "st/ate"),
            ("nonce", "n-1"),
            ("access_type", "offline"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in extra {
            query.retain(|(known, _)| known != name);
            query.push((name, value));
        }
        let answer = self.http.get(self.url("/o/oauth2/v2/auth")).query(&query).send().await.unwrap();
        let Some(location) = answer.headers().get("location") else {
            return HashMap::from([("status".to_owned(), answer.status().as_str().to_owned())]);
        };
        let location = url::Url::parse(location.to_str().unwrap()).unwrap();
        assert!(location.as_str().starts_with(REDIRECT));
        location.query_pairs().into_owned().collect()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut all = vec![
            ("client_id", "sandbox-client.apps.example.com"),
            ("client_secret", "sandbox-client-secret"),
            ("redirect_uri", REDIRECT),
        ];
        for (name, value) in form {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        let answer = self.http.post(self.url("/token")).form(&all).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn exchange(&self, code: &str) -> (u16, Value) {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)]).await
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.url(path)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    async fn userinfo(&self, token: &str) -> (u16, Value) {
        let answer = self.http.get(self.url("/v1/userinfo")).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_needs_its_verifier() {
    let world = World::new().await;
    let back = world.authorize(&[]).await;
    assert_eq!(back["state"], "st/ate");
    let wrong =
        [("grant_type", "authorization_code"), ("code", back["code"].as_str()), ("code_verifier", "wrong")];
    assert_eq!(world.token(&wrong).await.1["error"], "invalid_grant");
    let (status, tokens) = world.exchange(&back["code"]).await;
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("Bearer"), &json!(3599)));
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        world.userinfo(access).await,
        (
            200,
            json!({
                "sub": "110169484474386276334", "email": "asha@example.com", "email_verified": true,
            })
        )
    );
    // A second use ends what the first gave.
    assert_eq!(
        world.exchange(&back["code"]).await,
        (
            400,
            json!({
                "error": "invalid_grant", "error_description": "Bad Request",
            })
        )
    );
    assert_eq!(world.userinfo(access).await.0, 401);
}

#[tokio::test]
async fn a_client_must_be_known_and_come_from_a_known_place() {
    let world = World::new().await;
    assert_eq!(world.authorize(&[("client_id", "other")]).await["status"], "401");
    assert_eq!(world.authorize(&[("redirect_uri", "https://evil.test/")]).await["status"], "400");
    assert_eq!(world.authorize(&[("response_type", "token")]).await["error"], "unsupported_response_type");
    let back = world.authorize(&[]).await;
    let bad =
        [("grant_type", "authorization_code"), ("code", back["code"].as_str()), ("client_secret", "wrong")];
    assert_eq!(world.token(&bad).await.0, 401);
    let other = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "http://127.0.0.1:9/other"),
    ];
    assert_eq!(world.token(&other).await.1["error"], "redirect_uri_mismatch");
    world.sandbox.advance(10 * 60 * 1000);
    assert_eq!(world.exchange(&back["code"]).await.1["error"], "invalid_grant", "codes last ten minutes");
    let fixed = OAuthConfig { redirect_uris: vec!["https://a.test/cb".into()], ..OAuthConfig::default() };
    let strict = Sandbox::start(SandboxConfig { oauth: fixed, ..SandboxConfig::default() }).await.unwrap();
    let strict = World { sandbox: strict, ..world };
    assert_eq!(strict.authorize(&[]).await["status"], "400");
}

#[tokio::test]
async fn refreshing_goes_on_until_the_person_takes_it_back() {
    let world = World::new().await;
    let first = world.exchange(&world.authorize(&[]).await["code"]).await.1;
    let again = world.exchange(&world.authorize(&[]).await["code"]).await.1;
    assert!(again.get("refresh_token").is_none(), "only the first consent gives one");
    let asked = world.exchange(&world.authorize(&[("prompt", "consent")]).await["code"]).await.1;
    assert!(asked["refresh_token"].is_string());
    let refresh = first["refresh_token"].as_str().unwrap();
    let renew = |refresh: String| {
        let world = &world;
        async move { world.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await }
    };
    world.sandbox.advance(3_600_000);
    assert_eq!(world.userinfo(first["access_token"].as_str().unwrap()).await.0, 401, "it ended");
    let (status, renewed) = renew(refresh.to_owned()).await;
    assert_eq!(status, 200);
    assert!(renewed.get("refresh_token").is_none());
    assert_eq!(world.userinfo(renewed["access_token"].as_str().unwrap()).await.0, 200);
    world.control("/_sandbox/oauth", json!({ "rotate_refresh_tokens": true })).await;
    let rotated = renew(refresh.to_owned()).await.1["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(renew(refresh.to_owned()).await.1["error"], "invalid_grant", "the old one ended");
    let ended = world.control("/_sandbox/oauth/withdraw", json!({ "email": "asha@example.com" })).await;
    assert_eq!(ended["ended"], 3);
    assert_eq!(renew(rotated).await.1["error_description"], "Token has been expired or revoked.");
}

#[tokio::test]
async fn people_refuse_untick_and_revoke() {
    let world = World::new().await;
    world.control("/_sandbox/oauth", json!({ "consent": "deny" })).await;
    assert_eq!(world.authorize(&[]).await["error"], "access_denied");
    let scope = "https://www.googleapis.com/auth/spreadsheets";
    world.control("/_sandbox/oauth", json!({ "consent": "allow", "withheld_scopes": [scope] })).await;
    let tokens = world.exchange(&world.authorize(&[]).await["code"]).await.1;
    assert_eq!(tokens["scope"], "openid email");
    let revoke = |token: String| async {
        let form = [("token", token)];
        world.http.post(world.url("/revoke")).form(&form).send().await.unwrap().status().as_u16()
    };
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(revoke(refresh.clone()).await, 200);
    assert_eq!(revoke(refresh).await, 400);
    assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.0, 401);
}

#[tokio::test]
async fn an_id_token_is_checked_with_the_published_key() {
    let world = World::new().await;
    let get =
        |url: String| async { world.http.get(url).send().await.unwrap().json::<Value>().await.unwrap() };
    let found = get(world.url("/.well-known/openid-configuration")).await;
    assert_eq!(found["issuer"], world.sandbox.base_url());
    let keys = get(found["jwks_uri"].as_str().unwrap().to_owned()).await;
    let tokens = world.exchange(&world.authorize(&[]).await["code"]).await.1;
    let token = tokens["id_token"].as_str().unwrap();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let head: Value = serde_json::from_slice(&decode(head)).unwrap();
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &keys["keys"][0]["kid"]));
    let part = |name: &str| decode(keys["keys"][0][name].as_str().unwrap());
    let key = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).unwrap();
    let claims: Value = serde_json::from_slice(&decode(claims)).unwrap();
    assert_eq!(claims["iss"], found["issuer"]);
    assert_eq!(claims["aud"], "sandbox-client.apps.example.com");
    assert_eq!((&claims["nonce"], &claims["email"]), (&json!("n-1"), &json!("asha@example.com")));
}

#[tokio::test]
async fn the_journal_keeps_no_secret_and_faults_work() {
    let world = World::new().await;
    let rule =
        json!({ "match": { "path": "/token" }, "times": 1, "then": { "http_status": 503, "body": "{}" } });
    world.control("/_sandbox/faults", rule).await;
    let code = world.authorize(&[]).await["code"].clone();
    assert_eq!(world.exchange(&code).await.0, 503);
    let tokens = world.exchange(&code).await.1;
    let kept = serde_json::to_string(&world.sandbox.requests(0)).unwrap();
    for secret in ["sandbox-client-secret", VERIFIER, &code, tokens["access_token"].as_str().unwrap()] {
        assert!(!kept.contains(secret), "{secret}");
    }
}
