//! The thin REST layer: HTTP in, calls of the engine and the records, HTTP out. Routes and their
//! documentation stand together; [`openapi`] is generated from the handlers.
//!
//! Must not know SQL text or node kinds. What a request may reach is settled (see [`auth`]) before a handler runs.

mod access;
mod answer;
mod auth;
mod client;
mod config;
mod documents;
mod erasing;
pub mod error;
mod extract;
mod html;
mod inbox;
mod layers;
mod limits;
mod links;
mod metrics;
mod oidc;
mod openapi;
mod problems;
mod record_events;
mod routes;
mod run_wait;
mod session;
mod sse;
mod state;
mod studio;

pub use config::{AccountConfig, ApiConfig, Limits, OidcConfig, SignUpMode};
pub use inbox::recover_inbound;
pub use links::{ApprovalTicket, approval_link};
pub use metrics::{Metrics, MetricsError};
pub use openapi::openapi;
pub use routes::{router, service_router};
pub use state::{ApiState, Template};
