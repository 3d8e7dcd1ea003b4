//! From a message as people write it to the body of `POST /{number}/messages`, checked against every
//! documented limit on the way. Pure: no HTTP, no records, no clock.

use super::interactive_params::MediaRef;
use super::limits::{self, Checked, wrong};
use super::message::{
    AudioMessage, DocumentMessage, MediaMessage, MediaSource, Message, Place, ReactionMessage,
    StickerMessage, TextMessage,
};
use super::{interactive, template};
use serde_json::{Map, Value, json};
use sluice_node_sdk::error::NodeError;

/// What a message needs from its surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings<'a> {
    /// Media id of the file that was uploaded for this message.
    pub(crate) uploaded: Option<&'a str>,
    /// The message that the item is about; reactions go to it by default.
    pub(crate) current_message: Option<&'a str>,
    /// Flow token when the message gives none.
    pub(crate) token: &'a str,
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A phone number or WhatsApp id, as given.
    Phone(String),
    /// A business-scoped user id.
    User(String),
    /// A group.
    Group(String),
}

impl Recipient {
    /// Reads a recipient: digits with the usual separators, or a user id such as `US.1349…`.
    ///
    /// # Errors
    /// `InvalidParams` at `/to`.
    pub(crate) fn parse(text: &str) -> Result<Self, NodeError> {
        let text = text.trim();
        let user = text.split_once('.').is_some_and(|(country, id)| {
            country.len() == 2
                && country.chars().all(|c| c.is_ascii_uppercase())
                && !id.is_empty()
                && id.len() <= 128
                && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
        });
        if user {
            return Ok(Self::User(text.to_owned()));
        }
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let shape = text
            .chars()
            .enumerate()
            .all(|(at, c)| c.is_ascii_digit() || matches!(c, '-' | '(' | ')' | ' ') || (c == '+' && at == 0));
        if shape && (5..=15).contains(&digits) {
            return Ok(Self::Phone(text.to_owned()));
        }
        let message = format!("`{text}` is no phone number; write it with country code, as in +919876543210");
        Err(wrong("/to", "invalid_recipient", message))
    }
}

/// The whole body of the request.
///
/// # Errors
/// `InvalidParams` with the path of the first value that breaks a limit.
pub(crate) fn body(
    message: &Message,
    recipient: &Recipient,
    reply_to: Option<&str>,
    callback_data: &str,
    around: Surroundings<'_>,
) -> Result<Value, NodeError> {
    let mut body = Map::new();
    body.insert("messaging_product".into(), "whatsapp".into());
    match recipient {
        Recipient::Phone(phone) => {
            body.insert("recipient_type".into(), "individual".into());
            body.insert("to".into(), phone.as_str().into());
        }
        Recipient::User(id) => {
            body.insert("recipient_type".into(), "individual".into());
            body.insert("recipient".into(), id.as_str().into());
        }
        Recipient::Group(id) => {
            body.insert("recipient_type".into(), "group".into());
            body.insert("to".into(), id.as_str().into());
        }
    }
    body.insert("type".into(), message.kind().into());
    body.insert(message.kind().into(), content(message, around)?);
    if let Some(id) = reply_to {
        if matches!(message, Message::Reaction(_)) {
            let message = "A reaction cannot quote; set `message_id` in place of `reply_to`";
            return Err(wrong("/reply_to", "reply_not_allowed", message));
        }
        limits::text("/reply_to", id, 128)?;
        body.insert("context".into(), json!({ "message_id": id }));
    }
    limits::at_most("/effect_id", callback_data, limits::CALLBACK_DATA)?;
    body.insert("biz_opaque_callback_data".into(), callback_data.into());
    Ok(Value::Object(body))
}

fn content(message: &Message, around: Surroundings<'_>) -> Result<Value, NodeError> {
    match message {
        Message::Text(text) => plain_text(text),
        Message::Image(media) | Message::Video(media) => picture(media, around),
        Message::Document(document) => paper(document, around),
        Message::Audio(audio) => sound(audio, around),
        Message::Sticker(sticker) => label(sticker, around),
        Message::Location(place) => location("", place),
        Message::Contacts(cards) => contacts(&cards.contacts),
        Message::Reaction(reaction) => react(reaction, around),
        Message::Interactive(message) => interactive::content(message, around.token),
        Message::Template(message) => template::content(message),
    }
}

fn plain_text(message: &TextMessage) -> Result<Value, NodeError> {
    limits::text("/text", &message.text, limits::TEXT)?;
    Ok(json!({ "body": message.text, "preview_url": message.preview_url }))
}

/// `{ "id" }` or `{ "link" }`.
fn source(source: &MediaSource<'_>, around: Surroundings<'_>) -> Result<Map<String, Value>, NodeError> {
    let given = [source.link, source.id, source.file].iter().flatten().count();
    if given != 1 {
        let message = "Give exactly one of `link`, `id` and `file`";
        return Err(wrong("/link", "media_source", message));
    }
    let mut map = Map::new();
    if let Some(link) = source.link {
        limits::link("/link", link)?;
        map.insert("link".into(), link.into());
    } else if let Some(id) = source.id {
        limits::text("/id", id, 128)?;
        map.insert("id".into(), id.into());
    } else {
        // Before the upload only the rest of the message is checked; the id is filled in after it.
        map.insert("id".into(), around.uploaded.unwrap_or_default().into());
    }
    Ok(map)
}

fn picture(media: &MediaMessage, around: Surroundings<'_>) -> Result<Value, NodeError> {
    let from =
        MediaSource { link: media.link.as_deref(), id: media.id.as_deref(), file: media.file.as_deref() };
    let mut map = source(&from, around)?;
    caption(&mut map, media.caption.as_deref())?;
    Ok(Value::Object(map))
}

fn paper(media: &DocumentMessage, around: Surroundings<'_>) -> Result<Value, NodeError> {
    let from =
        MediaSource { link: media.link.as_deref(), id: media.id.as_deref(), file: media.file.as_deref() };
    let mut map = source(&from, around)?;
    caption(&mut map, media.caption.as_deref())?;
    if let Some(name) = &media.filename {
        limits::text("/filename", name, 240)?;
        map.insert("filename".into(), name.as_str().into());
    }
    Ok(Value::Object(map))
}

fn sound(media: &AudioMessage, around: Surroundings<'_>) -> Result<Value, NodeError> {
    let from =
        MediaSource { link: media.link.as_deref(), id: media.id.as_deref(), file: media.file.as_deref() };
    let mut map = source(&from, around)?;
    if media.voice {
        map.insert("voice".into(), true.into());
    }
    Ok(Value::Object(map))
}

fn label(media: &StickerMessage, around: Surroundings<'_>) -> Result<Value, NodeError> {
    let from =
        MediaSource { link: media.link.as_deref(), id: media.id.as_deref(), file: media.file.as_deref() };
    Ok(Value::Object(source(&from, around)?))
}

fn caption(map: &mut Map<String, Value>, caption: Option<&str>) -> Checked {
    if let Some(caption) = caption.filter(|caption| !caption.is_empty()) {
        limits::at_most("/caption", caption, limits::CAPTION)?;
        map.insert("caption".into(), caption.into());
    }
    Ok(())
}

/// A place on the wire; `base` is where it stands in the parameters.
pub(crate) fn location(base: &str, place: &Place) -> Result<Value, NodeError> {
    let within = |name: &str, value: f64, limit: f64| {
        if value.is_finite() && value.abs() <= limit {
            return Ok(());
        }
        let message = format!("`{name}` must be between -{limit} and {limit} degrees");
        Err(wrong(&format!("{base}/{name}"), "out_of_range", message))
    };
    within("latitude", place.latitude, 90.0)?;
    within("longitude", place.longitude, 180.0)?;
    if place.address.is_some() && place.name.is_none() {
        let message = "WhatsApp shows an address only together with a name; add `name`";
        return Err(wrong(&format!("{base}/name"), "missing", message));
    }
    let mut map = Map::new();
    map.insert("latitude".into(), place.latitude.into());
    map.insert("longitude".into(), place.longitude.into());
    for (key, value) in [("name", &place.name), ("address", &place.address)] {
        if let Some(value) = value {
            limits::text(&format!("{base}/{key}"), value, 1000)?;
            map.insert(key.into(), value.as_str().into());
        }
    }
    Ok(Value::Object(map))
}

/// Contact cards: `formatted_name` and at least one other part of the name.
fn contacts(cards: &[Map<String, Value>]) -> Result<Value, NodeError> {
    limits::count("/contacts", cards.len(), 1, limits::CONTACTS)?;
    for (index, card) in cards.iter().enumerate() {
        let part = |name: &str| {
            card.get("name").and_then(|parts| parts.get(name)).and_then(Value::as_str).unwrap_or_default()
        };
        let path = format!("/contacts/{index}/name");
        limits::text(&format!("{path}/formatted_name"), part("formatted_name"), 1000)?;
        let others = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        if others.iter().all(|name| part(name).is_empty()) {
            let message =
                "A contact needs a further part of the name beside `formatted_name`, such as `first_name`";
            return Err(wrong(&path, "missing", message));
        }
        if let Some(birthday) = card.get("birthday") {
            let date = birthday.as_str().and_then(|text| text.parse::<jiff::civil::Date>().ok());
            if date.is_none() || birthday.as_str().map(str::len) != Some(10) {
                let path = format!("/contacts/{index}/birthday");
                return Err(wrong(&path, "invalid_date", "A birthday is written YYYY-MM-DD"));
            }
        }
    }
    Ok(Value::Array(cards.iter().cloned().map(Value::Object).collect()))
}

fn react(reaction: &ReactionMessage, around: Surroundings<'_>) -> Result<Value, NodeError> {
    let Some(id) = reaction.message_id.as_deref().or(around.current_message) else {
        let message = "There is no message to react to; set `message_id`";
        return Err(wrong("/message_id", "missing", message));
    };
    limits::text("/message_id", id, 128)?;
    // An emoji can be made of many characters (families, flags); longer than this it is text.
    if reaction.emoji.chars().count() > 12 || reaction.emoji.chars().any(char::is_alphabetic) {
        return Err(wrong("/emoji", "invalid_emoji", "A reaction is one emoji, or empty to take it back"));
    }
    Ok(json!({ "message_id": id, "emoji": reaction.emoji }))
}

/// A file by address or id, as a header carries it.
pub(crate) fn media_ref(path: &str, media: &MediaRef) -> Result<Value, NodeError> {
    let mut map = Map::new();
    match (&media.link, &media.id) {
        (Some(link), None) => {
            limits::link(&format!("{path}/link"), link)?;
            map.insert("link".into(), link.as_str().into());
        }
        (None, Some(id)) => {
            limits::text(&format!("{path}/id"), id, 128)?;
            map.insert("id".into(), id.as_str().into());
        }
        _ => return Err(wrong(path, "media_source", format!("`{path}`: give `link` or `id`"))),
    }
    if let Some(name) = &media.filename {
        map.insert("filename".into(), name.as_str().into());
    }
    Ok(Value::Object(map))
}
