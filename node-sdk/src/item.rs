//! Items: what flows along edges. A node receives and returns lists of items per port.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A list of items, shared between the nodes that read it.
pub type Items = Arc<Vec<Item>>;

/// One piece of data on its way through a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The data. Usually an object.
    pub json: Arc<Value>,
    /// Files that travel with the data, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Arc<BTreeMap<String, FileRef>>>,
    /// Lineage: the index of the item of this node's input that this item came from. It lets an
    /// expression ask for "the item of node X that led here". `None` means "not one certain item".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
}

impl Item {
    /// An item with no files and no known origin.
    pub fn new(json: impl Into<Value>) -> Self {
        Self { json: Arc::new(json.into()), files: None, from: None }
    }

    /// The same item, marked as made from input item `index`.
    #[must_use]
    pub fn from_input(mut self, index: usize) -> Self {
        self.from = u32::try_from(index).ok();
        self
    }

    /// The same item with a file added under `key`.
    #[must_use]
    pub fn with_file(mut self, key: impl Into<String>, file: FileRef) -> Self {
        let mut files = self.files.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        files.insert(key.into(), file);
        self.files = Some(Arc::new(files));
        self
    }

    /// The file stored under `key`.
    pub fn file(&self, key: &str) -> Option<&FileRef> {
        self.files.as_ref()?.get(key)
    }
}

impl From<Value> for Item {
    fn from(json: Value) -> Self {
        Self::new(json)
    }
}

/// A file that travels with an item. The bytes are shared, not copied, between items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRef {
    /// File name as given by its source; user input, never a path to trust.
    pub name: String,
    /// MIME type, for example `image/png`.
    pub mime_type: String,
    /// Size in bytes.
    pub size: u64,
    /// The content (base64 in JSON).
    #[serde(with = "base64_bytes")]
    pub data: bytes::Bytes,
}

impl FileRef {
    /// A file from bytes in memory.
    pub fn new(name: impl Into<String>, mime_type: impl Into<String>, data: impl Into<bytes::Bytes>) -> Self {
        let data = data.into();
        Self { name: name.into(), mime_type: mime_type.into(), size: data.len() as u64, data }
    }
}

mod base64_bytes {
    use super::*;
    use serde::{Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &bytes::Bytes, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<bytes::Bytes, D::Error> {
        let text = String::deserialize(input)?;
        base64::engine::general_purpose::STANDARD.decode(text).map(Into::into).map_err(D::Error::custom)
    }
}

/// What a node is given to work on: lists of items per input port.
#[derive(Clone, Debug, Default)]
pub struct Input {
    main: Items,
    others: Vec<(Arc<str>, Items)>,
    /// Of loop entries only, from their second and third iteration on.
    returned: Option<Items>,
    rounds: Option<Arc<Vec<Items>>>,
}

impl Input {
    /// Input with items on the `main` port only.
    pub fn main(items: impl Into<Items>) -> Self {
        Self { main: items.into(), others: Vec::new(), returned: None, rounds: None }
    }

    /// The same input with items on another port.
    #[must_use]
    pub fn with_port(mut self, port: impl Into<Arc<str>>, items: impl Into<Items>) -> Self {
        let port = port.into();
        if &*port == "main" {
            self.main = items.into();
        } else {
            self.others.push((port, items.into()));
        }
        self
    }

    /// The same input with the items that came back to a loop entry from its body.
    #[must_use]
    pub fn with_returned(mut self, items: impl Into<Items>) -> Self {
        self.returned = Some(items.into());
        self
    }

    /// The same input with what came back to a loop entry in the iterations before the last.
    #[must_use]
    pub fn with_rounds(mut self, rounds: Arc<Vec<Items>>) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// The items of the `main` port. `Item::from` of an output item is an index into this list.
    pub fn items(&self) -> &Items {
        &self.main
    }

    /// The items of the `main` port to be passed on as they are, each marked as coming from itself.
    pub fn pass(&self) -> Vec<Item> {
        self.main.iter().enumerate().map(|(index, item)| item.clone().from_input(index)).collect()
    }

    /// The items of a named port; empty when nothing arrived there.
    pub fn port(&self, name: &str) -> &[Item] {
        if name == "main" {
            return &self.main;
        }
        self.others.iter().find(|(port, _)| &**port == name).map_or(&[], |(_, items)| items)
    }

    /// For loop entries from their second iteration on: what the body sent back.
    pub fn returned(&self) -> &[Item] {
        self.returned.as_ref().map_or(&[], |items| items)
    }

    /// For loop entries: what the body sent back in each iteration before the last, kept by the engine so that
    /// a loop need not carry it in its state.
    pub fn rounds(&self) -> &[Items] {
        self.rounds.as_ref().map_or(&[], |rounds| rounds)
    }
}
