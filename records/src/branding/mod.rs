//! White label: what people see in place of our name, and under which host names. Must not know HTTP or DNS; whoever
//! verifies a domain brings the lookup.

mod brand;
mod domains;
mod logo;

pub use brand::{Brand, BrandChange};
pub use domains::{Domain, DomainStatus, TxtLookup};
pub use logo::Logo;

use crate::Scope;
use crate::audit::{Change, Target, chain_of};

/// A change to the looks of a scope, for the audit trail.
fn change(scope: &Scope, action: &'static str, target: Target) -> Change {
    Change::new(chain_of(scope), action, target)
}
