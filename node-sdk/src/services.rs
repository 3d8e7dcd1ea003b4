//! What a host lends to running nodes: clock, HTTP transport, credentials, base URLs, budgets.

use crate::error::NodeError;
use crate::http::HttpTransport;
use crate::usage::Budget;
use futures::future::BoxFuture;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tells the time. Nodes and engine never ask the operating system themselves.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// A credential, opened. Has no `Debug` and no `Serialize`, so that it cannot slip into a log or a trace.
#[derive(Clone)]
pub struct Credential {
    /// Kind, such as `whatsapp` or `http_bearer`.
    pub kind: String,
    /// Secret and public fields together.
    pub data: Value,
    /// Names of the fields that may be shown; all others are secret.
    pub public: Vec<String>,
}

impl Credential {
    /// The values of the secret fields.
    pub fn secrets(&self) -> impl Iterator<Item = &Value> {
        let fields = self.data.as_object().into_iter().flatten();
        fields.filter(|(name, _)| !self.public.contains(name)).map(|(_, value)| value)
    }

    /// A text field of the credential.
    ///
    /// # Errors
    /// `Auth` when the field is missing or not text.
    pub fn text(&self, field: &str) -> Result<&str, NodeError> {
        self.data.get(field).and_then(Value::as_str).ok_or_else(|| {
            NodeError::auth(format!("The credential of kind `{}` has no field `{field}`", self.kind))
                .code("credential_incomplete")
        })
    }
}

/// Finds credentials by name.
pub trait CredentialSource: Send + Sync + 'static {
    /// Opens the credential `name` of a workspace.
    fn credential<'a>(
        &'a self,
        workspace_id: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Credential, NodeError>>;

    /// Opens it with another access token than `refused`, which the provider did not take. A host that renews no tokens
    /// opens it as it is.
    fn renewed<'a>(
        &'a self,
        workspace_id: &'a str,
        name: &'a str,
        _refused: &'a str,
    ) -> BoxFuture<'a, Result<Credential, NodeError>> {
        self.credential(workspace_id, name)
    }
}

/// A host without credentials; every look-up fails with `credential_missing`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCredentials;

impl CredentialSource for NoCredentials {
    fn credential<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Result<Credential, NodeError>> {
        let error =
            NodeError::auth(format!("There is no credential named `{name}`")).code("credential_missing");
        Box::pin(async move { Err(error) })
    }
}

/// The services of one host, shared by all its nodes.
#[derive(Clone)]
pub struct Services {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The way out over HTTP.
    pub http: Arc<dyn HttpTransport>,
    /// Credentials by name.
    pub credentials: Arc<dyn CredentialSource>,
    /// Base URL per provider, set by the operator; for example `graph` to `https://graph.facebook.com/v22.0`.
    pub base_urls: Arc<BTreeMap<String, String>>,
    /// What workspaces may spend.
    pub budget: Arc<dyn Budget>,
}
