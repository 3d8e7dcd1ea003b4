//! Template messages: from named fields to Meta's components. Pure.

use super::limits::{self, wrong};
use super::payload::{location, media_ref};
use super::template_params::{TemplateButton, TemplateCard, TemplateHeader, TemplateMessage, TemplateValues};
use serde_json::{Map, Value, json};
use sluice_node_sdk::error::NodeError;

/// The object `template`.
///
/// # Errors
/// `InvalidParams` with the path of the first value that breaks a limit.
pub(crate) fn content(message: &TemplateMessage) -> Result<Value, NodeError> {
    name(&message.template)?;
    language(&message.language)?;
    let components = components(message)?;
    let mut content = json!({ "name": message.template, "language": { "code": message.language } });
    if !components.is_empty() {
        content["components"] = components.into();
    }
    Ok(content)
}

fn name(name: &str) -> limits::Checked {
    limits::text("/template", name, 512)?;
    let fine = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if fine {
        return Ok(());
    }
    let message = "A template name has only lower-case letters, digits and underscores";
    Err(wrong("/template", "invalid_template_name", message))
}

/// `en`, `en_US`, `zh_CN`: two or three letters and perhaps a region.
fn language(code: &str) -> limits::Checked {
    let (language, region) = code.split_once('_').map_or((code, None), |(a, b)| (a, Some(b)));
    let fine = (2..=3).contains(&language.len())
        && language.chars().all(|c| c.is_ascii_lowercase())
        && region.is_none_or(|region| {
            (2..=4).contains(&region.len()) && region.chars().all(|c| c.is_ascii_alphanumeric())
        });
    if fine {
        return Ok(());
    }
    let message = format!("`{code}` is no language code; write it as approved, for example `en_US`");
    Err(wrong("/language", "invalid_language", message))
}

fn components(message: &TemplateMessage) -> Result<Vec<Value>, NodeError> {
    let own = message.header.is_some()
        || message.body.is_some()
        || message.code.is_some()
        || message.offer_ends_at.is_some()
        || !message.buttons.is_empty()
        || !message.cards.is_empty();
    if let Some(components) = &message.components {
        if own {
            let text = "Give either `components` or the single fields, not both";
            return Err(wrong("/components", "conflict", text));
        }
        return raw_components(components);
    }
    let mut list = Vec::new();
    if let Some(header_value) = &message.header {
        list.push(json!({ "type": "header", "parameters": [header("/header", header_value)?] }));
    }
    let alone = message.header.is_none() && message.buttons.is_empty() && message.cards.is_empty();
    if let Some(values) = &message.body {
        let max = if alone { limits::TEMPLATE_BODY_ONLY } else { limits::TEMPLATE_TEXT };
        list.push(json!({ "type": "body", "parameters": values_of("/body", values, max)? }));
    }
    if let Some(code) = &message.code {
        if message.body.is_some() || !message.buttons.is_empty() {
            return Err(wrong("/code", "conflict", "`code` already fills body and button"));
        }
        limits::text("/code", code, limits::AUTH_CODE)?;
        let parameters = json!([{ "type": "text", "text": code }]);
        list.push(json!({ "type": "body", "parameters": parameters }));
        list.push(json!({ "type": "button", "sub_type": "url", "index": "0", "parameters": parameters }));
    }
    if let Some(at) = message.offer_ends_at {
        list.push(json!({ "type": "limited_time_offer", "parameters": [
            { "type": "limited_time_offer", "limited_time_offer": { "expiration_time_ms": at } }
        ] }));
    }
    if !message.cards.is_empty() {
        limits::count("/cards", message.cards.len(), 2, limits::CARDS)?;
        let cards = message.cards.iter().enumerate().map(|(index, value)| card(index, value));
        list.push(json!({ "type": "carousel", "cards": cards.collect::<Result<Vec<_>, _>>()? }));
    }
    list.extend(buttons("", &message.buttons)?);
    Ok(list)
}

/// Meta's own form is passed on; texts in it are still checked, because Meta refuses them late and vaguely.
fn raw_components(components: &[Value]) -> Result<Vec<Value>, NodeError> {
    for (at, component) in components.iter().enumerate() {
        let parameters = component.get("parameters").and_then(Value::as_array);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            if let Some(text) = parameter.get("text").and_then(Value::as_str) {
                let path = format!("/components/{at}/parameters/{index}/text");
                parameter_text(&path, text, limits::TEMPLATE_BODY_ONLY)?;
            }
        }
    }
    Ok(components.to_vec())
}

fn header(path: &str, header: &TemplateHeader) -> Result<Value, NodeError> {
    let media = [("image", &header.image), ("video", &header.video), ("document", &header.document)];
    let given = media.iter().filter(|(_, media)| media.is_some()).count()
        + usize::from(header.text.is_some())
        + usize::from(header.location.is_some());
    if given != 1 {
        let message = "Give exactly one of `text`, `image`, `video`, `document` and `location`";
        return Err(wrong(path, "invalid_header", message));
    }
    if let Some(text) = &header.text {
        parameter_text(&format!("{path}/text"), text, limits::HEADER)?;
        return Ok(json!({ "type": "text", "text": text }));
    }
    if let Some(place) = &header.location {
        let place = location(&format!("{path}/location"), place)?;
        return Ok(json!({ "type": "location", "location": place }));
    }
    let mut parameter = Value::Null;
    for (kind, media) in media {
        if let Some(media) = media {
            parameter = json!({ "type": kind });
            parameter[kind] = media_ref(&format!("{path}/{kind}"), media)?;
        }
    }
    Ok(parameter)
}

fn values_of(path: &str, values: &TemplateValues, max: usize) -> Result<Vec<Value>, NodeError> {
    match values {
        TemplateValues::List(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| parameter(&format!("{path}/{index}"), value, max).map(Value::Object))
            .collect(),
        TemplateValues::Named(values) => values
            .iter()
            .map(|(name, value)| {
                let mut parameter = parameter(&format!("{path}/{name}"), value, max)?;
                parameter.insert("parameter_name".into(), name.as_str().into());
                Ok(Value::Object(parameter))
            })
            .collect(),
    }
}

fn parameter(path: &str, value: &Value, max: usize) -> Result<Map<String, Value>, NodeError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(object) if object.get("type").is_some_and(Value::is_string) => {
            return Ok(object.clone());
        }
        _ => {
            let message = format!("`{path}` must be text, a number or an object with `type`");
            return Err(wrong(path, "invalid_template_value", message));
        }
    };
    parameter_text(path, &text, max)?;
    let mut map = Map::new();
    map.insert("type".into(), "text".into());
    map.insert("text".into(), text.into());
    Ok(map)
}

/// Text of a variable: no line break, no tab, no more than four blanks in a row.
fn parameter_text(path: &str, text: &str, max: usize) -> limits::Checked {
    limits::text(path, text, max)?;
    if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        let message = format!(
            "`{path}`: a template variable may hold no line break, no tab and at most four blanks in a row"
        );
        return Err(wrong(path, "template_text_format", message));
    }
    Ok(())
}

fn card(index: usize, card: &TemplateCard) -> Result<Value, NodeError> {
    let path = format!("/cards/{index}");
    let mut components = Vec::new();
    if let Some(value) = &card.header {
        components
            .push(json!({ "type": "header", "parameters": [header(&format!("{path}/header"), value)?] }));
    }
    if let Some(values) = &card.body {
        let parameters = values_of(&format!("{path}/body"), values, limits::CARD_BODY)?;
        components.push(json!({ "type": "body", "parameters": parameters }));
    }
    components.extend(buttons(&path, &card.buttons)?);
    Ok(json!({ "card_index": index, "components": components }))
}

fn buttons(base: &str, buttons: &[TemplateButton]) -> Result<Vec<Value>, NodeError> {
    limits::count(&format!("{base}/buttons"), buttons.len(), 0, limits::TEMPLATE_BUTTONS)?;
    let indexes: Vec<String> = buttons.iter().map(|button| button.index.to_string()).collect();
    limits::unique(indexes.iter().map(String::as_str), |at| format!("{base}/buttons/{at}/index"))?;
    let list = buttons.iter().enumerate();
    list.map(|(at, value)| button(&format!("{base}/buttons/{at}"), value)).collect()
}

fn button(path: &str, button: &TemplateButton) -> Result<Value, NodeError> {
    if usize::from(button.index) >= limits::TEMPLATE_BUTTONS {
        return Err(wrong(&format!("{path}/index"), "out_of_range", "A button's index is 0 to 9"));
    }
    let mut given: Vec<(&str, Value)> = Vec::new();
    if let Some(payload) = &button.payload {
        limits::text(&format!("{path}/payload"), payload, limits::QUICK_REPLY_PAYLOAD)?;
        given.push(("quick_reply", json!({ "type": "payload", "payload": payload })));
    }
    if let Some(suffix) = &button.url {
        parameter_text(&format!("{path}/url"), suffix, 2000)?;
        given.push(("url", json!({ "type": "text", "text": suffix })));
    }
    if let Some(code) = &button.coupon_code {
        limits::text(&format!("{path}/coupon_code"), code, limits::BUTTON_TITLE)?;
        given.push(("copy_code", json!({ "type": "coupon_code", "coupon_code": code })));
    }
    if let Some(action) = &button.flow {
        given.push(("flow", json!({ "type": "action", "action": action })));
    }
    if let Some(action) = &button.catalog {
        let kind = if action.contains_key("sections") { "mpm" } else { "catalog" };
        given.push((kind, json!({ "type": "action", "action": action })));
    }
    match given.pop() {
        Some((kind, parameter)) if given.is_empty() => Ok(json!({
            "type": "button", "sub_type": kind, "index": button.index.to_string(), "parameters": [parameter]
        })),
        _ => {
            let message = "Give exactly one of `payload`, `url`, `coupon_code`, `flow` and `catalog`";
            Err(wrong(path, "invalid_button", message))
        }
    }
}
