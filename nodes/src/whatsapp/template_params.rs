//! The parameters of template messages, as people write them. Data only; see `template` for the rules.

use super::interactive_params::MediaRef;
use super::limits;
use super::message::Place;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An approved template, filled in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateMessage {
    /// Name of the template.
    #[schemars(length(min = 1, max = 512))]
    pub(crate) template: String,
    /// Language code exactly as approved, for example `en_US`.
    pub(crate) language: String,
    /// The header's variable or file.
    #[serde(default)]
    pub(crate) header: Option<TemplateHeader>,
    /// The body's variables: a list in order, or an object by name.
    #[serde(default)]
    pub(crate) body: Option<TemplateValues>,
    /// Buttons that have a variable.
    #[serde(default)]
    #[schemars(length(max = limits::TEMPLATE_BUTTONS))]
    pub(crate) buttons: Vec<TemplateButton>,
    /// For authentication templates: the code, put into body and button.
    #[serde(default)]
    #[schemars(length(max = limits::AUTH_CODE))]
    pub(crate) code: Option<String>,
    /// For carousel templates: the cards in order.
    #[serde(default)]
    #[schemars(length(max = limits::CARDS))]
    pub(crate) cards: Vec<TemplateCard>,
    /// For limited-time offers: when the offer ends (milliseconds since the epoch).
    #[serde(default)]
    pub(crate) offer_ends_at: Option<i64>,
    /// All components in Meta's own form, in place of the fields above.
    #[serde(default)]
    pub(crate) components: Option<Vec<Value>>,
}

/// The header of a template: exactly one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateHeader {
    /// The variable of a text header.
    #[serde(default)]
    #[schemars(length(max = limits::HEADER))]
    pub(crate) text: Option<String>,
    /// A picture.
    #[serde(default)]
    pub(crate) image: Option<MediaRef>,
    /// A video.
    #[serde(default)]
    pub(crate) video: Option<MediaRef>,
    /// A document (PDF).
    #[serde(default)]
    pub(crate) document: Option<MediaRef>,
    /// A place.
    #[serde(default)]
    pub(crate) location: Option<Place>,
}

/// Variables of a template's body. Text and numbers stand for themselves; an object with `type` is passed on
/// in Meta's form (`currency`, `date_time`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum TemplateValues {
    /// In order.
    List(Vec<Value>),
    /// By name.
    Named(BTreeMap<String, Value>),
}

/// A template button with a variable: `index` and exactly one of the others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateButton {
    /// Position in the template, from 0.
    #[schemars(range(min = 0, max = 9))]
    pub(crate) index: u8,
    /// For quick replies: comes back when it is tapped.
    #[serde(default)]
    #[schemars(length(max = limits::QUICK_REPLY_PAYLOAD))]
    pub(crate) payload: Option<String>,
    /// For link buttons: the end of the address.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// For coupon buttons: the code.
    #[serde(default)]
    pub(crate) coupon_code: Option<String>,
    /// For flow buttons: `flow_token`, `flow_action_data`.
    #[serde(default)]
    pub(crate) flow: Option<Map<String, Value>>,
    /// For catalogue and multi-product buttons: the action in Meta's form.
    #[serde(default)]
    pub(crate) catalog: Option<Map<String, Value>>,
}

/// A card of a carousel template.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateCard {
    /// The card's picture or video.
    #[serde(default)]
    pub(crate) header: Option<TemplateHeader>,
    /// The card's variables.
    #[serde(default)]
    pub(crate) body: Option<TemplateValues>,
    /// The card's buttons.
    #[serde(default)]
    pub(crate) buttons: Vec<TemplateButton>,
}
