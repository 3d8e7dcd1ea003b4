//! Credits of the platform and of resellers, and moving them. Must not know what they are spent on.

use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::{self, ApiError};
use crate::extract::{Body, Query};
use crate::routes::wallet::{BalanceView, EntriesQuery, LedgerEntryView, balances, entries_of};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sluice_records::Scope;
use sluice_records::ledger::{CreditMove, DEFAULT_CURRENCY, Posted};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Names a wish, so that its repetition is recognised.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest key, characters.
const LONGEST_KEY: usize = 200;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(entries)).routes(routes!(transfer))
}

/// Somebody who holds credits.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Holder {
    /// The platform: credits from here come into being, credits to here cease to be.
    Platform,
    /// `rs_…`.
    Reseller(String),
    /// `ws_…`, or its name.
    Workspace(String),
}

/// Credits to move.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditRequest {
    /// Who gives; the caller's own scope when missing.
    #[serde(default)]
    from: Option<Holder>,
    /// Who gets.
    to: Holder,
    /// Micro-units, more than 0: 1,000,000 are one rupee.
    #[schema(minimum = 1)]
    amount: i64,
    /// As in `INR`, which it is when missing.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Goes to the bonus of the receiver: spent before the wallet, and never moved on.
    #[serde(default)]
    bonus: bool,
    /// What it is about, for people: an invoice.
    #[serde(default)]
    #[schema(max_length = 200)]
    reference: Option<String>,
}

/// A transfer that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TransferView {
    /// `trf_…`.
    id: String,
    /// False when the key had been used for the same before: this is that transfer, and nothing moved again.
    is_new: bool,
    /// When it was made, milliseconds since the epoch.
    at: i64,
    /// Kind and id of who made it.
    actor: String,
}

impl From<Posted> for TransferView {
    fn from(posted: Posted) -> Self {
        let transfer = posted.transfer;
        Self { id: transfer.id, is_new: posted.is_new, at: transfer.at, actor: transfer.actor }
    }
}

/// The credits of the platform or of the reseller that the caller acts for.
#[utoipa::path(get, path = "/api/credits", tag = "management",
    responses((status = 200, description = "The accounts, by name", body = Listed<BalanceView>)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<BalanceView>>, ApiError> {
    Ok(Json(Listed::all(balances(&state, &manager.scope).await?)))
}

/// The entries of an account of the platform (`issued`) or of the reseller (`wallet`).
#[utoipa::path(get, path = "/api/credits/entries", tag = "management", params(EntriesQuery),
    responses((status = 200, description = "The entries, newest first", body = Listed<LedgerEntryView>)))]
pub(crate) async fn entries(
    State(state): State<ApiState>,
    manager: Manager,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<Listed<LedgerEntryView>>, ApiError> {
    Ok(Json(entries_of(&state, &manager.scope, query).await?))
}

/// Move credits: from the platform to a reseller, from a reseller to its clients, and back. All at once or not at all.
#[utoipa::path(post, path = "/api/credits/transfers", tag = "management", request_body = CreditRequest,
    params(("Idempotency-Key" = String, Header, description = "Names the wish; a repetition moves nothing again")),
    responses(
        (status = 201, description = "The transfer", body = TransferView),
        (status = 402, description = "`budget_exhausted`: the giver does not hold that much", body = crate::error::ErrorBody),
        (status = 409, description = "`conflict`: the key was used for something else", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn transfer(
    State(state): State<ApiState>,
    manager: Manager,
    headers: HeaderMap,
    Body(request): Body<CreditRequest>,
) -> Result<(StatusCode, Json<TransferView>), ApiError> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::trim);
    let key = key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).ok_or_else(|| {
        ApiError::new(
            error::IDEMPOTENCY_KEY_REQUIRED,
            "send a header `Idempotency-Key` of 1 to 200 characters that names this wish",
        )
    })?;
    let from = match request.from {
        Some(holder) => within_reach(&state, &manager, holder).await?,
        None => manager.scope.clone(),
    };
    let to = within_reach(&state, &manager, request.to).await?;
    let wish = CreditMove {
        by: manager.scope.clone(),
        key: key.to_owned(),
        from,
        to,
        amount: request.amount,
        currency: request.currency.unwrap_or_else(|| DEFAULT_CURRENCY.to_owned()),
        is_bonus: request.bonus,
        reference: request.reference.filter(|text| !text.is_empty()),
    };
    if wish.reference.as_ref().is_some_and(|text| text.chars().count() > LONGEST_KEY || text.contains('\0')) {
        return Err(ApiError::new(error::INVALID_VALUE, "at most 200 characters").at("/reference"));
    }
    let posted = manager.records(&state).move_credits(&wish).await?;
    Ok((StatusCode::CREATED, Json(posted.into())))
}

/// A holder as a scope, if the caller runs it: the platform runs all, a reseller itself and its clients.
async fn within_reach(state: &ApiState, manager: &Manager, holder: Holder) -> Result<Scope, ApiError> {
    let scope = match holder {
        Holder::Workspace(id) => return Ok(Scope::Workspace(manager.client(state, &id).await?.id)),
        Holder::Platform => Scope::Platform,
        Holder::Reseller(id) => Scope::Reseller(id),
    };
    if manager.scope == Scope::Platform || manager.scope == scope {
        return Ok(scope);
    }
    Err(ApiError::not_found(scope.kind(), scope.id()))
}
