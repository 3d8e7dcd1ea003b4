//! Opening a credential for use: that of a connection is renewed before it ends. Must not know who uses it.

use super::{Connection, ConnectionError, Connections};
use crate::OpenCredential;

/// A token is renewed when it ends sooner than this.
pub(super) const MARGIN_MS: i64 = 5 * 60 * 1000;

impl Connections {
    /// Opens a credential by id or name, with a token that is good for a while.
    ///
    /// # Errors
    /// `Revoked`, `Expired` when a person must connect it again; `Unavailable` when the provider gives no new token now.
    pub async fn open(
        &self,
        workspace_id: &str,
        id_or_name: &str,
    ) -> Result<OpenCredential, ConnectionError> {
        let (open, connection) = self.read(workspace_id, id_or_name).await?;
        match connection {
            Some(connection) if !self.is_good(&connection, &open.info.name)? => {
                self.renew(open, connection.revision, false).await
            }
            _ => Ok(open),
        }
    }

    /// The same with another token than `refused`, which the provider did not take.
    ///
    /// # Errors
    /// As for [`Connections::open`].
    pub async fn open_anew(
        &self,
        workspace_id: &str,
        id_or_name: &str,
        refused: &str,
    ) -> Result<OpenCredential, ConnectionError> {
        let (open, connection) = self.read(workspace_id, id_or_name).await?;
        let Some(connection) = connection else { return Ok(open) };
        let is_good = self.is_good(&connection, &open.info.name)?;
        // Somebody else may have renewed it since.
        let is_other = open.secret.text("access_token") != Some(refused);
        if (is_good && is_other) || !connection.renewable {
            return Ok(open);
        }
        self.renew(open, connection.revision, true).await
    }

    pub(super) async fn read(
        &self,
        workspace_id: &str,
        id_or_name: &str,
    ) -> Result<(OpenCredential, Option<Connection>), ConnectionError> {
        let records = &self.0.records;
        // The connection first: tokens that are read after it are of its revision or of a later one.
        let info = records.credential(workspace_id, id_or_name).await?;
        let connection = records.connection(workspace_id, &info.id).await?;
        Ok((records.open_credential(workspace_id, &info.id).await?, connection))
    }

    /// Whether a connection's token can be used as it is.
    pub(super) fn is_good(&self, connection: &Connection, name: &str) -> Result<bool, ConnectionError> {
        match connection.status.as_str() {
            "connected" => {}
            "expired" => return Err(ConnectionError::Expired { name: name.to_owned() }),
            _ => {
                let reason = connection.reason.clone().unwrap_or_else(|| "by its owner".to_owned());
                return Err(ConnectionError::Revoked { name: name.to_owned(), reason });
            }
        }
        let ends = connection.expires_at.unwrap_or(i64::MAX);
        Ok(!connection.renewable || ends > self.now() + MARGIN_MS)
    }
}
