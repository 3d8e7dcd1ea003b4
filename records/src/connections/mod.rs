//! Connections: credentials that a person granted at a provider by OAuth 2.0 (RFC 6749, with PKCE, RFC 7636). Tokens lie in
//! the credential's sealed secret; what people may see of them lies in `connections`.
//!
//! Must not know HTTP: whoever builds [`Connections`] lends a way to the token endpoint.

mod finish;
mod hand_over;
mod open;
mod provider;
mod refresh;
mod revoke;
mod start;
mod token;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, Weak};

use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::events::emit;
use crate::{Credential, RecordError, Records, SealError};

pub use finish::{Callback, Finished};
pub use hand_over::Asked;
pub use provider::Provider;
pub use start::{StartConnection, Started};
pub use token::{Answer, Outside, Unreachable};

/// A person connected an account, again or for the first time; the data holds `credential`, `name` and `provider`.
pub const CONNECTED: &str = "connection.connected";
/// A connection does not open any more; the data holds `credential`, `name`, `provider` and `reason`.
pub const REVOKED: &str = "connection.revoked";
/// A connection has another name, or is gone; the data holds `credential`, `name` and `provider`.
pub const CHANGED: &str = "connection.changed";

/// What people may know about a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Connection {
    #[serde(skip)]
    pub workspace_id: String,
    /// `crd_…`: the credential that holds its tokens.
    pub credential_id: String,
    pub provider: String,
    /// `connected`, `expired` (its access ended and cannot be renewed) or `revoked`.
    pub status: String,
    /// Why it is as it is, for people.
    pub reason: Option<String>,
    /// Who granted it, usually an e-mail address.
    pub account: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// When the access token ends; it is renewed before, when it can be.
    pub expires_at: Option<i64>,
    pub connected_at: i64,
    renewable: bool,
    revision: i64,
    refresh_until: i64,
}

/// Why a connection cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("there is no provider {0:?}; its client id and secret must be configured")]
    NoProvider(String),
    #[error("the sign-in is unknown, was used before or took longer than ten minutes; start it again")]
    BadState,
    #[error("the sign-in was started in another browser or by another person; start it again in this one")]
    OtherBrowser,
    #[error("{provider} did not grant the access: {reason}")]
    Denied { provider: String, reason: String },
    #[error("the connection {name:?} was revoked ({reason}); connect it again")]
    Revoked { name: String, reason: String },
    #[error("the access of the connection {name:?} has ended and cannot be renewed; connect it again")]
    Expired { name: String },
    #[error("{provider} could not be asked for a token: {reason}; try again")]
    Unavailable { provider: String, reason: String },
}

impl From<DbError> for ConnectionError {
    fn from(error: DbError) -> Self {
        Self::Record(error.into())
    }
}

impl From<SealError> for ConnectionError {
    fn from(error: SealError) -> Self {
        Self::Record(error.into())
    }
}

/// Makes, opens, renews and revokes connections. Cloning is cheap.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    records: Records,
    providers: BTreeMap<String, Provider>,
    outside: Arc<dyn Outside>,
    redirect_uri: String,
    /// One lock for each connection that is being renewed by this process.
    renewing: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Connections {
    /// Connections to `providers`, which send people back to `redirect_uri`.
    pub fn new(
        records: Records,
        providers: Vec<Provider>,
        outside: Arc<dyn Outside>,
        redirect_uri: String,
    ) -> Self {
        let providers = providers.into_iter().map(|provider| (provider.id.clone(), provider)).collect();
        let renewing = Mutex::default();
        Self(Arc::new(Inner { records, providers, outside, redirect_uri, renewing }))
    }

    /// Names of the providers that are configured.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.0.providers.keys().map(String::as_str)
    }

    fn provider(&self, id: &str) -> Result<&Provider, ConnectionError> {
        self.0.providers.get(id).ok_or_else(|| ConnectionError::NoProvider(id.to_owned()))
    }

    fn now(&self) -> i64 {
        self.0.records.now()
    }
}

impl Connection {
    fn from_row(row: &Row, now: i64) -> Result<Self, DbError> {
        let (status, renewable) = (row.text("status")?, row.bool("renewable")?);
        let expires_at = row.opt_int("expires_at")?;
        let is_over = status == "connected" && !renewable && expires_at.is_some_and(|at| at <= now);
        Ok(Self {
            workspace_id: row.text("workspace_id")?,
            credential_id: row.text("credential_id")?,
            provider: row.text("provider")?,
            status: if is_over { "expired".to_owned() } else { status },
            reason: row.opt_text("reason")?,
            account: row.opt_text("account")?,
            scopes: serde_json::from_value(row.json("scopes")?).unwrap_or_default(),
            expires_at,
            connected_at: row.int("connected_at")?,
            renewable,
            revision: row.int("revision")?,
            refresh_until: row.int("refresh_until")?,
        })
    }
}

impl Records {
    /// What is known about the connection of a credential; none when the credential is of another sort.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn connection(
        &self,
        workspace_id: &str,
        credential_id: &str,
    ) -> Result<Option<Connection>, RecordError> {
        let sql = "select * from connections where workspace_id = $1 and credential_id = $2";
        let row = self.db.query(sql).bind(workspace_id).bind(credential_id).optional().await?;
        Ok(row.map(|row| Connection::from_row(&row, self.now())).transpose()?)
    }

    /// All connections of a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_connections(&self, workspace_id: &str) -> Result<Vec<Connection>, RecordError> {
        let sql = "select * from connections where workspace_id = $1 order by credential_id";
        let rows = self.db.query(sql).bind(workspace_id).all().await?;
        Ok(rows.iter().map(|row| Connection::from_row(row, self.now())).collect::<Result<_, _>>()?)
    }

    /// Names of the credentials whose connections were revoked, with the reason: triggers that use them must rest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoked_connections(
        &self,
        workspace_id: &str,
    ) -> Result<Vec<(String, String)>, RecordError> {
        let sql = "select c.name as name, coalesce(n.reason, 'revoked') as reason from connections n \
                   join credentials c on c.workspace_id = n.workspace_id and c.id = n.credential_id \
                   where n.workspace_id = $1 and n.status <> 'connected' order by c.name";
        let rows = self.db.query(sql).bind(workspace_id).all().await?;
        Ok(rows
            .iter()
            .map(|row| Ok((row.text("name")?, row.text("reason")?)))
            .collect::<Result<_, DbError>>()?)
    }
}

/// What the audit trail says of a connection, under the same words as the event. Whose account it is, is masked there.
fn change(credential: &Credential, action: &'static str) -> Change {
    let target = Target::new("connection", &*credential.id).named(&*credential.name);
    Change::new(&*credential.workspace_id, action, target).personal()
}

/// Tells triggers and the engine that a connection is another than before.
pub(crate) async fn tell(
    tx: &mut Tx,
    topic: &str,
    (workspace_id, credential_id): (&str, &str),
    facts: Value,
    now: i64,
) -> Result<(), RecordError> {
    let mut data = json!({ "credential": credential_id });
    for (name, value) in facts.as_object().into_iter().flatten() {
        data[name] = value.clone();
    }
    emit(tx, workspace_id, topic, &data, now).await?;
    Ok(())
}
