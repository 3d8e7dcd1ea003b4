//! Verifies chains. Must not know how.

use super::{managed, reached};
use crate::auth::{Manager, Reach};
use crate::error::ApiError;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_records::audit::Witness;

/// Most faults that are told at once.
const MOST_FAULTS: usize = 100;

/// What was found.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Verification {
    /// Whether every entry is as it was written and none is missing.
    is_whole: bool,
    /// Chains that were walked through.
    chains: u64,
    /// Entries that are as they were written.
    entries: i64,
    /// The hash of the newest entry, when one chain was verified: note it with `entries` to recognise the chain later.
    #[schema(required)]
    head: Option<String>,
    /// The first thing that is wrong in each chain; at most a hundred.
    faults: Vec<FaultView>,
}

/// What is wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FaultView {
    /// Where: `ws_…`, `rs_…` or `platform`.
    chain: String,
    /// The number of the entry; null when it is the chain as a whole.
    #[schema(required)]
    seq: Option<i64>,
    /// What, for people.
    reason: String,
}

/// Verify the trail of the workspace, from its first entry to its newest. Who may enter every workspace and names none
/// verifies all chains; with many entries use `sluice audit verify`.
#[utoipa::path(get, path = "/api/audit/verify", tag = "audit",
    responses((status = 200, description = "What was found", body = Verification)))]
pub(crate) async fn verify(
    State(state): State<ApiState>,
    reach: Reach,
) -> Result<Json<Verification>, ApiError> {
    walk(&state, reached(reach)).await
}

/// Verify the trail of the platform, or of the reseller.
#[utoipa::path(get, path = "/api/platform/audit/verify", tag = "audit",
    responses((status = 200, description = "What was found", body = Verification)))]
pub(crate) async fn verify_managed(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Verification>, ApiError> {
    walk(&state, managed(&manager)).await
}

async fn walk(state: &ApiState, chain: Option<String>) -> Result<Json<Verification>, ApiError> {
    let is_one = chain.is_some();
    let mut found = Verification { is_whole: true, ..Verification::default() };
    let mut next = match chain {
        Some(chain) => Some(chain),
        None => state.records.next_audit_chain("").await?,
    };
    while let Some(chain) = next {
        let report = state.records.verify_audit_chain(&chain, &Witness::new()).await?;
        found.chains += 1;
        found.entries += report.entries;
        found.head = is_one.then_some(report.head);
        if let Some(fault) = report.fault {
            found.is_whole = false;
            if found.faults.len() < MOST_FAULTS {
                found.faults.push(FaultView { chain: report.chain, seq: fault.seq, reason: fault.reason });
            }
        }
        next = if is_one { None } else { state.records.next_audit_chain(&chain).await? };
    }
    Ok(Json(found))
}
