//! The calls on message templates: list, create, show, edit, delete.
//!
//! It must not know how a template is sent. Rules: Meta's template overview, components and template-management pages.

use super::WhatsApp;
use super::error::{Checked, GraphError};
use super::graph::GraphCall;
use super::params::{Params, Style};
use super::template_store::{Template, component, variables};
use crate::exchange::Reply;
use crate::journal::lock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// `GET /{waba_id}/message_templates`: filters, fields and cursors.
pub(crate) fn list(wa: &WhatsApp, call: &GraphCall<'_>, waba_id: &str) -> Checked<Reply> {
    let limit = call.call.query("limit").and_then(|n| n.parse().ok()).unwrap_or(25).clamp(1, 1000);
    let start = match call.call.query("after") {
        Some(cursor) => decode_cursor(cursor)
            .map(|at| at + 1)
            .ok_or_else(|| GraphError::with_details(131059, "The cursor in `after` is invalid."))?,
        None => 0,
    };
    let fields = call.fields();
    let world = lock(&wa.world);
    let wanted: Vec<&Template> =
        world.templates.of_account(waba_id).filter(|template| matches(call, template)).collect();
    let end = (start + limit).min(wanted.len());
    let page = wanted.get(start..end).unwrap_or_default();
    let data: Vec<Value> = page.iter().map(|template| template.view(fields.as_deref())).collect();
    let mut answer = json!({ "data": data });
    if let Some(names) = call.call.query("summary") {
        let all = world.templates.of_account(waba_id).count();
        answer["summary"] = summary(names, wanted.len(), all);
    }
    if start >= end {
        return Ok(Reply::ok(answer));
    }
    let mut paging =
        json!({ "cursors": { "before": encode_cursor(start), "after": encode_cursor(end - 1) } });
    if end < wanted.len() {
        paging["next"] = next_url(call, &encode_cursor(end - 1)).into();
    }
    answer["paging"] = paging;
    Ok(Reply::ok(answer))
}

/// The counts that `summary=` asks for. The limit is the one of an unverified business (Meta's template overview).
fn summary(names: &str, found: usize, all: usize) -> Value {
    let known = json!({
        "total_count": found,
        "message_template_count": all,
        "message_template_limit": 250,
        "are_translations_complete": true,
    });
    let asked = names.split(',').map(str::trim);
    asked.filter_map(|name| Some((name.to_owned(), known.get(name)?.clone()))).collect::<Map<_, _>>().into()
}

fn matches(call: &GraphCall<'_>, template: &Template) -> bool {
    let same =
        |key: &str, own: &str| call.call.query(key).is_none_or(|wanted| wanted.eq_ignore_ascii_case(own));
    call.call.query("name").is_none_or(|wanted| template.name.contains(wanted))
        && same("status", &template.status)
        && same("category", &template.category)
        && same("language", &template.language)
}

fn next_url(call: &GraphCall<'_>, after: &str) -> String {
    let kept = call.call.query.iter().filter(|(key, _)| key != "after" && key != "access_token");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("after", after)
        .finish();
    format!("{}{}?{query}", call.base_url, call.call.path)
}

fn encode_cursor(index: usize) -> String {
    STANDARD.encode(format!("sandbox:{index}"))
}

fn decode_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("sandbox:")?.parse().ok()
}

/// `POST /{waba_id}/message_templates`
pub(crate) fn create(wa: &WhatsApp, call: &GraphCall<'_>, waba_id: &str) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    let name = params.text("name", 512)?;
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(params.invalid("name", "may only contain lower-case letters, digits and underscores."));
    }
    let language = params.text("language", 15)?;
    let category = params.text("category", 64)?.to_uppercase();
    if !["AUTHENTICATION", "UTILITY", "MARKETING"].contains(&category.as_str()) {
        return Err(params.invalid("category", "must be one of {AUTHENTICATION, UTILITY, MARKETING}."));
    }
    params.list("components", 1, 20)?;
    let template = Template::from_fields(&body, waba_id, &wa.config.new_template_status)
        .ok_or_else(|| params.missing("name"))?;
    check_components(&template)?;
    let mut world = lock(&wa.world);
    if world.templates.find(waba_id, name, language).is_some() {
        return Err(GraphError::for_user(
            100,
            2388024,
            "Content in this language already exists",
            "There is already content for this template in this language. Create a new template and try again.",
        ));
    }
    let reply = json!({ "id": template.id, "status": template.status, "category": template.category });
    world.templates.add(template);
    Ok(Reply::ok(reply))
}

fn check_components(template: &Template) -> Checked<()> {
    let text =
        |kind: &str| template.component(kind).and_then(|c| c["text"].as_str()).unwrap_or_default().to_owned();
    let (header, body, footer) = (text("HEADER"), text("BODY"), text("FOOTER"));
    let long = |code, what: &str, max: usize| {
        GraphError::for_user(
            code,
            code,
            "Message template is too long",
            format!("{what} allows {max} characters."),
        )
    };
    if template.component("BODY").is_none() {
        return Err(GraphError::for_user(
            100,
            2388072,
            "Body is missing",
            "A template needs a BODY component.",
        ));
    }
    if header.chars().count() > 60 || variables(&header).len() > 1 {
        return Err(long(2388047, "A header", 60));
    }
    if body.chars().count() > 1024 {
        return Err(long(2388040, "A body", 1024));
    }
    if footer.chars().count() > 60 || !variables(&footer).is_empty() {
        return Err(long(2388073, "A footer (without variables)", 60));
    }
    if body.trim().starts_with("{{") || body.trim().ends_with("}}") {
        let text = "Variables can't be at the start or end of the template.";
        return Err(GraphError::for_user(100, 2388299, "Variables at start or end", text));
    }
    check_buttons(template)
}

fn check_buttons(template: &Template) -> Checked<()> {
    let buttons = component(&template.components, "BUTTONS").and_then(|c| c["buttons"].as_array());
    let Some(buttons) = buttons else { return Ok(()) };
    let refused = |text: &str| GraphError::for_user(100, 2388060, "Invalid buttons", text);
    if buttons.is_empty() || buttons.len() > 10 {
        return Err(refused("A template has 1 to 10 buttons."));
    }
    if buttons.iter().any(|b| b["text"].as_str().is_some_and(|text| text.chars().count() > 25)) {
        return Err(refused("A button's text allows 25 characters."));
    }
    // Quick replies must stand together: their positions form one run.
    let quick: Vec<bool> = buttons
        .iter()
        .map(|b| b["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("QUICK_REPLY")))
        .collect();
    if quick.chunk_by(|a, b| a == b).filter(|run| run[0]).count() > 1 {
        return Err(refused("Quick replies must be grouped together."));
    }
    Ok(())
}

/// `GET /{template_id}`
pub(crate) fn show(template: &Template, call: &GraphCall<'_>) -> Reply {
    Reply::ok(template.view(call.fields().as_deref()))
}

/// `POST /{template_id}`: components are replaced as a whole; an approved category cannot be edited.
pub(crate) fn edit(wa: &WhatsApp, call: &GraphCall<'_>, id: &str) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    let mut world = lock(&wa.world);
    let template =
        world.templates.get_mut(id).ok_or_else(|| GraphError::unknown_object(call.method().as_str(), id))?;
    let mut edited = template.clone();
    if let Some(category) = params.optional_text("category", 64)? {
        if template.status == "APPROVED" && !category.eq_ignore_ascii_case(&template.category) {
            let text = "The category of an approved template cannot be edited.";
            return Err(GraphError::for_user(100, 2388025, "Category can't be edited", text));
        }
        edited.category = category.to_uppercase();
    }
    if body.contains_key("components") {
        params.list("components", 1, 20)?;
        edited.components = body["components"].as_array().cloned().unwrap_or_default();
        edited.status = wa.config.new_template_status.clone();
    }
    check_components(&edited)?;
    *template = edited;
    Ok(Reply::ok(json!({ "success": true })))
}

/// `DELETE /{waba_id}/message_templates?name=` (all languages) or `?name=&hsm_id=` (one).
pub(crate) fn delete(wa: &WhatsApp, call: &GraphCall<'_>, waba_id: &str) -> Checked<Reply> {
    let name =
        call.call.query("name").ok_or_else(|| GraphError::parameter("The parameter name is required."))?;
    let id = call.call.query("hsm_id");
    let removed = lock(&wa.world).templates.remove(|template| {
        template.waba_id == waba_id && template.name == name && id.is_none_or(|id| template.id == id)
    });
    if removed == 0 {
        let text = format!("No template named '{name}' exists in this account.");
        return Err(GraphError::for_user(100, 2593002, "Message template not found", text));
    }
    Ok(Reply::ok(json!({ "success": true })))
}
