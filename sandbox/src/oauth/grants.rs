//! Codes and grants in memory: who granted what to whom, with which tokens.
//!
//! It must not know HTTP.

use super::settings::OAuthUser;
use crate::random::secret;
use serde_json::{Value, json};
use std::collections::HashMap;

/// How long a code is good for.
const CODE_LIFE_MS: i64 = 10 * 60 * 1000;

/// What an authorize request asked for and the person allowed.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) user: OAuthUser,
    pub(crate) nonce: Option<String>,
    /// Challenge and whether it is hashed (`S256`).
    pub(crate) challenge: Option<(String, bool)>,
    pub(crate) wants_refresh: bool,
    pub(crate) was_asked_anew: bool,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    ends_at: i64,
    /// The grant it was exchanged for.
    used_by: Option<usize>,
}

/// One consent with its tokens.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) user: OAuthUser,
    pub(crate) scopes: Vec<String>,
    refresh: Option<String>,
    access: Vec<(String, i64)>,
    is_over: bool,
    renewals: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: HashMap<String, Code>,
    grants: Vec<Grant>,
}

/// Tokens that were just made.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) user: OAuthUser,
    pub(crate) scopes: Vec<String>,
    pub(crate) nonce: Option<String>,
}

impl Grants {
    pub(crate) fn add_code(&mut self, asked: Asked, now: i64) -> String {
        let code = format!("4/{}", secret());
        self.codes.insert(code.clone(), Code { asked, ends_at: now + CODE_LIFE_MS, used_by: None });
        code
    }

    /// What a code stands for, if it can be used. A second use ends the grant of the first (RFC 6749, section 4.1.2).
    pub(crate) fn code(&mut self, code: &str, now: i64) -> Option<Asked> {
        let found = self.codes.get(code)?;
        if let Some(used_by) = found.used_by {
            self.grants[used_by].end();
            return None;
        }
        (found.ends_at > now).then(|| found.asked.clone())
    }

    /// Exchanges a code that [`Grants::code`] gave. `always` gives a refresh token to those who had one before, too.
    pub(crate) fn exchange(&mut self, code: &str, always: bool, now: i64, life_s: i64) -> Option<Issued> {
        let asked = self.codes.get(code)?.asked.clone();
        let is_first = !self.grants.iter().any(|grant| grant.user.sub == asked.user.sub && !grant.is_over);
        let gives_refresh = asked.wants_refresh && (is_first || always || asked.was_asked_anew);
        let access = format!("ya29.{}", secret());
        let refresh = gives_refresh.then(|| format!("1//{}", secret()));
        let ends = now + life_s * 1000;
        self.grants.push(Grant {
            user: asked.user.clone(),
            scopes: asked.scopes.clone(),
            refresh: refresh.clone(),
            access: vec![(access.clone(), ends)],
            is_over: false,
            renewals: 0,
        });
        self.codes.get_mut(code)?.used_by = Some(self.grants.len() - 1);
        Some(Issued { access, refresh, user: asked.user, scopes: asked.scopes, nonce: asked.nonce })
    }

    /// A new access token for a refresh token that is good.
    pub(crate) fn renew(&mut self, refresh: &str, rotate: bool, now: i64, life_s: i64) -> Option<Issued> {
        let mut grants = self.grants.iter_mut();
        let grant = grants.find(|grant| grant.refresh.as_deref() == Some(refresh) && !grant.is_over)?;
        let access = format!("ya29.{}", secret());
        grant.access.retain(|(_, ends)| *ends > now);
        grant.access.push((access.clone(), now + life_s * 1000));
        grant.renewals += 1;
        let new = rotate.then(|| format!("1//{}", secret()));
        if new.is_some() {
            grant.refresh.clone_from(&new);
        }
        let (user, scopes) = (grant.user.clone(), grant.scopes.clone());
        Some(Issued { access, refresh: new, user, scopes, nonce: None })
    }

    /// The grant of an access token that is good.
    pub(crate) fn of_access(&self, access: &str, now: i64) -> Option<&Grant> {
        let has = |grant: &&Grant| grant.access.iter().any(|(token, ends)| token == access && *ends > now);
        self.grants.iter().filter(|grant| !grant.is_over).find(has)
    }

    /// Ends the grant of a token of either sort. Answers whether there was one.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let has = |grant: &&mut Grant| {
            grant.refresh.as_deref() == Some(token) || grant.access.iter().any(|(access, _)| access == token)
        };
        let found = self.grants.iter_mut().filter(|grant| !grant.is_over).find(has);
        found.map(Grant::end).is_some()
    }

    /// Ends the grants of a person, or of all.
    pub(crate) fn withdraw(&mut self, email: Option<&str>) -> usize {
        let concerned =
            |grant: &&mut Grant| !grant.is_over && email.is_none_or(|email| grant.user.email == email);
        self.grants.iter_mut().filter(concerned).map(Grant::end).count()
    }

    pub(crate) fn show(&self, now: i64) -> Vec<Value> {
        let shown = |grant: &Grant| {
            json!({
                "email": grant.user.email,
                "scopes": grant.scopes,
                "has_refresh_token": grant.refresh.is_some(),
                "good_access_tokens": grant.access.iter().filter(|(_, ends)| *ends > now && !grant.is_over).count(),
                "renewals": grant.renewals,
                "revoked": grant.is_over,
            })
        };
        self.grants.iter().map(shown).collect()
    }
}

impl Grant {
    fn end(&mut self) {
        self.is_over = true;
    }
}
