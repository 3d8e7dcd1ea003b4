//! The audit trail: who changed what, on what, from where, what it was before and after. Each scope has a chain of its
//! own, written in the transaction of the change. Must not know what a change means.
//!
//! - `change` is what an operation reports; `redact` takes secrets out of it before anything is stored or sealed;
//! - `entry` is a row and its byte form; `seal` computes what proves it; `append` writes;
//! - `read` lists; `verify` walks a chain and names the first entry that is not as it was written.
//!
//! What the proof is worth is said in `docs/audit.md`.

mod append;
mod change;
mod entry;
mod read;
mod redact;
mod seal;
mod verify;

pub use change::{Change, Target};
pub use entry::AuditEntry;
pub use read::AuditFilter;
pub use verify::{ChainReport, Fault, Witness};

use crate::Scope;

/// The chain of the platform, in which every other chain is named when it begins.
pub const PLATFORM: &str = "platform";

/// The action that names a chain in the chain of the platform.
pub(crate) const OPENED: &str = "audit.opened";

/// The chain of a scope.
pub fn chain_of(scope: &Scope) -> &str {
    match scope {
        Scope::Platform => PLATFORM,
        Scope::Reseller(id) | Scope::Workspace(id) => id,
    }
}
