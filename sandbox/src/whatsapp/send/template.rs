//! Checks of template messages against the stored template: language, status, and every parameter.
//!
//! It must not know recipients beyond how they are named. Rules: Meta's template-messages, components and error-codes pages.

use super::content::source;
use super::{Content, Draft};
use crate::journal::lock;
use crate::whatsapp::error::{Checked, GraphError};
use crate::whatsapp::params::{Params, Style};
use crate::whatsapp::statuses::Failure;
use crate::whatsapp::template_store::{Template, component, variables};
use serde_json::Value;

/// Longest body of a template after filling in; longer when the template is nothing but a body.
const FILLED: usize = 1024;
const FILLED_BODY_ONLY: usize = 32_768;

pub(super) fn check(draft: &Draft<'_>) -> Checked<Content> {
    let sent = Params::of(draft.body, "template", Style::Graph)?;
    sent.only(&["name", "language", "components", "namespace"])?;
    let template = stored(draft, &sent)?;
    if template.category == "AUTHENTICATION" && draft.by_user_id {
        return Err(GraphError::of(131062).into());
    }
    let components = match sent.get("components") {
        Some(_) => sent.list("components", 0, 20)?,
        None => Vec::new(),
    };
    let shape = Shape { components: &template.components, named: template.parameter_format == "NAMED" };
    let mut failure = None;
    let body = check_part(draft, &shape, &components, &mut failure)?;
    let limit = if template.components.len() == 1 { FILLED_BODY_ONLY } else { FILLED };
    if body.chars().count() > limit {
        let text = format!("Translated text too long: the body may have {limit} characters.");
        return Err(GraphError::with_details(132005, text));
    }
    Ok(Content {
        template_category: Some(template.category.to_lowercase()),
        preview: Some(body),
        failure,
        ..Content::default()
    })
}

/// The approved template of this name and language.
fn stored(draft: &Draft<'_>, sent: &Params<'_>) -> Checked<Template> {
    let name = sent.text("name", 512)?;
    let code = sent.child("language")?.text("code", 32)?.to_owned();
    let world = lock(&draft.wa.world);
    let found = world.templates.find(&draft.number.waba_id, name, &code).cloned();
    let missing =
        || GraphError::with_details(132001, format!("template name ({name}) does not exist in {code}"));
    let template = found.ok_or_else(missing)?;
    match template.status.as_str() {
        "APPROVED" | "FLAGGED" => Ok(template),
        "PAUSED" => {
            Err(GraphError::with_details(132015, format!("Template {name} is paused due to low quality.")))
        }
        "DISABLED" => Err(GraphError::with_details(132016, format!("Template {name} is disabled."))),
        _ => Err(missing()),
    }
}

/// A template or one card of its carousel.
struct Shape<'a> {
    components: &'a [Value],
    named: bool,
}

/// Checks the sent components and returns the body with its variables filled in.
fn check_part(
    draft: &Draft<'_>,
    shape: &Shape<'_>,
    sent: &[Params<'_>],
    failure: &mut Option<Failure>,
) -> Checked<String> {
    const KNOWN: [&str; 5] = ["header", "body", "button", "carousel", "limited_time_offer"];
    let mut kinds = Vec::new();
    for part in sent {
        let kind = part.text("type", 64)?.to_lowercase();
        if !KNOWN.contains(&kind.as_str()) {
            return Err(part.invalid("type", &format!("must be one of {{{}}}.", KNOWN.join(", "))));
        }
        kinds.push(kind);
    }
    let find = |wanted: &str| kinds.iter().position(|kind| kind == wanted).map(|at| &sent[at]);
    header(draft, shape, find("header"), failure)?;
    let body = body(draft, shape, find("body"))?;
    let buttons: Vec<&Params<'_>> =
        kinds.iter().zip(sent).filter(|(kind, _)| *kind == "button").map(|(_, part)| part).collect();
    check_buttons(shape, &buttons)?;
    if let Some(carousel) = component(shape.components, "CAROUSEL") {
        let sent = find("carousel");
        cards(draft, shape.named, carousel, sent, failure)?;
    }
    if component(shape.components, "LIMITED_TIME_OFFER").is_some() {
        offer(find("limited_time_offer"))?;
    }
    Ok(body)
}

fn parameters<'a>(part: Option<&Params<'a>>) -> Checked<Vec<Params<'a>>> {
    match part {
        Some(part) if part.get("parameters").is_some() => part.list("parameters", 0, 100),
        _ => Ok(Vec::new()),
    }
}

fn count_mismatch(place: &str, given: usize, expected: usize) -> Box<GraphError> {
    GraphError::with_details(
        132000,
        format!(
            "{place}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        ),
    )
}

fn header(
    draft: &Draft<'_>,
    shape: &Shape<'_>,
    sent: Option<&Params<'_>>,
    failure: &mut Option<Failure>,
) -> Checked<()> {
    let given = parameters(sent)?;
    let stored = component(shape.components, "HEADER");
    let format = stored.and_then(|header| header["format"].as_str()).unwrap_or("NONE").to_uppercase();
    let text = stored.and_then(|header| header["text"].as_str()).unwrap_or_default();
    match format.as_str() {
        "NONE" | "TEXT" => {
            fill(draft, "header", text, shape.named, &given)?;
            Ok(())
        }
        // A template without its own media keeps the example picture only in the editor: the sender must name one.
        _ => {
            let kind = format.to_lowercase();
            let got = given.first().and_then(|p| p.get("type")).and_then(Value::as_str).unwrap_or("UNKNOWN");
            if !got.eq_ignore_ascii_case(&kind) {
                let text =
                    format!("header: Format mismatch, expected {format}, received {}", got.to_uppercase());
                return Err(GraphError::with_details(132012, text));
            }
            let object = given[0].child(&kind)?;
            if kind == "location" {
                object.number("latitude")?;
                object.number("longitude")?;
            } else {
                *failure = source(draft, &object, &kind, false)?.or(failure.take());
            }
            Ok(())
        }
    }
}

fn body(draft: &Draft<'_>, shape: &Shape<'_>, sent: Option<&Params<'_>>) -> Checked<String> {
    let stored = component(shape.components, "BODY");
    let text = stored.and_then(|body| body["text"].as_str()).unwrap_or_default();
    // An authentication template has no text of its own, and yet one parameter: the code.
    let text = match stored {
        Some(_) if text.is_empty() && has_otp_button(shape) => "*{{1}}* is your verification code.",
        _ => text,
    };
    fill(draft, "body", text, shape.named, &parameters(sent)?)
}

fn has_otp_button(shape: &Shape<'_>) -> bool {
    stored_buttons(shape).iter().any(|button| kind_of(button) == "OTP")
}

/// Checks count, names and values of text parameters and puts them in.
fn fill(draft: &Draft<'_>, place: &str, text: &str, named: bool, given: &[Params<'_>]) -> Checked<String> {
    let expected = variables(text);
    if given.len() != expected.len() {
        return Err(count_mismatch(place, given.len(), expected.len()));
    }
    let mut filled = text.to_owned();
    for (position, parameter) in given.iter().enumerate() {
        let value = value(draft, parameter)?;
        let name = if named {
            let name = parameter.optional_text("parameter_name", 512)?.unwrap_or_default();
            if name.is_empty() {
                return Err(GraphError::with_details(100, "Parameter name is missing or empty"));
            }
            if !expected.iter().any(|wanted| wanted == name) {
                return Err(count_mismatch(place, given.len() - 1, expected.len()));
            }
            name.to_owned()
        } else {
            (position + 1).to_string()
        };
        filled = filled.replace(&format!("{{{{{name}}}}}"), &value);
    }
    Ok(filled)
}

/// The text that a parameter shows.
fn value(draft: &Draft<'_>, parameter: &Params<'_>) -> Checked<String> {
    match parameter.one_of("type", &["text", "currency", "date_time"])? {
        "text" => {
            let text = parameter.optional_text("text", FILLED_BODY_ONLY)?.unwrap_or_default();
            if text.is_empty() {
                return Err(GraphError::with_details(131008, "Parameter of type text is missing text value"));
            }
            if text.contains(['\n', '\t', '\r']) || text.contains("     ") {
                let code = if draft.version.is_some_and(|version| version >= 23) { 132018 } else { 100 };
                let text = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
                return Err(GraphError::with_details(code, text));
            }
            Ok(text.to_owned())
        }
        kind => Ok(parameter.child(kind)?.text("fallback_value", 1000)?.to_owned()),
    }
}

fn stored_buttons<'a>(shape: &Shape<'a>) -> &'a [Value] {
    let buttons = component(shape.components, "BUTTONS").and_then(|c| c["buttons"].as_array());
    buttons.map(Vec::as_slice).unwrap_or_default()
}

fn kind_of(button: &Value) -> String {
    button["type"].as_str().unwrap_or_default().to_uppercase()
}

fn check_buttons(shape: &Shape<'_>, sent: &[&Params<'_>]) -> Checked<()> {
    let stored = stored_buttons(shape);
    let mut filled = vec![false; stored.len()];
    for part in sent {
        let index = part.number("index")? as usize;
        let sub_type = part.text("sub_type", 64)?.to_lowercase();
        let Some(button) = stored.get(index) else {
            return Err(part.invalid("index", &format!("{index} names no button of the template.")));
        };
        let kind = kind_of(button);
        if expected_sub_type(&kind) != sub_type {
            let text = format!("buttons: Button at index {index} is of type {kind}, received {sub_type}");
            return Err(GraphError::with_details(132012, text));
        }
        let given = parameters(Some(part))?;
        check_button(index, &kind, &given)?;
        filled[index] = !given.is_empty();
    }
    for (index, button) in stored.iter().enumerate() {
        if needs_parameter(button) && !filled[index] {
            let text =
                format!("buttons: Button at index {index} of type {} requires a parameter", kind_of(button));
            return Err(GraphError::with_details(131008, text));
        }
    }
    Ok(())
}

fn expected_sub_type(kind: &str) -> String {
    match kind {
        "OTP" => "url".to_owned(),
        other => other.to_lowercase(),
    }
}

fn needs_parameter(button: &Value) -> bool {
    match kind_of(button).as_str() {
        "URL" => button["url"].as_str().is_some_and(|url| !variables(url).is_empty()),
        "OTP" | "COPY_CODE" => true,
        _ => false,
    }
}

fn check_button(index: usize, kind: &str, given: &[Params<'_>]) -> Checked<()> {
    if given.len() > 1 {
        return Err(count_mismatch(&format!("buttons: Button at index {index}"), given.len(), 1));
    }
    let Some(parameter) = given.first() else { return Ok(()) };
    match kind {
        "URL" | "OTP" => drop(parameter.text("text", 2000)?),
        "COPY_CODE" => drop(parameter.text("coupon_code", 20)?),
        "QUICK_REPLY" => drop(parameter.text("payload", 256)?),
        _ => {}
    }
    Ok(())
}

fn cards(
    draft: &Draft<'_>,
    named: bool,
    stored: &Value,
    sent: Option<&Params<'_>>,
    failure: &mut Option<Failure>,
) -> Checked<()> {
    let stored = stored["cards"].as_array().map(Vec::as_slice).unwrap_or_default();
    let given = sent.map_or_else(|| Ok(Vec::new()), |carousel| carousel.list("cards", 0, 10))?;
    if given.len() != stored.len() {
        return Err(count_mismatch("carousel cards", given.len(), stored.len()));
    }
    for (card, template) in given.iter().zip(stored) {
        card.number("card_index")?;
        let components = template["components"].as_array().map(Vec::as_slice).unwrap_or_default();
        let shape = Shape { components, named };
        check_part(draft, &shape, &card.list("components", 0, 20)?, failure)?;
    }
    Ok(())
}

fn offer(sent: Option<&Params<'_>>) -> Checked<()> {
    let given = parameters(sent)?;
    let Some(parameter) = given.first() else {
        return Err(count_mismatch("limited_time_offer", 0, 1));
    };
    parameter.child("limited_time_offer")?.number("expiration_time_ms")?;
    Ok(())
}
