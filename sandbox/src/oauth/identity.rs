//! OpenID Connect: who the person is. ID tokens signed with RS256, the keys to check them, discovery, userinfo.
//!
//! It must not know how grants come about. (OpenID Connect Core 1.0 and Discovery 1.0, RFC 7517)

use super::grants::Issued;
use super::{AUTHORIZE, CERTS, OAuth, REVOKE, TOKEN, USERINFO, error};
use crate::exchange::{Call, Reply};
use crate::journal::lock;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, rand, rsa};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Life of an ID token, seconds.
const LIFE_S: i64 = 3_600;

/// The key that signs ID tokens.
pub(crate) struct Signer {
    key: rsa::KeyPair,
    id: String,
    modulus: String,
    exponent: String,
}

impl Signer {
    /// A new key; `None` when the machine cannot make one.
    pub(crate) fn generate() -> Option<Self> {
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).ok()?;
        let (modulus, exponent) = numbers(key.public_key().as_ref())?;
        let hash = digest::digest(&digest::SHA256, modulus);
        let id = hash.as_ref()[..20].iter().map(|byte| format!("{byte:02x}")).collect();
        let (modulus, exponent) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        Some(Self { key, id, modulus, exponent })
    }

    fn sign(&self, claims: &Value) -> Option<String> {
        let head = json!({ "alg": "RS256", "kid": self.id, "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&head), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = rand::SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Modulus and exponent in the DER form of a public key (RFC 8017, appendix A.1.1): a sequence of two integers.
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (inside, _) = element(der, 0x30)?;
    let (modulus, rest) = element(inside, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    // A leading zero only says that the number is positive.
    let bare = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((&modulus[bare(modulus)..], &exponent[bare(exponent)..]))
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                bytes
                    .iter()
                    .try_fold(0_usize, |length, byte| Some(length.checked_mul(256)? + usize::from(*byte)))?,
                rest,
            )
        }
    };
    if found == tag { rest.split_at_checked(length) } else { None }
}

/// What the token endpoint says about the person.
pub(crate) fn id_token(oauth: &OAuth, issued: &Issued, base: &str) -> Option<String> {
    let now = oauth.clock.now_s();
    let hash = digest::digest(&digest::SHA256, issued.access.as_bytes());
    let mut claims = json!({
        "iss": base,
        "azp": oauth.config.client_id,
        "aud": oauth.config.client_id,
        "sub": issued.user.sub,
        "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]),
        "iat": now,
        "exp": now + LIFE_S,
    });
    let mut add = |scope: &str, name: &str, value: Value| {
        if issued.scopes.iter().any(|granted| granted == scope) {
            claims[name] = value;
        }
    };
    add("email", "email", issued.user.email.as_str().into());
    add("email", "email_verified", issued.user.email_verified.into());
    add("profile", "name", issued.user.name.as_str().into());
    if let Some(nonce) = &issued.nonce {
        claims["nonce"] = nonce.as_str().into();
    }
    oauth.signer()?.sign(&claims)
}

/// `GET /oauth2/v3/certs`.
pub(crate) fn certs(oauth: &OAuth) -> Reply {
    match oauth.signer() {
        Some(signer) => Reply::ok(json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": signer.id, "n": signer.modulus, "e": signer.exponent,
        }] })),
        None => error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "There is no signing key."),
    }
}

/// `GET /.well-known/openid-configuration`.
pub(crate) fn discovery(base: &str) -> Value {
    json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}{AUTHORIZE}"),
        "token_endpoint": format!("{base}{TOKEN}"),
        "revocation_endpoint": format!("{base}{REVOKE}"),
        "userinfo_endpoint": format!("{base}{USERINFO}"),
        "jwks_uri": format!("{base}{CERTS}"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    })
}

/// `GET /v1/userinfo`.
pub(crate) fn userinfo(oauth: &OAuth, call: &Call) -> Reply {
    let token =
        call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let state = lock(&oauth.state);
    let Some(grant) = state.grants.of_access(token, oauth.clock.now_ms()) else {
        let refused = error(StatusCode::UNAUTHORIZED, "invalid_request", "Invalid Credentials");
        return refused.with_header("www-authenticate", "Bearer error=\"invalid_token\"");
    };
    let user = &grant.user;
    let mut said = json!({ "sub": user.sub });
    if grant.scopes.iter().any(|scope| scope == "email") {
        said["email"] = user.email.as_str().into();
        said["email_verified"] = user.email_verified.into();
    }
    if grant.scopes.iter().any(|scope| scope == "profile") {
        said["name"] = user.name.as_str().into();
    }
    Reply::ok(said)
}
