//! The way back: the provider sent the browser with a code, which is exchanged for tokens. Must not know HTTP.

use aws_lc_rs::constant_time;
use serde_json::{Value, json};
use sluice_db::Row;

use super::token::{self, Refusal, Tokens};
use super::{CONNECTED, Connection, ConnectionError, Connections, change, tell};
use crate::ids::new_short_id;
use crate::tokens::hash as hash_of;
use crate::vault::VERIFIER;
use crate::{Actor, ActorKind, Credential, RecordError, SealError};

/// What the browser brings along.
#[derive(Debug, Clone, Default)]
pub struct Callback {
    pub state: String,
    pub code: Option<String>,
    /// In place of a code: why the provider gave none.
    pub error: Option<String>,
    /// What the browser was given when the sign-in began.
    pub browser: Option<String>,
    /// Who is signed in there, if anybody is.
    pub person_id: Option<String>,
}

/// A sign-in that came to its end, good or bad.
pub struct Finished {
    /// Where the browser goes now, if the wish said so.
    pub return_to: Option<String>,
    pub result: Result<Connection, ConnectionError>,
}

/// What was noted at the beginning.
struct Noted {
    workspace_id: String,
    provider: String,
    name: String,
    scopes: Vec<String>,
    verifier: String,
    /// Who began it.
    by: Actor,
}

/// Who began a sign-in, from how they signed: `per_… (address)`, `key_… (name)`.
fn starter(signature: &str) -> Actor {
    let (id, name) = signature.split_once(' ').unwrap_or((signature, ""));
    let kind = if id.starts_with("per_") { ActorKind::Person } else { ActorKind::Key };
    Actor::new(kind, id, name.trim_start_matches('(').trim_end_matches(')'))
}

impl Connections {
    /// Ends a sign-in. Its state is used up by this, whatever comes of it, unless the browser is not the one that began it.
    ///
    /// # Errors
    /// `BadState`, `OtherBrowser`: then nobody may be sent anywhere. Everything else is in [`Finished::result`].
    pub async fn finish(&self, callback: Callback) -> Result<Finished, ConnectionError> {
        let workspace_id = self.workspace_of(&callback.state).ok_or(ConnectionError::BadState)?;
        let (records, hash) = (&self.0.records, hash_of(&callback.state));
        let sql =
            "select * from oauth_states where workspace_id = $1 and state_hash = $2 and expires_at > $3";
        let query = records.db.query(sql).bind(&workspace_id).bind(&hash).bind(self.now());
        let row = query.optional().await?.ok_or(ConnectionError::BadState)?;
        if !is_same_browser(&row, &callback)? {
            return Err(ConnectionError::OtherBrowser);
        }
        let sql = "delete from oauth_states where workspace_id = $1 and state_hash = $2";
        if records.db.query(sql).bind(&workspace_id).bind(&hash).execute().await? == 0 {
            return Err(ConnectionError::BadState);
        }
        let verifier = records.vault().open(&workspace_id, &hash, VERIFIER, &row.bytes("verifier")?).await?;
        let noted = Noted {
            provider: row.text("provider")?,
            name: row.text("name")?,
            scopes: row.text("scopes")?.split(' ').map(ToOwned::to_owned).collect(),
            verifier: String::from_utf8(verifier.to_vec()).map_err(|_| SealError::Damaged)?,
            workspace_id,
            by: starter(&row.text("started_by")?),
        };
        Ok(Finished { return_to: row.opt_text("return_to")?, result: self.connect(&noted, callback).await })
    }

    async fn connect(&self, noted: &Noted, callback: Callback) -> Result<Connection, ConnectionError> {
        let provider = self.provider(&noted.provider)?;
        let denied = |reason: String| ConnectionError::Denied { provider: provider.id.clone(), reason };
        let code = match (callback.code, callback.error) {
            (_, Some(error)) => return Err(denied(token::shortened(&error))),
            (None, None) => return Err(denied("it sent no code".to_owned())),
            (Some(code), None) => code,
        };
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.0.redirect_uri),
            ("code_verifier", &noted.verifier),
        ];
        match token::ask(self.0.outside.as_ref(), provider, &grant).await {
            Ok(tokens) => self.store(noted, &tokens).await,
            Err(Refusal::Gone(reason) | Refusal::Refused(reason)) => Err(denied(reason)),
            Err(Refusal::Passing(reason)) => {
                Err(ConnectionError::Unavailable { provider: provider.id.clone(), reason })
            }
        }
    }

    /// Keeps tokens as a credential: a new one, or the one that is granted again.
    async fn store(&self, noted: &Noted, tokens: &Tokens) -> Result<Connection, ConnectionError> {
        let (records, now) = (&self.0.records, self.now());
        let (ws, provider) = (noted.workspace_id.as_str(), noted.provider.as_str());
        let existing = self.must_be_free(ws, &noted.name, provider).await?;
        let granted = tokens.scopes.clone().unwrap_or_else(|| noted.scopes.clone());
        let kept = match &existing {
            Some(id) => self.kept_refresh_token(ws, id, tokens).await?,
            None => None,
        };
        let secret = tokens.secret(kept.as_deref());
        let credential = Credential {
            id: existing.clone().unwrap_or_else(|| new_short_id("crd")),
            workspace_id: ws.to_owned(),
            name: noted.name.clone(),
            kind: provider.to_owned(),
            public: json!({ "account": tokens.account, "scopes": granted }),
            secret_fields: secret.names(),
            created_at: now,
            updated_at: now,
        };
        let sealed = records.seal_credential(&credential, &secret).await?;
        let missing: Vec<&str> =
            noted.scopes.iter().filter(|scope| !granted.contains(scope)).map(String::as_str).collect();
        // Google writes out the short names of these two.
        let missing: Vec<&str> =
            missing.into_iter().filter(|scope| !["email", "profile"].contains(scope)).collect();
        let reason = (!missing.is_empty()).then(|| format!("not granted: {}", missing.join(" ")));

        let mut tx = records.begin().await?;
        let sql = match existing {
            Some(_) => {
                "update credentials set public_fields = $5, secret_fields = $6, sealed = $7, updated_at = $8 \
                 where workspace_id = $1 and id = $2 and name = $3 and kind = $4"
            }
            None => {
                "insert into credentials (workspace_id, id, name, kind, public_fields, secret_fields, sealed, \
                 created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict do nothing"
            }
        };
        let query = tx.query(sql).bind(ws).bind(&credential.id).bind(&credential.name).bind(&credential.kind);
        let query = query.bind(credential.public.to_string());
        let query = query.bind(Value::from(credential.secret_fields.clone()).to_string()).bind(sealed);
        if query.bind(now).execute().await? == 0 {
            let message = "the credential was changed while you signed in; connect it again";
            return Err(RecordError::conflict(message).into());
        }
        let sql = "insert into connections (workspace_id, credential_id, provider, status, reason, account, account_id, \
                   scopes, expires_at, renewable, revision, refresh_until, connected_at, updated_at) \
                   values ($1, $2, $3, 'connected', $4, $5, $6, $7, $8, $9, 1, 0, $10, $10) \
                   on conflict (workspace_id, credential_id) do update set status = 'connected', \
                   reason = excluded.reason, account = excluded.account, account_id = excluded.account_id, \
                   scopes = excluded.scopes, expires_at = excluded.expires_at, renewable = excluded.renewable, \
                   revision = connections.revision + 1, refresh_until = 0, connected_at = excluded.connected_at, \
                   updated_at = excluded.updated_at";
        let query = tx.query(sql).bind(ws).bind(&credential.id).bind(provider).bind(reason);
        let query = query.bind(tokens.account.as_deref()).bind(tokens.account_id.as_deref());
        let query = query.bind(Value::from(granted).to_string()).bind(now + tokens.life);
        query.bind(secret.text("refresh_token").is_some()).bind(now).execute().await?;
        let facts = json!({ "name": credential.name, "provider": provider, "account": tokens.account });
        tell(&mut tx, CONNECTED, (ws, &credential.id), facts.clone(), now).await?;
        records.audit_as(&mut tx, &noted.by, vec![change(&credential, CONNECTED).after(facts)]).await?;
        tx.commit().await?;
        records.changed.notify_one();
        let made = records.connection(ws, &credential.id).await?;
        made.ok_or_else(|| RecordError::not_found("connection", &credential.id).into())
    }

    /// A provider that gave a refresh token before may give none now. The old one stays good for the same account only.
    async fn kept_refresh_token(
        &self,
        workspace_id: &str,
        id: &str,
        tokens: &Tokens,
    ) -> Result<Option<String>, RecordError> {
        let sql = "select account_id from connections where workspace_id = $1 and credential_id = $2";
        let row = self.0.records.db.query(sql).bind(workspace_id).bind(id).optional().await?;
        let before = row.map(|row| row.opt_text("account_id")).transpose()?.flatten();
        if tokens.refresh.is_some() || before.is_none() || before != tokens.account_id {
            return Ok(None);
        }
        let open = self.0.records.open_credential(workspace_id, id).await?;
        Ok(open.secret.text("refresh_token").map(ToOwned::to_owned))
    }
}

/// The browser must hold what it was given; where a person began it, nobody else may be signed in there.
fn is_same_browser(row: &Row, callback: &Callback) -> Result<bool, RecordError> {
    let given = hash_of(callback.browser.as_deref().unwrap_or_default());
    let expected = row.text("browser_hash")?;
    let holds = constant_time::verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).is_ok();
    let person = row.opt_text("person_id")?;
    let is_other = person.is_some() && callback.person_id.is_some() && person != callback.person_id;
    Ok(holds && !is_other)
}
