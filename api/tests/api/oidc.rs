//! Signing in at another provider: the whole way with a provider that plays fair, and with one that does not.

use crate::ground::{Answer, Ground};
use crate::people::{Browser, PASSWORD, post, sign_up};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_api::{OidcConfig, SignUpMode};
use sluice_db::Db;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::{Destination, HttpRequest, HttpResponse, HttpTransport};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const ISSUER: &str = "https://id.example.com/realm";
const CLIENT: &str = "sluice";

/// How the next identity token differs from a good one.
type Twist = Box<dyn FnOnce(&mut Value, &mut Value) + Send>;

struct Script {
    /// Name of the key that signs, and whether it is RSA.
    key: (String, bool),
    claims: Value,
    challenge: String,
    twist: Option<Twist>,
    asked: Vec<String>,
}

/// A provider in the place of the outside.
struct Provider {
    curve: EcdsaKeyPair,
    rsa: RsaKeyPair,
    script: Mutex<Script>,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Provider {
    fn new() -> Arc<Self> {
        let script = Script {
            key: ("k1".into(), false),
            claims: json!({}),
            challenge: String::new(),
            twist: None,
            asked: Vec::new(),
        };
        Arc::new(Self {
            curve: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            script: Mutex::new(script),
        })
    }

    fn keys(&self, (name, is_rsa): &(String, bool)) -> Value {
        let key = if *is_rsa {
            let public = self.rsa.public_key();
            json!({ "kty": "RSA", "kid": name, "alg": "RS256", "use": "sig",
                "n": encode(public.modulus().big_endian_without_leading_zero()),
                "e": encode(public.exponent().big_endian_without_leading_zero()) })
        } else {
            let point = self.curve.public_key().as_ref();
            json!({ "kty": "EC", "crv": "P-256", "kid": name, "alg": "ES256", "use": "sig",
                "x": encode(&point[1..33]), "y": encode(&point[33..65]) })
        };
        json!({ "keys": [key] })
    }

    fn sign(&self, header: &Value, claims: &Value, is_rsa: bool) -> String {
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let random = SystemRandom::new();
        let signature = if is_rsa {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
            signature
        } else {
            self.curve.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec()
        };
        format!("{text}.{}", encode(signature))
    }

    fn token(&self, request: &HttpRequest) -> (u16, Value) {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let mut script = self.script.lock().unwrap();
        let proof = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
        let basic =
            request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone());
        let is_right = encode(proof.as_ref()) == script.challenge
            && form["code"] == "the-code"
            && form["redirect_uri"] == "https://sluice.test/api/oidc/callback"
            && basic == Some(format!("Basic {}", crate::ground::base64("sluice:s%26cret")));
        if !is_right {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let (name, is_rsa) = script.key.clone();
        let mut header = json!({ "typ": "JWT", "alg": if is_rsa { "RS256" } else { "ES256" }, "kid": name });
        let mut claims = script.claims.clone();
        if let Some(twist) = script.twist.take() {
            twist(&mut header, &mut claims);
        }
        (
            200,
            json!({ "access_token": "x", "token_type": "Bearer", "id_token": self.sign(&header, &claims, is_rsa) }),
        )
    }
}

/// Lets a test and the server share one provider.
struct Outside(Arc<Provider>);

impl HttpTransport for Outside {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        assert_eq!(request.destination, Destination::Operator);
        self.0.script.lock().unwrap().asked.push(request.url.clone());
        let (status, body) = match request.url.strip_prefix(ISSUER) {
            Some("/.well-known/openid-configuration") => (
                200,
                json!({ "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize?tenant=1"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys") }),
            ),
            Some("/keys") => (200, self.0.keys(&self.0.script.lock().unwrap().key)),
            Some("/token") => self.0.token(&request),
            _ => (404, json!({})),
        };
        let body = body.to_string().into();
        Box::pin(async move { Ok(HttpResponse { status, body, ..HttpResponse::default() }) })
    }
}

async fn ground(db: Db, provider: &Arc<Provider>, sign_up: SignUpMode) -> Ground {
    Ground::reaching(db, Arc::new(Outside(provider.clone())), |config| {
        config.accounts.sign_up = sign_up;
        config.accounts.oidc = Some(OidcConfig {
            issuer: ISSUER.into(),
            client_id: CLIENT.into(),
            client_secret: "s&cret".into(),
            name: "Example".into(),
        });
    })
    .await
}

/// Begins in this browser, and tells the provider whom it will vouch for. Answers the state.
async fn begin(browser: &mut Browser<'_>, provider: &Provider, subject: &str, email: &str) -> String {
    let answer = browser.call("GET", "/api/oidc/start?return_to=/inbox?new=1", Value::Null).await.expect(302);
    let location = url::Url::parse(answer.header("location")).unwrap();
    assert!(location.as_str().starts_with(&format!("{ISSUER}/authorize?tenant=1&")), "{location}");
    let query: HashMap<_, _> = location.query_pairs().into_owned().collect();
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://sluice.test/api/oidc/callback"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], wanted, "{name}");
    }
    assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
    let mut script = provider.script.lock().unwrap();
    let now = jiff::Timestamp::now().as_second();
    script.challenge = query["code_challenge"].clone();
    script.claims = json!({ "iss": ISSUER, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300,
        "nonce": query["nonce"], "email": email, "email_verified": true, "name": "Asha" });
    query["state"].clone()
}

async fn finish(browser: &mut Browser<'_>, state: &str) -> Answer {
    let path = format!("/api/oidc/callback?code=the-code&state={state}&session_state=more");
    browser.call("GET", &path, Value::Null).await
}

async fn a_provider_signs_people_in(db: Db) {
    let provider = Provider::new();
    let ground = ground(db, &provider, SignUpMode::Open).await;
    let options = crate::people::send(&ground, "GET", "/api/sign-in-options", Value::Null, &[]).await.json();
    assert_eq!(options["oidc"], json!({ "name": "Example", "start": "/api/oidc/start" }));
    let mut browser = Browser::new(&ground);
    let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
    let back = finish(&mut browser, &state).await.expect(302);
    assert_eq!(back.header("location"), "/inbox?new=1");
    assert!(browser.cookie("sluice_oidc").is_none());
    let me = browser.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!(
        (&me["user"]["email"], me["workspaces"].as_array().unwrap().len()),
        (&json!("asha@example.com"), 1)
    );
    finish(&mut browser, &state).await.fails(400, "sign_in_refused");

    // The provider changes its key. The same person comes again.
    provider.script.lock().unwrap().key = ("k2".into(), true);
    let mut other = Browser::new(&ground);
    let state = begin(&mut other, &provider, "1", "another@example.com").await;
    finish(&mut other, &state).await.expect(302);
    let again = other.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!(again["user"]["id"], me["user"]["id"]);
    let asked = provider.script.lock().unwrap().asked.clone();
    let count = |part: &str| asked.iter().filter(|url| url.ends_with(part)).count();
    assert_eq!((count("openid-configuration"), count("/keys"), count("/token")), (1, 2, 2));

    // An account with a password is joined by its proven address.
    sign_up(&ground, "beena@example.com").await;
    let mut third = Browser::new(&ground);
    let state = begin(&mut third, &provider, "2", "Beena@example.com").await;
    finish(&mut third, &state).await.expect(302);
    let login = json!({ "email": "beena@example.com", "password": PASSWORD });
    let view = post(&ground, "/api/login", login).await.expect(200).json();
    let me = third.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!(me["user"]["id"], view["user"]["id"]);
}

async fn what_does_not_fit_is_refused(db: Db) {
    let provider = Provider::new();
    let ground = ground(db, &provider, SignUpMode::Open).await;
    let twists: Vec<(&str, Twist)> = vec![
        ("another sign-in", Box::new(|_, claims| claims["nonce"] = json!("x"))),
        ("no nonce", Box::new(|_, claims| drop(claims.as_object_mut().unwrap().remove("nonce")))),
        ("another client", Box::new(|_, claims| claims["aud"] = json!("other"))),
        (
            "shared, for another",
            Box::new(|_, claims| {
                claims["aud"] = json!([CLIENT, "other"]);
                claims["azp"] = json!("other");
            }),
        ),
        ("shared, for nobody", Box::new(|_, claims| claims["aud"] = json!([CLIENT, "other"]))),
        ("another issuer", Box::new(|_, claims| claims["iss"] = json!("https://evil.test"))),
        ("too old", Box::new(|_, claims| claims["exp"] = json!(jiff::Timestamp::now().as_second() - 61))),
        ("without end", Box::new(|_, claims| drop(claims.as_object_mut().unwrap().remove("exp")))),
        ("unsigned", Box::new(|header, _| header["alg"] = json!("none"))),
        ("signed with what everybody knows", Box::new(|header, _| header["alg"] = json!("HS256"))),
        ("another kind of key", Box::new(|header, _| header["alg"] = json!("RS256"))),
        ("unknown key", Box::new(|header, _| header["kid"] = json!("k9"))),
        ("address not proven", Box::new(|_, claims| claims["email_verified"] = json!(false))),
        ("no address", Box::new(|_, claims| claims["email"] = Value::Null)),
    ];
    for (what, twist) in twists {
        let mut browser = Browser::new(&ground);
        let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
        provider.script.lock().unwrap().twist = Some(twist);
        let refused = finish(&mut browser, &state).await;
        assert_eq!(refused.status, 400, "{what}: {}", refused.text());
        refused.fails(400, "sign_in_refused");
        assert!(browser.cookie("sluice_access").is_none(), "{what}");
    }
    // Begun in another browser, never begun, changed, refused by the person, answered by another.
    let (mut browser, mut other) = (Browser::new(&ground), Browser::new(&ground));
    let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
    finish(&mut other, &state).await.fails(400, "sign_in_refused");
    finish(&mut browser, &state).await.fails(400, "sign_in_refused");
    for query in ["", "?code=the-code", "?code=the-code&state=x"] {
        browser
            .call("GET", &format!("/api/oidc/callback{query}"), Value::Null)
            .await
            .fails(400, "sign_in_refused");
    }
    for more in ["error=access_denied", "code=the-code&iss=https://evil.test", "code=wrong", "x=y"] {
        let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
        let path = format!("/api/oidc/callback?{more}&state={state}");
        browser.call("GET", &path, Value::Null).await.fails(400, "sign_in_refused");
    }
    // A browser is not left on an answer for programs; what somebody made it ask ends no sign-in that is under way.
    let page = [("accept", "text/html,application/xhtml+xml")];
    let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
    let sent = browser.call_with("GET", "/api/oidc/callback?error=x", Value::Null, &page).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (302, "/sign-in?error=sign_in_refused"));
    finish(&mut browser, &state).await.expect(302);
    for elsewhere in ["//evil.test", "https://evil.test", "%2F%5Cevil.test", "inbox"] {
        let path = format!("/api/oidc/start?return_to={elsewhere}");
        browser.call("GET", &path, Value::Null).await.fails(400, "invalid_query");
    }
}

async fn a_provider_lets_nobody_in_who_may_not(db: Db) {
    let provider = Provider::new();
    let ground = ground(db, &provider, SignUpMode::Closed).await;
    let mut browser = Browser::new(&ground);
    let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
    finish(&mut browser, &state).await.fails(403, "sign_up_closed");
}

async fn a_provider_does_not_replace_approval(db: Db) {
    let provider = Provider::new();
    let ground = ground(db, &provider, SignUpMode::Review).await;
    let mut browser = Browser::new(&ground);
    let state = begin(&mut browser, &provider, "1", "asha@example.com").await;
    let waits = finish(&mut browser, &state).await.fails(403, "not_approved");
    assert_eq!(waits["details"]["status"], "under_review");
}

async fn without_a_provider_the_error_says_what_to_set(db: Db) {
    let ground = Ground::new(db).await;
    let mut browser = Browser::new(&ground);
    for path in ["/api/oidc/start", "/api/oidc/callback?code=x&state=y"] {
        browser.call("GET", path, Value::Null).await.fails(503, "oidc_not_configured");
    }
}

sluice_db::contract_tests! {
    a_provider_signs_people_in,
    what_does_not_fit_is_refused,
    a_provider_lets_nobody_in_who_may_not,
    a_provider_does_not_replace_approval,
    without_a_provider_the_error_says_what_to_set,
}
