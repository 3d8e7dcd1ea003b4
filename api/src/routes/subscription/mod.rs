//! The subscription of a workspace: its members see it, take what is free and cancel it; who manages it reports payments.
//! Must not know limits.

use crate::auth::{Manager, Tenant};
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::routes::plans::PlanView;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluice_records::plans::{Subscription, SubscriptionChange, SubscriptionStatus};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get, choose, cancel)).routes(routes!(of_client, change))
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubscriptionStanding {
    /// Tried, for some days.
    Trial,
    /// Paid, or free.
    Active,
    /// Not paid; everything still works, for a week.
    PastDue,
    /// Ends with its period.
    Cancelled,
    /// Over: nothing may be spent.
    Expired,
}

/// A subscription.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SubscriptionView {
    /// The plan.
    plan: PlanView,
    /// How it stands.
    status: SubscriptionStanding,
    /// Milliseconds since the epoch.
    period_start: i64,
    /// Milliseconds since the epoch.
    period_end: i64,
    /// When the last change was.
    changed_at: i64,
}

impl From<Subscription> for SubscriptionView {
    fn from(one: Subscription) -> Self {
        Self {
            plan: one.plan.into(),
            status: match one.status {
                SubscriptionStatus::Trial => SubscriptionStanding::Trial,
                SubscriptionStatus::Active => SubscriptionStanding::Active,
                SubscriptionStatus::PastDue => SubscriptionStanding::PastDue,
                SubscriptionStatus::Cancelled => SubscriptionStanding::Cancelled,
                SubscriptionStatus::Expired => SubscriptionStanding::Expired,
            },
            period_start: one.period_start,
            period_end: one.period_end,
            changed_at: one.changed_at,
        }
    }
}

/// The subscription of a workspace and what it could choose.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SubscriptionState {
    /// Null when there was never one: then nothing is limited.
    #[schema(required)]
    subscription: Option<SubscriptionView>,
    /// The plans that it may choose.
    plans: Vec<PlanView>,
}

/// A choice.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceRequest {
    /// `plan_…`.
    plan: String,
    /// Try it first.
    #[serde(default)]
    trial: bool,
}

/// A change by who manages the workspace.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SubscriptionChangeRequest {
    /// Begins, or moves to another plan.
    Choose {
        /// `plan_…`.
        plan: String,
        /// Try it first.
        #[serde(default)]
        trial: bool,
    },
    /// The next period was paid.
    Renew {
        /// For people: the payment.
        #[serde(default)]
        note: Option<String>,
    },
    /// A payment failed.
    PastDue {
        /// For people.
        #[serde(default)]
        note: Option<String>,
    },
    /// Ends with its period.
    Cancel {
        /// For people.
        #[serde(default)]
        note: Option<String>,
    },
    /// Ends at once.
    Expire {
        /// For people.
        #[serde(default)]
        note: Option<String>,
    },
}

impl SubscriptionChangeRequest {
    fn read(self) -> (SubscriptionChange, Option<String>) {
        match self {
            Self::Choose { plan, trial } => (SubscriptionChange::Choose { plan_id: plan, trial }, None),
            Self::Renew { note } => (SubscriptionChange::Renew, note),
            Self::PastDue { note } => (SubscriptionChange::PastDue, note),
            Self::Cancel { note } => (SubscriptionChange::Cancel, note),
            Self::Expire { note } => (SubscriptionChange::Expire, note),
        }
    }
}

async fn state_of(state: &ApiState, workspace_id: &str) -> Result<SubscriptionState, ApiError> {
    let subscription = state.records.subscription(workspace_id).await?.map(Into::into);
    let plans = state.records.available_plans(workspace_id).await?;
    Ok(SubscriptionState { subscription, plans: plans.into_iter().map(Into::into).collect() })
}

/// Show the subscription, and the plans that could be chosen.
#[utoipa::path(get, path = "/api/subscription", tag = "billing",
    responses((status = 200, description = "How it stands", body = SubscriptionState)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<SubscriptionState>, ApiError> {
    Ok(Json(state_of(&state, &tenant.workspace_id).await?))
}

/// Choose a free plan, or try one. A plan that costs is chosen by who manages the workspace, once it is paid.
#[utoipa::path(put, path = "/api/subscription", tag = "billing", request_body = ChoiceRequest,
    responses(
        (status = 200, description = "The subscription", body = SubscriptionView),
        (status = 402, description = "`payment_required`: the plan costs", body = crate::error::ErrorBody),
        (status = 409, description = "`conflict`: there was a trial before", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn choose(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<ChoiceRequest>,
) -> Result<Json<SubscriptionView>, ApiError> {
    let workspace_id = &tenant.workspace_id;
    let plans = state.records.available_plans(workspace_id).await?;
    let plan = plans.iter().find(|plan| plan.id == request.plan);
    let plan = plan.ok_or_else(|| ApiError::not_found("plan", &request.plan))?;
    if plan.fields.price > 0 && !request.trial {
        return Err(ApiError::plain(error::PAYMENT_REQUIRED));
    }
    let change = SubscriptionChange::Choose { plan_id: request.plan, trial: request.trial };
    Ok(Json(tenant.records(&state).change_subscription(workspace_id, &change, None).await?.into()))
}

/// Cancel the subscription: it ends with its period.
#[utoipa::path(delete, path = "/api/subscription", tag = "billing",
    responses(
        (status = 200, description = "The subscription", body = SubscriptionView),
        (status = 409, description = "`conflict`: it was cancelled or is over", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<SubscriptionView>, ApiError> {
    let records = tenant.records(&state);
    let cancelled =
        records.change_subscription(&tenant.workspace_id, &SubscriptionChange::Cancel, None).await?;
    Ok(Json(cancelled.into()))
}

/// Show the subscription of a client workspace.
#[utoipa::path(get, path = "/api/clients/{id}/subscription", tag = "management",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "How it stands", body = SubscriptionState)))]
pub(crate) async fn of_client(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<SubscriptionState>, ApiError> {
    let client = manager.client(&state, &id).await?;
    Ok(Json(state_of(&state, &client.id).await?))
}

/// Change the subscription of a client workspace: choose a plan, report a payment or its failure, end it.
#[utoipa::path(put, path = "/api/clients/{id}/subscription", tag = "management", request_body = SubscriptionChangeRequest,
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses(
        (status = 200, description = "The subscription", body = SubscriptionView),
        (status = 409, description = "`conflict`: not in this state", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn change(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<SubscriptionChangeRequest>,
) -> Result<Json<SubscriptionView>, ApiError> {
    let client = manager.client(&state, &id).await?;
    let (change, note) = request.read();
    let changed = manager.records(&state).change_subscription(&client.id, &change, note.as_deref()).await?;
    Ok(Json(changed.into()))
}
