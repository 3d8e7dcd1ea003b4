//! The catalogue of node types, as the builder draws its forms from it. Must not know any type by name.

mod credential_kinds;

use crate::answer::Listed;
use crate::auth::Principal;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use sluice_node_sdk::spec::{CredentialNeed, NodeSpec, Ports};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).merge(credential_kinds::routes())
}

/// A node type.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NodeTypeView {
    /// `service.verb`.
    #[serde(rename = "type")]
    node_type: String,
    /// Version of the type.
    version: u32,
    /// Name for people.
    title: String,
    /// One line.
    summary: String,
    /// Longer help, Markdown.
    docs: String,
    /// `pure`, `idempotent` or `once`.
    #[schema(value_type = String)]
    effect: Value,
    /// A milder effect class under certain parameters.
    #[schema(required, value_type = Option<Object>)]
    effect_by_param: Value,
    /// Inputs; none for triggers.
    inputs: PortsView,
    /// Outputs.
    outputs: PortsView,
    /// Set on triggers: `{ "source": { "kind" }, "competes" }`.
    #[schema(required, value_type = Option<Object>)]
    trigger: Value,
    /// Whether edges may return to it.
    loop_entry: bool,
    /// Credentials it needs.
    credentials: Vec<CredentialNeedView>,
    /// JSON pointers of parameters that are program text.
    raw_params: Vec<String>,
    /// Longest time of one attempt, milliseconds.
    timeout_ms: u64,
    /// Retry policy when the workflow sets none.
    #[schema(value_type = Object)]
    retry: Value,
    /// JSON Schema (draft 2020-12) of the parameters.
    #[schema(value_type = Object)]
    params_schema: Value,
    /// Worked examples.
    #[schema(value_type = Vec<Object>)]
    examples: Vec<Value>,
}

/// The ports of one side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PortsView {
    /// Ports that are always there.
    fixed: Vec<PortView>,
    /// Where the names of further ports are: JSON pointer of a list parameter, and the field of its elements.
    #[schema(required, value_type = Option<Object>)]
    from_param: Value,
}

/// One port.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PortView {
    /// Name used in edges.
    name: String,
    /// Help.
    help: String,
}

/// A credential that a node needs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CredentialNeedView {
    /// The parameter that names it.
    param: String,
    /// Kinds that will do.
    kinds: Vec<String>,
    /// Whether the node works without.
    required: bool,
}

/// List all node types with their parameters as JSON Schema.
#[utoipa::path(get, path = "/api/nodes", tag = "catalogue",
    responses((status = 200, description = "All node types, by name", body = Listed<NodeTypeView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Principal,
) -> Result<Json<Listed<NodeTypeView>>, ApiError> {
    Ok(Json(Listed::all(state.engine.registry().specs().map(NodeTypeView::from).collect())))
}

/// Show one node type.
#[utoipa::path(get, path = "/api/nodes/{type}", tag = "catalogue",
    params(("type" = String, Path, description = "`service.verb`")),
    responses((status = 200, description = "The node type", body = NodeTypeView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _: Principal,
    Path(node_type): Path<String>,
) -> Result<Json<NodeTypeView>, ApiError> {
    let found = state.engine.registry().get(&node_type);
    Ok(Json(found.ok_or_else(|| ApiError::not_found("node type", &node_type))?.spec().into()))
}

/// Plain data, which JSON can always hold.
fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl From<&NodeSpec> for NodeTypeView {
    fn from(spec: &NodeSpec) -> Self {
        Self {
            node_type: spec.node_type.clone(),
            version: spec.version,
            title: spec.title.clone(),
            summary: spec.summary.clone(),
            docs: spec.docs.clone(),
            effect: json(&spec.effect),
            effect_by_param: json(&spec.effect_by_param),
            inputs: (&spec.inputs).into(),
            outputs: (&spec.outputs).into(),
            trigger: json(&spec.trigger),
            loop_entry: spec.loop_entry,
            credentials: spec.credentials.iter().map(Into::into).collect(),
            raw_params: spec.raw_params.clone(),
            timeout_ms: spec.timeout_ms,
            retry: json(&spec.retry),
            params_schema: spec.params_schema.clone(),
            examples: spec.examples.iter().map(json).collect(),
        }
    }
}

impl From<&Ports> for PortsView {
    fn from(ports: &Ports) -> Self {
        let fixed = ports.fixed.iter();
        Self {
            fixed: fixed.map(|port| PortView { name: port.name.clone(), help: port.help.clone() }).collect(),
            from_param: json(&ports.from_param),
        }
    }
}

impl From<&CredentialNeed> for CredentialNeedView {
    fn from(need: &CredentialNeed) -> Self {
        Self { param: need.param.clone(), kinds: need.kinds.clone(), required: need.required }
    }
}
