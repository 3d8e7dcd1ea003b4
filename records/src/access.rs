//! Who may do what: scopes, roles, permissions, and who acts. The one place that says what a role is. Must not know
//! how somebody proved who they are, nor which request needs which permission.

use serde::{Deserialize, Serialize};
use std::fmt;

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

macro_rules! permissions {
    ($($name:ident = $text:literal $summary:literal;)*) => {
        /// One thing that may be allowed, written `resource:action`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission { $(#[doc = $summary] $name),* }

        impl Permission {
            /// Every permission, in the order of the documentation.
            pub const ALL: &[Permission] = &[$(Permission::$name),*];

            /// `resource:action`.
            pub fn as_text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it allows, for people.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary),* }
            }
        }
    };
}

permissions! {
    WorkflowRead = "workflow:read" "See workflows, their versions and exports.";
    WorkflowWrite = "workflow:write" "Make, change, import and delete workflows.";
    WorkflowPublish = "workflow:publish" "Publish and unpublish workflows.";
    WorkflowRun = "workflow:run" "Test workflows.";
    RunRead = "run:read" "See runs with their inputs and outputs, and the live stream.";
    RunWrite = "run:write" "Cancel, retry and replay runs, and settle open questions.";
    ApprovalRead = "approval:read" "See open approvals.";
    ApprovalDecide = "approval:decide" "Decide approvals.";
    CredentialRead = "credential:read" "See which credentials there are; never their secrets.";
    CredentialWrite = "credential:write" "Make, change, connect and delete credentials.";
    NumberRead = "number:read" "See connected numbers.";
    NumberWrite = "number:write" "Connect and disconnect numbers.";
    ContactRead = "contact:read" "See contacts.";
    ContactWrite = "contact:write" "Change contacts.";
    ContactExport = "contact:export" "Export everything that is held about a person.";
    ContactErase = "contact:erase" "Erase everything that is held about a person.";
    ConversationRead = "conversation:read" "See conversations and messages.";
    ConversationWrite = "conversation:write" "Answer, open and close conversations.";
    InboundRead = "inbound:read" "See the bodies that providers delivered.";
    InboundWrite = "inbound:write" "Handle a delivered body again.";
    SignalWrite = "signal:write" "Send signals and events to workflows.";
    MemberRead = "member:read" "See who is a member.";
    MemberWrite = "member:write" "Invite, change and remove members.";
    KeyRead = "key:read" "See which API keys there are.";
    KeyWrite = "key:write" "Make, rotate and revoke API keys.";
    WorkspaceRead = "workspace:read" "See the profile and settings of the workspace.";
    WorkspaceWrite = "workspace:write" "Change the profile and settings of the workspace.";
    WorkspaceDelete = "workspace:delete" "Delete the workspace.";
    BrandingRead = "branding:read" "See branding and domains.";
    BrandingWrite = "branding:write" "Change branding and domains.";
    AuditRead = "audit:read" "Read and verify the audit trail.";
    UsageRead = "usage:read" "See usage.";
    LedgerRead = "ledger:read" "See wallets and their entries.";
    LedgerWrite = "ledger:write" "Move credits.";
    PlanRead = "plan:read" "See plans, prices and the subscription.";
    PlanWrite = "plan:write" "Change plans, prices and subscriptions.";
    LimitRead = "limit:read" "See limits.";
    LimitWrite = "limit:write" "Change limits.";
    ClientRead = "client:read" "See client workspaces.";
    ClientWrite = "client:write" "Make, change and suspend client workspaces.";
    ClientImpersonate = "client:impersonate" "Act as an owner of a client workspace; each time is audited.";
    TeamRead = "team:read" "See who runs the reseller or the platform.";
    TeamWrite = "team:write" "Invite, change and remove who runs the reseller or the platform.";
    ResellerRead = "reseller:read" "See resellers.";
    ResellerWrite = "reseller:write" "Make, change and suspend resellers.";
    PersonRead = "person:read" "See the people of the installation.";
    PersonWrite = "person:write" "Approve, reject and suspend people.";
    PlatformEnter = "platform:enter" "Act in every workspace without being a member.";
}

impl Permission {
    /// The permission of this name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_text() == text)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "a set is one word");

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Everything.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Everything that concerns a single workspace.
    pub fn of_workspace() -> Self {
        Permission::ALL.iter().copied().filter(|one| !MANAGERIAL.contains(one)).collect()
    }

    /// Whether it is in the set.
    pub fn allows(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is allowed here and not there.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The permissions in it, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |one| self.allows(*one))
    }
}

fn bit(permission: Permission) -> u64 {
    1 << permission as u8
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(all: T) -> Self {
        Self(all.into_iter().fold(0, |set, one| set | bit(one)))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Permission::as_text)).finish()
    }
}

use Permission as P;

/// What goes beyond one workspace.
const MANAGERIAL: &[P] = &[
    P::ClientRead,
    P::ClientWrite,
    P::ClientImpersonate,
    P::TeamRead,
    P::TeamWrite,
    P::ResellerRead,
    P::ResellerWrite,
    P::PersonRead,
    P::PersonWrite,
    P::PlanWrite,
    P::LedgerWrite,
    P::PlatformEnter,
];

/// What people may look at.
const VIEWER: &[P] = &[
    P::WorkflowRead,
    P::RunRead,
    P::ApprovalRead,
    P::NumberRead,
    P::ContactRead,
    P::ConversationRead,
    P::WorkspaceRead,
    P::BrandingRead,
    P::UsageRead,
    P::PlanRead,
];

/// What people who answer customers do besides.
const AGENT: &[P] = &[P::ApprovalDecide, P::ContactWrite, P::ConversationWrite, P::SignalWrite];

/// What outlasts a session, and so nobody does in somebody else's place.
pub(crate) const NOT_IN_ANOTHERS_PLACE: &[P] = &[P::KeyWrite, P::MemberWrite, P::WorkspaceDelete];

/// What only an owner may do in a workspace.
const OWNER_ONLY: &[P] = &[P::WorkspaceDelete];

/// What a person is in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, everywhere.
    SuperAdmin,
    /// Runs the platform: clients, resellers, people, plans. Enters a workspace only as an audited impersonation.
    PlatformAdmin,
    /// Runs a reseller and its own clients.
    ResellerAdmin,
    /// Everything in a workspace.
    Owner,
    /// Everything in a workspace but deleting it.
    Admin,
    /// Answers customers.
    Agent,
    /// Looks.
    Viewer,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: &[Role] = &[
        Self::SuperAdmin,
        Self::PlatformAdmin,
        Self::ResellerAdmin,
        Self::Owner,
        Self::Admin,
        Self::Agent,
        Self::Viewer,
    ];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::PlatformAdmin => "platform_admin",
            Self::ResellerAdmin => "reseller_admin",
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// The other way.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_text() == text)
    }

    /// The kind of scope in which the role exists: see [`Scope::kind`].
    pub fn scope_kind(self) -> &'static str {
        match self {
            Self::SuperAdmin | Self::PlatformAdmin => "platform",
            Self::ResellerAdmin => "reseller",
            Self::Owner | Self::Admin | Self::Agent | Self::Viewer => "workspace",
        }
    }

    /// What the role allows in its scope.
    pub fn permissions(self) -> Permissions {
        let set =
            |lists: &[&[P]]| lists.iter().flat_map(|list| list.iter().copied()).collect::<Permissions>();
        match self {
            Self::SuperAdmin => Permissions::all(),
            Self::PlatformAdmin => {
                set(&[MANAGERIAL, &[P::AuditRead, P::UsageRead, P::LedgerRead, P::PlanRead, P::InboundRead]])
                    .without(set(&[&[P::PlatformEnter]]))
                    .with(&[P::LimitRead, P::LimitWrite, P::BrandingRead, P::BrandingWrite])
            }
            Self::ResellerAdmin => set(&[
                &[P::ClientRead, P::ClientWrite, P::ClientImpersonate, P::TeamRead, P::TeamWrite],
                &[P::PlanRead, P::PlanWrite, P::LedgerRead, P::LedgerWrite, P::UsageRead],
                &[P::BrandingRead, P::BrandingWrite, P::AuditRead],
            ]),
            Self::Owner => Permissions::of_workspace(),
            Self::Admin => Permissions::of_workspace().without(set(&[OWNER_ONLY])),
            Self::Agent => set(&[VIEWER, AGENT]),
            Self::Viewer => set(&[VIEWER]),
        }
    }
}

impl Permissions {
    fn with(self, more: &[Permission]) -> Self {
        Self(self.0 | more.iter().copied().collect::<Self>().0)
    }
}

/// What a role or key allows, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where.
    pub scope: Scope,
    /// What.
    pub permissions: Permissions,
}

/// What kind of somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The actor as a text that others carry along without knowing what it says.
    pub fn signature(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The other way. A text that we did not make leads to the program itself.
    pub fn from_signature(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::system())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lead_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_text(permission.as_text()), Some(*permission));
            assert_eq!(permission.as_text().split(':').count(), 2, "{permission}");
        }
        for role in Role::ALL {
            assert_eq!(Role::from_text(role.as_text()), Some(*role));
            assert!(Scope::from_parts(role.scope_kind(), "x").is_some());
        }
        for scope in [Scope::Platform, Scope::Reseller("rs_1".into()), Scope::Workspace("ws_1".into())] {
            assert_eq!(Scope::from_parts(scope.kind(), scope.id()), Some(scope));
        }
        assert_eq!(Permission::from_text("workflow:fly"), None);
    }

    #[test]
    fn a_mightier_role_of_a_workspace_allows_all_that_a_lesser_one_does() {
        let ladder = [Role::Viewer, Role::Agent, Role::Admin, Role::Owner, Role::SuperAdmin];
        for pair in ladder.windows(2) {
            let (less, more) = (pair[0].permissions(), pair[1].permissions());
            assert_eq!(less.without(more), Permissions::NONE, "{pair:?}");
            assert_ne!(less, more, "{pair:?}");
        }
    }

    #[test]
    fn what_roles_must_not_allow() {
        for (role, permission) in [
            (Role::Viewer, P::ApprovalDecide),
            (Role::Agent, P::WorkflowWrite),
            (Role::Agent, P::CredentialRead),
            (Role::Admin, P::WorkspaceDelete),
            (Role::Owner, P::LedgerWrite),
            (Role::Owner, P::ClientRead),
            (Role::ResellerAdmin, P::ConversationRead),
            (Role::ResellerAdmin, P::ResellerWrite),
            (Role::PlatformAdmin, P::PlatformEnter),
            (Role::PlatformAdmin, P::ConversationRead),
        ] {
            assert!(!role.permissions().allows(permission), "{role:?} {permission}");
        }
        assert!(Role::SuperAdmin.permissions().allows(P::PlatformEnter));
    }
}
