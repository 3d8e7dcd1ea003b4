//! Interactive messages: buttons, lists, links, flows, location requests, products. Pure.

use super::interactive_params::{
    ChoiceList, FlowButton, Header, InteractiveMessage, LinkButton, ListRow, ProductList, ReplyButton,
};
use super::limits::{self, Checked, wrong};
use super::payload::media_ref;
use serde_json::{Map, Value, json};
use sluice_node_sdk::error::NodeError;

/// Text of a flow button (30 in Meta's OpenAPI file).
const FLOW_BUTTON: usize = 30;

/// The control of a message and what it allows around itself.
struct Control {
    kind: &'static str,
    action: Value,
    header: HeaderRule,
    footer: bool,
    body_required: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum HeaderRule {
    Any,
    TextOnly,
    TextRequired,
    None,
}

/// The object `interactive`.
///
/// # Errors
/// `InvalidParams` with the path of the first value that breaks a limit.
pub(crate) fn content(message: &InteractiveMessage, token: &str) -> Result<Value, NodeError> {
    let control = control(message, token)?;
    let mut content = Map::new();
    content.insert("type".into(), control.kind.into());
    if let Some(header) = header(message.header.as_ref(), control.header)? {
        content.insert("header".into(), header);
    }
    match &message.body {
        Some(body) => {
            limits::text("/body", body, limits::BODY)?;
            content.insert("body".into(), json!({ "text": body }));
        }
        None if control.body_required => {
            return Err(wrong("/body", "missing", "An interactive message needs a `body` text"));
        }
        None => {}
    }
    if let Some(footer) = &message.footer {
        if !control.footer {
            return Err(wrong("/footer", "not_allowed", "This kind of message has no footer"));
        }
        limits::text("/footer", footer, limits::FOOTER)?;
        content.insert("footer".into(), json!({ "text": footer }));
    }
    content.insert("action".into(), control.action);
    Ok(Value::Object(content))
}

const CONTROLS: &str =
    "`buttons`, `list`, `cta`, `flow`, `location_request`, `product`, `products` and `catalog`";

fn control(message: &InteractiveMessage, token: &str) -> Result<Control, NodeError> {
    let given = [
        message.buttons.is_some(),
        message.list.is_some(),
        message.cta.is_some(),
        message.flow.is_some(),
        message.location_request,
        message.product.is_some(),
        message.products.is_some(),
        message.catalog.is_some(),
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        let code = if given.contains(&true) { "too_many_controls" } else { "missing" };
        return Err(wrong("", code, format!("Give exactly one of {CONTROLS}")));
    }
    let with = |kind, action, header| Control { kind, action, header, footer: true, body_required: true };
    Ok(if let Some(buttons) = &message.buttons {
        with("button", reply_buttons(buttons)?, HeaderRule::Any)
    } else if let Some(list) = &message.list {
        with("list", choices(list)?, HeaderRule::TextOnly)
    } else if let Some(cta) = &message.cta {
        with("cta_url", link_button(cta)?, HeaderRule::Any)
    } else if let Some(flow) = &message.flow {
        with("flow", flow_button(flow, token)?, HeaderRule::Any)
    } else if message.location_request {
        let action = json!({ "name": "send_location" });
        Control { footer: false, ..with("location_request_message", action, HeaderRule::None) }
    } else if let Some(product) = &message.product {
        limits::text("/product/catalog_id", &product.catalog_id, 64)?;
        limits::text("/product/product_retailer_id", &product.product_retailer_id, 200)?;
        let action = json!({
            "catalog_id": product.catalog_id, "product_retailer_id": product.product_retailer_id
        });
        Control { body_required: false, ..with("product", action, HeaderRule::None) }
    } else if let Some(products) = &message.products {
        with("product_list", product_list(products)?, HeaderRule::TextRequired)
    } else {
        let thumbnail =
            message.catalog.as_ref().and_then(|catalog| catalog.thumbnail_product_retailer_id.as_ref());
        let mut action = json!({ "name": "catalog_message" });
        if let Some(product) = thumbnail {
            action["parameters"] = json!({ "thumbnail_product_retailer_id": product });
        }
        with("catalog_message", action, HeaderRule::None)
    })
}

fn header(header: Option<&Header>, rule: HeaderRule) -> Result<Option<Value>, NodeError> {
    let Some(header) = header else {
        if rule == HeaderRule::TextRequired {
            return Err(wrong("/header/text", "missing", "A product list needs a text header"));
        }
        return Ok(None);
    };
    if rule == HeaderRule::None {
        return Err(wrong("/header", "not_allowed", "This kind of message has no header"));
    }
    let media = [("image", &header.image), ("video", &header.video), ("document", &header.document)];
    let given =
        media.iter().filter(|(_, media)| media.is_some()).count() + usize::from(header.text.is_some());
    if given != 1 {
        let message = "Give exactly one of `text`, `image`, `video` and `document`";
        return Err(wrong("/header", "invalid_header", message));
    }
    if let Some(text) = &header.text {
        limits::text("/header/text", text, limits::HEADER)?;
        return Ok(Some(json!({ "type": "text", "text": text })));
    }
    if rule != HeaderRule::Any {
        return Err(wrong("/header", "not_allowed", "This kind of message allows only a text header"));
    }
    for (kind, media) in media {
        if let Some(media) = media {
            let mut header = json!({ "type": kind });
            header[kind] = media_ref(&format!("/header/{kind}"), media)?;
            return Ok(Some(header));
        }
    }
    Ok(None)
}

fn button_title(path: &str, title: &str, max: usize) -> Checked {
    limits::text(path, title, max)?;
    limits::no_markdown(path, title)?;
    limits::no_emoji(path, title)
}

fn reply_buttons(buttons: &[ReplyButton]) -> Result<Value, NodeError> {
    limits::count("/buttons", buttons.len(), 1, limits::BUTTONS)?;
    for (index, button) in buttons.iter().enumerate() {
        button_title(&format!("/buttons/{index}/title"), &button.title, limits::BUTTON_TITLE)?;
        limits::maybe(&format!("/buttons/{index}/id"), button.id.as_deref(), limits::BUTTON_ID)?;
    }
    limits::unique(buttons.iter().map(|button| button.title.as_str()), |index| {
        format!("/buttons/{index}/title")
    })?;
    let id = |button: &ReplyButton| button.id.clone().unwrap_or_else(|| button.title.clone());
    let ids: Vec<String> = buttons.iter().map(id).collect();
    limits::unique(ids.iter().map(String::as_str), |index| format!("/buttons/{index}/id"))?;
    let wire = buttons.iter().zip(&ids);
    let wire: Vec<Value> = wire
        .map(|(button, id)| json!({ "type": "reply", "reply": { "id": id, "title": button.title } }))
        .collect();
    Ok(json!({ "buttons": wire }))
}

fn choices(list: &ChoiceList) -> Result<Value, NodeError> {
    limits::text("/list/button", &list.button, limits::BUTTON_TITLE)?;
    limits::no_markdown("/list/button", &list.button)?;
    limits::count("/list/sections", list.sections.len(), 1, limits::SECTIONS)?;
    let mut ids = Vec::new();
    let mut sections = Vec::new();
    for (at, section) in list.sections.iter().enumerate() {
        let path = format!("/list/sections/{at}");
        let mut wire = section_title(&path, section.title.as_deref(), list.sections.len())?;
        limits::count(&format!("{path}/rows"), section.rows.len(), 1, limits::ROWS)?;
        let mut rows = Vec::new();
        for (index, row) in section.rows.iter().enumerate() {
            let path = format!("{path}/rows/{index}");
            let id = row.id.as_deref().unwrap_or(&row.title);
            rows.push(list_row(&path, row, id)?);
            ids.push((id, format!("{path}/id")));
        }
        wire.insert("rows".into(), rows.into());
        sections.push(Value::Object(wire));
    }
    limits::count("/list/sections", ids.len(), 1, limits::ROWS).map_err(|_| {
        wrong("/list/sections", "too_many", format!("A list has at most {} rows in all", limits::ROWS))
    })?;
    limits::unique(ids.iter().map(|(id, _)| *id), |index| ids[index].1.clone())?;
    Ok(json!({ "button": list.button, "sections": sections }))
}

fn section_title(path: &str, title: Option<&str>, sections: usize) -> Result<Map<String, Value>, NodeError> {
    let path = format!("{path}/title");
    limits::maybe(&path, title, limits::ROW_TITLE)?;
    if title.is_none() && sections > 1 {
        return Err(wrong(&path, "missing", "Every section needs a title when there is more than one"));
    }
    Ok(title.into_iter().map(|title| ("title".to_owned(), title.into())).collect())
}

fn list_row(path: &str, row: &ListRow, id: &str) -> Result<Value, NodeError> {
    limits::text(&format!("{path}/title"), &row.title, limits::ROW_TITLE)?;
    limits::no_markdown(&format!("{path}/title"), &row.title)?;
    limits::text(&format!("{path}/id"), id, limits::ROW_ID)?;
    limits::maybe(&format!("{path}/description"), row.description.as_deref(), limits::ROW_DESCRIPTION)?;
    let mut wire = json!({ "id": id, "title": row.title });
    if let Some(description) = &row.description {
        wire["description"] = description.as_str().into();
    }
    Ok(wire)
}

fn link_button(cta: &LinkButton) -> Result<Value, NodeError> {
    limits::text("/cta/text", &cta.text, limits::BUTTON_TITLE)?;
    limits::link("/cta/url", &cta.url)?;
    Ok(json!({ "name": "cta_url", "parameters": { "display_text": cta.text, "url": cta.url } }))
}

fn flow_button(flow: &FlowButton, token: &str) -> Result<Value, NodeError> {
    button_title("/flow/text", &flow.text, FLOW_BUTTON)?;
    let mut parameters = Map::new();
    parameters.insert("flow_message_version".into(), "3".into());
    match (&flow.id, &flow.name) {
        (Some(id), None) => parameters.insert("flow_id".into(), id.as_str().into()),
        (None, Some(name)) => parameters.insert("flow_name".into(), name.as_str().into()),
        _ => return Err(wrong("/flow/id", "missing", "Give the flow's `id` or its `name`")),
    };
    parameters.insert("flow_cta".into(), flow.text.as_str().into());
    parameters.insert("flow_token".into(), flow.token.as_deref().unwrap_or(token).into());
    if flow.draft {
        parameters.insert("mode".into(), "draft".into());
    }
    if flow.data_exchange {
        if flow.screen.is_some() || flow.data.is_some() {
            let message =
                "A flow that asks its server gets its first screen from there; leave out `screen` and `data`";
            return Err(wrong("/flow/screen", "not_allowed", message));
        }
        parameters.insert("flow_action".into(), "data_exchange".into());
    } else if flow.screen.is_some() || flow.data.is_some() {
        let mut start = Map::new();
        if let Some(screen) = &flow.screen {
            start.insert("screen".into(), screen.as_str().into());
        }
        if let Some(data) = &flow.data {
            limits::count("/flow/data", data.len(), 1, usize::MAX)?;
            start.insert("data".into(), Value::Object(data.clone()));
        }
        parameters.insert("flow_action".into(), "navigate".into());
        parameters.insert("flow_action_payload".into(), Value::Object(start));
    }
    Ok(json!({ "name": "flow", "parameters": parameters }))
}

fn product_list(list: &ProductList) -> Result<Value, NodeError> {
    limits::text("/products/catalog_id", &list.catalog_id, 64)?;
    limits::count("/products/sections", list.sections.len(), 1, limits::SECTIONS)?;
    let mut sections = Vec::new();
    let mut total = 0;
    for (at, section) in list.sections.iter().enumerate() {
        let path = format!("/products/sections/{at}");
        let mut wire = section_title(&path, section.title.as_deref(), list.sections.len())?;
        total += section.products.len();
        limits::count(&format!("{path}/products"), section.products.len(), 1, limits::PRODUCTS)?;
        let items: Vec<Value> =
            section.products.iter().map(|id| json!({ "product_retailer_id": id })).collect();
        wire.insert("product_items".into(), items.into());
        sections.push(Value::Object(wire));
    }
    limits::count("/products/sections", total, 1, limits::PRODUCTS)?;
    Ok(json!({ "catalog_id": list.catalog_id, "sections": sections }))
}
