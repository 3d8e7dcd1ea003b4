//! Who the tenants are: resellers, workspaces, their members, and who is invited. Must not know how people sign in.

mod invitations;
mod members;
mod profile;
mod purge;
mod resellers;
mod workspaces;

pub use invitations::{Invitation, NewInvitation};
pub use members::{Member, MemberStatus, Membership};
pub(crate) use members::{end_memberships, put as put_member};
pub use profile::{Competitor, PostalAddress, Profile};
pub use resellers::{Reseller, ResellerChange};
pub use workspaces::{NewWorkspace, TenantStatus, Workspace, WorkspaceChange};
