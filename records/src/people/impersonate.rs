//! Acting in somebody else's place: a short session of a member, opened by whoever runs the client's workspace. It counts in
//! that workspace alone, and every change made through it names both. Must not know cookies or access tokens.

use serde_json::json;

use super::sessions::Session;
use super::{Device, Person, PersonStatus, email, lock_person};
use crate::access::{Grant, NOT_IN_ANOTHERS_PLACE, Permission, Role, Scope};
use crate::audit::{Change, Target, chain_of};
use crate::ids::new_id;
use crate::tenancy::MemberStatus;
use crate::{RecordError, Records, Workspace};

/// How long it lasts at most, milliseconds. It cannot be renewed.
pub const IMPERSONATION_MS: i64 = 15 * 60 * 1_000;

/// How the session shows in lists.
const METHOD: &str = "impersonation";

/// In whose place somebody wants to act, and why.
#[derive(Debug, Clone)]
pub struct Impersonation<'a> {
    /// Who wants to: `per_…`.
    pub by: &'a str,
    /// What gives them the right.
    pub scope: &'a Scope,
    /// Where.
    pub workspace: &'a Workspace,
    /// In whose place, by id or address; none for the owner who has been there longest.
    pub person: Option<&'a str>,
    /// Why; it stays in the audit trail.
    pub reason: &'a str,
}

impl Records {
    /// Opens a session in somebody's place. There is no refresh token.
    ///
    /// # Errors
    /// `Invalid` without a reason; `NotFound` when nobody like that is an active member; `Conflict` when it is oneself.
    pub async fn impersonate(
        &self,
        wish: &Impersonation<'_>,
        device: &Device,
    ) -> Result<(Session, Person), RecordError> {
        const SQL: &str = "insert into sessions (id, person_id, token_version, home, method, address, user_agent, \
             created_at, last_used_at, expires_at, impersonated_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)";
        let reason = email::line("reason", wish.reason)?
            .ok_or_else(|| RecordError::invalid("reason", "say why; it stays in the audit trail"))?;
        let scope = Scope::Workspace(wish.workspace.id.clone());
        let mut members = self.list_members(&scope).await?;
        members.retain(|one| one.status == MemberStatus::Active);
        members.sort_by_key(|one| one.created_at);
        let found = match wish.person {
            Some(named) => members.into_iter().find(|one| one.person_id == named || one.email == named),
            None => members.into_iter().find(|one| one.role == Role::Owner),
        };
        let named = wish.person.unwrap_or("owner");
        let member = found.ok_or_else(|| RecordError::not_found("member", named))?;
        if member.person_id == wish.by {
            return Err(RecordError::conflict("this is yourself; switch to the workspace instead"));
        }
        let now = self.now();
        let mut tx = self.begin().await?;
        let person = lock_person(&mut tx, &member.person_id).await?.person;
        if person.status != PersonStatus::Approved {
            return Err(RecordError::not_found("member", named));
        }
        let session = Session {
            id: new_id("ses"),
            person_id: person.id.clone(),
            workspace_id: Some(wish.workspace.id.clone()),
            method: METHOD.to_owned(),
            address: device.address.clone(),
            user_agent: device.agent(),
            created_at: now,
            last_used_at: now,
            expires_at: now + IMPERSONATION_MS,
            impersonated_by: Some(wish.by.to_owned()),
        };
        let query = tx.query(SQL).bind(&session.id).bind(&person.id).bind(person.token_version);
        let query = query.bind(&wish.workspace.id).bind(METHOD).bind(session.address.as_deref());
        let query = query.bind(session.user_agent.as_deref()).bind(now).bind(session.expires_at);
        query.bind(wish.by).execute().await?;
        // Those who are acted for read it in their own trail, those who answer for it in theirs.
        let change = |chain: &str| {
            let target = Target::new("person", &*person.id);
            let after = json!({
                "workspace": wish.workspace.id, "session": session.id, "reason": reason,
                "expires_at": session.expires_at,
            });
            Change::new(chain, "person.impersonated", target).after(after)
        };
        let changes = vec![change(&wish.workspace.id), change(chain_of(wish.scope))];
        self.audit_as(&mut tx, self.actor(), changes).await?;
        tx.commit().await?;
        Ok((session, person))
    }

    /// What somebody may do in another's place: what that person may in the one workspace, but for what outlasts the
    /// session. Nothing once they lost the right to be there.
    pub(crate) async fn grants_in_place_of(
        &self,
        person_id: &str,
        by: &str,
        workspace_id: Option<&str>,
    ) -> Result<Option<Vec<Grant>>, RecordError> {
        let Some(workspace_id) = workspace_id else { return Ok(None) };
        let sql = "select status from people where id = $1";
        let row = self.db.query(sql).bind(by).optional().await?;
        let status = row.map(|row| row.text(0)).transpose()?;
        let workspace = self.workspace(workspace_id).await?;
        let runs_it = |grant: &Grant| {
            let is_of = match &grant.scope {
                Scope::Platform => true,
                Scope::Reseller(id) => workspace.reseller_id.as_ref() == Some(id),
                Scope::Workspace(_) => false,
            };
            is_of && grant.permissions.allows(Permission::ClientImpersonate)
        };
        let may = status.as_deref() == Some(PersonStatus::Approved.as_text())
            && self.grants_of(by).await?.iter().any(runs_it);
        if !may {
            return Ok(None);
        }
        let mut grants = self.grants_of(person_id).await?;
        grants.retain(|grant| matches!(&grant.scope, Scope::Workspace(id) if id == workspace_id));
        for grant in &mut grants {
            grant.permissions = grant.permissions.without(NOT_IN_ANOTHERS_PLACE.iter().copied().collect());
        }
        Ok(Some(grants))
    }
}
