//! Connected WhatsApp numbers. Must not know messages.

use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{NewNumber, Number};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, connect)).routes(routes!(get, disconnect))
}

/// A connected number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NumberView {
    /// Meta's id of the number.
    phone_number_id: String,
    /// Meta's id of the business account.
    waba_id: String,
    /// As people read it.
    display_phone_number: String,
    /// Name that Meta verified.
    #[schema(required)]
    verified_name: Option<String>,
    /// Name of the credential that holds its token.
    credential: String,
    /// `connected`, or what Meta made of it.
    status: String,
    /// Since when.
    connected_at: i64,
    /// When it last changed.
    updated_at: i64,
}

/// A number to connect.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberRequest {
    /// Meta's id of the number.
    #[schema(min_length = 1, pattern = "^[0-9A-Za-z]+$")]
    phone_number_id: String,
    /// Meta's id of the business account.
    #[schema(min_length = 1, pattern = "^[0-9A-Za-z]+$")]
    waba_id: String,
    /// As people read it.
    display_phone_number: String,
    /// Name that Meta verified.
    #[serde(default)]
    verified_name: Option<String>,
    /// Name or id of a credential of kind `whatsapp`.
    credential: String,
}

impl From<Number> for NumberView {
    fn from(number: Number) -> Self {
        Self {
            phone_number_id: number.phone_number_id,
            waba_id: number.waba_id,
            display_phone_number: number.display_phone_number,
            verified_name: number.verified_name,
            credential: number.credential,
            status: number.status,
            connected_at: number.connected_at,
            updated_at: number.updated_at,
        }
    }
}

/// List the connected numbers, oldest first.
#[utoipa::path(get, path = "/api/numbers", tag = "whatsapp",
    responses((status = 200, description = "All numbers", body = Listed<NumberView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<NumberView>>, ApiError> {
    let found = tenant.records(&state).list_numbers(&tenant.workspace_id).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Connect a number, or change what is known of one.
#[utoipa::path(post, path = "/api/numbers", tag = "whatsapp", request_body = NumberRequest,
    responses(
        (status = 201, description = "The number", body = NumberView),
        (status = 402, description = "`plan_limit_reached`: the plan allows no more numbers", body = crate::error::ErrorBody),
        (status = 409, description = "`conflict`: another workspace holds it", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn connect(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<NumberRequest>,
) -> Result<(StatusCode, Json<NumberView>), ApiError> {
    let new = NewNumber {
        phone_number_id: request.phone_number_id,
        waba_id: request.waba_id,
        display_phone_number: request.display_phone_number,
        verified_name: request.verified_name,
        credential: request.credential,
    };
    let number = tenant.records(&state).connect_number(&tenant.workspace_id, new).await?;
    Ok((StatusCode::CREATED, Json(number.into())))
}

/// Show a number.
#[utoipa::path(get, path = "/api/numbers/{phone_number_id}", tag = "whatsapp",
    params(("phone_number_id" = String, Path, description = "Meta's id of the number")),
    responses((status = 200, description = "The number", body = NumberView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<NumberView>, ApiError> {
    Ok(Json(tenant.records(&state).number(&tenant.workspace_id, &id).await?.into()))
}

/// Disconnect a number. Its conversations stay.
#[utoipa::path(delete, path = "/api/numbers/{phone_number_id}", tag = "whatsapp",
    params(("phone_number_id" = String, Path, description = "Meta's id of the number")),
    responses((status = 204, description = "It is disconnected")))]
pub(crate) async fn disconnect(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    tenant.records(&state).disconnect_number(&tenant.workspace_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
