//! Sessions of people at the door: access tokens, cookies, and protection against requests that other sites forge. Must
//! not know routes, nor what a person may do.

mod cookies;
mod csrf;
mod token;

use crate::client::ClientAddress;
use crate::error::{self, ApiError};
use crate::layers::RequestId;
use crate::state::ApiState;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use sluice_records::people::{Device, Standing};
use sluice_records::{Actor, ActorKind, Records};

pub(crate) use cookies::{ACCESS_COOKIE, Cookies, OIDC_COOKIE, REFRESH_COOKIE, SIGN_UP_COOKIE, cookie};
pub(crate) use csrf::{check_same_site, csrf_token};
pub(crate) use token::{AccessTokens, LIFE_SECONDS};

/// A person at the door.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    /// `per_…`.
    pub(crate) person_id: String,
    /// `ses_…`.
    pub(crate) session_id: String,
}

/// Who an access token speaks for at this moment, with the workspace it was made for.
pub(crate) struct Presented {
    pub(crate) signed_in: SignedIn,
    pub(crate) standing: Standing,
    pub(crate) workspace_id: Option<String>,
}

/// The person behind an access token.
///
/// # Errors
/// `unauthenticated` when it is not ours, too old, of a session that ended, or of an earlier token version.
pub(crate) async fn present(state: &ApiState, token: &str) -> Result<Presented, ApiError> {
    let refused = || {
        ApiError::new(
            error::UNAUTHENTICATED,
            "the access token is not good (any more); refresh it or sign in again",
        )
    };
    let claims = state.access_tokens.read(token).ok_or_else(refused)?;
    let standing = state.records.standing(&claims.ses, claims.ver).await?.ok_or_else(refused)?;
    if standing.person_id != claims.sub {
        return Err(refused());
    }
    let signed_in = SignedIn { person_id: claims.sub, session_id: claims.ses };
    Ok(Presented { signed_in, standing, workspace_id: claims.ws })
}

/// The person behind the cookies of a request; none when it has none. What changes something must also show that it
/// comes from a page of ours.
///
/// # Errors
/// As [`present`]; `cross_site` and `csrf_refused` for a forged request.
pub(crate) async fn present_cookie(
    state: &ApiState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Presented>, ApiError> {
    let Some(token) = cookie(headers, ACCESS_COOKIE) else { return Ok(None) };
    let presented = present(state, token).await?;
    if !method.is_safe() {
        check_same_site(state, headers)?;
        csrf::check_token(state, headers, &presented.signed_in.session_id)?;
    }
    Ok(Some(presented))
}

/// Who asks on a public route, after it is certain that no other site forged the request.
pub(crate) struct Caller {
    /// Where they are.
    pub(crate) device: Device,
    actor: Actor,
}

impl Caller {
    /// What tries are counted under.
    pub(crate) fn address(&self) -> &str {
        self.device.address.as_deref().unwrap_or("unknown")
    }

    /// The records, signed by whoever they turn out to be.
    pub(crate) fn records(&self, state: &ApiState) -> Records {
        state.records.acting(self.actor.clone())
    }
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if !parts.method.is_safe() {
            check_same_site(state, &parts.headers)?;
        }
        let address = ClientAddress::of(&parts.extensions);
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.to_string());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            actor: Actor { address: address.clone(), request_id, ..Actor::new(ActorKind::Person, "", "") },
            device: Device { address, user_agent: agent.map(ToOwned::to_owned) },
        })
    }
}
