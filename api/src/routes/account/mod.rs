//! Accounts of people: signing up, signing in, and what they do about themselves. Must not know what workspaces hold.

mod access;
mod impersonate;
mod leave;
mod me;
mod oidc;
mod password;
mod sessions;
mod sign_in;
mod sign_up;
pub(crate) mod views;

use crate::config::SignUpMode;
use crate::error::{self, ApiError};
use crate::links::{PersonTicket, Use, sign_ticket};
use crate::state::ApiState;
use sluice_records::people::Admission;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long the link to a sign-up is good, milliseconds. The letter says the same.
const REVIEW_LIFE_MS: i64 = 48 * 60 * 60 * 1_000;

/// The routes for people who are signed in.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(access::get))
        .routes(routes!(me::get, me::update, leave::leave))
        .routes(routes!(leave::export))
        .routes(routes!(impersonate::impersonate))
        .routes(routes!(me::switch))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(sign_in::logout_all))
        .routes(routes!(password::change))
}

/// The routes for everybody.
pub(crate) fn public_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up::options))
        .routes(routes!(sign_up::signup))
        .routes(routes!(sign_up::verify_email))
        .routes(routes!(sign_up::resend_code))
        .routes(routes!(sign_up::status))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .routes(routes!(password::forgot))
        .routes(routes!(password::validate))
        .routes(routes!(password::reset))
        .routes(routes!(oidc::start))
        .routes(routes!(oidc::callback))
}

/// Refuses what ends in a letter while none can be sent.
fn needs_mail(state: &ApiState) -> Result<(), ApiError> {
    if state.config.accounts.sends_mail { Ok(()) } else { Err(ApiError::plain(error::MAIL_NOT_CONFIGURED)) }
}

/// Makes the links to sign-ups.
fn review_link(state: &ApiState) -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
    let state = state.clone();
    move |person_id| {
        let expires_at = state.engine.now_ms() + REVIEW_LIFE_MS;
        let ticket = PersonTicket { person_id: person_id.to_owned(), expires_at };
        let token = sign_ticket(&state.config, Use::SignUp, &ticket)?;
        Some(format!("{}/sign-ups/{token}", state.config.public_url.trim_end_matches('/')))
    }
}

/// Who comes in with a proven address. Whoever signed up while it was possible may finish.
fn admission<'a>(state: &'a ApiState, link: &'a sluice_records::people::LinkMaker) -> Admission<'a> {
    match state.config.accounts.sign_up {
        SignUpMode::Open => Admission::Open,
        SignUpMode::Review | SignUpMode::Closed => {
            Admission::Review { emails: &state.config.accounts.reviewers, link }
        }
    }
}
