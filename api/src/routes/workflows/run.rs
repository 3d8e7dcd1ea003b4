//! Tries a workflow out.

use super::views::stored;
use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::documents;
use crate::error::{self, ApiError};
use crate::extract::{OptionalBody, Path, Query};
use crate::run_wait::start_and_follow;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_engine::drive::{Engine, Pin, StartRequest};
use sluice_engine::store::RunKey;
use sluice_engine::view::RunView;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::item::Item;
use std::collections::BTreeMap;
use std::time::Duration;

/// What to run, and whether to wait.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunQuery {
    /// A published version; the draft when missing.
    version: Option<i64>,
    /// Wait at most this long, such as `30s`, until the run is over or waits for something from outside.
    #[param(example = "30s")]
    wait: Option<String>,
}

/// A test run.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRun {
    /// The event that the trigger sees; any JSON.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    trigger: Value,
    /// Outputs of nodes that are not to run, by node id: items of the port `main`, or items by port. An item is
    /// `{ "json": … }`, or its JSON alone.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, PinnedOutput>>)]
    pins: BTreeMap<String, PinnedOutput>,
    /// Nodes describe their outside effects in place of having them.
    #[serde(default)]
    dry_run: bool,
    /// Id of the trigger node; the first trigger when missing.
    #[serde(default)]
    node: Option<String>,
}

/// What a node gives that is not to run.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum PinnedOutput {
    /// Items of the port `main`.
    Main(Vec<Value>),
    /// Items by port.
    Ports(BTreeMap<String, Vec<Value>>),
}

/// A run that was accepted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Accepted {
    /// `run_…`.
    pub(crate) id: String,
}

/// Start a test run of the draft or of a version.
#[utoipa::path(post, path = "/api/workflows/{id}/run", tag = "workflows",
    params(("id" = String, Path, description = "`wf_…`"), RunQuery), request_body = Option<TestRun>,
    responses(
        (status = 200, description = "With `wait`: the run as it stands", body = RunView),
        (status = 202, description = "Without `wait`: the run's id", body = Accepted),
        (status = 422, description = "`invalid_workflow`, `no_trigger`, `trigger_declined` or `trigger_failed`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn run(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Query(query): Query<RunQuery>,
    OptionalBody(test): OptionalBody<TestRun>,
) -> Result<Response, ApiError> {
    let wait = wait_of(&query, state.config.limits.run_wait)?;
    let row = super::find(&state, &tenant.workspace_id, &id).await?;
    let draft = match query.version {
        Some(_) => None,
        None => Some(documents::parse(&stored(&row.draft, &id)?)?),
    };
    let request = StartRequest {
        workspace_id: tenant.workspace_id,
        workflow_id: id,
        version: query.version,
        draft,
        trigger: test.node,
        event: test.trigger,
        is_test: true,
        dry_run: test.dry_run,
        pins: pins(test.pins)?,
        ..StartRequest::default()
    };
    match wait {
        None => accept(state.engine.clone(), request).await,
        Some(limit) => {
            let key = to_the_end(start_and_follow(state.engine.clone(), request, limit)).await??;
            finished(&state.engine, &key).await
        }
    }
}

async fn accept(engine: Engine, request: StartRequest) -> Result<Response, ApiError> {
    let started = to_the_end(async move { engine.start(request).await }).await??;
    Ok((StatusCode::ACCEPTED, Json(Accepted { id: started.key.run_id.to_string() })).into_response())
}

async fn finished(engine: &Engine, key: &RunKey) -> Result<Response, ApiError> {
    let run = engine.run_view(key).await?;
    Ok(Json(run.ok_or_else(|| ApiError::not_found("run", &key.run_id))?).into_response())
}

fn wait_of(query: &RunQuery, longest: Duration) -> Result<Option<Duration>, ApiError> {
    let Some(text) = &query.wait else { return Ok(None) };
    let ms = parse_duration_ms(text)
        .map_err(|fault| ApiError::new(error::INVALID_QUERY, format!("wait: {fault}")).at("wait"))?;
    Ok(Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(longest)))
}

fn pins(given: BTreeMap<String, PinnedOutput>) -> Result<BTreeMap<String, Pin>, ApiError> {
    let pin = |(node, output): (String, PinnedOutput)| {
        let at = format!("/pins/{node}");
        let pin = match output {
            PinnedOutput::Main(values) => Pin::Main(items(values, &at)?),
            PinnedOutput::Ports(ports) => {
                let port =
                    |(name, values)| Ok((String::clone(&name), items(values, &format!("{at}/{name}"))?));
                Pin::Ports(ports.into_iter().map(port).collect::<Result<_, ApiError>>()?)
            }
        };
        Ok((node, pin))
    };
    given.into_iter().map(pin).collect()
}

fn items(values: Vec<Value>, at: &str) -> Result<Vec<Item>, ApiError> {
    let read = |(place, value)| {
        item(value).map_err(|fault| {
            ApiError::new(error::INVALID_BODY, fault.to_string()).at(&format!("{at}/{place}"))
        })
    };
    values.into_iter().enumerate().map(read).collect()
}

fn item(value: Value) -> Result<Item, serde_json::Error> {
    match value.get("json") {
        Some(_) => serde_json::from_value(value),
        None => Ok(Item::new(value)),
    }
}
