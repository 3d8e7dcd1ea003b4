//! What every route needs: the one table that says who gets in. Must not know what a route does, nor how callers prove
//! who they are.

use axum::http::Method;
use sluice_records::Permission as P;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a request must bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: the route checks by itself what it must (a signature, a token, a password).
    Public,
    /// Any good key or session.
    SignedIn,
    /// A person who is signed in; keys have no account.
    Person,
    /// A workspace, and this permission in it.
    Workspace(P),
    /// The workspace that the path names by `{id}`, and this permission in it.
    Named(P),
    /// The same as `Workspace`; whoever may enter every workspace and names none means all of them.
    WorkspaceOrAll(P),
    /// This permission for a reseller or for the platform.
    Manager(P),
    /// This permission for the platform.
    Platform(P),
}

use Need::{Manager, Named, Person, Platform, Public, SignedIn, Workspace, WorkspaceOrAll};

/// Method, path as in the API document, need. A route that is missing here lets nobody in, and a test finds it.
pub(crate) const TABLE: &[(&str, &str, Need)] = &[
    // The service itself
    ("GET", "/healthz", Public),
    ("GET", "/readyz", Public),
    ("GET", "/metrics", Public),
    ("GET", "/api/openapi.json", Public),
    // What comes from outside and proves itself
    ("GET", "/api/whatsapp/webhook", Public),
    ("POST", "/api/whatsapp/webhook", Public),
    ("GET", "/api/connections/callback", Public),
    ("GET", "/api/connections/begin", Public),
    ("POST", "/api/connections/begin", Public),
    ("GET", "/approvals/{token}", Public),
    ("POST", "/approvals/{token}", Public),
    ("GET", "/hooks/{workspace}/{path}", Public),
    ("PUT", "/hooks/{workspace}/{path}", Public),
    ("POST", "/hooks/{workspace}/{path}", Public),
    ("DELETE", "/hooks/{workspace}/{path}", Public),
    ("PATCH", "/hooks/{workspace}/{path}", Public),
    ("GET", "/sign-ups/{token}", Public),
    ("POST", "/sign-ups/{token}", Public),
    // Accounts; the public ones take a password, a code or a token of their own
    ("GET", "/api/sign-in-options", Public),
    ("POST", "/api/signup", Public),
    ("POST", "/api/verify-email", Public),
    ("POST", "/api/resend-code", Public),
    ("GET", "/api/status", Public),
    ("POST", "/api/login", Public),
    ("POST", "/api/refresh", Public),
    ("POST", "/api/logout", Public),
    ("POST", "/api/password/forgot", Public),
    ("POST", "/api/password/forgot/validate", Public),
    ("POST", "/api/password/reset", Public),
    ("GET", "/api/oidc/start", Public),
    ("GET", "/api/oidc/callback", Public),
    ("GET", "/api/me", Person),
    ("PUT", "/api/me", Person),
    ("DELETE", "/api/me", Person),
    ("GET", "/api/me/export", Person),
    ("POST", "/api/switch", Person),
    ("POST", "/api/logout-all", Person),
    ("POST", "/api/password/change", Person),
    ("GET", "/api/sessions", Person),
    ("DELETE", "/api/sessions/{id}", Person),
    ("GET", "/api/access", SignedIn),
    // Catalogues
    ("GET", "/api/nodes", SignedIn),
    ("GET", "/api/nodes/{type}", SignedIn),
    ("GET", "/api/credential-kinds", SignedIn),
    ("GET", "/api/expressions", SignedIn),
    ("POST", "/api/expressions/preview", SignedIn),
    ("GET", "/api/templates", SignedIn),
    ("GET", "/api/templates/{id}", SignedIn),
    ("POST", "/api/templates/{id}/install", Workspace(P::WorkflowWrite)),
    // Workflows
    ("GET", "/api/workflows", Workspace(P::WorkflowRead)),
    ("POST", "/api/workflows", Workspace(P::WorkflowWrite)),
    ("POST", "/api/workflows/import", Workspace(P::WorkflowWrite)),
    ("POST", "/api/workflows/validate", Workspace(P::WorkflowRead)),
    ("GET", "/api/workflows/{id}", Workspace(P::WorkflowRead)),
    ("PUT", "/api/workflows/{id}", Workspace(P::WorkflowWrite)),
    ("DELETE", "/api/workflows/{id}", Workspace(P::WorkflowWrite)),
    ("GET", "/api/workflows/{id}/export", Workspace(P::WorkflowRead)),
    ("POST", "/api/workflows/{id}/publish", Workspace(P::WorkflowPublish)),
    ("POST", "/api/workflows/{id}/unpublish", Workspace(P::WorkflowPublish)),
    ("POST", "/api/workflows/{id}/restore/{version}", Workspace(P::WorkflowWrite)),
    ("POST", "/api/workflows/{id}/run", Workspace(P::WorkflowRun)),
    ("GET", "/api/workflows/{id}/versions", Workspace(P::WorkflowRead)),
    ("GET", "/api/workflows/{id}/versions/{version}", Workspace(P::WorkflowRead)),
    // Runs
    ("GET", "/api/runs", Workspace(P::RunRead)),
    ("GET", "/api/runs/{id}", Workspace(P::RunRead)),
    ("GET", "/api/runs/{id}/stream", Workspace(P::RunRead)),
    ("GET", "/api/stream", Workspace(P::RunRead)),
    ("POST", "/api/runs/{id}/acknowledge", Workspace(P::RunWrite)),
    ("POST", "/api/runs/{id}/cancel", Workspace(P::RunWrite)),
    ("POST", "/api/runs/{id}/outcome", Workspace(P::RunWrite)),
    ("POST", "/api/runs/{id}/replay", Workspace(P::RunWrite)),
    ("POST", "/api/runs/{id}/retry", Workspace(P::RunWrite)),
    ("POST", "/api/runs/{id}/signal", Workspace(P::RunWrite)),
    ("GET", "/api/approvals", Workspace(P::ApprovalRead)),
    ("POST", "/api/approvals/{id}", Workspace(P::ApprovalDecide)),
    ("POST", "/api/signals/{key}", Workspace(P::SignalWrite)),
    ("POST", "/api/events/{topic}", Workspace(P::SignalWrite)),
    // Records
    ("GET", "/api/contacts", Workspace(P::ContactRead)),
    ("GET", "/api/contacts/{id}", Workspace(P::ContactRead)),
    ("GET", "/api/contacts/{id}/export", Workspace(P::ContactExport)),
    ("POST", "/api/contacts/{id}/erase", Workspace(P::ContactErase)),
    ("GET", "/api/erasures", Workspace(P::ContactErase)),
    ("GET", "/api/erasures/{id}", Workspace(P::ContactErase)),
    ("GET", "/api/conversations", Workspace(P::ConversationRead)),
    ("GET", "/api/conversations/{id}", Workspace(P::ConversationRead)),
    ("GET", "/api/conversations/{id}/messages", Workspace(P::ConversationRead)),
    ("GET", "/api/messages/{id}", Workspace(P::ConversationRead)),
    ("GET", "/api/credentials", Workspace(P::CredentialRead)),
    ("POST", "/api/credentials", Workspace(P::CredentialWrite)),
    ("GET", "/api/credentials/{id}", Workspace(P::CredentialRead)),
    ("PUT", "/api/credentials/{id}", Workspace(P::CredentialWrite)),
    ("DELETE", "/api/credentials/{id}", Workspace(P::CredentialWrite)),
    ("POST", "/api/connections/{id}/start", Workspace(P::CredentialWrite)),
    ("POST", "/api/connections/{id}/revoke", Workspace(P::CredentialWrite)),
    ("GET", "/api/numbers", Workspace(P::NumberRead)),
    ("POST", "/api/numbers", Workspace(P::NumberWrite)),
    ("GET", "/api/numbers/{phone_number_id}", Workspace(P::NumberRead)),
    ("DELETE", "/api/numbers/{phone_number_id}", Workspace(P::NumberWrite)),
    ("GET", "/api/inbound", WorkspaceOrAll(P::InboundRead)),
    ("GET", "/api/inbound/{id}", WorkspaceOrAll(P::InboundRead)),
    ("POST", "/api/inbound/{id}/replay", WorkspaceOrAll(P::InboundWrite)),
    // Oversight
    ("GET", "/api/audit", WorkspaceOrAll(P::AuditRead)),
    ("GET", "/api/audit.csv", WorkspaceOrAll(P::AuditRead)),
    ("GET", "/api/audit/verify", WorkspaceOrAll(P::AuditRead)),
    ("GET", "/api/platform/audit", Manager(P::AuditRead)),
    ("GET", "/api/platform/audit.csv", Manager(P::AuditRead)),
    ("GET", "/api/platform/audit/verify", Manager(P::AuditRead)),
    ("GET", "/api/limits", Workspace(P::LimitRead)),
    ("PUT", "/api/limits", Workspace(P::LimitWrite)),
    ("DELETE", "/api/limits/{id}", Workspace(P::LimitWrite)),
    ("GET", "/api/platform/limits", Platform(P::LimitRead)),
    ("PUT", "/api/platform/limits", Platform(P::LimitWrite)),
    ("DELETE", "/api/platform/limits/{id}", Platform(P::LimitWrite)),
    // Tenants
    ("GET", "/api/people", Platform(P::PersonRead)),
    ("GET", "/api/people/{id}", Platform(P::PersonRead)),
    ("POST", "/api/people/{id}/approve", Platform(P::PersonWrite)),
    ("POST", "/api/people/{id}/reject", Platform(P::PersonWrite)),
    ("POST", "/api/people/{id}/suspend", Platform(P::PersonWrite)),
    ("GET", "/api/workspaces", SignedIn),
    ("POST", "/api/workspaces", SignedIn),
    ("GET", "/api/workspaces/{id}", Named(P::WorkspaceRead)),
    ("PUT", "/api/workspaces/{id}", Named(P::WorkspaceWrite)),
    ("DELETE", "/api/workspaces/{id}", Named(P::WorkspaceDelete)),
    ("GET", "/api/members", Workspace(P::MemberRead)),
    ("PUT", "/api/members/{person_id}", Workspace(P::MemberWrite)),
    ("DELETE", "/api/members/{person_id}", Workspace(P::MemberWrite)),
    ("GET", "/api/invitations", Workspace(P::MemberRead)),
    ("POST", "/api/invitations", Workspace(P::MemberWrite)),
    ("DELETE", "/api/invitations/{id}", Workspace(P::MemberWrite)),
    ("POST", "/api/invitations/show", Public),
    ("POST", "/api/invitations/accept", SignedIn),
    ("GET", "/api/keys", Workspace(P::KeyRead)),
    ("POST", "/api/keys", Workspace(P::KeyWrite)),
    ("GET", "/api/keys/{id}", Workspace(P::KeyRead)),
    ("POST", "/api/keys/{id}/rotate", Workspace(P::KeyWrite)),
    ("DELETE", "/api/keys/{id}", Workspace(P::KeyWrite)),
    // Branding
    ("GET", "/api/branding", Public),
    ("GET", "/api/branding/logos/{hash}", Public),
    ("GET", "/api/branding/workspace", Workspace(P::BrandingRead)),
    ("PUT", "/api/branding/workspace", Workspace(P::BrandingWrite)),
    ("GET", "/api/branding/workspace/domains", Workspace(P::BrandingRead)),
    ("POST", "/api/branding/workspace/domains", Workspace(P::BrandingWrite)),
    ("DELETE", "/api/branding/workspace/domains/{host}", Workspace(P::BrandingWrite)),
    ("POST", "/api/branding/workspace/domains/{host}/verify", Workspace(P::BrandingWrite)),
    ("GET", "/api/branding/team", Manager(P::BrandingRead)),
    ("PUT", "/api/branding/team", Manager(P::BrandingWrite)),
    ("GET", "/api/branding/team/domains", Manager(P::BrandingRead)),
    ("POST", "/api/branding/team/domains", Manager(P::BrandingWrite)),
    ("DELETE", "/api/branding/team/domains/{host}", Manager(P::BrandingWrite)),
    ("POST", "/api/branding/team/domains/{host}/verify", Manager(P::BrandingWrite)),
    // Usage and money
    ("GET", "/api/usage", Workspace(P::UsageRead)),
    ("GET", "/api/usage/allowances", Workspace(P::UsageRead)),
    ("GET", "/api/wallet", Workspace(P::LedgerRead)),
    ("GET", "/api/wallet/entries", Workspace(P::LedgerRead)),
    ("GET", "/api/subscription", Workspace(P::PlanRead)),
    ("PUT", "/api/subscription", Workspace(P::WorkspaceWrite)),
    ("DELETE", "/api/subscription", Workspace(P::WorkspaceWrite)),
    ("GET", "/api/clients/{id}/wallet", Manager(P::LedgerRead)),
    ("GET", "/api/clients/{id}/subscription", Manager(P::PlanRead)),
    ("PUT", "/api/clients/{id}/subscription", Manager(P::PlanWrite)),
    ("GET", "/api/credits", Manager(P::LedgerRead)),
    ("GET", "/api/credits/entries", Manager(P::LedgerRead)),
    ("POST", "/api/credits/transfers", Manager(P::LedgerWrite)),
    ("GET", "/api/plans", Manager(P::PlanRead)),
    ("POST", "/api/plans", Manager(P::PlanWrite)),
    ("GET", "/api/plans/{id}", Manager(P::PlanRead)),
    ("PUT", "/api/plans/{id}", Manager(P::PlanWrite)),
    ("DELETE", "/api/plans/{id}", Manager(P::PlanWrite)),
    ("GET", "/api/prices", Manager(P::PlanRead)),
    ("POST", "/api/prices", Manager(P::PlanWrite)),
    ("GET", "/api/team", Manager(P::TeamRead)),
    ("POST", "/api/team/invitations", Manager(P::TeamWrite)),
    ("PUT", "/api/team/{person_id}", Manager(P::TeamWrite)),
    ("DELETE", "/api/team/{person_id}", Manager(P::TeamWrite)),
    ("GET", "/api/resellers", Platform(P::ResellerRead)),
    ("POST", "/api/resellers", Platform(P::ResellerWrite)),
    ("GET", "/api/resellers/{id}", Platform(P::ResellerRead)),
    ("PUT", "/api/resellers/{id}", Platform(P::ResellerWrite)),
    ("POST", "/api/resellers/{id}/invitations", Platform(P::ResellerWrite)),
    ("GET", "/api/clients", Manager(P::ClientRead)),
    ("POST", "/api/clients", Manager(P::ClientWrite)),
    ("GET", "/api/clients/{id}", Manager(P::ClientRead)),
    ("PUT", "/api/clients/{id}", Manager(P::ClientWrite)),
    ("POST", "/api/clients/{id}/invitations", Manager(P::ClientWrite)),
    ("POST", "/api/impersonate", Manager(P::ClientImpersonate)),
];

/// What a route needs; none for a route that nobody may use.
pub(crate) fn need(method: &Method, path: &str) -> Option<Need> {
    // A HEAD request is answered by the GET route.
    need_of(if method == Method::HEAD { "GET" } else { method.as_str() }, path)
}

/// The same by the name of a method, in capitals or not.
pub(crate) fn need_of(method: &str, path: &str) -> Option<Need> {
    static NEEDS: LazyLock<HashMap<(&str, &str), Need>> =
        LazyLock::new(|| TABLE.iter().map(|(method, path, need)| ((*method, *path), *need)).collect());
    NEEDS.get(&(&*method.to_ascii_uppercase(), path)).copied()
}

impl Need {
    /// Whether somebody who acts in another's place may ask for it. What concerns that person's account, or makes
    /// something in their name that belongs to no workspace, is theirs alone; they may see in whose place they are.
    pub(crate) fn is_open_in_anothers_place(self, method: &Method, path: &str) -> bool {
        match self {
            Person => method.is_safe() && path == "/api/me",
            SignedIn => method.is_safe(),
            _ => true,
        }
    }

    /// The permission, where one is needed.
    pub(crate) fn permission(self) -> Option<P> {
        match self {
            Public | SignedIn | Person => None,
            Workspace(one) | Named(one) | WorkspaceOrAll(one) | Manager(one) | Platform(one) => Some(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_has_every_documented_route_once_and_nothing_else() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut documented = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
        let listed: Vec<_> =
            TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        let unique: HashSet<_> = listed.iter().cloned().collect();
        assert_eq!(unique.len(), listed.len(), "a route is listed twice");
        let difference: Vec<_> = documented.symmetric_difference(&unique).collect();
        assert!(difference.is_empty(), "in the table or in the document, not in both: {difference:?}");
    }
}
