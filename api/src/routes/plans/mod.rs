//! Plans and prices of the platform and of resellers. Must not know who subscribes.

use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::ledger::DEFAULT_CURRENCY;
use sluice_records::plans::{NewPrice, Plan, PlanFields, PlanPeriod, Price};
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, remove))
        .routes(routes!(prices, add_price))
}

/// How long is paid for at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Period {
    /// A month.
    Month,
    /// Twelve months.
    Year,
}

/// What a plan says.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// As in `INR`, which it is when missing.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Micro-units for a period; 0 for a plan that goes on by itself.
    #[schema(minimum = 0)]
    price: i64,
    /// What is paid for at once.
    period: Period,
    /// Days that a workspace may try it, once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    trial_days: i64,
    /// Pieces by name: `messages`, `ai_credits`, `broadcasts` by month, `members`, `numbers`, `automations` at any one
    /// time. -1 and what is left out is unlimited.
    #[serde(default)]
    limits: BTreeMap<String, i64>,
    /// Micro-units for each piece beyond a limit, which then stops nobody.
    #[serde(default)]
    overage: BTreeMap<String, i64>,
    /// What else it opens, such as `api_access`.
    #[serde(default)]
    features: Vec<String>,
}

impl From<PlanRequest> for PlanFields {
    fn from(request: PlanRequest) -> Self {
        Self {
            name: request.name,
            currency: request.currency.unwrap_or_else(|| DEFAULT_CURRENCY.to_owned()),
            price: request.price,
            period: match request.period {
                Period::Month => PlanPeriod::Month,
                Period::Year => PlanPeriod::Year,
            },
            trial_days: request.trial_days,
            limits: request.limits,
            overage: request.overage,
            features: request.features,
        }
    }
}

/// A plan.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PlanView {
    /// `plan_…`.
    id: String,
    /// For people.
    name: String,
    /// As in `INR`.
    currency: String,
    /// Micro-units for a period.
    price: i64,
    /// What is paid for at once.
    period: Period,
    /// Days that a workspace may try it, once.
    trial_days: i64,
    /// Pieces by name; -1 is unlimited.
    limits: BTreeMap<String, i64>,
    /// Micro-units for each piece beyond a limit.
    overage: BTreeMap<String, i64>,
    /// What else it opens.
    features: Vec<String>,
    /// Milliseconds since the epoch.
    created_at: i64,
    /// Milliseconds since the epoch.
    updated_at: i64,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let fields = plan.fields;
        Self {
            id: plan.id,
            name: fields.name,
            currency: fields.currency,
            price: fields.price,
            period: match fields.period {
                PlanPeriod::Month => Period::Month,
                PlanPeriod::Year => Period::Year,
            },
            trial_days: fields.trial_days,
            limits: fields.limits,
            overage: fields.overage,
            features: fields.features,
            created_at: plan.created_at,
            updated_at: plan.updated_at,
        }
    }
}

/// A price to put on the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceRequest {
    /// What is counted: `message`, `ai_token`, …
    #[schema(min_length = 1, max_length = 40)]
    kind: String,
    /// Of this category or model; all others when missing.
    #[serde(default)]
    #[schema(max_length = 100)]
    category: String,
    /// As in `INR`, which it is when missing.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Micro-units for `per` pieces.
    #[schema(minimum = 0)]
    amount: i64,
    /// Pieces; 1 when missing.
    #[serde(default = "one")]
    #[schema(minimum = 1)]
    per: i64,
    /// Milliseconds since the epoch; now when missing.
    #[serde(default)]
    valid_from: Option<i64>,
    /// Not included; for ever when missing.
    #[serde(default)]
    valid_until: Option<i64>,
}

fn one() -> i64 {
    1
}

/// A price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PriceView {
    /// `price_…`.
    id: String,
    /// What is counted.
    kind: String,
    /// Of this category or model; empty for all others.
    category: String,
    /// As in `INR`.
    currency: String,
    /// Micro-units for `per` pieces.
    amount: i64,
    /// Pieces.
    per: i64,
    /// Milliseconds since the epoch.
    valid_from: i64,
    /// Not included; null for ever.
    #[schema(required)]
    valid_until: Option<i64>,
}

impl From<Price> for PriceView {
    fn from(price: Price) -> Self {
        let Price { id, kind, category, currency, amount, per, valid_from, valid_until, .. } = price;
        Self { id, kind, category, currency, amount, per, valid_from, valid_until }
    }
}

/// List the plans of the platform, or of the reseller that the caller acts for.
#[utoipa::path(get, path = "/api/plans", tag = "management",
    responses((status = 200, description = "The plans, by name", body = Listed<PlanView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<PlanView>>, ApiError> {
    let found = state.records.list_plans(&manager.scope).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Make a plan.
#[utoipa::path(post, path = "/api/plans", tag = "management", request_body = PlanRequest,
    responses((status = 201, description = "The plan", body = PlanView)))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<PlanRequest>,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    let made = manager.records(&state).create_plan(&manager.scope, request.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a plan.
#[utoipa::path(get, path = "/api/plans/{id}", tag = "management",
    params(("id" = String, Path, description = "`plan_…`")),
    responses((status = 200, description = "The plan", body = PlanView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<PlanView>, ApiError> {
    let plan = state.records.plan(&id).await?;
    if plan.owner != manager.scope {
        return Err(ApiError::not_found("plan", &id));
    }
    Ok(Json(plan.into()))
}

/// Change a plan. Who subscribes to it is held to the new limits from then on.
#[utoipa::path(put, path = "/api/plans/{id}", tag = "management", request_body = PlanRequest,
    params(("id" = String, Path, description = "`plan_…`")),
    responses((status = 200, description = "The plan", body = PlanView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<PlanRequest>,
) -> Result<Json<PlanView>, ApiError> {
    Ok(Json(manager.records(&state).update_plan(&manager.scope, &id, request.into()).await?.into()))
}

/// Withdraw a plan: nobody can choose it any more.
#[utoipa::path(delete, path = "/api/plans/{id}", tag = "management",
    params(("id" = String, Path, description = "`plan_…`")),
    responses(
        (status = 204, description = "It is withdrawn"),
        (status = 409, description = "`conflict`: workspaces subscribe to it", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    manager.records(&state).archive_plan(&manager.scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the prices that are in force or will be, of the platform or of the reseller that the caller acts for.
#[utoipa::path(get, path = "/api/prices", tag = "management",
    responses((status = 200, description = "The prices, by kind, category and time", body = Listed<PriceView>)))]
pub(crate) async fn prices(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<PriceView>>, ApiError> {
    let found = state.records.list_prices(&manager.scope, state.engine.now_ms()).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Put a price on the list. Of several for the same the one that begins last counts; none is ever changed.
#[utoipa::path(post, path = "/api/prices", tag = "management", request_body = PriceRequest,
    responses((status = 201, description = "The price", body = PriceView)))]
pub(crate) async fn add_price(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<PriceRequest>,
) -> Result<(StatusCode, Json<PriceView>), ApiError> {
    let price = NewPrice {
        kind: request.kind,
        category: request.category,
        currency: request.currency.unwrap_or_else(|| DEFAULT_CURRENCY.to_owned()),
        amount: request.amount,
        per: request.per,
        valid_from: request.valid_from.unwrap_or_else(|| state.engine.now_ms()),
        valid_until: request.valid_until,
    };
    let made = manager.records(&state).add_price(&manager.scope, price).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
