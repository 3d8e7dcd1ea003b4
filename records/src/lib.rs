//! What workflows act on, and who may: workspaces, people, keys, credentials, WhatsApp numbers, contacts, conversations,
//! messages, and the provider bodies they came in with.
//!
//! Must not know the engine, axum or any node. Everybody who reads or changes these tables does it through [`Records`].

mod access;
mod api_keys;
pub mod audit;
pub mod branding;
pub mod connections;
mod consents;
pub mod contacts;
mod conversations;
mod credentials;
pub mod erasure;
mod error;
pub mod events;
mod ids;
mod inbound;
pub mod ledger;
pub mod limits;
mod mail;
pub mod messages;
mod numbers;
mod page;
pub mod people;
mod phone;
pub mod plans;
mod store;
mod tenancy;
mod throttle;
mod tokens;
pub mod usage;
pub mod vault;
pub mod whatsapp;

pub use access::{Actor, ActorKind, Grant, Permission, Permissions, Role, Scope};
pub use api_keys::{ApiKey, KeyRequest, NewApiKey};
pub use connections::{Connection, ConnectionError, Connections};
pub use consents::{Consent, MARKETING};
pub use contacts::{Contact, ContactChange, Identity, IdentityKind, Resolved};
pub use conversations::{Conversation, WINDOW_MS, lane};
pub use credentials::{Credential, CredentialChange, NewCredential, OpenCredential};
pub use erasure::Erasure;
pub use error::RecordError;
pub use events::RecordEvent;
pub(crate) use ids::clean;
pub use ids::new_id;
pub use inbound::{
    HandledInbound, InboundBody, InboundFilter, InboundShare, InboundStatus, StoredInbound, TakenInbound,
};
pub use mail::{Letter, OutgoingMail, StuckMail};
pub use messages::{
    Applied, Delivery, Direction, Failure, InboundRecord, Message, OutboundMessage, RecordedInbound,
    StatusRecord,
};
pub use numbers::{NewNumber, Number};
pub use page::Page;
pub use people::{Person, PersonStatus};
pub use phone::{Phone, normalise_phone};
pub use store::{Clock, Records, system_clock};
pub use tenancy::{
    Competitor, Invitation, Member, MemberStatus, Membership, NewInvitation, NewWorkspace, PostalAddress,
    Profile, Reseller, ResellerChange, TenantStatus, Workspace, WorkspaceChange,
};
pub use throttle::THROTTLES;
pub use vault::{Cipher, MasterKey, SealError, Secret, Vault};
