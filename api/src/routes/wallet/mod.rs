//! The wallet of a workspace, to be read. Must not know who fills it.

use crate::answer::{Listed, page_size};
use crate::auth::{Manager, Tenant};
use crate::error::{self, ApiError};
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice_records::Scope;
use sluice_records::ledger::{Account, AccountKind, Balance, DEFAULT_CURRENCY, Entry};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(entries)).routes(routes!(of_client))
}

/// An account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BalanceView {
    /// Kind and currency: `wallet/INR`, `bonus/INR`, `reserved/INR`, `revenue/INR` (what was charged), `issued/INR`.
    account: String,
    /// Micro-units of the currency: 1,000,000 are one rupee.
    balance: i64,
}

impl From<Balance> for BalanceView {
    fn from(one: Balance) -> Self {
        Self { account: one.account, balance: one.balance }
    }
}

/// A wallet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WalletView {
    /// The currency in which it pays.
    currency: String,
    /// What can be spent: wallet and bonus together, micro-units.
    available: i64,
    /// All accounts, by name.
    accounts: Vec<BalanceView>,
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntriesQuery {
    /// `wallet` (when missing), `bonus`, `reserved`, `revenue` or `issued`.
    pub(crate) account: Option<String>,
    /// As in `INR`, which it is when missing.
    pub(crate) currency: Option<String>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
}

/// An entry of an account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LedgerEntryView {
    /// Numbers the entries of an account from 1, without gaps.
    seq: i64,
    /// What the account gained, or lost when it is negative. Micro-units.
    amount: i64,
    /// `trf_…`; its other entries are in other accounts.
    transfer_id: String,
    /// Such as `credits.moved`, `message.hold`, `message.end` or `message.refund`.
    reason: String,
    /// What it is about.
    #[schema(required)]
    reference: Option<String>,
    /// Kind and id of who made it.
    actor: String,
    /// Milliseconds since the epoch.
    at: i64,
}

impl From<Entry> for LedgerEntryView {
    fn from(entry: Entry) -> Self {
        let Entry { seq, amount, transfer_id, reason, reference, actor, at, .. } = entry;
        Self { seq, amount, transfer_id, reason, reference, actor, at }
    }
}

/// The accounts of a scope.
pub(crate) async fn balances(state: &ApiState, scope: &Scope) -> Result<Vec<BalanceView>, ApiError> {
    Ok(state.records.balances(scope).await?.into_iter().map(Into::into).collect())
}

/// The entries of an account of a scope.
pub(crate) async fn entries_of(
    state: &ApiState,
    scope: &Scope,
    query: EntriesQuery,
) -> Result<Listed<LedgerEntryView>, ApiError> {
    use AccountKind::{Bonus, Issued, Reserved, Revenue, Wallet};
    let wanted = query.account.as_deref().unwrap_or(Wallet.as_text());
    let kind = [Wallet, Bonus, Reserved, Revenue, Issued].into_iter().find(|kind| kind.as_text() == wanted);
    let kind = kind.ok_or_else(|| {
        ApiError::new(error::INVALID_QUERY, "`account` is wallet, bonus, reserved, revenue or issued")
    })?;
    let currency = query.currency.as_deref().unwrap_or(DEFAULT_CURRENCY);
    let account = Account::new(scope, kind, currency);
    let page = state.records.entries(&account, query.cursor.as_deref(), page_size(query.limit)).await?;
    Ok(Listed { items: page.items.into_iter().map(Into::into).collect(), next: page.next })
}

async fn wallet_of(state: &ApiState, workspace_id: &str) -> Result<WalletView, ApiError> {
    let currency = state.records.currency_of(workspace_id).await?;
    let accounts = balances(state, &Scope::Workspace(workspace_id.to_owned())).await?;
    let spendable =
        [AccountKind::Wallet, AccountKind::Bonus].map(|kind| format!("{}/{currency}", kind.as_text()));
    let available =
        accounts.iter().filter(|one| spendable.contains(&one.account)).map(|one| one.balance).sum();
    Ok(WalletView { currency, available, accounts })
}

/// The wallet of the workspace: every balance is the sum of its entries.
#[utoipa::path(get, path = "/api/wallet", tag = "billing",
    responses((status = 200, description = "The wallet", body = WalletView)))]
pub(crate) async fn get(State(state): State<ApiState>, tenant: Tenant) -> Result<Json<WalletView>, ApiError> {
    Ok(Json(wallet_of(&state, &tenant.workspace_id).await?))
}

/// The entries of an account of the workspace.
#[utoipa::path(get, path = "/api/wallet/entries", tag = "billing", params(EntriesQuery),
    responses((status = 200, description = "The entries, newest first", body = Listed<LedgerEntryView>)))]
pub(crate) async fn entries(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<Listed<LedgerEntryView>>, ApiError> {
    Ok(Json(entries_of(&state, &Scope::Workspace(tenant.workspace_id), query).await?))
}

/// The wallet of a client workspace.
#[utoipa::path(get, path = "/api/clients/{id}/wallet", tag = "management",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The wallet", body = WalletView)))]
pub(crate) async fn of_client(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<WalletView>, ApiError> {
    let client = manager.client(&state, &id).await?;
    Ok(Json(wallet_of(&state, &client.id).await?))
}
