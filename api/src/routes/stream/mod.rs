//! Tells what happens in all runs of a workspace, as it happens.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Query;
use crate::sse::{self, Outlet};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use sluice_engine::drive::LiveEvent;
use sluice_engine::drive::live::{Following, Live};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(stream))
}

/// What to tell.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// Only of this workflow (`wf_…`).
    workflow: Option<String>,
}

/// Follow all runs of the workspace. Resumable by `Last-Event-ID` as long as the events are kept; when they are not,
/// or the server was started anew, the event `stream.reset` says so and the stream goes on from now. With several server
/// processes, an event of another process comes a moment later, may be lost with a connection of the database, and has
/// `{"left_out": true}` in place of data that is longer than about 7 KB: read the run.
#[utoipa::path(get, path = "/api/stream", tag = "runs",
    params(StreamQuery, ("last-event-id" = Option<String>, Header, description = "Go on after this event")),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = state.engine.live().clone();
    let asked = sse::last_event_id(&headers);
    let seen =
        asked.as_deref().and_then(|id| id.strip_prefix(&*state.epoch)?.strip_prefix('-')?.parse().ok());
    let resumed = seen.and_then(|id: u64| live.resume(id));
    let is_lost = asked.is_some() && resumed.is_none();
    let (missed, receiver) = resumed.unwrap_or_else(|| (Vec::new(), live.subscribe()));
    let listener = Listener {
        _following: live.follow(&tenant.workspace_id),
        live,
        epoch: state.epoch.clone(),
        workspace_id: tenant.workspace_id,
        workflow_id: query.workflow,
        last: seen.unwrap_or(0),
    };
    Ok(sse::stream(&state, |outlet| listener.listen(is_lost, missed, receiver, outlet)))
}

struct Listener {
    live: Live,
    /// So that other processes tell what happens there.
    _following: Following,
    epoch: Arc<str>,
    workspace_id: String,
    workflow_id: Option<String>,
    /// Id of the last event that was told or passed over.
    last: u64,
}

impl Listener {
    async fn listen(
        mut self,
        is_lost: bool,
        missed: Vec<Arc<LiveEvent>>,
        mut receiver: Receiver<Arc<LiveEvent>>,
        outlet: Outlet,
    ) {
        if is_lost && !self.say_reset(&outlet).await {
            return;
        }
        if !self.tell_all(missed, &outlet).await {
            return;
        }
        loop {
            let event = tokio::select! {
                event = receiver.recv() => event,
                () = outlet.closed() => return,
            };
            let goes_on = match event {
                Ok(event) => self.tell(&event, &outlet).await,
                Err(RecvError::Lagged(_)) => match self.live.resume(self.last) {
                    Some((missed, anew)) => {
                        receiver = anew;
                        self.tell_all(missed, &outlet).await
                    }
                    None => {
                        receiver = self.live.subscribe();
                        self.say_reset(&outlet).await
                    }
                },
                Err(RecvError::Closed) => false,
            };
            if !goes_on {
                return;
            }
        }
    }

    async fn tell_all(&mut self, events: Vec<Arc<LiveEvent>>, outlet: &Outlet) -> bool {
        for event in events {
            if !self.tell(&event, outlet).await {
                return false;
            }
        }
        true
    }

    async fn tell(&mut self, event: &LiveEvent, outlet: &Outlet) -> bool {
        if event.id <= self.last {
            return true;
        }
        self.last = event.id;
        let is_other = self.workflow_id.as_ref().is_some_and(|wanted| *wanted != event.workflow_id);
        if event.workspace_id != self.workspace_id || is_other {
            return true;
        }
        outlet.put(format!("{}-{}", self.epoch, event.id), &event.event, event).await
    }

    /// Events were lost: the reader must read again what it shows.
    async fn say_reset(&self, outlet: &Outlet) -> bool {
        let why = json!({ "reason": "events were missed; read the lists again" });
        outlet.put(format!("{}-{}", self.epoch, self.last), "stream.reset", &why).await
    }
}
