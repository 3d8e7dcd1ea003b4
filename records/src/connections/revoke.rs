//! Taking a connection back: at the provider and here. Must not know HTTP.

use super::{Connection, ConnectionError, Connections};
use crate::{Actor, RecordError};

impl Connections {
    /// Takes the grant back at the provider and forgets the tokens, whether or not the provider could be told. Answers
    /// the connection as it is then, and whether the provider knows. Repeating it changes nothing.
    ///
    /// # Errors
    /// `NotFound` when the credential is no connection.
    pub async fn revoke(
        &self,
        workspace_id: &str,
        id_or_name: &str,
        by: &Actor,
    ) -> Result<(Connection, bool), ConnectionError> {
        let (open, connection) = self.read(workspace_id, id_or_name).await?;
        let mut connection = connection.ok_or_else(|| RecordError::not_found("connection", id_or_name))?;
        let token = open.secret.text("refresh_token").or_else(|| open.secret.text("access_token"));
        let told = match (token, &self.provider(&connection.provider)) {
            (Some(token), Ok(provider)) => match &provider.revoke_url {
                Some(url) => {
                    let form = vec![("token".to_owned(), token.to_owned())];
                    let answer = self.0.outside.post_form(url, form).await;
                    // 400: the provider does not know the token any more, which is as good.
                    answer.is_ok_and(|answer| matches!(answer.status, 200..300 | 400))
                }
                None => false,
            },
            _ => false,
        };
        // A renewal may come in between; the tokens that it brought are of the same grant, which is gone.
        while connection.status != "revoked" {
            self.end(&open, &connection, &format!("by {} ({})", by.id, by.name), by).await?;
            let found = self.0.records.connection(workspace_id, &open.info.id).await?;
            connection = found.ok_or_else(|| RecordError::not_found("connection", id_or_name))?;
        }
        Ok((connection, told))
    }
}
