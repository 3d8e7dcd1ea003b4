//! Checks of interactive messages: buttons, lists, links, flows, products, carousels and requests.
//!
//! It must not know recipients. Limits: Meta's interactive-message pages; where two pages differ, the smaller figure holds.

use super::content::source;
use super::{Content, Draft};
use crate::whatsapp::error::{Checked, GraphError};
use crate::whatsapp::params::{Params, Style};
use crate::whatsapp::statuses::Failure;
use std::collections::HashSet;

const BODY: usize = 1024;
const FOOTER: usize = 60;
const HEADER: usize = 60;
const LABEL: usize = 20;
const MEDIA: &[&str] = &["text", "image", "video", "document"];

/// What a sub-type allows around its action.
struct Frame {
    /// Header types; empty means none.
    headers: &'static [&'static str],
    header_required: bool,
    body_required: bool,
    footer: bool,
}

fn frame(kind: &str) -> Option<Frame> {
    let (headers, header_required, body_required, footer): (&[&str], _, _, _) = match kind {
        "button" | "cta_url" | "flow" | "order_details" => (MEDIA, false, true, true),
        "list" => (&["text"], false, true, true),
        "product" => (&[], false, false, true),
        "product_list" => (&["text"], true, true, true),
        "catalog_message" => (&[], false, true, true),
        "location_request_message" | "carousel" => (&[], false, true, false),
        "call_permission_request" | "voice_call" | "order_status" | "request_contact_info" => {
            (&[], false, false, true)
        }
        "address_message" => (MEDIA, false, true, true),
        _ => return None,
    };
    Some(Frame { headers, header_required, body_required, footer })
}

pub(super) fn check(draft: &Draft<'_>) -> Checked<Content> {
    let message = Params::of(draft.body, "interactive", Style::WhatsApp)?;
    message.only(&["type", "header", "body", "footer", "action"])?;
    let kind = message.text("type", 64)?;
    let Some(frame) = frame(kind) else {
        return Err(GraphError::with_details(131009, format!("Unknown interactive type \"{kind}\".")));
    };
    let failure = header(draft, &message, &frame)?;
    match message.optional_child("body")? {
        Some(body) => drop(body.text("text", BODY)?),
        None if frame.body_required => return Err(message.missing("body")),
        None => {}
    }
    if let Some(footer) = message.optional_child("footer")? {
        if !frame.footer {
            return Err(message.invalid("footer", &format!("is not allowed for type {kind}.")));
        }
        footer.text("text", FOOTER)?;
    }
    let action = message.child("action")?;
    let card_failure = match kind {
        "button" => buttons(&action).map(|()| None),
        "list" => list(&action).map(|()| None),
        "cta_url" => cta_url(&action).map(|()| None),
        "carousel" => carousel(draft, &action),
        _ => other(kind, &action).map(|()| None),
    }?;
    Ok(Content { failure: failure.or(card_failure), ..Content::default() })
}

fn header(draft: &Draft<'_>, message: &Params<'_>, frame: &Frame) -> Checked<Option<Failure>> {
    let Some(header) = message.optional_child("header")? else {
        return if frame.header_required { Err(message.missing("header")) } else { Ok(None) };
    };
    if frame.headers.is_empty() {
        return Err(message.invalid("header", "is not allowed for this type."));
    }
    match header.one_of("type", frame.headers)? {
        "text" => header.text("text", HEADER).map(|_| None),
        kind => source(draft, &header.child(kind)?, kind, false),
    }
}

fn buttons(action: &Params<'_>) -> Checked<()> {
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in action.list("buttons", 1, 3)? {
        button.one_of("type", &["reply"])?;
        let reply = button.child("reply")?;
        if !ids.insert(reply.text("id", 256)?) {
            return Err(reply.invalid("id", "is used by another button."));
        }
        if !titles.insert(reply.text("title", LABEL)?) {
            return Err(reply.invalid("title", "is used by another button."));
        }
    }
    Ok(())
}

fn list(action: &Params<'_>) -> Checked<()> {
    action.text("button", LABEL)?;
    let sections = action.list("sections", 1, 10)?;
    let mut ids = HashSet::new();
    for section in &sections {
        if sections.len() > 1 {
            section.text("title", 24)?;
        }
        section.optional_text("title", 24)?;
        for row in section.list("rows", 1, 10)? {
            row.only(&["id", "title", "description"])?;
            row.text("title", 24)?;
            row.optional_text("description", 72)?;
            if !ids.insert(row.text("id", 200)?) {
                return Err(row.invalid("id", "is used by another row."));
            }
        }
    }
    if ids.len() > 10 {
        let text = format!("Total row count exceed max allowed count: 10. Got {}.", ids.len());
        return Err(GraphError::with_details(131009, text));
    }
    Ok(())
}

fn cta_url(action: &Params<'_>) -> Checked<()> {
    action.one_of("name", &["cta_url"])?;
    let link = action.child("parameters")?;
    link.text("display_text", LABEL)?;
    let url = link.text("url", 2000)?;
    let good = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if good { Ok(()) } else { Err(link.invalid("url", "is not a valid URL.")) }
}

fn carousel(draft: &Draft<'_>, action: &Params<'_>) -> Checked<Option<Failure>> {
    let cards = action.list("cards", 2, 10)?;
    let mut failure = None;
    let mut kinds = HashSet::new();
    for (position, card) in cards.iter().enumerate() {
        if card.number("card_index")? != position as f64 {
            return Err(card.invalid("card_index", "must count up from 0."));
        }
        let kind = card.one_of("type", &["cta_url", "product"])?;
        kinds.insert(kind);
        if let Some(body) = card.optional_child("body")? {
            let text = body.text("text", 160)?;
            if text.matches('\n').count() > 2 {
                return Err(body.invalid("text", "must have at most 2 line breaks."));
            }
        }
        let card_action = card.child("action")?;
        if kind == "cta_url" {
            let header = card.child("header")?;
            let media = header.one_of("type", &["image", "video"])?;
            failure = source(draft, &header.child(media)?, media, false)?.or(failure);
            cta_url(&card_action)?;
        } else {
            card_action.text("product_retailer_id", 1000)?;
            card_action.text("catalog_id", 1000)?;
        }
    }
    if kinds.len() > 1 {
        return Err(action.invalid("cards", "must all have the same type."));
    }
    Ok(failure)
}

fn other(kind: &str, action: &Params<'_>) -> Checked<()> {
    match kind {
        "location_request_message" => drop(action.one_of("name", &["send_location"])?),
        "flow" => flow(action)?,
        "product" => {
            action.text("catalog_id", 1000)?;
            action.text("product_retailer_id", 1000)?;
        }
        "product_list" => product_list(action)?,
        "address_message" => {
            action.one_of("name", &["address_message"])?;
            action.child("parameters")?.text("country", 2)?;
        }
        "voice_call" => {
            action.one_of("name", &["voice_call"])?;
            if let Some(parameters) = action.optional_child("parameters")? {
                parameters.optional_text("display_text", LABEL)?;
            }
        }
        "order_details" => drop(action.one_of("name", &["review_and_pay"])?),
        "order_status" => drop(action.one_of("name", &["review_order"])?),
        named => drop(action.one_of("name", &[named])?),
    }
    Ok(())
}

fn product_list(action: &Params<'_>) -> Checked<()> {
    action.text("catalog_id", 1000)?;
    let mut products = 0;
    for section in action.list("sections", 1, 10)? {
        section.optional_text("title", 24)?;
        for item in section.list("product_items", 1, 30)? {
            item.text("product_retailer_id", 1000)?;
            products += 1;
        }
    }
    if products > 30 {
        return Err(action.invalid("sections", "must have at most 30 products in all."));
    }
    Ok(())
}

/// Rules: Meta's sending-a-flow page.
fn flow(action: &Params<'_>) -> Checked<()> {
    action.one_of("name", &["flow"])?;
    let flow = action.child("parameters")?;
    flow.one_of("flow_message_version", &["3"])?;
    flow.text("flow_cta", 30)?;
    match (flow.get("flow_id").is_some(), flow.get("flow_name").is_some()) {
        (false, false) => return Err(flow.missing("flow_id")),
        (true, true) => return Err(flow.invalid("flow_name", "cannot be used together with flow_id.")),
        _ => {}
    }
    if flow.get("flow_action").is_some() {
        flow.one_of("flow_action", &["navigate", "data_exchange"])?;
    }
    if flow.get("mode").is_some() {
        flow.one_of("mode", &["draft", "published"])?;
    }
    if let Some(payload) = flow.optional_child("flow_action_payload")? {
        if payload.fields().is_empty() {
            return Err(flow.invalid("flow_action_payload", "must not be empty."));
        }
        payload.text("screen", 1000)?;
    }
    Ok(())
}
