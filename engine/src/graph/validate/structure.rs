//! From bytes or JSON to a document: every structural problem at once, with its path. Must not know node types.

use super::schema::{Fault, Reason, Schema, Texts, escape};
use crate::document::{Document, FORMAT};
use crate::graph::Problem;
use serde_json::Value;
use std::sync::OnceLock;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// The most nodes a document may have; bounds the work that validation and runs can cost.
pub const MAX_NODES: usize = 20_000;

/// The most edges a document may have.
pub const MAX_EDGES: usize = 100_000;

/// Reads a document from the bytes of a file or request.
///
/// # Errors
/// One problem when the bytes are not JSON (with line and column), all structural problems otherwise.
pub fn parse_text(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let message = format!(
            "The document has {} bytes; at most {MAX_DOCUMENT_BYTES} are read. Split the workflow, or move data out of it",
            bytes.len()
        );
        return Err(vec![Problem::error("too_large", "", message)]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(bytes, error.valid_up_to())])?;
    // Editors on Windows like to begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).map_err(|error| vec![not_json(&error)])?;
    parse(&value)
}

fn not_utf8(bytes: &[u8], at: usize) -> Problem {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = format!("The document is not UTF-8 text (line {line}, column {column}); save it as UTF-8");
    Problem::error("not_utf8", "", message)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let words = error.to_string();
    if words.starts_with("recursion limit exceeded") {
        let message = format!(
            "The document is nested more than 127 levels deep (line {line}, column {column}); make it flatter"
        );
        return Problem::error("too_deep", "", message);
    }
    let words = words.split(" at line ").next().unwrap_or_default();
    let message = format!("The document is not well-formed JSON: {words} (line {line}, column {column})");
    Problem::error("malformed_json", "", message)
}

/// Reads a document from JSON.
///
/// # Errors
/// All structural problems: unknown and missing fields, wrong types, a format version that is not known.
pub fn parse(value: &Value) -> Result<Document, Vec<Problem>> {
    if let Some(problem) = other_format(value) {
        return Err(vec![problem]);
    }
    let problems: Vec<Problem> = document_schema()
        .faults(value, Texts::Literal)
        .into_iter()
        .map(|fault| at_fault(value, fault))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let document: Document = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = pointer(error.path());
        vec![of_node_at(value, Problem::error("invalid_value", path, error.inner().to_string()))]
    })?;
    let problems = too_many(&document);
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// A document of a later format may look different in every way, so nothing else is said of it.
fn other_format(value: &Value) -> Option<Problem> {
    let format = value.get("sluice")?.as_u64()?;
    (format != u64::from(FORMAT)).then(|| {
        let message = format!("The document has format {format}; this program reads format {FORMAT}");
        Problem::error("unsupported_format", "/sluice", message)
    })
}

fn too_many(document: &Document) -> Vec<Problem> {
    let over = |path: &str, have: usize, most: usize| {
        (have > most).then(|| {
            let what = path.trim_start_matches('/');
            let message = format!(
                "The workflow has {have} {what}; at most {most} are possible. Move parts into workflows of their own"
            );
            Problem::error("too_large", path, message)
        })
    };
    let nodes = over("/nodes", document.nodes.len(), MAX_NODES);
    nodes.into_iter().chain(over("/edges", document.edges.len(), MAX_EDGES)).collect()
}

fn document_schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        Schema::compile(schemars::schema_for!(Document).as_value())
            .expect("the derived schema is the same in every process, and a test compiles it")
    })
}

fn at_fault(value: &Value, fault: Fault) -> Problem {
    let code = match &fault.reason {
        Reason::Unknown { .. } => "unknown_field",
        Reason::Missing { .. } => "missing_field",
        Reason::Type { .. } => "wrong_type",
        Reason::Options(_) | Reason::Other(_) => "invalid_value",
    };
    let message = fault.reason.sentence(&fault.pointer);
    of_node_at(value, Problem::error(code, fault.pointer, message))
}

/// Names the node when the path lies inside one that has an id.
fn of_node_at(value: &Value, problem: Problem) -> Problem {
    let index = problem.path.strip_prefix("/nodes/").map(|rest| rest.split('/').next().unwrap_or_default());
    let id = index.and_then(|index| value.pointer(&format!("/nodes/{index}/id"))).and_then(Value::as_str);
    match id.map(ToOwned::to_owned) {
        Some(id) => problem.of(&id),
        None => problem,
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let tokens = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(escape(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    tokens.fold(String::new(), |all, token| format!("{all}/{token}"))
}
