//! The keys with which a provider signs. Kept for a while, fetched again when a token names one that is not known, but not
//! at everybody's request. Must not know how keys are fetched.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};

/// The signatures we accept. None of them can be made with the public key, as HMAC could.
const ACCEPTED: &[Algorithm] = &[Algorithm::RS256, Algorithm::ES256];

/// How long fetched keys are used without asking again, milliseconds.
const KEPT_MS: i64 = 60 * 60 * 1_000;
/// A token with an unknown key makes us ask again, at most this often.
const ASK_AGAIN_MS: i64 = 30 * 1_000;

/// Keys, when they were fetched, and when a key that was not among them last made us fetch them anew.
#[derive(Clone, Default)]
pub(super) struct KnownKeys {
    keys: Option<(JwkSet, i64)>,
    missed_at: Option<i64>,
}

impl KnownKeys {
    /// Takes keys that were just fetched, perhaps for the sake of this one.
    pub(super) fn take(&mut self, keys: JwkSet, key_id: Option<&str>, now: i64) {
        if self.keys.as_ref().is_some_and(|(known, _)| is_missing(known, key_id)) {
            self.missed_at = Some(now);
        }
        self.keys = Some((keys, now));
    }

    /// Whether the provider should be asked before this key is given up.
    pub(super) fn should_ask(&self, key_id: Option<&str>, now: i64) -> bool {
        let Some((keys, fetched_at)) = &self.keys else { return true };
        let may_ask_again = self.missed_at.is_none_or(|at| now - at > ASK_AGAIN_MS);
        now - fetched_at > KEPT_MS || (is_missing(keys, key_id) && may_ask_again)
    }

    /// The key for a signature: the one it names, or the only one that fits.
    pub(super) fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let (keys, _) = self.keys.as_ref()?;
        if !ACCEPTED.contains(&algorithm) {
            return None;
        }
        let fits = |key: &&Jwk| is_for(key, algorithm);
        let found = match key_id {
            Some(id) => keys.find(id).filter(fits),
            None => {
                let mut fitting = keys.keys.iter().filter(fits);
                fitting.next().filter(|_| fitting.next().is_none())
            }
        };
        found.and_then(|key| DecodingKey::from_jwk(key).ok())
    }
}

fn is_missing(keys: &JwkSet, key_id: Option<&str>) -> bool {
    key_id.is_some_and(|id| keys.find(id).is_none())
}

/// Whether a key is of the kind that makes such signatures, and is meant for them.
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, PublicKeyUse};
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => curve.curve == EllipticCurve::P256,
        _ => false,
    };
    is_of_kind && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(ids: &[&str]) -> JwkSet {
        let keys: Vec<_> = ids
            .iter()
            .map(|id| json!({ "kty": "RSA", "kid": id, "use": "sig", "n": "AQAB", "e": "AQAB" }))
            .collect();
        serde_json::from_value(json!({ "keys": keys })).unwrap()
    }

    fn known(ids: &[&str]) -> KnownKeys {
        let mut known = KnownKeys::default();
        known.take(keys(ids), Some("a"), 0);
        known
    }

    #[test]
    fn an_unknown_key_makes_us_ask_but_not_too_often() {
        assert!(KnownKeys::default().should_ask(None, 0));
        let mut known = known(&["a"]);
        assert!(!known.should_ask(Some("a"), KEPT_MS) && !known.should_ask(None, KEPT_MS));
        assert!(known.should_ask(Some("a"), KEPT_MS + 1));
        assert!(known.should_ask(Some("b"), 1), "they were changed");
        known.take(keys(&["b"]), Some("b"), 1);
        assert!(!known.should_ask(Some("b"), 2));
        assert!(!known.should_ask(Some("c"), 1 + ASK_AGAIN_MS), "somebody makes up names");
        assert!(known.should_ask(Some("c"), 2 + ASK_AGAIN_MS));
    }

    #[test]
    fn a_signature_gets_a_key_of_its_kind_only() {
        let one = known(&["a"]);
        assert!(one.find(Some("a"), Algorithm::RS256).is_some());
        assert!(one.find(None, Algorithm::RS256).is_some());
        for algorithm in [Algorithm::ES256, Algorithm::HS256, Algorithm::RS512] {
            assert!(one.find(Some("a"), algorithm).is_none(), "{algorithm:?}");
        }
        assert!(one.find(Some("b"), Algorithm::RS256).is_none());
        assert!(known(&["a", "b"]).find(None, Algorithm::RS256).is_none());
    }
}
