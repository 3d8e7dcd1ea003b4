//! The way out: a sign-in at a provider is begun. Its state is random, signed, good for ten minutes and one use, and bound to
//! the browser that will come back. Must not know what becomes of it.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::{ConnectionError, Connections, Provider};
use crate::tokens::{hash as hash_of, new_token};
use crate::vault::VERIFIER;
use crate::{RecordError, clean};

/// How long a person may take at the provider.
pub(super) const LIFE_MS: i64 = 10 * 60 * 1000;
/// Sign-ins of one workspace that may be under way.
const MOST_OPEN: i64 = 1_000;
/// Scopes that one sign-in may ask for, and characters of each.
const MOST_SCOPES: usize = 50;
const LONGEST_SCOPE: usize = 300;

/// A wish to connect an account.
#[derive(Debug, Clone, Default)]
pub struct StartConnection {
    pub provider: String,
    /// Name of the credential: a new one, or a connection that is to be granted again.
    pub name: String,
    pub scopes: Vec<String>,
    /// Where the browser goes afterwards: a path of this server.
    pub return_to: Option<String>,
    /// The person who may come back; none when an API key began it.
    pub person_id: Option<String>,
    /// Who began it, for people.
    pub started_by: String,
}

/// A sign-in that was begun.
pub struct Started {
    /// Where the browser must go.
    pub authorize_url: String,
    /// Names the sign-in; the provider hands it back.
    pub state: String,
    /// What the browser must present when it comes back, in a cookie that no script reads.
    pub browser: String,
    /// Opens the sign-in in another browser, once; only when no person began it.
    pub ticket: Option<String>,
    /// How long it is good for, seconds.
    pub life: i64,
}

impl Connections {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// `NoProvider`; `Invalid` for a bad name, scope or `return_to`; `Conflict` when the name belongs to a credential of another
    /// sort, or too many sign-ins are under way.
    pub async fn start(&self, workspace_id: &str, wish: StartConnection) -> Result<Started, ConnectionError> {
        let provider = self.provider(&wish.provider)?;
        let (records, now) = (&self.0.records, self.now());
        let name = crate::credentials::checked_name("name", &wish.name)?;
        let return_to = wish.return_to.as_deref().map(checked_path).transpose()?;
        self.must_be_free(workspace_id, &name, &provider.id).await?;
        let scopes = asked(&wish.scopes, &provider.scopes)?;

        let secret = new_token("st")?;
        let state = self.signed(workspace_id, &secret);
        let (verifier, browser) = (new_token("pkce")?, new_token("br")?);
        let ticket = if wish.person_id.is_none() { Some(new_token("tk")?) } else { None };
        let hash = hash_of(&state);
        let sealed = records.vault().seal(workspace_id, &hash, VERIFIER, verifier.as_bytes()).await?;
        let old = "delete from oauth_states where expires_at <= $1";
        records.db.query(old).bind(now).execute().await?;
        let sql = "select count(*) as n from oauth_states where workspace_id = $1";
        if records.db.query(sql).bind(workspace_id).one().await?.int("n")? >= MOST_OPEN {
            let message = "too many sign-ins at providers are under way; wait ten minutes";
            return Err(RecordError::conflict(message).into());
        }
        let sql = "insert into oauth_states (workspace_id, state_hash, provider, name, scopes, return_to, browser_hash, \
                   ticket_hash, person_id, started_by, verifier, created_at, expires_at) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let query = records.db.query(sql).bind(workspace_id).bind(hash).bind(&provider.id).bind(name);
        let query = query.bind(scopes.join(" ")).bind(return_to).bind(hash_of(&browser));
        let query = query.bind(ticket.as_deref().map(hash_of)).bind(&wish.person_id);
        let query = query.bind(clean(&wish.started_by)).bind(sealed).bind(now).bind(now + LIFE_MS);
        query.execute().await?;

        let authorize_url = self.authorize_url(provider, &scopes.join(" "), &state, &verifier)?;
        Ok(Started { authorize_url, state, browser, ticket, life: LIFE_MS / 1000 })
    }

    /// Where the browser goes for a sign-in.
    pub(super) fn authorize_url(
        &self,
        provider: &Provider,
        scopes: &str,
        state: &str,
        verifier: &str,
    ) -> Result<String, ConnectionError> {
        let challenge = digest::digest(&digest::SHA256, verifier.as_bytes());
        let mut url = Url::parse(&provider.authorize_url)
            .map_err(|error| RecordError::invalid("authorize_url", error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", &self.0.redirect_uri)
            .append_pair("scope", scopes)
            .append_pair("state", state)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(&provider.parameters);
        Ok(url.into())
    }

    /// A name is free when nobody has it, or a connection to the same provider, which is then granted again.
    pub(super) async fn must_be_free(
        &self,
        workspace_id: &str,
        name: &str,
        provider: &str,
    ) -> Result<Option<String>, RecordError> {
        self.0.records.workspace(workspace_id).await?;
        let sql = "select c.id as id, n.provider as provider from credentials c left join connections n \
                   on n.workspace_id = c.workspace_id and n.credential_id = c.id \
                   where c.workspace_id = $1 and c.name = $2";
        let row = self.0.records.db.query(sql).bind(workspace_id).bind(name).optional().await?;
        let Some(row) = row else { return Ok(None) };
        if row.opt_text("provider")?.as_deref() == Some(provider) {
            return Ok(Some(row.text("id")?));
        }
        Err(RecordError::conflict(format!("{name:?} is the name of another credential; choose another name")))
    }

    /// Workspace, secret and signature.
    fn signed(&self, workspace_id: &str, secret: &str) -> String {
        let text = format!("{workspace_id}.{secret}");
        let signature = URL_SAFE_NO_PAD.encode(self.signature(&text));
        format!("{text}.{signature}")
    }

    /// The workspace that a state is of, when we signed it.
    pub(super) fn workspace_of(&self, state: &str) -> Option<String> {
        let (text, signature) = state.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        constant_time::verify_slices_are_equal(&self.signature(text), &signature).ok()?;
        Some(text.split_once('.')?.0.to_owned())
    }

    fn signature(&self, text: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0.records.vault().derive("oauth-state"));
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    }
}

/// The scopes of the wish and of the provider, each once.
fn asked(wanted: &[String], always: &[String]) -> Result<Vec<String>, RecordError> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in wanted.iter().chain(always) {
        let scope = scope.trim();
        // RFC 6749, section 3.3: printable ASCII without spaces, quotes and backslashes.
        let is_token = scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
        if scope.is_empty() || scope.len() > LONGEST_SCOPE || !is_token || scopes.len() >= MOST_SCOPES {
            return Err(RecordError::invalid(
                "scopes",
                "each scope is one word, such as `email`; at most 50",
            ));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

/// A path of this server: nobody may be sent elsewhere by a link of ours.
fn checked_path(path: &str) -> Result<String, RecordError> {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2_000
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours {
        return Ok(path.to_owned());
    }
    Err(RecordError::invalid("return_to", "must be a path of this server, such as `/studio/credentials`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for good in ["/", "/studio?tab=2#x"] {
            assert!(checked_path(good).is_ok(), "{good}");
        }
        for bad in
            ["", "studio", "//evil.test", "/\\evil.test", "https://evil.test", "/a b", "/a\r\nx: y", "/é"]
        {
            assert!(checked_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_are_words_and_come_once() {
        let list = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        let found = asked(&list(&["a", "email", "a"]), &list(&["openid", "email"])).unwrap();
        assert_eq!(found, ["a", "email", "openid"]);
        for bad in ["", "a b", "a\"", "é", "a\nb"] {
            assert!(asked(&list(&[bad]), &[]).is_err(), "{bad}");
        }
    }
}
