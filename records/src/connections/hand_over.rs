//! A sign-in that a program began and a person goes on with in their own browser, by a link that works once. Must not know
//! how the link is shown.

use sluice_db::Row;

use super::start::Started;
use super::{ConnectionError, Connections};
use crate::SealError;
use crate::tokens::{hash as hash_of, new_token};
use crate::vault::VERIFIER;

/// What a person is asked for, before they go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub workspace_id: String,
    pub provider: String,
    /// Name of the credential.
    pub name: String,
    pub scopes: Vec<String>,
    /// Who began it, for people.
    pub started_by: String,
}

impl Connections {
    /// What the holder of a ticket is asked for. Changes nothing: programs that look at links must not use them up.
    ///
    /// # Errors
    /// `BadState` when the ticket was used or the sign-in is over.
    pub async fn asked(&self, state: &str, ticket: &str) -> Result<Asked, ConnectionError> {
        let row = self.open_ticket(state, ticket).await?;
        Ok(Asked {
            workspace_id: row.text("workspace_id")?,
            provider: row.text("provider")?,
            name: row.text("name")?,
            scopes: row.text("scopes")?.split(' ').map(ToOwned::to_owned).collect(),
            started_by: row.text("started_by")?,
        })
    }

    /// Binds the sign-in to the browser that presents the ticket, in place of the one before. The ticket is used up.
    ///
    /// # Errors
    /// `BadState` as for [`Connections::asked`].
    pub async fn hand_over(&self, state: &str, ticket: &str) -> Result<Started, ConnectionError> {
        let row = self.open_ticket(state, ticket).await?;
        let (workspace_id, hash) = (row.text("workspace_id")?, hash_of(state));
        let browser = new_token("br")?;
        let sql = "update oauth_states set browser_hash = $4, ticket_hash = null \
                   where workspace_id = $1 and state_hash = $2 and ticket_hash = $3";
        let query = self.0.records.db.query(sql).bind(&workspace_id).bind(&hash);
        if query.bind(hash_of(ticket)).bind(hash_of(&browser)).execute().await? == 0 {
            return Err(ConnectionError::BadState);
        }
        let vault = self.0.records.vault();
        let verifier = vault.open(&workspace_id, &hash, VERIFIER, &row.bytes("verifier")?).await?;
        let verifier = std::str::from_utf8(&verifier).map_err(|_| SealError::Damaged)?;
        let provider = row.text("provider")?;
        let authorize_url =
            self.authorize_url(self.provider(&provider)?, &row.text("scopes")?, state, verifier)?;
        let life = (row.int("expires_at")? - self.now()) / 1000;
        Ok(Started { authorize_url, state: state.to_owned(), browser, ticket: None, life })
    }

    async fn open_ticket(&self, state: &str, ticket: &str) -> Result<Row, ConnectionError> {
        let workspace_id = self.workspace_of(state).ok_or(ConnectionError::BadState)?;
        // Comparing hashes tells nothing about the ticket.
        let sql = "select * from oauth_states where workspace_id = $1 and state_hash = $2 and ticket_hash = $3 \
                   and expires_at > $4";
        let query = self.0.records.db.query(sql).bind(workspace_id).bind(hash_of(state));
        let row = query.bind(hash_of(ticket)).bind(self.now()).optional().await?;
        row.ok_or(ConnectionError::BadState)
    }
}
