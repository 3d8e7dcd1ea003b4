//! Webhooks of published workflows: a request comes in, becomes an event, starts a run and is answered as its
//! trigger says. Must not know node types; the trigger's parameters `method`, `credential` and `respond` are read.

mod answer;
mod door;
mod event;
pub(crate) mod receive;

use crate::state::ApiState;
use axum::Router;
use axum::routing::any;

/// The one route. It takes every method and paths of several parts, which the generated router cannot say.
pub(crate) fn router() -> Router<ApiState> {
    Router::new().route("/hooks/{workspace}/{*path}", any(receive::receive))
}
