//! Who asks, for which workspace, and whether they may: settled before a handler runs, by the table in [`access`].
//! Must not know what is asked.
//!
//! Everything foreign is "not found". Whoever may enter every workspace names the one that is meant in a header.

use crate::access::{self, Need};
use crate::client::ClientAddress;
use crate::error::{self, ApiError};
use crate::layers::RequestId;
use crate::session::{Presented, SignedIn, present, present_cookie};
use crate::state::ApiState;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use sluice_records::{
    Actor, ActorKind, ApiKey, Grant, Permission, Permissions, RecordError, Records, Scope, TenantStatus,
    Workspace,
};
use std::net::IpAddr;

/// Chooses the workspace among those the caller can reach, by name or id.
pub(crate) const WORKSPACE_HEADER: &str = "x-sluice-workspace";

/// How API keys begin; access tokens do not.
const KEY_PREFIX: &str = "sk_";

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// How their changes are signed.
    pub(crate) actor: Actor,
    /// What they may do, and where.
    pub(crate) grants: Vec<Grant>,
    /// The workspace that is meant when the request names none.
    pub(crate) home: Option<String>,
    /// The session, if it is a person.
    pub(crate) signed_in: Option<SignedIn>,
}

impl Principal {
    fn of_key(key: ApiKey) -> Self {
        let home = match &key.scope {
            Scope::Workspace(id) => Some(id.clone()),
            Scope::Platform | Scope::Reseller(_) => None,
        };
        Self {
            actor: Actor::new(ActorKind::Key, &key.id, &key.name),
            grants: vec![Grant { permissions: key.permissions(), scope: key.scope }],
            home,
            signed_in: None,
        }
    }

    fn of_person(presented: Presented) -> Self {
        let Presented { signed_in, standing, workspace_id } = presented;
        let actor = Actor::new(ActorKind::Person, &standing.person_id, &standing.email);
        Self {
            actor: Actor { impersonated_by: standing.impersonated_by, ..actor },
            grants: standing.grants,
            home: workspace_id,
            signed_in: Some(signed_in),
        }
    }

    /// How decisions are signed.
    pub(crate) fn signature(&self) -> String {
        match &self.actor.impersonated_by {
            Some(by) => format!("{} ({}), in their place {by}", self.actor.id, self.actor.name),
            None => format!("{} ({})", self.actor.id, self.actor.name),
        }
    }

    /// What they may do in a workspace; none when it is not theirs.
    pub(crate) fn permissions_in(&self, workspace: &Workspace) -> Option<Permissions> {
        let own = |grant: &&Grant| matches!(&grant.scope, Scope::Workspace(id) if *id == workspace.id);
        if let Some(grant) = self.grants.iter().find(own) {
            return Some(grant.permissions);
        }
        self.on_platform(Permission::PlatformEnter).then(Permissions::of_workspace)
    }

    fn on_platform(&self, permission: Permission) -> bool {
        self.grants.iter().any(|grant| grant.scope == Scope::Platform && grant.permissions.allows(permission))
    }

    /// The grant of the widest scope beyond workspaces in which they may do something.
    fn managing(&self, permission: Permission) -> Option<&Grant> {
        let allowing = || self.grants.iter().filter(|grant| grant.permissions.allows(permission));
        let of_reseller = |grant: &&Grant| matches!(grant.scope, Scope::Reseller(_));
        allowing().find(|grant| grant.scope == Scope::Platform).or_else(|| allowing().find(of_reseller))
    }

    /// Whether they reach into all workspaces.
    pub(crate) fn enters_all(&self) -> bool {
        self.on_platform(Permission::PlatformEnter)
    }
}

/// A caller and the workspace that the request is about.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Who asks.
    pub(crate) principal: Principal,
    /// `ws_…`.
    pub(crate) workspace_id: String,
    /// What the caller may do there.
    pub(crate) permissions: Permissions,
}

impl Tenant {
    /// Engine and records, signed by the caller.
    pub(crate) fn sign(&self, state: &ApiState) -> ApiState {
        state.acting(&self.principal.actor)
    }

    /// The workspace as the place of settings.
    pub(crate) fn scope(&self) -> Scope {
        Scope::Workspace(self.workspace_id.clone())
    }

    /// The records of the workspace, and of no other, signed by the caller.
    pub(crate) fn records(&self, state: &ApiState) -> Records {
        state.records.acting(self.principal.actor.clone()).within(&self.workspace_id)
    }
}

/// A caller who is a person.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Who asks.
    pub(crate) principal: Principal,
    /// Their session.
    pub(crate) signed_in: SignedIn,
}

impl Account {
    fn of(principal: &Principal) -> Result<Self, ApiError> {
        let signed_in = principal.signed_in.clone().ok_or_else(|| {
            ApiError::new(
                error::FORBIDDEN,
                "this is about the account of a person, and a key has none; sign in",
            )
        })?;
        Ok(Self { principal: principal.clone(), signed_in })
    }

    /// The records, signed by the caller.
    pub(crate) fn records(&self, state: &ApiState) -> Records {
        state.records.acting(self.principal.actor.clone())
    }
}

/// A caller who acts for a reseller or for the platform.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    /// Who asks.
    pub(crate) principal: Principal,
    /// For whom: the platform, or one reseller and its own clients.
    pub(crate) scope: Scope,
    /// What the caller may do there.
    pub(crate) permissions: Permissions,
}

impl Manager {
    /// The client workspace of this id or name.
    pub(crate) async fn client(&self, state: &ApiState, id: &str) -> Result<Workspace, ApiError> {
        let found = find_workspace(state, id).await?;
        if self.manages(&found) { Ok(found) } else { Err(ApiError::not_found("workspace", id)) }
    }

    /// Whether a workspace is among those it runs.
    fn manages(&self, workspace: &Workspace) -> bool {
        match &self.scope {
            Scope::Platform => true,
            Scope::Reseller(id) => workspace.reseller_id.as_ref() == Some(id),
            Scope::Workspace(_) => false,
        }
    }

    /// The records, signed by the caller.
    pub(crate) fn records(&self, state: &ApiState) -> Records {
        state.records.acting(self.principal.actor.clone())
    }
}

/// The workspace of the caller, or none for one who may enter all of them and names none.
#[derive(Clone, Debug)]
pub(crate) struct Reach(pub(crate) Option<String>);

/// Lets a request through to its handler when the caller brings what the route needs, and tells the handler who it is.
pub(crate) async fn guard(
    State(state): State<ApiState>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    // A path that is not UTF-8 has no parameters here; the handler says what is wrong with it.
    let named = |params: &RawPathParams| params.iter().find(|one| one.0 == "id").map(|one| one.1.to_owned());
    let path_id = params.ok().as_ref().and_then(named);
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    // A route without an entry lets nobody in.
    let need = access::need(request.method(), path).ok_or_else(|| ApiError::plain(error::FORBIDDEN))?;
    if need == Need::Public {
        return Ok(next.run(request).await);
    }
    let address = request.extensions().get::<ClientAddress>().and_then(|client| client.0);
    let mut principal = authenticate(&state, request.method(), request.headers(), address).await?;
    if principal.actor.impersonated_by.is_some() && !need.is_open_in_anothers_place(request.method(), path) {
        return Err(ApiError::plain(error::IMPERSONATING));
    }
    principal.actor.address = address.map(|address| address.to_string());
    principal.actor.request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let meant = |request: &Request| named_workspace(request.headers()).map(|name| name.map(str::to_owned));
    let tenant = match need {
        Need::Public | Need::SignedIn => None,
        Need::Person => {
            let account = Account::of(&principal)?;
            request.extensions_mut().insert(account);
            None
        }
        Need::Workspace(permission) => {
            let named = meant(&request)?;
            Some(tenant(&state, &principal, named.as_deref(), permission).await?)
        }
        Need::Named(permission) => {
            let named = path_id.ok_or_else(|| ApiError::plain(error::NOT_FOUND))?;
            Some(tenant(&state, &principal, Some(&named), permission).await?)
        }
        Need::WorkspaceOrAll(permission) => {
            let named = meant(&request)?;
            if named.is_none() && principal.enters_all() && principal.on_platform(permission) {
                request.extensions_mut().insert(Reach(None));
                None
            } else {
                Some(tenant(&state, &principal, named.as_deref(), permission).await?)
            }
        }
        Need::Manager(permission) | Need::Platform(permission) => {
            let grant = principal.managing(permission).ok_or_else(|| lacks(permission))?;
            if matches!(need, Need::Platform(_)) && grant.scope != Scope::Platform {
                return Err(lacks(permission));
            }
            let (scope, permissions) = (grant.scope.clone(), grant.permissions);
            request.extensions_mut().insert(Manager { principal: principal.clone(), scope, permissions });
            None
        }
    };
    if let Some(tenant) = tenant {
        request.extensions_mut().insert(Reach(Some(tenant.workspace_id.clone())));
        request.extensions_mut().insert(tenant);
    }
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

/// Who presents what the request carries: a key, an access token, or the cookie of a browser. The header counts where
/// there are both.
async fn authenticate(
    state: &ApiState,
    method: &Method,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Principal, ApiError> {
    let Some(presented) = bearer(headers) else {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(ApiError::new(
                error::UNAUTHENTICATED,
                "the header must read `Authorization: Bearer sk_…`",
            ));
        }
        let person = present_cookie(state, method, headers).await?;
        return person.map(Principal::of_person).ok_or_else(|| {
            ApiError::new(
                error::UNAUTHENTICATED,
                "sign in, or send an API key in the header `Authorization: Bearer sk_…`",
            )
        });
    };
    if !presented.starts_with(KEY_PREFIX) {
        return Ok(Principal::of_person(present(state, presented).await?));
    }
    let key = state.records.find_api_key(presented).await?;
    let key = key.filter(|key| key.allows_address(address)).ok_or_else(|| {
        ApiError::new(
            error::UNAUTHENTICATED,
            "the API key is unknown, revoked, over, or not for this network address; make one with `sluice key create`",
        )
    })?;
    Ok(Principal::of_key(key))
}

/// Who is behind a GET request to a public route, if anybody proves it. A key that is bound to addresses proves nothing
/// here, where none is known.
pub(crate) async fn whoever(state: &ApiState, headers: &HeaderMap) -> Option<Principal> {
    authenticate(state, &Method::GET, headers, None).await.ok()
}

/// The workspace that the request means, if the caller may do this there.
async fn tenant(
    state: &ApiState,
    principal: &Principal,
    named: Option<&str>,
    permission: Permission,
) -> Result<Tenant, ApiError> {
    let meant = meant_workspace(state, principal, named).await?;
    let (workspace, permissions) = meant.ok_or_else(|| ApiError::plain(error::WORKSPACE_REQUIRED))?;
    if !permissions.allows(permission) {
        return Err(lacks(permission));
    }
    if workspace.status != TenantStatus::Active && !principal.enters_all() {
        return Err(ApiError::plain(error::WORKSPACE_SUSPENDED));
    }
    Ok(Tenant { principal: principal.clone(), workspace_id: workspace.id, permissions })
}

/// The workspace that the request means and what the caller may do there; none when it names none and they have none.
pub(crate) async fn meant_workspace(
    state: &ApiState,
    principal: &Principal,
    named: Option<&str>,
) -> Result<Option<(Workspace, Permissions)>, ApiError> {
    let workspace = match (named, &principal.home) {
        (Some(named), _) => find_workspace(state, named).await?,
        (None, Some(home)) => state.records.workspace(home).await?,
        (None, None) => return Ok(None),
    };
    let permissions = principal.permissions_in(&workspace);
    let permissions = permissions.ok_or_else(|| ApiError::not_found("workspace", &workspace.name))?;
    Ok(Some((workspace, permissions)))
}

fn lacks(permission: Permission) -> ApiError {
    ApiError::new(error::FORBIDDEN, format!("this needs the permission `{permission}`"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim()).filter(|key| !key.is_empty())
}

/// What the guard found out. Only a route that is mounted without it, or whose entry in the table is of another kind,
/// lacks it: then nobody is let in.
fn found<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, ApiError> {
    parts.extensions.get::<T>().cloned().ok_or_else(|| ApiError::plain(error::UNAUTHENTICATED))
}

macro_rules! extractors {
    ($($name:ident),*) => {
        $(impl FromRequestParts<ApiState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
                found(parts)
            }
        })*
    };
}

extractors!(Principal, Tenant, Account, Manager, Reach);

/// What the request says of a workspace.
pub(crate) fn named_workspace(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
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
