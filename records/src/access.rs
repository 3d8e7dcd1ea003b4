//! Who may do what: scopes, roles, permissions, and who acts. The one place that says what a role is. Must not know
//! how somebody proved who they are, nor which request needs which permission.

use serde::Serialize;

/// Where a role or a key counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Scope {
    /// The whole installation.
    Platform,
    /// A reseller and its own clients, by `rs_…`.
    Reseller(String),
    /// One workspace, by `ws_…`.
    Workspace(String),
}

impl Scope {
    /// `platform`, `reseller` or `workspace`, as stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Reseller(_) => "reseller",
            Self::Workspace(_) => "workspace",
        }
    }

    /// The id; empty for the platform, as stored.
    pub fn id(&self) -> &str {
        match self {
            Self::Platform => "",
            Self::Reseller(id) | Self::Workspace(id) => id,
        }
    }

    /// The other way.
    pub fn from_parts(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "platform" => Some(Self::Platform),
            "reseller" => Some(Self::Reseller(id.to_owned())),
            "workspace" => Some(Self::Workspace(id.to_owned())),
            _ => None,
        }
    }
}

/// What kind of somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody who signed in, or followed a signed link.
    Person,
    /// A program with an API key.
    Key,
    /// A node of a run.
    Workflow,
    /// The program itself, or somebody at its command line.
    System,
}

impl ActorKind {
    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Key => "key",
            Self::Workflow => "workflow",
            Self::System => "system",
        }
    }
}

/// Who makes a change, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// `per_…`, `key_…`, a run's id, or empty for the system.
    pub id: String,
    /// For people who read it later: an e-mail address, a key's name, a workflow's node.
    pub name: String,
    /// The person behind it, when they act in somebody else's place.
    pub impersonated_by: Option<String>,
    /// The network address the request came from.
    pub address: Option<String>,
    /// The request.
    pub request_id: Option<String>,
}

impl Actor {
    /// The program itself.
    pub fn system() -> Self {
        Self::new(ActorKind::System, "", "system")
    }

    /// Somebody without an address.
    pub fn new(kind: ActorKind, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            name: name.into(),
            impersonated_by: None,
            address: None,
            request_id: None,
        }
    }
}

