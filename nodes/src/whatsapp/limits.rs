//! The limits of WhatsApp messages, as constants and small checks. Lengths are counted in characters
//! (Unicode scalar values), as Meta's pages do. Must not know payloads, HTTP or records.
//!
//! Source: Meta's pages on the Cloud API message types, as of early 2026.

use sluice_node_sdk::error::NodeError;
use std::collections::HashSet;

/// Body of a text message.
pub(crate) const TEXT: usize = 4096;
/// Caption of a media message.
pub(crate) const CAPTION: usize = 1024;
/// Body of an interactive message (a list's may be longer on Meta's newest page; 1,024 is safe everywhere).
pub(crate) const BODY: usize = 1024;
/// Text header and footer of an interactive message.
pub(crate) const HEADER: usize = 60;
/// See [`HEADER`].
pub(crate) const FOOTER: usize = 60;
/// Reply buttons per message.
pub(crate) const BUTTONS: usize = 3;
/// Title of a reply button, label of a list button, text of a link or flow button.
pub(crate) const BUTTON_TITLE: usize = 20;
/// Id of a reply button.
pub(crate) const BUTTON_ID: usize = 256;
/// Sections of a list.
pub(crate) const SECTIONS: usize = 10;
/// Rows of a list, all sections together.
pub(crate) const ROWS: usize = 10;
/// Title of a section and of a row.
pub(crate) const ROW_TITLE: usize = 24;
/// Id of a row.
pub(crate) const ROW_ID: usize = 200;
/// Description of a row.
pub(crate) const ROW_DESCRIPTION: usize = 72;
/// Products of a product list.
pub(crate) const PRODUCTS: usize = 30;
/// Cards of a carousel.
pub(crate) const CARDS: usize = 10;
/// Body of a card.
pub(crate) const CARD_BODY: usize = 160;
/// Contacts in one message.
pub(crate) const CONTACTS: usize = 257;
/// Our own text that comes back in every status.
pub(crate) const CALLBACK_DATA: usize = 512;
/// A text parameter of a template.
pub(crate) const TEMPLATE_TEXT: usize = 1024;
/// A text parameter of a template that is nothing but a body.
pub(crate) const TEMPLATE_BODY_ONLY: usize = 32_768;
/// The code of an authentication template.
pub(crate) const AUTH_CODE: usize = 15;
/// Buttons of a template (index 0 to 9).
pub(crate) const TEMPLATE_BUTTONS: usize = 10;
/// Payload of a template's quick reply; not documented by Meta, this is what is known to work.
pub(crate) const QUICK_REPLY_PAYLOAD: usize = 256;

pub(crate) type Checked = Result<(), NodeError>;

/// An error at a parameter.
pub(crate) fn wrong(path: &str, code: &'static str, message: impl Into<String>) -> NodeError {
    NodeError::invalid_params(message).code(code).at(path)
}

/// Text of 1 to `max` characters.
pub(crate) fn text(path: &str, value: &str, max: usize) -> Checked {
    if value.trim().is_empty() {
        return Err(wrong(path, "empty_text", format!("`{path}` must not be empty")));
    }
    at_most(path, value, max)
}

/// Text of at most `max` characters.
pub(crate) fn at_most(path: &str, value: &str, max: usize) -> Checked {
    let length = value.chars().count();
    if length > max {
        let message = format!("`{path}` has {length} characters; WhatsApp allows {max}. Shorten it");
        return Err(wrong(path, "text_too_long", message));
    }
    Ok(())
}

/// Optional text of 1 to `max` characters.
pub(crate) fn maybe(path: &str, value: Option<&str>, max: usize) -> Checked {
    value.map_or(Ok(()), |value| text(path, value, max))
}

/// A list of `min` to `max` elements.
pub(crate) fn count(path: &str, length: usize, min: usize, max: usize) -> Checked {
    if length < min {
        return Err(wrong(path, "too_few", format!("`{path}` needs at least {min}")));
    }
    if length > max {
        return Err(wrong(path, "too_many", format!("`{path}` has {length}; WhatsApp allows {max}")));
    }
    Ok(())
}

/// No value twice. `path` is where element `index` stands.
pub(crate) fn unique<'a>(
    values: impl IntoIterator<Item = &'a str>,
    path: impl Fn(usize) -> String,
) -> Checked {
    let mut seen = HashSet::new();
    for (index, value) in values.into_iter().enumerate() {
        if !seen.insert(value) {
            let path = path(index);
            let message = format!("`{path}`: `{value}` is used twice; it must be unique");
            return Err(wrong(&path, "not_unique", message));
        }
    }
    Ok(())
}

/// A title on a button or row: no formatting marks around words.
pub(crate) fn no_markdown(path: &str, value: &str) -> Checked {
    let marked = |mark: &str| {
        let mut parts = value.split(mark);
        parts.next();
        // Something that starts and ends at a non-blank, between two marks.
        let inner = parts.next().filter(|_| parts.next().is_some());
        inner.is_some_and(|inner| !inner.is_empty() && inner.trim() == inner)
    };
    if ["*", "~", "`", "__"].iter().any(|mark| marked(mark)) || (value.starts_with('_') && marked("_")) {
        let message = format!("`{path}` has formatting marks; WhatsApp shows none here");
        return Err(wrong(path, "formatting_not_allowed", message));
    }
    Ok(())
}

/// No emoji, as reply-button titles demand.
pub(crate) fn no_emoji(path: &str, value: &str) -> Checked {
    if value.chars().any(is_emoji) {
        let message = format!("`{path}` has an emoji; WhatsApp allows none in a button title");
        return Err(wrong(path, "emoji_not_allowed", message));
    }
    Ok(())
}

/// Whether this character is shown as a picture: pictograph blocks and what turns a character into one.
pub(crate) fn is_emoji(c: char) -> bool {
    matches!(u32::from(c),
        0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B05..=0x2B07 | 0x2B1B..=0x2B1C | 0x2B50 | 0x2B55
        | 0x231A..=0x231B | 0x23E9..=0x23FA | 0x25FB..=0x25FE | 0xFE0F | 0x20E3 | 0xE0020..=0xE007F)
}

/// An address that WhatsApp or a browser will fetch.
pub(crate) fn link(path: &str, value: &str) -> Checked {
    let fine = url::Url::parse(value)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if fine {
        Ok(())
    } else {
        Err(wrong(path, "invalid_url", format!("`{path}` must be a full http:// or https:// address")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_not_bytes() {
        let line = |n: usize| "é".repeat(n);
        assert!(text("/t", &line(20), 20).is_ok());
        assert_eq!(text("/t", &line(21), 20).unwrap_err().code, "text_too_long");
        assert_eq!(text("/t", "  ", 20).unwrap_err().code, "empty_text");
    }

    #[test]
    fn markdown_and_emoji() {
        for title in ["*Yes*", "~no~", "`code`", "_Yes_", "say *it* now"] {
            assert!(no_markdown("/t", title).is_err(), "{title}");
        }
        for title in ["Yes", "3 * 4", "5 * 6 * 7", "snake_case_name", "A*", "~10 min"] {
            assert!(no_markdown("/t", title).is_ok(), "{title}");
        }
        for title in ["Yes 👍", "❤️", "☎ call", "1️⃣"] {
            assert!(no_emoji("/t", title).is_err(), "{title}");
        }
        for title in ["Ja, bitte", "हाँ", "是", "€5 – ok?", "→ next"] {
            assert!(no_emoji("/t", title).is_ok(), "{title}");
        }
    }
}
