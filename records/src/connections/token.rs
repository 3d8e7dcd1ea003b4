//! The token endpoint: what is asked and what its answers mean. Must not know where tokens are kept.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Provider;
use crate::Secret;

/// How long an access token is taken to last when the provider does not say, seconds.
const USUAL_LIFE_S: i64 = 300;
/// Characters that are kept of a provider's words.
const LONGEST_REASON: usize = 200;

/// The way to a provider's token endpoint. The host lends it, with its guards and limits.
pub trait Outside: Send + Sync {
    /// Posts a form and reads the answer, whatever its status.
    fn post_form<'a>(
        &'a self,
        url: &'a str,
        form: Vec<(String, String)>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + 'a>>;
}

/// What a provider answered.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// No answer came. The text names no secret.
#[derive(Debug, Clone)]
pub struct Unreachable(pub String);

/// Tokens as the provider gave them.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    /// Milliseconds.
    pub(super) life: i64,
    /// What was granted, if the provider says it.
    pub(super) scopes: Option<Vec<String>>,
    /// Who granted it: the id and the e-mail address in the ID token.
    pub(super) account_id: Option<String>,
    pub(super) account: Option<String>,
}

impl Tokens {
    /// As the secret of a credential; `kept` is the refresh token that stays when none came.
    pub(super) fn secret(&self, kept: Option<&str>) -> Secret {
        let mut fields = json!({ "access_token": self.access });
        if let Some(refresh) = self.refresh.as_deref().or(kept) {
            fields["refresh_token"] = refresh.into();
        }
        Secret::new(fields)
    }
}

/// Why there are no tokens.
pub(super) enum Refusal {
    /// The grant is gone for good (`invalid_grant`).
    Gone(String),
    /// Another no: a person must look at it.
    Refused(String),
    /// It may be another time.
    Passing(String),
}

/// Asks the token endpoint.
pub(super) async fn ask(
    outside: &dyn Outside,
    provider: &Provider,
    grant: &[(&str, &str)],
) -> Result<Tokens, Refusal> {
    let mut form: Vec<(String, String)> =
        grant.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    form.push(("client_id".to_owned(), provider.client_id.clone()));
    form.push(("client_secret".to_owned(), provider.client_secret.clone()));
    let answer = outside
        .post_form(&provider.token_url, form)
        .await
        .map_err(|Unreachable(reason)| Refusal::Passing(reason))?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if (200..300).contains(&answer.status)
        && let Some(tokens) = read(&said, &provider.client_id)
    {
        return Ok(tokens);
    }
    Err(refusal(answer.status, &said))
}

fn read(said: &Value, client_id: &str) -> Option<Tokens> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let life = said.get("expires_in").and_then(number).unwrap_or(USUAL_LIFE_S).clamp(0, 31_536_000) * 1000;
    let claims = text("id_token").and_then(|token| claims(token, client_id)).unwrap_or_default();
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    Some(Tokens {
        access: text("access_token")?.to_owned(),
        refresh: text("refresh_token").map(ToOwned::to_owned),
        life,
        scopes: text("scope").map(|scopes| scopes.split_whitespace().map(ToOwned::to_owned).collect()),
        account_id: claim("sub"),
        account: claim("email"),
    })
}

/// What an ID token says. It came from the token endpoint itself, so its signature need not be checked (OpenID Connect
/// Core 1.0, section 3.1.3.7, point 6); it must be meant for us all the same.
fn claims(token: &str, client_id: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let is_ours = match &claims["aud"] {
        Value::String(aud) => aud == client_id,
        Value::Array(all) => all.iter().any(|aud| aud == client_id),
        _ => false,
    };
    is_ours.then_some(claims)
}

fn refusal(status: u16, said: &Value) -> Refusal {
    let code = said.get("error").and_then(Value::as_str).unwrap_or_default();
    let reason = match said.get("error_description").and_then(Value::as_str) {
        Some(description) if !code.is_empty() => format!("{code}: {description}"),
        _ if !code.is_empty() => code.to_owned(),
        _ => format!("status {status} without tokens"),
    };
    let reason = shortened(&reason);
    match (code, status) {
        ("invalid_grant", _) => Refusal::Gone(reason),
        ("temporarily_unavailable" | "server_error", _) | (_, 408 | 429 | 500..) => Refusal::Passing(reason),
        _ => Refusal::Refused(reason),
    }
}

/// Words from outside as they may be shown: on one line, and not too many.
pub(super) fn shortened(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_token(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn answers_are_read_as_providers_write_them() {
        let mine = id_token(&json!({ "aud": "us", "sub": "7", "email": "asha@example.com" }));
        let said = json!({ "access_token": "a", "expires_in": "3599", "scope": "b  c", "id_token": mine });
        let tokens = read(&said, "us").unwrap();
        assert_eq!((tokens.life, tokens.scopes), (3_599_000, Some(vec!["b".to_owned(), "c".to_owned()])));
        assert_eq!(
            (tokens.account.as_deref(), tokens.account_id.as_deref()),
            (Some("asha@example.com"), Some("7"))
        );
        let other = id_token(&json!({ "aud": ["them"], "sub": "7" }));
        let tokens = read(&json!({ "access_token": "a", "id_token": other }), "us").unwrap();
        assert_eq!((tokens.account_id, tokens.life), (None, 300_000));
        for bad in [json!({}), json!({ "access_token": "" }), json!({ "access_token": 7 }), json!("a")] {
            assert!(read(&bad, "us").is_none(), "{bad}");
        }
        for garbled in ["", "a", "a.b", "a.!.c", "a.e30.c"] {
            assert!(claims(garbled, "us").is_none(), "{garbled}");
        }
    }

    #[test]
    fn only_invalid_grant_ends_a_connection() {
        let kinds = [
            (
                400,
                json!({ "error": "invalid_grant", "error_description": "Token has been expired\nor revoked." }),
                "gone",
            ),
            (400, json!({ "error": "invalid_client" }), "refused"),
            (401, json!({}), "refused"),
            (200, json!({}), "refused"),
            (400, json!({ "error": "temporarily_unavailable" }), "passing"),
            (429, json!({ "error": "rate_limit" }), "passing"),
            (503, json!("down"), "passing"),
        ];
        for (status, said, expected) in kinds {
            let (kind, reason) = match refusal(status, &said) {
                Refusal::Gone(reason) => ("gone", reason),
                Refusal::Refused(reason) => ("refused", reason),
                Refusal::Passing(reason) => ("passing", reason),
            };
            assert_eq!(kind, expected, "{status} {said}");
            assert!(!reason.contains('\n') && !reason.is_empty());
        }
    }
}
