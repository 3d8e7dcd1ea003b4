//! Request bodies: JSON, form, multipart, text, a file of the item. Builds bytes, sends nothing.

use crate::multipart::{self, Part};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{FileRef, Item};

/// The body of a request: exactly one kind.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    /// Any value, sent as JSON.
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    /// Fields of a web form.
    #[serde(default)]
    pub(crate) form: Option<Map<String, Value>>,
    /// Fields and files of a web form.
    #[serde(default)]
    pub(crate) multipart: Option<Vec<Field>>,
    /// Text, sent as it is.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// Name of a file of the item, sent as it is.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// Content type, when it is not the usual one of the kind.
    #[serde(default)]
    pub(crate) content_type: Option<String>,
}

/// A part of a multipart body: `value` or `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// Name of the field.
    pub(crate) name: String,
    /// Its text.
    #[serde(default)]
    pub(crate) value: Option<String>,
    /// Name of a file of the item.
    #[serde(default)]
    pub(crate) file: Option<String>,
}

/// `"json": null` is a body too.
fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

/// Bytes and content type.
///
/// # Errors
/// `InvalidParams` when not exactly one kind is given, `InvalidInput` for a file the item does not have.
pub(crate) fn encode(body: &Body, item: Option<&Item>) -> Result<(Bytes, String), NodeError> {
    let given = [
        body.json.is_some(),
        body.form.is_some(),
        body.multipart.is_some(),
        body.text.is_some(),
        body.file.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let message = "Give exactly one of `json`, `form`, `multipart`, `text` and `file`";
        return Err(NodeError::invalid_params(message).code("invalid_body").at("/body"));
    }
    let (bytes, usual) = if let Some(json) = &body.json {
        (Bytes::from(json.to_string()), "application/json".to_owned())
    } else if let Some(form) = &body.form {
        (Bytes::from(form_text(form)), "application/x-www-form-urlencoded".to_owned())
    } else if let Some(fields) = &body.multipart {
        return multipart_body(fields, item);
    } else if let Some(text) = &body.text {
        (Bytes::from(text.clone()), "text/plain; charset=utf-8".to_owned())
    } else {
        let file = file_of(item, body.file.as_deref().unwrap_or_default(), "/body/file")?;
        (file.data.clone(), file.mime_type.clone())
    };
    Ok((bytes, body.content_type.clone().unwrap_or(usual)))
}

fn multipart_body(fields: &[Field], item: Option<&Item>) -> Result<(Bytes, String), NodeError> {
    let mut parts = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let path = format!("/body/multipart/{index}");
        parts.push(match (&field.value, &field.file) {
            (Some(value), None) => Part::Text(&field.name, value),
            (None, Some(file)) => Part::File(&field.name, file_of(item, file, &format!("{path}/file"))?),
            _ => {
                let message = format!("`{path}`: give `value` or `file`");
                return Err(NodeError::invalid_params(message).code("invalid_body").at(path));
            }
        });
    }
    Ok(multipart::encode(&parts))
}

fn file_of<'a>(item: Option<&'a Item>, name: &str, path: &str) -> Result<&'a FileRef, NodeError> {
    item.and_then(|item| item.file(name)).ok_or_else(|| {
        let message = format!("The item has no file named `{name}`");
        NodeError::invalid_input(message).code("file_missing").at(path)
    })
}

/// `a=1&b=2`; a list repeats its name, null is left out.
pub(crate) fn form_text(fields: &Map<String, Value>) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs(fields) {
        text.append_pair(&name, &value);
    }
    text.finish()
}

/// Names and values as text.
pub(crate) fn pairs(fields: &Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Array(values) => pairs.extend(values.iter().map(|value| (name.clone(), plain(value)))),
            Value::Null => {}
            value => pairs.push((name.clone(), plain(value))),
        }
    }
    pairs
}

/// Text as it is, everything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
