//! WhatsApp's webhook: Meta's handshake, and deliveries that are stored before they are acknowledged. Must not know
//! what is in them.

mod deliver;
mod verify;

use crate::state::ApiState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(verify::verify, deliver::deliver))
}
