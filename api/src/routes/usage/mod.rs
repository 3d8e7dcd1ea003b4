//! What a workspace used and what its plan leaves it. Must not know prices.

use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Query;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_records::plans::Allowance;
use sluice_records::usage::{Step, UsageFilter, UsageSum};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const DAY_MS: i64 = 86_400_000;

/// The longest time of an answer by the hour, and by the day.
const LONGEST_BY_HOUR: i64 = 31 * DAY_MS;
const LONGEST_BY_DAY: i64 = 400 * DAY_MS;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(allowances))
}

/// The length of the intervals.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// Hours.
    Hour,
    /// Days of UTC.
    #[default]
    Day,
}

/// Which usage.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageQuery {
    /// From this moment on, milliseconds since the epoch; 30 days ago when missing. Taken down to its interval.
    from: Option<i64>,
    /// Up to this moment; now when missing. The interval in which it lies is included.
    to: Option<i64>,
    /// `hour` or `day`.
    #[serde(default)]
    #[param(inline)]
    by: By,
    /// Only of this kind, such as `message`, `run` or `ai_token`.
    kind: Option<String>,
}

/// What was used in an interval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UsageView {
    /// The beginning of the interval, milliseconds since the epoch.
    at: i64,
    /// Such as `message`, `run` or `ai_token`.
    kind: String,
    /// What kind of pieces: `category`, `model`, `workflow`.
    #[schema(value_type = Object)]
    attributes: Value,
    /// Pieces.
    quantity: i64,
    /// How many events they are the sum of.
    events: i64,
}

impl From<UsageSum> for UsageView {
    fn from(sum: UsageSum) -> Self {
        let UsageSum { at, kind, attributes, quantity, events } = sum;
        Self { at, kind, attributes, quantity, events }
    }
}

/// What is left of something.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AllowanceView {
    /// Such as `messages`.
    kind: String,
    /// Null for as many as one likes.
    #[schema(required)]
    limit: Option<i64>,
    /// What was used and put aside.
    used: i64,
    /// Null for as many as one likes.
    #[schema(required)]
    left: Option<i64>,
    /// The month it counts for, milliseconds since the epoch; null for what counts at any one time.
    #[schema(required)]
    from: Option<i64>,
    /// Its end.
    #[schema(required)]
    to: Option<i64>,
}

impl From<Allowance> for AllowanceView {
    fn from(one: Allowance) -> Self {
        let Allowance { kind, limit, used, left, from, to } = one;
        Self { kind, limit, used, left, from, to }
    }
}

/// What was used, by interval, kind and attributes. Always the sum of all events, the latest included.
#[utoipa::path(get, path = "/api/usage", tag = "usage", params(UsageQuery),
    responses((status = 200, description = "The sums, oldest first", body = Listed<UsageView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<UsageQuery>,
) -> Result<Json<Listed<UsageView>>, ApiError> {
    let (step, longest) = match query.by {
        By::Hour => (Step::Hour, LONGEST_BY_HOUR),
        By::Day => (Step::Day, LONGEST_BY_DAY),
    };
    let to = query.to.unwrap_or_else(|| state.engine.now_ms());
    let from = query.from.unwrap_or_else(|| to.saturating_sub(30 * DAY_MS));
    if from > to || to.saturating_sub(from) > longest {
        let message = "`from` lies before `to`, at most 31 days by the hour and 400 by the day";
        return Err(ApiError::new(crate::error::INVALID_QUERY, message));
    }
    let to = to.saturating_add(step.ms());
    let filter = UsageFilter { from, to, step, kind: query.kind };
    let found = state.records.usage(&tenant.workspace_id, &filter).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// What the plan leaves: limits, what was used of them, and what is left.
#[utoipa::path(get, path = "/api/usage/allowances", tag = "usage",
    responses((status = 200, description = "The allowances, by name", body = Listed<AllowanceView>)))]
pub(crate) async fn allowances(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<AllowanceView>>, ApiError> {
    let found = state.records.allowances(&tenant.workspace_id).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}
