//! Checks of the plain message types: text, media, location, contacts, reaction.
//!
//! It must not know recipients. Limits: Meta's pages on each message type.

use super::{Content, Draft};
use crate::whatsapp::error::{Checked, GraphError};
use crate::whatsapp::media;
use crate::whatsapp::messages::Message;
use crate::whatsapp::params::{Params, Style};
use crate::whatsapp::statuses::Failure;
use serde_json::Value;

/// Characters of a caption.
const CAPTION: usize = 1024;
/// Reactions only reach messages of the last 30 days.
const REACTABLE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

pub(super) fn text(draft: &Draft<'_>) -> Checked<Content> {
    let text = Params::of(draft.body, "text", Style::Graph)?;
    text.only(&["body", "preview_url"])?;
    text.text("body", 4096)?;
    if text.get("preview_url").is_some_and(|value| !value.is_boolean()) {
        return Err(text.invalid("preview_url", "must be a boolean."));
    }
    Ok(Content::default())
}

pub(super) fn media(draft: &Draft<'_>, kind: &str) -> Checked<Content> {
    let object = Params::of(draft.body, kind, Style::Graph)?;
    let extra: &[&str] = match kind {
        "document" => &["id", "link", "caption", "filename"],
        "audio" => &["id", "link", "voice"],
        "sticker" => &["id", "link"],
        _ => &["id", "link", "caption"],
    };
    object.only(extra)?;
    object.optional_text("caption", CAPTION)?;
    object.optional_text("filename", 240)?;
    let voice = object.get("voice").and_then(Value::as_bool).unwrap_or(false);
    let failure = source(draft, &object, kind, voice)?;
    Ok(Content { voice, failure, ..Content::default() })
}

/// Checks `id` or `link` of a media object. A file of the wrong kind is accepted and fails later, as with Meta.
pub(super) fn source(
    draft: &Draft<'_>,
    object: &Params<'_>,
    kind: &str,
    voice: bool,
) -> Checked<Option<Failure>> {
    let link = object.optional_text("link", 4096)?;
    let id = match object.get("id") {
        Some(Value::Number(n)) => Some(n.to_string()),
        _ => object.optional_text("id", 200)?.map(str::to_owned),
    };
    match (id, link) {
        (None, None) => Err(object.missing("id")),
        (Some(_), Some(_)) => Err(object.invalid("link", "cannot be used together with id.")),
        (None, Some(link)) => {
            let good = url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if good { Ok(None) } else { Err(object.invalid("link", "is not a valid URL.")) }
        }
        (Some(id), None) => uploaded(draft, &id, kind, voice),
    }
}

fn uploaded(draft: &Draft<'_>, id: &str, kind: &str, voice: bool) -> Checked<Option<Failure>> {
    let found = media::find(draft.wa, id).filter(|file| file.phone_number_id == draft.number.phone_number_id);
    let Some(file) = found else {
        return Err(GraphError::with_details(
            131009,
            format!("Media ID '{id}' does not exist or has expired."),
        ));
    };
    if !file.suits(kind) || (voice && file.essence() != "audio/ogg") {
        let text = format!("Unsupported {kind} mime type {}.", file.mime_type);
        return Ok(Some(Failure::of(131053, &text)));
    }
    Ok(None)
}

pub(super) fn location(draft: &Draft<'_>) -> Checked<Content> {
    let place = Params::of(draft.body, "location", Style::Graph)?;
    place.only(&["latitude", "longitude", "name", "address"])?;
    for (key, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
        if place.number(key)?.abs() > limit {
            return Err(place.invalid(key, &format!("must be between -{limit} and {limit}.")));
        }
    }
    place.optional_text("name", 1000)?;
    place.optional_text("address", 1000)?;
    Ok(Content::default())
}

pub(super) fn contacts(draft: &Draft<'_>) -> Checked<Content> {
    const PARTS: [&str; 5] = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
    let root = Params::new(draft.body, "", Style::Graph);
    for contact in root.list("contacts", 1, 257)? {
        contact.only(&["name", "phones", "emails", "addresses", "urls", "org", "birthday"])?;
        let name = contact.child("name")?;
        name.text("formatted_name", 1000)?;
        if !PARTS.iter().any(|part| name.get(part).is_some()) {
            let text = "At least one more part of the name is required besides formatted_name.";
            return Err(GraphError::with_details(131009, text));
        }
        if let Some(birthday) = contact.optional_text("birthday", 40)?
            && birthday.parse::<jiff::civil::Date>().is_err()
        {
            return Err(contact.invalid("birthday", "must be a date in the form YYYY-MM-DD."));
        }
        for key in ["phones", "emails", "addresses", "urls"] {
            if contact.get(key).is_some() {
                contact.list(key, 0, 1000)?;
            }
        }
    }
    Ok(Content::default())
}

pub(super) fn reaction(draft: &Draft<'_>) -> Checked<Content> {
    let reaction = Params::of(draft.body, "reaction", Style::Graph)?;
    reaction.only(&["message_id", "emoji"])?;
    let target = reaction.text("message_id", 256)?;
    reaction.required("emoji")?;
    let emoji = reaction.optional_text("emoji", 32)?.unwrap_or_default();
    if !looks_like_one_emoji(emoji) {
        return Err(reaction.invalid("emoji", "must be a single emoji or an empty string."));
    }
    // A target that the sandbox does not know may belong to a conversation before its start.
    let stale = draft.wa.messages.get(target).is_some_and(|message| unreactable(draft, &message));
    let failure = stale.then(|| Failure::of(131009, "Reaction target is too old or is itself a reaction."));
    Ok(Content { reaction: true, failure, ..Content::default() })
}

fn unreactable(draft: &Draft<'_>, target: &Message) -> bool {
    target.kind == "reaction" || draft.wa.clock.now_ms() - target.at > REACTABLE_MS
}

/// Emoji are sequences, so a full check needs tables; letters and blanks are what callers get wrong. Digits start the keycap
/// emoji and count only with the enclosing mark.
fn looks_like_one_emoji(text: &str) -> bool {
    let keycap = text.ends_with('\u{20e3}');
    text.is_empty()
        || keycap
        || !text.chars().any(|c| c.is_alphanumeric() || c.is_whitespace() || c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::looks_like_one_emoji;

    #[test]
    fn emoji_sequences_pass_and_text_does_not() {
        for good in ["", "👍", "👍🏽", "❤️", "👨‍👩‍👧", "🇮🇳", "1️⃣"] {
            assert!(looks_like_one_emoji(good), "{good}");
        }
        for bad in ["ok", "1", ":)", "👍 👍"] {
            assert!(!looks_like_one_emoji(bad), "{bad}");
        }
    }
}
