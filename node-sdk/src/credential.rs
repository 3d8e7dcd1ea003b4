//! What people fill in when they store a credential: kinds and their fields, as data, so that the builder needs no code
//! per kind. Must not hold a secret or know where they are stored.

use serde::{Deserialize, Serialize};

/// A kind of credential. Nodes describe the kinds that are theirs with
/// [`NodeSpec::credential_kinds`](crate::spec::NodeSpec::credential_kinds).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialKind {
    /// The kind, as in [`CredentialNeed::kinds`](crate::spec::CredentialNeed::kinds): `http_bearer`.
    pub kind: String,
    /// Name for people.
    pub title: String,
    /// One sentence: what it is for, or where its values are found.
    pub help: String,
    /// What is filled in, in this order. None for kinds that come from granting access at a provider.
    pub fields: Vec<CredentialField>,
    /// The provider at which a person grants access in place of filling anything in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// One text of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialField {
    /// Its name, as a node asks for it.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What belongs there.
    pub help: String,
    /// Whether it is sealed and never shown again, and masked in what nodes leave behind.
    pub secret: bool,
    /// Whether nodes fail without it.
    pub required: bool,
}

impl CredentialKind {
    /// A kind without fields, to be refined with the methods below.
    pub fn new(kind: &str, title: &str, help: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            title: title.to_owned(),
            help: help.to_owned(),
            fields: Vec::new(),
            provider: None,
        }
    }

    /// Adds a required field that nobody may see.
    #[must_use]
    pub fn secret(self, name: &str, title: &str, help: &str) -> Self {
        self.field(name, title, help, true, true)
    }

    /// Adds a required field that may be shown.
    #[must_use]
    pub fn public(self, name: &str, title: &str, help: &str) -> Self {
        self.field(name, title, help, false, true)
    }

    /// Adds a field that may be shown and may be left out.
    #[must_use]
    pub fn optional(self, name: &str, title: &str, help: &str) -> Self {
        self.field(name, title, help, false, false)
    }

    /// Sets the provider at which a person grants access.
    #[must_use]
    pub fn granted_at(mut self, provider: &str) -> Self {
        self.provider = Some(provider.to_owned());
        self
    }

    fn field(mut self, name: &str, title: &str, help: &str, secret: bool, required: bool) -> Self {
        let [name, title, help] = [name, title, help].map(ToOwned::to_owned);
        self.fields.push(CredentialField { name, title, help, secret, required });
        self
    }
}
