//! The parameters of interactive messages, as people write them. Data only; see `interactive` for the rules.

use super::limits;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A message with controls: exactly one of `buttons`, `list`, `cta`, `flow`, `location_request`, `product`,
/// `products`, `catalog`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InteractiveMessage {
    /// The text above the controls.
    #[serde(default)]
    #[schemars(length(max = limits::BODY))]
    pub(crate) body: Option<String>,
    /// Above the text.
    #[serde(default)]
    pub(crate) header: Option<Header>,
    /// Small print below.
    #[serde(default)]
    #[schemars(length(max = limits::FOOTER))]
    pub(crate) footer: Option<String>,
    /// Up to three reply buttons.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::BUTTONS))]
    pub(crate) buttons: Option<Vec<ReplyButton>>,
    /// A list to choose from.
    #[serde(default)]
    pub(crate) list: Option<ChoiceList>,
    /// A button that opens a link.
    #[serde(default)]
    pub(crate) cta: Option<LinkButton>,
    /// A button that opens a WhatsApp Flow.
    #[serde(default)]
    pub(crate) flow: Option<FlowButton>,
    /// Ask for the customer's location.
    #[serde(default)]
    pub(crate) location_request: bool,
    /// One product of a catalogue.
    #[serde(default)]
    pub(crate) product: Option<ProductRef>,
    /// Products of a catalogue in sections.
    #[serde(default)]
    pub(crate) products: Option<ProductList>,
    /// A button that opens the catalogue.
    #[serde(default)]
    pub(crate) catalog: Option<CatalogButton>,
}

/// What stands above an interactive message: exactly one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// A line of text.
    #[serde(default)]
    #[schemars(length(max = limits::HEADER))]
    pub(crate) text: Option<String>,
    /// A picture.
    #[serde(default)]
    pub(crate) image: Option<MediaRef>,
    /// A video.
    #[serde(default)]
    pub(crate) video: Option<MediaRef>,
    /// A document.
    #[serde(default)]
    pub(crate) document: Option<MediaRef>,
}

/// A file by address or by id.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaRef {
    /// Public address.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// Id of a file uploaded before.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// File name of a document.
    #[serde(default)]
    pub(crate) filename: Option<String>,
}

/// A reply button.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyButton {
    /// Comes back when it is tapped. Left out: the title.
    #[serde(default)]
    #[schemars(length(max = limits::BUTTON_ID))]
    pub(crate) id: Option<String>,
    /// What the customer sees.
    #[schemars(length(min = 1, max = limits::BUTTON_TITLE))]
    pub(crate) title: String,
}

/// A list of choices.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceList {
    /// Label of the button that opens the list.
    #[schemars(length(min = 1, max = limits::BUTTON_TITLE))]
    pub(crate) button: String,
    /// Groups of rows; ten rows in all.
    #[schemars(length(min = 1, max = limits::SECTIONS))]
    pub(crate) sections: Vec<ListSection>,
}

/// A group of rows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSection {
    /// Needed when there is more than one section.
    #[serde(default)]
    #[schemars(length(max = limits::ROW_TITLE))]
    pub(crate) title: Option<String>,
    /// The rows.
    #[schemars(length(min = 1, max = limits::ROWS))]
    pub(crate) rows: Vec<ListRow>,
}

/// One choice.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRow {
    /// Comes back when it is chosen. Left out: the title.
    #[serde(default)]
    #[schemars(length(max = limits::ROW_ID))]
    pub(crate) id: Option<String>,
    /// What the customer sees.
    #[schemars(length(min = 1, max = limits::ROW_TITLE))]
    pub(crate) title: String,
    /// A second line.
    #[serde(default)]
    #[schemars(length(max = limits::ROW_DESCRIPTION))]
    pub(crate) description: Option<String>,
}

/// A button that opens a link.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkButton {
    /// What the button says.
    #[schemars(length(min = 1, max = limits::BUTTON_TITLE))]
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) url: String,
}

/// A button that opens a WhatsApp Flow. Give `id` or `name`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowButton {
    /// The flow's id.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// The flow's name.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// What the button says.
    #[schemars(length(min = 1, max = limits::BUTTON_TITLE))]
    pub(crate) text: String,
    /// Comes back with the answer. Left out: made from this execution.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// First screen; needed unless the flow asks its server.
    #[serde(default)]
    pub(crate) screen: Option<String>,
    /// Data for the first screen.
    #[serde(default)]
    pub(crate) data: Option<Map<String, Value>>,
    /// The flow asks its own server for the first screen.
    #[serde(default)]
    pub(crate) data_exchange: bool,
    /// Send the draft of the flow (for testing).
    #[serde(default)]
    pub(crate) draft: bool,
}

/// One product of a catalogue.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductRef {
    /// The catalogue.
    pub(crate) catalog_id: String,
    /// The product.
    pub(crate) product_retailer_id: String,
}

/// Products of a catalogue in sections.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductList {
    /// The catalogue.
    pub(crate) catalog_id: String,
    /// Groups of products; 30 products in all.
    #[schemars(length(min = 1, max = limits::SECTIONS))]
    pub(crate) sections: Vec<ProductSection>,
}

/// A group of products.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductSection {
    /// Needed when there is more than one section.
    #[serde(default)]
    #[schemars(length(max = limits::ROW_TITLE))]
    pub(crate) title: Option<String>,
    /// Product ids.
    #[schemars(length(min = 1, max = limits::PRODUCTS))]
    pub(crate) products: Vec<String>,
}

/// A button that opens the catalogue.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogButton {
    /// Product whose picture is shown.
    #[serde(default)]
    pub(crate) thumbnail_product_retailer_id: Option<String>,
}
