//! Expressions for those who write them: what may be called, and what a text gives on data at hand. Nothing is stored.
//! Must not know workflows or runs.

use crate::auth::Principal;
use crate::error::{self, ApiError};
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_engine::expr::{ExprError, NodeView, Scope, ScopeError, functions, variables};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(preview))
}

/// Most expressions in one text: each may compute for as long as its own limits let it, and nobody reads more at once.
const MOST_EXPRESSIONS: usize = 50;

/// The words of the expression language.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Language {
    /// All functions, by family.
    functions: Vec<FunctionView>,
    /// Names that stand for data.
    variables: Vec<VariableView>,
}

/// A function. Each can also be called as a method of its first argument.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FunctionView {
    /// Family, such as `text`.
    group: &'static str,
    /// Name.
    name: &'static str,
    /// With its arguments; optional ones in square brackets.
    signature: &'static str,
    /// What it gives.
    help: &'static str,
    /// An expression that uses it.
    example: &'static str,
    /// What the example gives, as JSON.
    result: &'static str,
}

/// A name that stands for data.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VariableView {
    /// As written.
    name: &'static str,
    /// What it is.
    help: &'static str,
}

/// List what expressions can use.
#[utoipa::path(get, path = "/api/expressions", tag = "catalogue",
    responses((status = 200, description = "Functions and variables", body = Language)))]
pub(crate) async fn list(_: Principal) -> Json<Language> {
    let functions = functions().iter().map(|doc| FunctionView {
        group: doc.group,
        name: doc.name,
        signature: doc.signature,
        help: doc.help,
        example: doc.example,
        result: doc.result,
    });
    let variables = variables().iter().map(|doc| VariableView { name: doc.name, help: doc.help });
    Json(Language { functions: functions.collect(), variables: variables.collect() })
}

/// A text of a parameter, and what it is to be tried on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preview {
    /// As in a parameter: text with `{{ expressions }}`.
    text: String,
    /// What the expressions see.
    #[serde(default)]
    data: PreviewData,
    /// IANA time zone; UTC when missing.
    #[serde(default)]
    timezone: Option<String>,
}

/// What expressions see.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewData {
    /// The current item.
    #[serde(default)]
    #[schema(value_type = Value)]
    json: Arc<Value>,
    /// Its position, from 0.
    #[serde(default)]
    index: u32,
    /// Items of other nodes, by node id; the one at `index`, or else the first, counts as the item that led here.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Vec<Value>>)]
    nodes: BTreeMap<String, Vec<Arc<Value>>>,
    /// The first item of the trigger.
    #[serde(default)]
    #[schema(value_type = Value)]
    trigger: Arc<Value>,
    /// The contact; that of the trigger when missing.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    contact: Option<Arc<Value>>,
    /// The conversation; that of the trigger when missing.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    conversation: Option<Arc<Value>>,
    /// The run.
    #[serde(default)]
    #[schema(value_type = Value)]
    run: Arc<Value>,
    /// The workflow.
    #[serde(default)]
    #[schema(value_type = Value)]
    workflow: Arc<Value>,
}

/// What came of it: a value, or an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Previewed {
    /// The value, of any type.
    #[schema(value_type = Value)]
    Value(Value),
    /// Why there is none.
    Error(ExpressionFault),
}

/// What is wrong with an expression.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExpressionFault {
    /// `expression_syntax`, `expression_undefined`, `expression_type`, `expression_limit` or `expression_function`.
    code: &'static str,
    /// In words.
    message: String,
    /// The expression between the braces.
    expression: String,
    /// Line in the text, from 1.
    line: u32,
    /// Column in that line, from 1, characters.
    column: u32,
}

/// Try a parameter's text on data.
#[utoipa::path(post, path = "/api/expressions/preview", tag = "catalogue", request_body = Preview,
    responses((status = 200, description = "The value or the expression's error", body = Previewed)))]
pub(crate) async fn preview(
    State(state): State<ApiState>,
    _: Principal,
    Body(preview): Body<Preview>,
) -> Result<Json<Previewed>, ApiError> {
    if preview.text.matches("{{").count() > MOST_EXPRESSIONS {
        let message = format!("a text that is tried has at most {MOST_EXPRESSIONS} expressions");
        return Err(ApiError::new(error::INVALID_VALUE, message).at("/text"));
    }
    let zone = preview.timezone.unwrap_or_else(|| "UTC".to_owned());
    if jiff::tz::TimeZone::get(&zone).is_err() {
        let message = format!("there is no time zone {zone:?}; use an IANA name such as Asia/Kolkata");
        return Err(ApiError::new(error::INVALID_VALUE, message).at("/timezone"));
    }
    let scope = Given { data: preview.data, now: state.engine.now_ms(), zone };
    let expressions = state.engine.expressions().clone();
    // An expression may compute for as long as its limits let it.
    let tried = tokio::task::spawn_blocking(move || expressions.compile_text(&preview.text)?.eval(&scope));
    let tried = tried.await.map_err(|fault| ApiError::internal(&fault))?;
    Ok(Json(tried.map_or_else(|fault| Previewed::Error(fault.into()), Previewed::Value)))
}

impl From<ExprError> for ExpressionFault {
    fn from(error: ExprError) -> Self {
        Self {
            code: error.kind.code(),
            message: error.message,
            expression: error.expression,
            line: error.line,
            column: error.column,
        }
    }
}

/// The data of a request as the surroundings of an evaluation.
struct Given {
    data: PreviewData,
    now: i64,
    zone: String,
}

impl Given {
    fn of_trigger(&self, part: &Option<Arc<Value>>, name: &str) -> Arc<Value> {
        part.clone().unwrap_or_else(|| Arc::new(self.data.trigger.get(name).cloned().unwrap_or_default()))
    }
}

impl Scope for Given {
    fn json(&self) -> Arc<Value> {
        self.data.json.clone()
    }

    fn node(&self, id: &str) -> Result<NodeView, ScopeError> {
        let items = self.data.nodes.get(id).ok_or_else(|| ScopeError::NotRun(id.to_owned()))?;
        let led_here = items.get(self.data.index as usize).or_else(|| items.first());
        let json = led_here.ok_or_else(|| ScopeError::NoItem(id.to_owned()))?.clone();
        Ok(NodeView { json, items: items.clone().into() })
    }

    fn var(&self, name: &str) -> Option<Arc<Value>> {
        Some(match name {
            "item" => Arc::new(serde_json::json!({ "index": self.data.index })),
            "trigger" => self.data.trigger.clone(),
            "run" => self.data.run.clone(),
            "workflow" => self.data.workflow.clone(),
            "contact" => self.of_trigger(&self.data.contact, name),
            "conversation" => self.of_trigger(&self.data.conversation, name),
            _ => return None,
        })
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn time_zone(&self) -> &str {
        &self.zone
    }
}
