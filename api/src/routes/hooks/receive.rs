//! Takes a webhook request.

use super::{answer, door, event};
use crate::auth::find_workspace;
use crate::error::{self, ApiError};
use crate::extract::Path;
use crate::routes::SLACK;
use crate::run_wait::start_and_wait;
use crate::state::ApiState;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;
use sluice_engine::drive::{EngineError, Hook, StartRequest, WaitFor};

/// When the caller is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Respond {
    /// At once, with the id of the run.
    Immediately,
    /// When the run is over.
    LastNode,
    /// When a node answers.
    NodeAnswer,
}

/// Start a published workflow by its webhook. Every method is taken unless the trigger names one. Answers as the
/// trigger says: at once with `{ "run_id" }`, with the items of the last node, or with what `flow.respond` says. A
/// run that takes longer than 30 seconds is answered 202 with its id.
#[utoipa::path(method(get, post, put, patch, delete), path = "/hooks/{workspace}/{path}", tag = "hooks",
    params(
        ("workspace" = String, Path, description = "Name of the workspace"),
        ("path" = String, Path, description = "Path of the trigger; may hold slashes"),
    ),
    responses(
        (status = 200, description = "As the workflow says; at once: `{ \"run_id\" }`"),
        (status = 202, description = "The run goes on: `{ \"run_id\" }`"),
        (status = 400, description = "`invalid_json` with line and column", body = crate::error::ErrorBody),
        (status = 401, description = "`hook_unauthorized`", body = crate::error::ErrorBody),
        (status = 404, description = "`no_such_hook`", body = crate::error::ErrorBody),
        (status = 405, description = "`method_not_allowed`", body = crate::error::ErrorBody),
        (status = 413, description = "`body_too_large`", body = crate::error::ErrorBody),
        (status = 422, description = "`trigger_declined`", body = crate::error::ErrorBody),
        (status = 503, description = "`trigger_paused`", body = crate::error::ErrorBody),
        (status = 500, description = "`run_failed`, with the run's id and error code", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn receive(
    State(state): State<ApiState>,
    Path((workspace, path)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, ApiError> {
    // Here and not in layers around the route, each of which costs every request a copy of all that is within it.
    let limits = &state.config.limits;
    DefaultBodyLimit::max(limits.hook_body).apply(&mut request);
    let answered = tokio::time::timeout(limits.hook_wait + SLACK, take(&state, &workspace, &path, request));
    answered.await.unwrap_or_else(|_| Err(ApiError::plain(error::TIMED_OUT)))
}

async fn take(state: &ApiState, workspace: &str, path: &str, request: Request) -> Result<Response, ApiError> {
    let nobody = || ApiError::plain(error::NO_SUCH_HOOK);
    // Whether it is the workspace or the path that is unknown is nobody's business.
    let workspace_id = workspace_id(state, workspace).await.map_err(|fault| match fault.code() {
        error::NOT_FOUND => nobody(),
        _ => fault,
    })?;
    let path = path.trim_matches('/');
    let hook = state.engine.webhook(&workspace_id, path).await.map_err(unusable)?.ok_or_else(nobody)?;
    if let Some(reason) = &hook.trigger.paused {
        let message = format!("the trigger rests because its credential does not open: {reason}");
        return Err(ApiError::new(error::TRIGGER_PAUSED, message));
    }
    let settings = settings(&hook);
    door::check(state, &workspace_id, &settings, request.method(), request.headers()).await?;
    let event = event::read(state, path, &settings, request).await?;
    let start = StartRequest {
        workspace_id,
        workflow_id: hook.trigger.workflow_id.clone(),
        version: Some(hook.trigger.version),
        program: Some(hook.program.clone()),
        trigger: Some(hook.trigger.node.clone()),
        event,
        ..StartRequest::default()
    };
    let engine = state.engine.clone();
    if settings.respond == Respond::Immediately {
        let started = engine.start(start).await?;
        return Ok(answer::accepted(&started.key));
    }
    let wanted = match settings.respond {
        Respond::NodeAnswer => WaitFor::Reply,
        _ => WaitFor::Over,
    };
    let limit = state.config.limits.hook_wait;
    // A caller that goes away leaves only its waiting: what it started is seen through by the engine.
    let waited = start_and_wait(engine, start, wanted, limit).await?;
    answer::finished(settings.respond, waited)
}

/// What the trigger says of requests.
pub(super) struct Settings {
    /// The only method, in capitals; none for any.
    pub(super) method: Option<String>,
    /// The credential that callers must present.
    pub(super) credential: Option<String>,
    /// When and with what they are answered.
    pub(super) respond: Respond,
}

/// The workspace that an address names. Names lead to the same workspace for good, so they are kept.
async fn workspace_id(state: &ApiState, name: &str) -> Result<String, ApiError> {
    if let Some(id) = state.workspace_ids.get(name) {
        return Ok(id);
    }
    let found = find_workspace(state, name).await?;
    state.workspace_ids.insert(name.to_owned(), found.id.clone());
    Ok(found.id)
}

/// The stored version no longer runs here; that is our fault and not the caller's.
fn unusable(failure: EngineError) -> ApiError {
    match failure {
        EngineError::Problems(_) | EngineError::NotFound { .. } => ApiError::internal(&failure),
        other => other.into(),
    }
}

fn settings(hook: &Hook) -> Settings {
    let node = hook.program.document.nodes.iter().find(|node| node.id == hook.trigger.node);
    let text = |name: &str| node.and_then(|node| node.params.get(name)?.as_str());
    Settings {
        method: text("method").filter(|method| *method != "any").map(str::to_ascii_uppercase),
        credential: text("credential")
            .or_else(|| node?.credential.as_deref())
            .filter(|name| !name.is_empty())
            .map(ToOwned::to_owned),
        respond: match text("respond") {
            Some("last_node") => Respond::LastNode,
            Some("respond_node") => Respond::NodeAnswer,
            _ => Respond::Immediately,
        },
    }
}
