//! The audit trail: read, exported, verified. Nobody changes it here. Must not know what was done.

mod export;
mod list;
mod verify;

use crate::auth::{Manager, Reach};
use crate::state::ApiState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_records::audit::{AuditEntry, AuditFilter, chain_of};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(export::export))
        .routes(routes!(verify::verify))
        .routes(routes!(list::list_managed))
        .routes(routes!(export::export_managed))
        .routes(routes!(verify::verify_managed))
}

/// An entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EntryView {
    /// Chain and number.
    id: String,
    /// Whose chain: `ws_…`, `rs_…` or `platform`.
    chain: String,
    /// Its number in the chain, from 1.
    seq: i64,
    /// When.
    at: i64,
    /// Who did it.
    actor: ActorView,
    /// What was done, such as `credential.updated`.
    action: String,
    /// On what.
    target: TargetView,
    /// What it was, without secrets; null when nothing was there.
    #[schema(value_type = Value)]
    before: Value,
    /// What it became, without secrets; null when nothing is there any more.
    #[schema(value_type = Value)]
    after: Value,
}

/// Who did it, and from where.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ActorView {
    /// `person`, `key`, `workflow` or `system`.
    kind: String,
    /// `per_…`, `key_…` or `run_…`; empty for the system.
    id: String,
    /// What people know the actor by.
    name: String,
    /// The person behind it, when they acted in somebody else's place.
    #[schema(required)]
    impersonated_by: Option<String>,
    /// The network address it came from.
    #[schema(required)]
    address: Option<String>,
    /// The request; for workflows the effect id.
    #[schema(required)]
    request_id: Option<String>,
}

/// What was changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TargetView {
    /// Such as `credential`.
    kind: String,
    /// Its id.
    id: String,
    /// Its name at the time; may be empty.
    name: String,
}

impl From<AuditEntry> for EntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id(),
            before: entry.before_value(),
            after: entry.after_value(),
            chain: entry.chain,
            seq: entry.seq,
            at: entry.at,
            actor: ActorView {
                kind: entry.actor_kind,
                id: entry.actor_id,
                name: entry.actor_name,
                impersonated_by: entry.impersonated_by,
                address: entry.address,
                request_id: entry.request_id,
            },
            action: entry.action,
            target: TargetView { kind: entry.target_kind, id: entry.target_id, name: entry.target_name },
        }
    }
}

/// Which entries.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// `person`, `key`, `workflow` or `system`.
    actor_kind: Option<String>,
    /// Id or name of whoever did it, or of the person who acted in their place.
    actor: Option<String>,
    /// An action (`credential.updated`), or its first word for all that begin with it (`credential`).
    action: Option<String>,
    /// Such as `credential`.
    target_kind: Option<String>,
    /// Id or name of what was changed.
    target: Option<String>,
    /// The request; for workflows the effect id.
    request_id: Option<String>,
    /// At or after this moment, milliseconds since the epoch.
    since: Option<i64>,
    /// Before this moment.
    until: Option<i64>,
    /// `next` of the page before; not for tables.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing. Not for tables.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl AuditQuery {
    fn filter(self, chain: Option<String>) -> AuditFilter {
        AuditFilter {
            chain,
            actor_kind: self.actor_kind,
            actor: self.actor,
            action: self.action,
            target_kind: self.target_kind,
            target: self.target,
            request_id: self.request_id,
            since: self.since,
            until: self.until,
        }
    }
}

/// The chain of a workspace; none for one who may see all.
fn reached(Reach(workspace_id): Reach) -> Option<String> {
    workspace_id
}

/// The chain of the platform or of a reseller.
fn managed(manager: &Manager) -> Option<String> {
    Some(chain_of(&manager.scope).to_owned())
}
