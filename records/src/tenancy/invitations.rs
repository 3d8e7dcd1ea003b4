//! Invitations by e-mail: a token that is shown once, stored as a hash, good for one acceptance.

use super::members::{self, MemberStatus};
use crate::access::{Role, Scope};
use crate::audit::{Change, Target, chain_of};
use crate::ids::new_short_id;
use crate::mail::letters;
use crate::people::normalise_email;
use crate::plans::Place;
use crate::tokens;
use crate::{RecordError, Records};
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

/// How long an invitation is open: a week.
const OPEN_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// `inv_…`.
    pub id: String,
    /// Where to.
    pub scope: Scope,
    /// Who.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By whom.
    pub invited_by: String,
    /// When.
    pub created_at: i64,
    /// Until when.
    pub expires_at: i64,
}

/// An invitation that was just made. `token` cannot be had again. No `Debug` on purpose.
pub struct NewInvitation {
    /// What the invited presents.
    pub token: String,
    /// The rest.
    pub info: Invitation,
}

impl Invitation {
    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({ "email": self.email, "role": self.role, "expires_at": self.expires_at })
    }

    fn change(&self, action: &'static str) -> Change {
        Change::new(chain_of(&self.scope), action, Target::new("invitation", &*self.id).named(&*self.email))
    }

    fn from_row(row: &Row) -> Result<Option<Self>, DbError> {
        let scope = Scope::from_parts(&row.text("scope_kind")?, &row.text("scope_id")?);
        let (Some(scope), Some(role)) = (scope, Role::from_text(&row.text("role")?)) else { return Ok(None) };
        Ok(Some(Self {
            id: row.text("id")?,
            scope,
            email: row.text("email")?,
            role,
            invited_by: row.text("invited_by")?,
            created_at: row.int("created_at")?,
            expires_at: row.int("expires_at")?,
        }))
    }
}

const OPEN: &str = "accepted_at is null and revoked_at is null";

impl Records {
    /// Invites somebody. An earlier open invitation of the same address to the same scope ends.
    ///
    /// # Errors
    /// `Invalid` for an address that is none or a role of another kind of scope; `Conflict` for a member; `Refused` when
    /// the plan allows no more members.
    pub async fn invite(&self, scope: &Scope, email: &str, role: Role) -> Result<NewInvitation, RecordError> {
        let email = normalise_email(email)?;
        if role.scope_kind() != scope.kind() {
            let message =
                format!("{} is a role in a {}, not in a {}", role.as_text(), role.scope_kind(), scope.kind());
            return Err(RecordError::invalid("role", message));
        }
        let (token, now) = (tokens::new_token("inv")?, self.now());
        let info = Invitation {
            id: new_short_id("inv"),
            scope: scope.clone(),
            email,
            role,
            invited_by: self.actor().name.clone(),
            created_at: now,
            expires_at: now + OPEN_MS,
        };
        let mut tx = self.begin().await?;
        let sql = "select 1 from memberships m join people p on p.id = m.person_id \
                   where m.scope_kind = $1 and m.scope_id = $2 and p.email = $3";
        let query = tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(&info.email);
        if query.optional().await?.is_some() {
            return Err(RecordError::conflict(format!("{} is a member already", info.email)));
        }
        let sql = format!(
            "update invitations set revoked_at = $4 where scope_kind = $1 and scope_id = $2 and email = $3 and {OPEN}"
        );
        tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(&info.email).bind(now).execute().await?;
        if let Scope::Workspace(id) = scope {
            self.require_place(&mut tx, id, Place::Invited).await?;
        }
        tx.query(
            "insert into invitations (scope_kind, scope_id, id, email, role, token_hash, invited_by, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(scope.kind())
        .bind(scope.id())
        .bind(&info.id)
        .bind(&info.email)
        .bind(role.as_text())
        .bind(tokens::hash(&token))
        .bind(&info.invited_by)
        .bind(now)
        .bind(info.expires_at)
        .execute()
        .await?;
        let name = self.name_of(&mut tx, scope).await?;
        self.post(&mut tx, &letters::invitation(&info.email, name.as_deref(), self.pages.as_deref(), &token))
            .await?;
        self.audit(&mut tx, info.change("invitation.created").after(info.logged())).await?;
        tx.commit().await?;
        self.mail_written();
        Ok(NewInvitation { token, info })
    }

    /// What people call a workspace or reseller.
    async fn name_of(&self, tx: &mut Tx, scope: &Scope) -> Result<Option<String>, RecordError> {
        let sql = match scope {
            Scope::Platform => return Ok(None),
            Scope::Reseller(_) => "select display_name, name from resellers where id = $1",
            Scope::Workspace(_) => "select display_name, name from workspaces where id = $1",
        };
        let Some(row) = tx.query(sql).bind(scope.id()).optional().await? else { return Ok(None) };
        let display_name = row.text("display_name")?;
        Ok(Some(if display_name.is_empty() { row.text("name")? } else { display_name }))
    }

    /// The open invitations of a scope, newest first.
    pub async fn list_invitations(&self, scope: &Scope) -> Result<Vec<Invitation>, RecordError> {
        let sql = format!(
            "select * from invitations where scope_kind = $1 and scope_id = $2 and {OPEN} and expires_at > $3 \
             order by created_at desc, id"
        );
        let rows = self.db.query(sql).bind(scope.kind()).bind(scope.id()).bind(self.now()).all().await?;
        let found = rows.iter().map(Invitation::from_row).collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The open invitation of a token.
    ///
    /// # Errors
    /// `NotFound` when it is unknown, accepted, revoked or over: which of these is nobody's business.
    pub async fn invitation(&self, token: &str) -> Result<Invitation, RecordError> {
        let sql = format!("select * from invitations where token_hash = $1 and {OPEN} and expires_at > $2");
        let row = self.db.query(sql).bind(tokens::hash(token)).bind(self.now()).optional().await?;
        let found = row.as_ref().map(Invitation::from_row).transpose()?.flatten();
        found.ok_or_else(|| RecordError::not_found("invitation", "of this token"))
    }

    /// Makes the invited person a member. The invitation is for the address it was sent to: whoever else holds the
    /// token gets nothing.
    ///
    /// # Errors
    /// `NotFound` when it is not open or for somebody else; `Refused` when the plan allows no more members.
    pub async fn accept_invitation(&self, token: &str, person_id: &str) -> Result<Invitation, RecordError> {
        let found = self.invitation(token).await?;
        let now = self.now();
        let mut tx = self.begin().await?;
        let person = tx.query("select email from people where id = $1").bind(person_id).optional().await?;
        let is_theirs = match person {
            Some(row) => row.text(0)? == found.email,
            None => false,
        };
        let sql = format!("update invitations set accepted_at = $2 where token_hash = $1 and {OPEN}");
        if !is_theirs || tx.query(sql).bind(tokens::hash(token)).bind(now).execute().await? == 0 {
            return Err(RecordError::not_found("invitation", "of this token"));
        }
        if let Scope::Workspace(id) = &found.scope {
            // It was counted when it was sent; the plan may be a smaller one since.
            self.require_place(&mut tx, id, Place::Member).await?;
        }
        members::put(&mut tx, &found.scope, person_id, found.role, MemberStatus::Active, now).await?;
        let after = json!({ "role": found.role, "invitation": found.id, "invited_by": found.invited_by });
        self.audit(&mut tx, members::change(&found.scope, "member.joined", person_id).after(after)).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Ends an open invitation.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_invitation(&self, scope: &Scope, id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let lock = tx.dialect().for_update();
        let sql = format!(
            "select * from invitations where scope_kind = $1 and scope_id = $2 and id = $3 and {OPEN}{lock}"
        );
        let row = tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(id).optional().await?;
        let found = row.as_ref().map(Invitation::from_row).transpose()?.flatten();
        let found = found.ok_or_else(|| RecordError::not_found("invitation", id))?;
        let sql =
            "update invitations set revoked_at = $4 where scope_kind = $1 and scope_id = $2 and id = $3";
        let query = tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(id);
        query.bind(self.now()).execute().await?;
        self.audit(&mut tx, found.change("invitation.revoked").before(found.logged())).await?;
        Ok(tx.commit().await?)
    }
}
