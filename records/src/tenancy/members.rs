//! Who is what where: a person's role in the platform, a reseller or a workspace.

use super::TenantStatus;
use crate::access::{Grant, Role, Scope};
use crate::audit::{Change, Target, chain_of};
use crate::plans::Place;
use crate::{RecordError, Records};
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

/// Whether a membership counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// It does.
    Active,
    /// It does not for now.
    Suspended,
}

impl MemberStatus {
    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The other way; what is not known does not count.
    fn from_text(text: &str) -> Self {
        if text == "active" { Self::Active } else { Self::Suspended }
    }
}

/// A person's role somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub scope: Scope,
    /// What.
    pub role: Role,
}

/// A member as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// `per_…`.
    pub person_id: String,
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Whether it counts.
    pub status: MemberStatus,
    /// Since when.
    pub created_at: i64,
}

impl Member {
    /// None for a role that this version does not know.
    fn from_row(row: &Row) -> Result<Option<Self>, DbError> {
        let Some(role) = Role::from_text(&row.text("role")?) else { return Ok(None) };
        Ok(Some(Self {
            person_id: row.text("person_id")?,
            email: row.text("email")?,
            name: row.text("name")?,
            role,
            status: MemberStatus::from_text(&row.text("status")?),
            created_at: row.int("created_at")?,
        }))
    }
}

const MEMBERS: &str = "select m.person_id, m.role, m.status, m.created_at, p.email, p.name \
     from memberships m join people p on p.id = m.person_id where m.scope_kind = $1 and m.scope_id = $2";

impl Records {
    /// What a person may do, and where: active memberships in tenants that may act.
    pub async fn grants_of(&self, person_id: &str) -> Result<Vec<Grant>, RecordError> {
        let memberships = self.memberships_of(person_id).await?;
        let grant = |one: Membership| Grant { permissions: one.role.permissions(), scope: one.scope };
        Ok(memberships.into_iter().map(grant).collect())
    }

    /// The active memberships of a person; those of suspended resellers and deleted workspaces do not count.
    /// (A suspended workspace still answers to its members that it is suspended.)
    pub async fn memberships_of(&self, person_id: &str) -> Result<Vec<Membership>, RecordError> {
        let sql = "select m.scope_kind, m.scope_id, m.role, w.status as workspace_status, r.status as reseller_status \
                   from memberships m \
                   left join workspaces w on m.scope_kind = 'workspace' and w.id = m.scope_id \
                   left join resellers r on m.scope_kind = 'reseller' and r.id = m.scope_id \
                   where m.person_id = $1 and m.status = 'active' order by m.created_at, m.scope_id";
        let rows = self.db.query(sql).bind(person_id).all().await?;
        let mut found = Vec::new();
        for row in &rows {
            let (Some(scope), Some(role)) = (
                Scope::from_parts(&row.text("scope_kind")?, &row.text("scope_id")?),
                Role::from_text(&row.text("role")?),
            ) else {
                continue;
            };
            let status =
                |column| Ok::<_, DbError>(row.opt_text(column)?.map(|text| TenantStatus::from_text(&text)));
            let counts = match scope {
                Scope::Platform => true,
                Scope::Reseller(_) => status("reseller_status")? == Some(TenantStatus::Active),
                Scope::Workspace(_) => {
                    status("workspace_status")?.is_some_and(|status| status != TenantStatus::Deleted)
                }
            };
            // A role counts only in a scope of its kind, whatever the row says.
            if counts && role.scope_kind() == scope.kind() {
                found.push(Membership { scope, role });
            }
        }
        Ok(found)
    }

    /// The members of a scope, by name.
    pub async fn list_members(&self, scope: &Scope) -> Result<Vec<Member>, RecordError> {
        let sql = format!("{MEMBERS} order by p.name, p.email");
        let rows = self.db.query(sql).bind(scope.kind()).bind(scope.id()).all().await?;
        let members = rows.iter().map(Member::from_row).collect::<Result<Vec<_>, _>>()?;
        Ok(members.into_iter().flatten().collect())
    }

    /// A member of a scope.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn member(&self, scope: &Scope, person_id: &str) -> Result<Member, RecordError> {
        let sql = format!("{MEMBERS} and m.person_id = $3");
        let row = self.db.query(sql).bind(scope.kind()).bind(scope.id()).bind(person_id).optional().await?;
        let member = row.as_ref().map(Member::from_row).transpose()?.flatten();
        member.ok_or_else(|| RecordError::not_found("member", person_id))
    }

    /// Makes a person a member, or changes what they are.
    ///
    /// # Errors
    /// `Invalid` for a role of another kind of scope; `NotFound` for the person; `Conflict` when a workspace would be
    /// left without an owner; `Refused` when its plan allows no more members.
    pub async fn put_member(
        &self,
        scope: &Scope,
        person_id: &str,
        role: Role,
        status: MemberStatus,
    ) -> Result<Member, RecordError> {
        let mut tx = self.begin().await?;
        tx.lock(&lock_of(scope)).await?;
        let before = logged(&mut tx, scope, person_id).await?;
        let was_active =
            before.as_ref().is_some_and(|before| before["status"] == MemberStatus::Active.as_text());
        if let (Scope::Workspace(id), MemberStatus::Active, false) = (scope, status, was_active) {
            self.require_place(&mut tx, id, Place::Member).await?;
        }
        put(&mut tx, scope, person_id, role, status, self.now()).await?;
        keep_an_owner(&mut tx, scope).await?;
        let after = logged(&mut tx, scope, person_id).await?.unwrap_or_default();
        let change = match before {
            Some(before) => change(scope, "member.changed", person_id).between(before, after),
            None => change(scope, "member.added", person_id).after(after),
        };
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        self.member(scope, person_id).await
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when a workspace would be left without an owner.
    pub async fn remove_member(&self, scope: &Scope, person_id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        tx.lock(&lock_of(scope)).await?;
        let before = logged(&mut tx, scope, person_id).await?.unwrap_or_default();
        let removed = tx
            .query("delete from memberships where scope_kind = $1 and scope_id = $2 and person_id = $3")
            .bind(scope.kind())
            .bind(scope.id())
            .bind(person_id)
            .execute()
            .await?;
        if removed == 0 {
            return Err(RecordError::not_found("member", person_id));
        }
        keep_an_owner(&mut tx, scope).await?;
        self.audit(&mut tx, change(scope, "member.removed", person_id).before(before)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Ends every membership of somebody who goes for good. Answers what goes into the audit trail.
///
/// # Errors
/// `Conflict` when a workspace would be left without an owner, or the platform without a super admin.
pub(crate) async fn end_memberships(tx: &mut Tx, person_id: &str) -> Result<Vec<Change>, RecordError> {
    const RUNS: &str = "select 1 from memberships where scope_kind = 'platform' and role = 'super_admin' \
         and status = 'active' limit 1";
    const STANDS: &str = "select 1 from workspaces where id = $1 and status <> 'deleted'";
    let sql = "select scope_kind, scope_id, role from memberships where person_id = $1 order by scope_kind, scope_id";
    let rows = tx.query(sql).bind(person_id).all().await?;
    let mut changes = Vec::new();
    for row in &rows {
        let (kind, id) = (row.text("scope_kind")?, row.text("scope_id")?);
        let Some(scope) = Scope::from_parts(&kind, &id) else { continue };
        tx.lock(&lock_of(&scope)).await?;
        let before = logged(tx, &scope, person_id).await?.unwrap_or_default();
        let sql = "delete from memberships where scope_kind = $1 and scope_id = $2 and person_id = $3";
        tx.query(sql).bind(&kind).bind(&id).bind(person_id).execute().await?;
        if tx.query(STANDS).bind(&id).optional().await?.is_some() {
            keep_an_owner(tx, &scope).await?;
        }
        let was_super = row.text("role")? == Role::SuperAdmin.as_text();
        if was_super && tx.query(RUNS).optional().await?.is_none() {
            return Err(RecordError::conflict(
                "the platform keeps at least one active super admin; make somebody else one first",
            ));
        }
        changes.push(change(&scope, "member.removed", person_id).before(before));
    }
    Ok(changes)
}

/// A membership as the audit trail shows it; none when there is none.
async fn logged(tx: &mut Tx, scope: &Scope, person_id: &str) -> Result<Option<Value>, RecordError> {
    let sql =
        "select role, status from memberships where scope_kind = $1 and scope_id = $2 and person_id = $3";
    let row = tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(person_id).optional().await?;
    let read =
        |row: Row| Ok::<_, DbError>(json!({ "role": row.text("role")?, "status": row.text("status")? }));
    Ok(row.map(read).transpose()?)
}

pub(super) fn change(scope: &Scope, action: &'static str, person_id: &str) -> Change {
    Change::new(chain_of(scope), action, Target::new("member", person_id))
}

/// Changes of members of one scope take turns, or two owners could remove each other.
fn lock_of(scope: &Scope) -> String {
    format!("members/{}/{}", scope.kind(), scope.id())
}

/// Writes a membership.
pub(crate) async fn put(
    tx: &mut Tx,
    scope: &Scope,
    person_id: &str,
    role: Role,
    status: MemberStatus,
    now: i64,
) -> Result<(), RecordError> {
    if role.scope_kind() != scope.kind() {
        return Err(RecordError::invalid(
            "role",
            format!("{} is a role in a {}, not in a {}", role.as_text(), role.scope_kind(), scope.kind()),
        ));
    }
    let person = tx.query("select id from people where id = $1").bind(person_id).optional().await?;
    person.ok_or_else(|| RecordError::not_found("person", person_id))?;
    tx.query(
        "insert into memberships (scope_kind, scope_id, person_id, role, status, created_at, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $6) \
         on conflict (scope_kind, scope_id, person_id) \
         do update set role = excluded.role, status = excluded.status, updated_at = excluded.updated_at",
    )
    .bind(scope.kind())
    .bind(scope.id())
    .bind(person_id)
    .bind(role.as_text())
    .bind(status.as_text())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Once a workspace has had members, an owner stays among them, or nobody could ever make one.
async fn keep_an_owner(tx: &mut Tx, scope: &Scope) -> Result<(), RecordError> {
    if !matches!(scope, Scope::Workspace(_)) {
        return Ok(());
    }
    let sql = "select 1 from memberships where scope_kind = $1 and scope_id = $2 \
               and role = 'owner' and status = 'active' limit 1";
    if tx.query(sql).bind(scope.kind()).bind(scope.id()).optional().await?.is_none() {
        return Err(RecordError::conflict(
            "a workspace keeps at least one active owner; make somebody else owner first",
        ));
    }
    Ok(())
}
