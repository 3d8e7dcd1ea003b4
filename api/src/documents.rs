//! Workflow documents on their way in and out. Must not know where they are kept.

use crate::error::ApiError;
use crate::problems::invalid_workflow;
use crate::state::ApiState;
use serde_json::Value;
use sluice_engine::document::Document;
use sluice_engine::graph::{self, Problem};
use std::borrow::Cow;
use std::collections::HashMap;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};

/// The schema of a workflow document, for the generated API document.
pub(crate) struct WorkflowDocument;

impl utoipa::PartialSchema for WorkflowDocument {
    fn schema() -> RefOr<Schema> {
        let mut settings = schemars::generate::SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let mut schema = settings.into_generator().into_root_schema_for::<Document>().to_value();
        for_openapi(&mut schema);
        serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::Object(Object::new())))
    }
}

impl utoipa::ToSchema for WorkflowDocument {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("WorkflowDocument")
    }
}

/// Lists of `const` become `enum`, and words that the API document has no place for are left out.
fn for_openapi(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("$schema");
            let constants = fields.get("oneOf").and_then(Value::as_array).and_then(|cases| {
                cases.iter().map(|case| case.get("const").cloned()).collect::<Option<Vec<_>>>()
            });
            if let Some(constants) = constants {
                fields.remove("oneOf");
                fields.insert("type".to_owned(), Value::from("string"));
                fields.insert("enum".to_owned(), Value::Array(constants));
            }
            fields.values_mut().for_each(for_openapi);
        }
        Value::Array(list) => list.iter_mut().for_each(for_openapi),
        _ => {}
    }
}

/// Reads a document.
///
/// # Errors
/// `invalid_workflow` with every structural problem.
pub(crate) fn parse(value: &Value) -> Result<Document, ApiError> {
    let document = graph::parse(value).map_err(invalid_workflow)?;
    check_name(&document.name)?;
    Ok(document)
}

/// Names are shown, sorted and written to two databases: one line of ordinary characters.
pub(crate) fn check_name(name: &str) -> Result<(), ApiError> {
    let fault = if name.trim().is_empty() {
        "A workflow needs a name"
    } else if name.chars().count() > 200 {
        "A name has at most 200 characters"
    } else if name.chars().any(char::is_control) {
        "A name has no line breaks or other control characters"
    } else {
        return Ok(());
    };
    Err(invalid_workflow(vec![Problem::error("invalid_name", "/name", fault)]))
}

/// The kinds of a workspace's credentials by name, as validation wants them.
pub(crate) async fn credential_kinds(
    state: &ApiState,
    workspace_id: &str,
) -> Result<HashMap<String, String>, ApiError> {
    let credentials = state.records.list_credentials(workspace_id).await?;
    Ok(credentials.into_iter().map(|one| (one.name, one.kind)).collect())
}

/// Everything wrong with a document in its workspace.
pub(crate) async fn problems(
    state: &ApiState,
    workspace_id: &str,
    document: &Document,
) -> Result<Vec<Problem>, ApiError> {
    let kinds = credential_kinds(state, workspace_id).await?;
    Ok(state.engine.problems(document, Some(&|name: &str| kinds.get(name).cloned())))
}

/// The exported form: the document, indented, with a line break at the end. Reading it and writing it again gives
/// the same bytes.
pub(crate) fn export_text(document: &Document) -> String {
    let text = serde_json::to_string_pretty(document);
    let mut text = text.expect("a document has text keys only and no floats that JSON cannot write");
    text.push('\n');
    text
}
