//! What a session allows at this moment: read anew for every request, so that a sign-out, a suspension or a lost role
//! counts at once. Must not know how the session was presented.

use sluice_db::Row;

use super::PersonStatus;
use crate::access::{Grant, Role, Scope};
use crate::{RecordError, Records};

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `per_…`.
    pub person_id: String,
    /// Their address.
    pub email: String,
    /// The workspace that the session is at home in.
    pub workspace_id: Option<String>,
    /// What they may do, and where.
    pub grants: Vec<Grant>,
}

/// One row per active role in a scope that is not suspended; one with nulls for who has none.
const SQL: &str = "select s.person_id, s.token_version, s.workspace_id, s.expires_at, s.ended_at, \
     p.email, p.status as person_status, p.token_version as current_version, m.scope_kind, m.scope_id, m.role \
     from sessions s join people p on p.id = s.person_id \
     left join memberships m on m.person_id = p.id and m.status = 'active' and (m.scope_kind = 'platform' \
     or (m.scope_kind = 'workspace' and exists \
     (select 1 from workspaces w where w.id = m.scope_id and w.status = 'active')) \
     or (m.scope_kind = 'reseller' and exists \
     (select 1 from resellers r where r.id = m.scope_id and r.status = 'active'))) \
     where s.id = $1 order by m.created_at, m.scope_id";

impl Records {
    /// What a session allows; none when it ended, or when `version` is not the person's token version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, session_id: &str, version: i64) -> Result<Option<Standing>, RecordError> {
        let rows = self.db.query(SQL).bind(session_id).all().await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let current = first.int("current_version")?;
        let is_alive = first.opt_int("ended_at")?.is_none()
            && first.int("expires_at")? > self.now()
            && first.int("token_version")? == current
            && version == current
            && PersonStatus::from_stored(&first.text("person_status")?) == PersonStatus::Approved;
        if !is_alive {
            return Ok(None);
        }
        let mut grants = Vec::with_capacity(rows.len());
        for row in &rows {
            grants.extend(grant(row)?);
        }
        Ok(Some(Standing {
            person_id: first.text("person_id")?,
            email: first.text("email")?,
            workspace_id: first.opt_text("workspace_id")?,
            grants,
        }))
    }
}

/// A role as a grant; none where there is no role, or one that does not exist in its scope.
fn grant(row: &Row) -> Result<Option<Grant>, RecordError> {
    let (Some(kind), Some(id), Some(role)) =
        (row.opt_text("scope_kind")?, row.opt_text("scope_id")?, row.opt_text("role")?)
    else {
        return Ok(None);
    };
    let found = Scope::from_parts(&kind, &id).zip(Role::from_text(&role));
    Ok(found
        .filter(|(scope, role)| role.scope_kind() == scope.kind())
        .map(|(scope, role)| Grant { scope, permissions: role.permissions() }))
}
