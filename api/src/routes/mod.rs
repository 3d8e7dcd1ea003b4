//! All routes: which are public, which need a key, how long each may take and how much it may be sent. Must not
//! know what a route does.

pub(crate) mod account;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod branding;
pub(crate) mod clients;
pub(crate) mod connections;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod credentials;
pub(crate) mod credits;
pub(crate) mod erasures;
pub(crate) mod events;
pub(crate) mod expressions;
pub(crate) mod hooks;
pub(crate) mod inbound;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod nodes;
pub(crate) mod numbers;
pub(crate) mod people;
pub(crate) mod plans;
pub(crate) mod resellers;
pub(crate) mod runs;
pub(crate) mod service;
pub(crate) mod signals;
pub(crate) mod stream;
pub(crate) mod subscription;
pub(crate) mod team;
pub(crate) mod templates;
pub(crate) mod usage;
pub(crate) mod wallet;
pub(crate) mod whatsapp;
pub(crate) mod workflows;
pub(crate) mod workspaces;

use crate::config::Limits;
use crate::layers;
use crate::state::ApiState;
use crate::{auth, openapi, studio};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;

/// What a request that waits for a run may take on top of its waiting.
pub(crate) const SLACK: Duration = Duration::from_secs(15);

/// The whole API as a service.
pub fn router(state: ApiState) -> Router {
    let limits = state.config.limits.clone();
    let quick = timed(private(), limits.request);
    let patient = timed(waiting(), limits.run_wait + SLACK);
    let private = quick
        .merge(patient)
        .route_layer(from_fn_with_state(state.clone(), crate::limits::enforce))
        .route_layer(from_fn_with_state(state.clone(), auth::guard))
        .layer(DefaultBodyLimit::max(limits.body));
    let (documented, _) = private.merge(public(&limits)).split_for_parts();
    documented
        .merge(hooks::router())
        .fallback(studio::serve)
        .method_not_allowed_fallback(layers::method_not_allowed)
        // As one layer to the router, which puts every layer of its own into a box per request.
        .layer(
            ServiceBuilder::new()
                .layer(CompressionLayer::new())
                .layer(from_fn_with_state(state.clone(), layers::surround)),
        )
        .with_state(state)
}

/// Only what operators ask of a process that drives runs and takes no requests: is it alive, what does it count.
pub fn service_router(state: ApiState) -> Router {
    let (routes, _) = timed(service::routes(), state.config.limits.request).split_for_parts();
    routes
        .fallback(layers::no_such_route)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), layers::surround))
        .with_state(state)
}

/// All documented routes, without the layers around them.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(private())
        .merge(waiting())
        .merge(public(&Limits::default()))
}

/// Routes for callers with a key.
fn private() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(workflows::routes())
        .merge(runs::routes())
        .merge(stream::routes())
        .merge(nodes::routes())
        .merge(expressions::routes())
        .merge(templates::routes())
        .merge(approvals::routes())
        .merge(credentials::routes())
        .merge(connections::routes())
        .merge(signals::routes())
        .merge(events::routes())
        .merge(inbound::routes())
        .merge(numbers::routes())
        .merge(usage::routes())
        .merge(wallet::routes())
        .merge(credits::routes())
        .merge(plans::routes())
        .merge(subscription::routes())
        .merge(contacts::routes())
        .merge(erasures::routes())
        .merge(conversations::routes())
        .merge(workspaces::routes())
        .merge(audit::routes())
        .merge(branding::routes())
        .merge(limits::routes())
        .merge(account::routes())
        .merge(people::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(keys::routes())
        .merge(team::routes())
        .merge(resellers::routes())
        .merge(clients::routes())
}

/// Routes for callers with a key that may wait for a run.
fn waiting() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().merge(workflows::waiting_routes()).merge(inbound::waiting_routes())
}

/// Routes for everybody.
fn public(limits: &Limits) -> OpenApiRouter<ApiState> {
    let whatsapp = whatsapp::routes().layer(DefaultBodyLimit::max(limits.whatsapp_body));
    let small = approvals::link_routes()
        .merge(invitations::public_routes())
        .merge(connections::browser_routes())
        .merge(account::public_routes())
        .merge(people::link_routes())
        .merge(branding::public_routes())
        .layer(DefaultBodyLimit::max(64 * 1024));
    timed(OpenApiRouter::new().merge(service::routes()).merge(whatsapp).merge(small), limits.request)
}

fn timed(routes: OpenApiRouter<ApiState>, limit: Duration) -> OpenApiRouter<ApiState> {
    routes.layer(from_fn_with_state(limit, layers::limit_time))
}
