//! Who asks, and for which workspace: settled before a handler runs. Must not know what is asked.
//!
//! A workspace key reaches its own workspace and nothing else: everything foreign is "not found". A platform key
//! names the workspace it means in a header.

use crate::error::{self, ApiError};
use crate::state::ApiState;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use sluice_records::{KeyScope, RecordError, Workspace};

/// Chooses the workspace of a platform key, by name or id.
pub(crate) const WORKSPACE_HEADER: &str = "x-sluice-workspace";

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// `key_…`.
    pub(crate) key_id: String,
    /// Name of the key, for people.
    pub(crate) name: String,
    /// What the key may reach.
    pub(crate) scope: KeyScope,
}

impl Principal {
    /// How decisions are signed.
    pub(crate) fn signature(&self) -> String {
        format!("{} ({})", self.key_id, self.name)
    }
}

/// A caller and the workspace that the request is about.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Who asks.
    pub(crate) principal: Principal,
    /// `ws_…`.
    pub(crate) workspace_id: String,
}

/// A caller with a platform key.
#[derive(Clone, Debug)]
pub(crate) struct Platform;

/// Lets only callers with a good key through to the routes behind it.
pub(crate) async fn require_key(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let presented = bearer(request.headers()).ok_or_else(|| {
        ApiError::new(error::UNAUTHENTICATED, "send an API key in the header `Authorization: Bearer sk_…`")
    })?;
    let key = state.records.find_api_key(presented).await?;
    let key = key.ok_or_else(|| {
        ApiError::new(
            error::UNAUTHENTICATED,
            "the API key is unknown or revoked; make one with `sluice key create`",
        )
    })?;
    request.extensions_mut().insert(Principal { key_id: key.id, name: key.name, scope: key.scope });
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim()).filter(|key| !key.is_empty())
}

impl FromRequestParts<ApiState> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
        // Only a route that is mounted without `require_key` lacks it: then nobody is let in.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::plain(error::UNAUTHENTICATED))
    }
}

impl FromRequestParts<ApiState> for Platform {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        match Principal::from_request_parts(parts, state).await?.scope {
            KeyScope::Platform => Ok(Self),
            KeyScope::Workspace(_) => Err(ApiError::new(error::FORBIDDEN, "this needs a platform key")),
        }
    }
}

impl FromRequestParts<ApiState> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let principal = Principal::from_request_parts(parts, state).await?;
        let named = named_workspace(&parts.headers)?;
        let workspace_id = match (&principal.scope, named) {
            (KeyScope::Workspace(own), None) => own.clone(),
            (KeyScope::Workspace(own), Some(named)) => {
                let found = find_workspace(state, named).await?;
                if found.id != *own {
                    return Err(ApiError::not_found("workspace", named));
                }
                found.id
            }
            (KeyScope::Platform, Some(named)) => find_workspace(state, named).await?.id,
            (KeyScope::Platform, None) => return Err(ApiError::plain(error::WORKSPACE_REQUIRED)),
        };
        Ok(Self { principal, workspace_id })
    }
}

/// The workspace of the caller, or none for a platform key that names none and so means all.
#[derive(Clone, Debug)]
pub(crate) struct Reach(pub(crate) Option<String>);

impl FromRequestParts<ApiState> for Reach {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let principal = Principal::from_request_parts(parts, state).await?;
        if principal.scope == KeyScope::Platform && named_workspace(&parts.headers)?.is_none() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Tenant::from_request_parts(parts, state).await?.workspace_id)))
    }
}

fn named_workspace(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(WORKSPACE_HEADER) else { return Ok(None) };
    let text = value.to_str().map_err(|_| {
        ApiError::new(error::NOT_FOUND, "the header X-Sluice-Workspace is not the name or id of a workspace")
    })?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

/// A workspace by its name or id.
pub(crate) async fn find_workspace(state: &ApiState, name_or_id: &str) -> Result<Workspace, ApiError> {
    match state.records.workspace_by_name(name_or_id).await {
        Err(RecordError::NotFound { .. }) => Ok(state.records.workspace(name_or_id).await?),
        found => Ok(found?),
    }
}
