//! Access tokens: short-lived JWTs (RFC 7519), signed with a key made from the master key. They name a session, which is
//! looked up each time, so they prove little by themselves. Must not know where they are carried.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long an access token is good, seconds.
pub(crate) const LIFE_SECONDS: i64 = 15 * 60;

/// The one algorithm; a token that names another is not ours.
const ALGORITHM: Algorithm = Algorithm::HS256;
/// Who the tokens are for.
const AUDIENCE: &str = "sluice-api";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Person, `per_…`.
    pub(crate) sub: String,
    /// Session, `ses_…`.
    pub(crate) ses: String,
    /// The person's token version.
    pub(crate) ver: i64,
    /// Chosen workspace, `ws_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ws: Option<String>,
    /// Seconds since the epoch.
    pub(crate) iat: i64,
    /// Seconds since the epoch.
    pub(crate) exp: i64,
    /// This installation.
    pub(crate) iss: String,
    /// [`AUDIENCE`].
    pub(crate) aud: String,
}

/// Makes and reads access tokens.
#[derive(Clone)]
pub(crate) struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    issuer: String,
}

impl AccessTokens {
    /// With 32 bytes of key, for the installation at this address.
    pub(crate) fn new(key: &[u8], issuer: &str) -> Self {
        let (encoding, decoding) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { encoding, decoding, issuer: issuer.to_owned() }
    }

    /// A token that is good from `now` (milliseconds) on; none if it cannot be signed.
    pub(crate) fn issue(
        &self,
        person_id: &str,
        session_id: &str,
        version: i64,
        workspace_id: Option<&str>,
        now: i64,
    ) -> Option<String> {
        let iat = now.div_euclid(1_000);
        let claims = Claims {
            sub: person_id.to_owned(),
            ses: session_id.to_owned(),
            ver: version,
            ws: workspace_id.map(ToOwned::to_owned),
            iat,
            exp: iat + LIFE_SECONDS,
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
        };
        jsonwebtoken::encode(&Header::new(ALGORITHM), &claims, &self.encoding).ok()
    }

    /// What a token says, if it is ours and good at this moment.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        self.decode(token, true)
    }

    /// The same for one that may be too old, for signing out.
    pub(crate) fn read_expired(&self, token: &str) -> Option<Claims> {
        self.decode(token, false)
    }

    fn decode(&self, token: &str, validate_exp: bool) -> Option<Claims> {
        let mut rules = Validation::new(ALGORITHM);
        rules.leeway = 0;
        rules.validate_exp = validate_exp;
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        jsonwebtoken::decode(token, &self.decoding, &rules).ok().map(|data| data.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn now() -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    #[test]
    fn a_token_leads_back_to_its_claims_while_it_is_good() {
        let tokens = AccessTokens::new(KEY, "https://a.test");
        let fresh = tokens.issue("per_1", "ses_1", 3, Some("ws_1"), now()).unwrap();
        let claims = tokens.read(&fresh).unwrap();
        assert_eq!((claims.sub.as_str(), claims.ses.as_str(), claims.ver), ("per_1", "ses_1", 3));
        assert_eq!((claims.ws.as_deref(), claims.exp - claims.iat), (Some("ws_1"), LIFE_SECONDS));
        let old = tokens.issue("per_1", "ses_1", 3, None, now() - (LIFE_SECONDS + 1) * 1_000).unwrap();
        assert_eq!(tokens.read(&old), None);
        assert_eq!(tokens.read_expired(&old).unwrap().ses, "ses_1");
    }

    #[test]
    fn what_others_made_is_refused() {
        let tokens = AccessTokens::new(KEY, "https://a.test");
        let good = tokens.issue("per_1", "ses_1", 1, None, now()).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = part(serde_json::json!({ "alg": "none", "typ": "JWT" }));
        let stronger = part(serde_json::json!({ "alg": "HS512", "typ": "JWT" }));
        let mut claims = serde_json::to_value(tokens.read(&good).unwrap()).unwrap();
        claims["sub"] = "per_2".into();
        for bad in [
            String::new(),
            "42".into(),
            "..".into(),
            good[..good.len() - 2].to_owned(),
            format!("{unsigned}.{}.", parts[1]),
            format!("{unsigned}.{}.{}", parts[1], parts[2]),
            format!("{stronger}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], part(claims), parts[2]),
            AccessTokens::new(b"another key, another key, another", "https://a.test")
                .issue("per_1", "ses_1", 1, None, now())
                .unwrap(),
            AccessTokens::new(KEY, "https://b.test").issue("per_1", "ses_1", 1, None, now()).unwrap(),
        ] {
            assert_eq!(tokens.read(&bad), None, "{bad}");
            assert_eq!(tokens.read_expired(&bad), None, "{bad}");
        }
    }
}
