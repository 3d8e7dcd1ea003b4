//! Credentials of the records, for nodes, and the way to the token endpoints of providers. Must not know any node.

use crate::config::Config;
use futures::future::BoxFuture;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::{HttpRequest, HttpTransport};
use sluice_node_sdk::services::{Credential, CredentialSource};
use sluice_records::connections::{Answer, Outside, Provider, Unreachable};
use sluice_records::{ConnectionError, Connections, OpenCredential, RecordError, Records};
use std::sync::Arc;

/// How long a token endpoint may take, milliseconds.
const PATIENCE_MS: u64 = 15_000;
/// Longest answer of a token endpoint, bytes.
const LONGEST_ANSWER: u64 = 256 * 1024;

/// Connections to the providers of a configuration.
pub(crate) fn connections(records: &Records, http: Arc<dyn HttpTransport>, config: &Config) -> Connections {
    let redirect_uri = format!("{}/api/connections/callback", config.public_url);
    let google = config.google.as_ref().map(|google| {
        let (id, secret) = (google.client_id.clone(), google.client_secret.clone());
        Provider::google(id, secret, &google.accounts_url, &google.tokens_url)
    });
    let outside = Arc::new(TokenEndpoints(http));
    Connections::new(records.clone(), google.into_iter().collect(), outside, redirect_uri)
}

/// Token endpoints, reached as everything outside is.
struct TokenEndpoints(Arc<dyn HttpTransport>);

impl Outside for TokenEndpoints {
    fn post_form<'a>(
        &'a self,
        url: &'a str,
        form: Vec<(String, String)>,
    ) -> BoxFuture<'a, Result<Answer, Unreachable>> {
        Box::pin(async move {
            let body: String =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let mut request = HttpRequest::new("POST", url)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("accept", "application/json")
                .to_operator_url();
            request.body = body.into();
            request.timeout_ms = PATIENCE_MS;
            request.max_response_bytes = LONGEST_ANSWER;
            let answer = self.0.send(request).await.map_err(|error| Unreachable(error.message))?;
            Ok(Answer { status: answer.status, body: answer.body.to_vec() })
        })
    }
}

/// Credentials for nodes.
pub(crate) struct NodeCredentials(pub(crate) Connections);

impl CredentialSource for NodeCredentials {
    fn credential<'a>(
        &'a self,
        workspace_id: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Credential, NodeError>> {
        Box::pin(async move { opened(self.0.open(workspace_id, name).await, name) })
    }

    fn renewed<'a>(
        &'a self,
        workspace_id: &'a str,
        name: &'a str,
        refused: &'a str,
    ) -> BoxFuture<'a, Result<Credential, NodeError>> {
        Box::pin(async move { opened(self.0.open_anew(workspace_id, name, refused).await, name) })
    }
}

fn opened(result: Result<OpenCredential, ConnectionError>, name: &str) -> Result<Credential, NodeError> {
    match result {
        Ok(open) => {
            Ok(Credential { kind: open.info.kind.clone(), data: open.merged(), public: open.public_names() })
        }
        Err(failure) => Err(refusal(&failure, name)),
    }
}

/// Why a node does not get a credential, and what a person can do.
fn refusal(failure: &ConnectionError, name: &str) -> NodeError {
    let told = failure.to_string();
    match failure {
        ConnectionError::Record(RecordError::NotFound { .. }) => NodeError::auth(format!(
            "There is no credential named `{name}`; add it in the workspace's settings"
        ))
        .code("credential_missing"),
        ConnectionError::Revoked { .. } => NodeError::auth(told).code("connection_revoked"),
        ConnectionError::Expired { .. } => NodeError::auth(told).code("connection_expired"),
        ConnectionError::Unavailable { .. } => NodeError::unavailable(told).code("token_unavailable"),
        // The database was out of reach for a moment: nothing is wrong with the credential, and the node tries again.
        ConnectionError::Record(failure) if failure.is_transient() => {
            NodeError::unavailable(format!("The credential `{name}` cannot be read at the moment: {told}"))
                .code("credential_unavailable")
        }
        _ => NodeError::auth(format!("The credential `{name}` cannot be opened: {told}"))
            .code("credential_sealed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_db::DbError;
    use sluice_node_sdk::error::ErrorKind;

    #[test]
    fn a_database_that_is_away_for_a_moment_is_no_fault_of_the_credential() {
        let away = DbError::Unreachable { message: "restarting".into() };
        let damaged = DbError::Corrupt { message: "a row".into() };
        for (failure, kind, code) in [
            (away, ErrorKind::Unavailable, "credential_unavailable"),
            (damaged, ErrorKind::Auth, "credential_sealed"),
        ] {
            let error = refusal(&ConnectionError::Record(RecordError::Db(failure)), "crm");
            assert_eq!((error.kind, &*error.code), (kind, code), "{error:?}");
        }
    }
}
