//! Renewal of tokens: once for all who want them. Within a process they queue at a lock; between processes the row says
//! until when one of them may renew it alone. Neither holds a transaction while the provider is asked, which may take
//! long. Must not know who uses the tokens.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::json;
use sluice_db::Tx;

use super::token::{self, Refusal, Tokens};
use super::{Connection, ConnectionError, Connections, REVOKED, change, tell};
use crate::{Actor, Credential, OpenCredential, RecordError, Secret};

/// How long one process may take for a renewal before another tries. Longer than a request to the provider can last.
const LEASE_MS: i64 = 60_000;
/// What a token must still last to be used when no new one is to be had.
const USABLE_MS: i64 = 60_000;
/// How often a process looks whether another one is done.
const LOOK: Duration = Duration::from_millis(50);
/// How often it looks at most: as long as a lease lasts.
const LOOKS: usize = 1_400;

impl Connections {
    /// Renews the tokens of a connection unless somebody did it since `seen`, its revision. A token that was `refused` is not used again.
    pub(super) async fn renew(
        &self,
        open: OpenCredential,
        seen: i64,
        refused: bool,
    ) -> Result<OpenCredential, ConnectionError> {
        let (workspace_id, id) = (open.info.workspace_id.clone(), open.info.id.clone());
        let lock = self.lock_of(&format!("{workspace_id}/{id}"));
        let _alone = lock.lock().await;
        for _ in 0..LOOKS {
            let (open, connection) = self.read(&workspace_id, &id).await?;
            let Some(connection) = connection else { return Ok(open) };
            let is_good = self.is_good(&connection, &open.info.name)?;
            let has_time = connection.expires_at.is_some_and(|ends| ends > self.now() + USABLE_MS);
            if connection.revision != seen && (is_good || has_time) {
                return Ok(open);
            }
            if self.lease(&connection).await? {
                return self.renew_alone(open, connection, refused).await;
            }
            tokio::time::sleep(LOOK).await;
        }
        let provider = open.info.kind;
        Err(ConnectionError::Unavailable { provider, reason: "another process is asking it".to_owned() })
    }

    fn lock_of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(key).and_then(std::sync::Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(key.to_owned(), Arc::downgrade(&lock));
        lock
    }

    /// Takes the right to renew this revision alone.
    async fn lease(&self, connection: &Connection) -> Result<bool, RecordError> {
        let sql = "update connections set refresh_until = $4 where workspace_id = $1 and credential_id = $2 \
                   and revision = $3 and refresh_until <= $5";
        let query = self.0.records.db.query(sql).bind(&connection.workspace_id);
        let query = query.bind(&connection.credential_id).bind(connection.revision);
        Ok(query.bind(self.now() + LEASE_MS).bind(self.now()).execute().await? == 1)
    }

    async fn renew_alone(
        &self,
        open: OpenCredential,
        connection: Connection,
        refused: bool,
    ) -> Result<OpenCredential, ConnectionError> {
        let provider = self.provider(&connection.provider)?;
        let refresh = open.secret.text("refresh_token").unwrap_or_default().to_owned();
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let asked = token::ask(self.0.outside.as_ref(), provider, &grant).await;
        match asked {
            Ok(tokens) => self.keep(open, &connection, &tokens, &refresh).await,
            Err(Refusal::Gone(reason)) => {
                self.end(&open, &connection, &reason, self.0.records.actor()).await?;
                // It may have been granted again meanwhile: then what is on record now counts.
                let (open, connection) = self.read(&open.info.workspace_id, &open.info.id).await?;
                match connection {
                    Some(connection) => self.is_good(&connection, &open.info.name).map(|_| open),
                    None => Ok(open),
                }
            }
            Err(Refusal::Refused(reason) | Refusal::Passing(reason)) => {
                self.release(&connection).await?;
                // The old token may well last until the provider can be reached again.
                let is_usable = connection.expires_at.is_some_and(|ends| ends > self.now() + USABLE_MS);
                if is_usable && !refused {
                    return Ok(open);
                }
                Err(ConnectionError::Unavailable { provider: provider.id.clone(), reason })
            }
        }
    }

    /// Stores new tokens, unless the connection is another one by now.
    async fn keep(
        &self,
        open: OpenCredential,
        connection: &Connection,
        tokens: &Tokens,
        refresh: &str,
    ) -> Result<OpenCredential, ConnectionError> {
        let (records, now) = (&self.0.records, self.now());
        let secret = tokens.secret(Some(refresh));
        let sealed = records.seal_credential(&open.info, &secret).await?;
        let mut tx = records.begin().await?;
        hold(&mut tx, &open.info).await?;
        let sql = "update connections set expires_at = $4, revision = revision + 1, refresh_until = 0, updated_at = $5 \
                   where workspace_id = $1 and credential_id = $2 and revision = $3";
        let query = tx.query(sql).bind(&connection.workspace_id).bind(&connection.credential_id);
        let query = query.bind(connection.revision).bind(now + tokens.life).bind(now);
        if query.execute().await? == 0 {
            tx.rollback().await?;
            return Ok(self.read(&open.info.workspace_id, &open.info.id).await?.0);
        }
        let sql = "update credentials set sealed = $3 where workspace_id = $1 and id = $2";
        let query = tx.query(sql).bind(&open.info.workspace_id).bind(&open.info.id);
        query.bind(sealed).execute().await?;
        tx.commit().await?;
        Ok(OpenCredential { info: open.info, secret })
    }

    async fn release(&self, connection: &Connection) -> Result<(), RecordError> {
        let sql = "update connections set refresh_until = 0 \
                   where workspace_id = $1 and credential_id = $2 and revision = $3";
        let query = self.0.records.db.query(sql).bind(&connection.workspace_id);
        query.bind(&connection.credential_id).bind(connection.revision).execute().await?;
        Ok(())
    }

    /// Notes that a connection does not open any more and forgets its tokens. A later revision stays as it is.
    pub(super) async fn end(
        &self,
        open: &OpenCredential,
        connection: &Connection,
        reason: &str,
        by: &Actor,
    ) -> Result<bool, ConnectionError> {
        let (records, now) = (&self.0.records, self.now());
        let nothing = records.seal_credential(&open.info, &Secret::new(json!({}))).await?;
        let mut tx = records.begin().await?;
        hold(&mut tx, &open.info).await?;
        let sql = "update connections set status = 'revoked', reason = $4, renewable = $5, expires_at = null, \
                   revision = revision + 1, refresh_until = 0, updated_at = $6 \
                   where workspace_id = $1 and credential_id = $2 and revision = $3";
        let query = tx.query(sql).bind(&connection.workspace_id).bind(&connection.credential_id);
        let query = query.bind(connection.revision).bind(reason).bind(false).bind(now);
        if query.execute().await? == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        let sql = "update credentials set sealed = $3, secret_fields = '[]', updated_at = $4 \
                   where workspace_id = $1 and id = $2";
        let query = tx.query(sql).bind(&open.info.workspace_id).bind(&open.info.id);
        query.bind(nothing).bind(now).execute().await?;
        let facts = json!({
            "name": open.info.name, "provider": connection.provider, "account": connection.account, "reason": reason,
        });
        tell(&mut tx, REVOKED, (&open.info.workspace_id, &open.info.id), facts.clone(), now).await?;
        records.audit_as(&mut tx, by, vec![change(&open.info, REVOKED).after(facts)]).await?;
        tx.commit().await?;
        records.changed.notify_one();
        Ok(true)
    }
}

/// Locks a credential's row. Who grants again or deletes comes to it before the connection's row, so everybody does:
/// otherwise two would wait for each other.
async fn hold(tx: &mut Tx, credential: &Credential) -> Result<(), RecordError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select id from credentials where workspace_id = $1 and id = $2{lock}");
    tx.query(sql).bind(&credential.workspace_id).bind(&credential.id).optional().await?;
    Ok(())
}
