//! Connected accounts: a person grants access at a provider and comes back. Must not know tokens.

mod begin;
mod callback;
mod cookie;
mod revoke;
mod start;

use crate::error::{self, ApiError};
use crate::state::ApiState;
use sluice_records::Connections;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes for callers with a key.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(start::start)).routes(routes!(revoke::revoke))
}

/// The routes for browsers, which bring a signed state and a cookie.
pub(crate) fn browser_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(callback::callback)).routes(routes!(begin::show, begin::go_on))
}

fn connections(state: &ApiState) -> Result<&Connections, ApiError> {
    state.connections.as_ref().ok_or_else(|| ApiError::plain(error::PROVIDER_NOT_CONFIGURED))
}
