//! The parameters of `whatsapp.send`, as people write them. Data only: what they become on the wire is in
//! `payload`, what is allowed in `limits`. Must not know HTTP or records.

use super::interactive_params::InteractiveMessage;
use super::limits;
use super::template_params::TemplateMessage;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sluice_node_sdk::error::NodeError;
use std::borrow::Cow;

/// What every message can say.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addressing {
    /// Who gets it: a phone number with country code, or a WhatsApp user id. Left out: the contact of the
    /// conversation that the item belongs to.
    #[serde(default)]
    pub(crate) to: Option<String>,
    /// The sending number: its phone number id or its display number. Left out: the number of the item's
    /// conversation, else the only number of the workspace.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// The message this one answers (shown as a quote).
    #[serde(default)]
    pub(crate) reply_to: Option<String>,
    /// Credential of kind `whatsapp`. Left out: the one the number was connected with.
    #[serde(default)]
    pub(crate) credential: Option<String>,
}

/// A message by type.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub(crate) enum Message {
    Text(TextMessage),
    Template(Box<TemplateMessage>),
    Image(MediaMessage),
    Video(MediaMessage),
    Document(DocumentMessage),
    Audio(AudioMessage),
    Sticker(StickerMessage),
    Location(Place),
    Contacts(ContactsMessage),
    Reaction(ReactionMessage),
    Interactive(Box<InteractiveMessage>),
}

/// A plain text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextMessage {
    /// The text; `*bold*`, `_italic_` and links work.
    #[schemars(length(min = 1, max = limits::TEXT))]
    pub(crate) text: String,
    /// Show a preview of the first link.
    #[serde(default)]
    pub(crate) preview_url: bool,
}

/// Where the bytes of a media message come from: exactly one of the three.
#[derive(Clone, Debug, Default)]
pub(crate) struct MediaSource<'a> {
    pub(crate) link: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
}

/// A picture or video.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaMessage {
    /// Public address from which WhatsApp fetches the file.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// Id of a file uploaded before.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Name of a file of the item; it is uploaded first.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// Text below.
    #[serde(default)]
    #[schemars(length(max = limits::CAPTION))]
    pub(crate) caption: Option<String>,
}

/// A document.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentMessage {
    /// Public address from which WhatsApp fetches the file.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// Id of a file uploaded before.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Name of a file of the item; it is uploaded first.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// Text below.
    #[serde(default)]
    #[schemars(length(max = limits::CAPTION))]
    pub(crate) caption: Option<String>,
    /// File name shown to the customer; its ending decides the icon.
    #[serde(default)]
    pub(crate) filename: Option<String>,
}

/// A sound.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AudioMessage {
    /// Public address from which WhatsApp fetches the file.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// Id of a file uploaded before.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Name of a file of the item; it is uploaded first.
    #[serde(default)]
    pub(crate) file: Option<String>,
    /// Send as a voice note; must be ogg with opus.
    #[serde(default)]
    pub(crate) voice: bool,
}

/// A sticker (webp).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StickerMessage {
    /// Public address from which WhatsApp fetches the file.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// Id of a file uploaded before.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Name of a file of the item; it is uploaded first.
    #[serde(default)]
    pub(crate) file: Option<String>,
}

/// A place on the map.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Degrees north, -90 to 90.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub(crate) latitude: f64,
    /// Degrees east, -180 to 180.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub(crate) longitude: f64,
    /// Name of the place.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Address; shown only together with a name.
    #[serde(default)]
    pub(crate) address: Option<String>,
}

/// Contact cards.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactsMessage {
    /// The cards, in Meta's form: `name` with `formatted_name` and one more part, `phones`, `emails`, …
    #[schemars(length(min = 1, max = limits::CONTACTS))]
    pub(crate) contacts: Vec<Map<String, Value>>,
}

/// An emoji on a message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReactionMessage {
    /// The message reacted to. Left out: the message of the item.
    #[serde(default)]
    pub(crate) message_id: Option<String>,
    /// One emoji; empty removes an earlier reaction.
    pub(crate) emoji: String,
}

/// The parameters of `whatsapp.send` as they arrive; read with [`SendParams::read`], which knows paths.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct SendParams(pub(crate) Value);

impl SendParams {
    /// Splits addressing from content and reads both.
    ///
    /// # Errors
    /// `InvalidParams` with the path of what is wrong.
    pub(crate) fn read(&self) -> Result<(Addressing, Message), NodeError> {
        let Value::Object(mut content) = self.0.clone() else {
            return Err(limits::wrong("", "invalid_params", "The parameters must be an object"));
        };
        let mut addressing = Map::new();
        for key in ["to", "from", "reply_to", "credential"] {
            if let Some(value) = content.remove(key) {
                addressing.insert(key.to_owned(), value);
            }
        }
        let kind = content.remove("type").unwrap_or_else(|| "text".into());
        let message = Message::read(kind.as_str().unwrap_or_default(), Value::Object(content))?;
        Ok((typed(Value::Object(addressing))?, message))
    }
}

impl Message {
    fn read(kind: &str, content: Value) -> Result<Self, NodeError> {
        Ok(match kind {
            "text" => Self::Text(typed(content)?),
            "template" => Self::Template(typed(content)?),
            "image" => Self::Image(typed(content)?),
            "video" => Self::Video(typed(content)?),
            "document" => Self::Document(typed(content)?),
            "audio" => Self::Audio(typed(content)?),
            "sticker" => Self::Sticker(typed(content)?),
            "location" => Self::Location(typed(content)?),
            "contacts" => Self::Contacts(typed(content)?),
            "reaction" => Self::Reaction(typed(content)?),
            "interactive" => Self::Interactive(typed(content)?),
            other => {
                let message = format!("`{other}` is not a message type");
                return Err(limits::wrong("/type", "unknown_message_type", message));
            }
        })
    }

    /// The value of `type` on the wire.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Template(_) => "template",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Document(_) => "document",
            Self::Audio(_) => "audio",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::Contacts(_) => "contacts",
            Self::Reaction(_) => "reaction",
            Self::Interactive(_) => "interactive",
        }
    }

    /// The file of a media message.
    pub(crate) fn media(&self) -> Option<MediaSource<'_>> {
        let (link, id, file) = match self {
            Self::Image(media) | Self::Video(media) => (&media.link, &media.id, &media.file),
            Self::Document(media) => (&media.link, &media.id, &media.file),
            Self::Audio(media) => (&media.link, &media.id, &media.file),
            Self::Sticker(media) => (&media.link, &media.id, &media.file),
            _ => return None,
        };
        Some(MediaSource { link: link.as_deref(), id: id.as_deref(), file: file.as_deref() })
    }
}

/// Reads a value into its type, naming the path of what is wrong.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, NodeError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = pointer(error.path());
        NodeError::invalid_params(format!("Parameter `{path}`: {}", error.inner())).at(path)
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{key}")),
            _ => {}
        }
    }
    pointer
}

impl JsonSchema for SendParams {
    fn schema_name() -> Cow<'static, str> {
        "WhatsAppSend".into()
    }

    /// One form per message type, each with the addressing fields in front.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let addressing = Addressing::json_schema(generator).to_value();
        let mut schema = Message::json_schema(generator).to_value();
        let shared = addressing["properties"].as_object().cloned().unwrap_or_default();
        for form in schema["oneOf"].as_array_mut().into_iter().flatten() {
            if let Some(properties) = form.get_mut("properties").and_then(Value::as_object_mut) {
                properties.extend(shared.clone());
            }
        }
        schema["type"] = "object".into();
        Schema::try_from(schema).unwrap_or_default()
    }
}
