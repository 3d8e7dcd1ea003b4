//! Workspaces: made, changed, suspended, deleted.

use super::members::MemberStatus;
use super::profile::Profile;
use crate::access::{Role, Scope};
use crate::audit::{Change, Target, chain_of};
use crate::ids::{clean, new_short_id};
use crate::{RecordError, Records};
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};
use std::collections::HashSet;

/// Longest name for people, characters.
const LONGEST_DISPLAY_NAME: usize = 100;

/// Whether a tenant may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// It may.
    Active,
    /// It may not until somebody above it says so: its people and keys are refused, its triggers start nothing.
    Suspended,
    /// It is gone for everybody; its rows are removed little by little.
    Deleted,
}

impl TenantStatus {
    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// The other way; what is not known may not act.
    pub(crate) fn from_text(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "deleted" => Self::Deleted,
            _ => Self::Suspended,
        }
    }
}

/// A tenant with its own data. `name` is its slug in URLs and on the command line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workspace {
    /// `ws_…`.
    pub id: String,
    /// Its slug.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// The reseller whose client it is.
    pub reseller_id: Option<String>,
    /// Whether it may act.
    pub status: TenantStatus,
    /// Why it may not.
    pub status_reason: Option<String>,
    /// What the business says about itself.
    pub profile: Profile,
    /// When it was made.
    pub created_at: i64,
    /// When it was changed.
    pub updated_at: i64,
}

/// A workspace to make.
#[derive(Debug, Clone, Default)]
pub struct NewWorkspace {
    /// Its slug.
    pub name: String,
    /// Its name for people; the slug when empty.
    pub display_name: String,
    /// The reseller whose client it is.
    pub reseller_id: Option<String>,
    /// The person who owns it, `per_…`.
    pub owner: Option<String>,
}

/// What may change; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceChange {
    /// Its name for people.
    pub display_name: Option<String>,
    /// What the business says about itself, as a whole.
    pub profile: Option<Profile>,
}

impl Workspace {
    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({
            "display_name": self.display_name, "status": self.status, "status_reason": self.status_reason,
            "profile": self.profile,
        })
    }

    fn change(&self, chain: &str, action: &'static str) -> Change {
        Change::new(chain, action, Target::new("workspace", &*self.id).named(&*self.name))
    }

    /// The chain of whoever runs the workspace: they see what becomes of it beside what is done in it.
    pub(crate) fn managing_chain(&self) -> String {
        let scope = self.reseller_id.clone().map_or(Scope::Platform, Scope::Reseller);
        chain_of(&scope).to_owned()
    }

    /// What the audit trail says of its making.
    pub(crate) fn created(&self, owner: Option<&str>) -> Change {
        let after = json!({ "name": self.name, "display_name": self.display_name, "owner": owner });
        self.change(&self.managing_chain(), "workspace.created").after(after)
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        let (name, display_name) = (row.text("name")?, row.text("display_name")?);
        Ok(Self {
            id: row.text("id")?,
            display_name: if display_name.is_empty() { name.clone() } else { display_name },
            name,
            reseller_id: row.opt_text("reseller_id")?,
            status: TenantStatus::from_text(&row.text("status")?),
            status_reason: row.opt_text("status_reason")?,
            // Only checked profiles are stored; one of a later version loses what this one does not know.
            profile: serde_json::from_value(row.json("profile")?).unwrap_or_default(),
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?.max(row.int("created_at")?),
        })
    }
}

impl Records {
    /// Makes a workspace that belongs to nobody yet.
    ///
    /// # Errors
    /// `Invalid` for a name that is not a slug (`[a-z0-9][a-z0-9-]{0,62}`), `Conflict` when it is taken.
    pub async fn create_workspace(&self, name: &str) -> Result<Workspace, RecordError> {
        self.create_tenant(NewWorkspace { name: name.to_owned(), ..NewWorkspace::default() }).await
    }

    /// Makes a workspace, with its reseller and owner.
    ///
    /// # Errors
    /// `Invalid` for a name that is not a slug, `Conflict` when it is taken, `NotFound` for reseller or owner.
    pub async fn create_tenant(&self, new: NewWorkspace) -> Result<Workspace, RecordError> {
        check_slug(&new.name)?;
        if !new.display_name.trim().is_empty() {
            check_display_name(&new.display_name)?;
        }
        let mut tx = self.begin().await?;
        let made = self.insert_tenant(&mut tx, &new).await?;
        self.audit(&mut tx, made.created(new.owner.as_deref())).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The same inside a transaction; the new workspace must have been checked, and [`Workspace::created`] goes into the
    /// audit trail last of all.
    pub(crate) async fn insert_tenant(
        &self,
        tx: &mut Tx,
        new: &NewWorkspace,
    ) -> Result<Workspace, RecordError> {
        let now = self.now();
        let id = new_short_id("ws");
        if let Some(reseller_id) = &new.reseller_id {
            let found =
                tx.query("select id from resellers where id = $1").bind(reseller_id).optional().await?;
            found.ok_or_else(|| RecordError::not_found("reseller", reseller_id))?;
        }
        let written = tx
            .query(
                "insert into workspaces (id, name, display_name, reseller_id, status, created_at, updated_at) \
                 values ($1, $2, $3, $4, 'active', $5, $5) on conflict do nothing",
            )
            .bind(&id)
            .bind(&new.name)
            .bind(clean(new.display_name.trim()))
            .bind(new.reseller_id.as_deref())
            .bind(now)
            .execute()
            .await?;
        if written == 0 {
            return Err(RecordError::conflict(format!("a workspace named {:?} exists already", new.name)));
        }
        if let Some(owner) = &new.owner {
            let scope = Scope::Workspace(id.clone());
            super::members::put(tx, &scope, owner, Role::Owner, MemberStatus::Active, now).await?;
        }
        let row = tx.query("select * from workspaces where id = $1").bind(&id).one().await?;
        Ok(Workspace::from_row(&row)?)
    }

    /// Makes the workspace of a person who has none, called after their business, under a name that nobody has.
    /// As with [`Self::insert_tenant`], [`Workspace::created`] goes into the audit trail last of all.
    pub(crate) async fn found_tenant(
        &self,
        tx: &mut Tx,
        title: &str,
        owner: &str,
    ) -> Result<Workspace, RecordError> {
        /// Names with a number, before chance decides.
        const NUMBERED: u32 = 20;
        let base = slug(title);
        let display_name: String = title.chars().take(LONGEST_DISPLAY_NAME).collect();
        let mut number = 1;
        loop {
            let name = match number {
                1 => base.clone(),
                2..=NUMBERED => format!("{base}-{number}"),
                _ => format!("{base}-{}", new_short_id("").trim_start_matches('_')),
            };
            let (display_name, owner) = (display_name.clone(), Some(owner.to_owned()));
            let new = NewWorkspace { name, display_name, reseller_id: None, owner };
            match self.insert_tenant(tx, &new).await {
                // The name is taken.
                Err(RecordError::Conflict { .. }) => number += 1,
                other => return other,
            }
        }
    }

    /// The workspace with this name, made when it is missing.
    pub async fn workspace_or_create(&self, name: &str) -> Result<Workspace, RecordError> {
        if let Some(found) = self.find_workspace_by_name(name).await? {
            return Ok(found);
        }
        match self.create_workspace(name).await {
            Err(RecordError::Conflict { .. }) => self.workspace_by_name(name).await,
            other => other,
        }
    }

    /// The workspace with this id. `NotFound` when there is none.
    pub async fn workspace(&self, id: &str) -> Result<Workspace, RecordError> {
        let row = self
            .db
            .query("select * from workspaces where id = $1 and status <> 'deleted'")
            .bind(id)
            .optional()
            .await?;
        match row {
            Some(row) => Ok(Workspace::from_row(&row)?),
            None => Err(RecordError::not_found("workspace", id)),
        }
    }

    /// The workspace with this name. `NotFound` when there is none.
    pub async fn workspace_by_name(&self, name: &str) -> Result<Workspace, RecordError> {
        self.find_workspace_by_name(name).await?.ok_or_else(|| RecordError::not_found("workspace", name))
    }

    async fn find_workspace_by_name(&self, name: &str) -> Result<Option<Workspace>, RecordError> {
        let row = self.db.query("select * from workspaces where name = $1").bind(name).optional().await?;
        Ok(row.as_ref().map(Workspace::from_row).transpose()?)
    }

    /// All workspaces by name, of a reseller or, without one, of the whole platform; not the deleted ones.
    pub async fn list_workspaces(&self, reseller_id: Option<&str>) -> Result<Vec<Workspace>, RecordError> {
        let sql = "select * from workspaces where status <> 'deleted' and ($1 is null or reseller_id = $1) order by name";
        let rows = self.db.query(sql).bind(reseller_id).all().await?;
        Ok(rows.iter().map(Workspace::from_row).collect::<Result<_, _>>()?)
    }

    /// Ids of the workspaces that may not act.
    pub async fn inactive_workspaces(&self) -> Result<HashSet<String>, RecordError> {
        let rows = self.db.query("select id from workspaces where status <> 'active'").all().await?;
        Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
    }

    /// The workspaces in which a person is an active member, by name.
    pub async fn workspaces_of(&self, person_id: &str) -> Result<Vec<(Workspace, Role)>, RecordError> {
        let sql = "select w.*, m.role from memberships m join workspaces w on w.id = m.scope_id \
                   where m.person_id = $1 and m.scope_kind = 'workspace' and m.status = 'active' \
                   and w.status <> 'deleted' order by w.name";
        let rows = self.db.query(sql).bind(person_id).all().await?;
        let read = |row: &Row| Ok((Workspace::from_row(row)?, row.text("role")?));
        let all = rows.iter().map(read).collect::<Result<Vec<_>, DbError>>()?;
        Ok(all.into_iter().filter_map(|(one, role)| Some((one, Role::from_text(&role)?))).collect())
    }

    /// Changes what is given.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` with the path of the value.
    pub async fn update_workspace(
        &self,
        id: &str,
        change: WorkspaceChange,
    ) -> Result<Workspace, RecordError> {
        if let Some(name) = &change.display_name {
            check_display_name(name)?;
        }
        let profile = change.profile.map(Profile::checked).transpose()?;
        // A profile is texts and maps with text keys: it always has a JSON form.
        let profile = profile.map(|profile| serde_json::to_string(&profile).unwrap_or_default());
        let sql = "update workspaces set display_name = coalesce($2, display_name), profile = coalesce($3, profile), \
                   updated_at = $4 where id = $1 and status <> 'deleted'";
        let mut tx = self.begin().await?;
        let was = workspace_in(&mut tx, id).await?;
        let query = tx.query(sql).bind(id);
        let query =
            query.bind(change.display_name.map(|name| clean(name.trim()))).bind(profile).bind(self.now());
        query.execute().await?;
        let is = workspace_in(&mut tx, id).await?;
        let change = is.change(&is.id, "workspace.updated").between(was.logged(), is.logged());
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        Ok(is)
    }

    /// Suspends a workspace, lets it act again, or deletes it. A deleted one never comes back, and its name is free.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_workspace_status(
        &self,
        id: &str,
        status: TenantStatus,
        reason: Option<&str>,
    ) -> Result<(), RecordError> {
        let sql = "update workspaces set status = $2, status_reason = $3, updated_at = $4, \
                   name = case when $2 = 'deleted' then name || '~' || id else name end \
                   where id = $1 and status <> 'deleted'";
        let mut tx = self.begin().await?;
        let was = workspace_in(&mut tx, id).await?;
        let query = tx.query(sql).bind(id).bind(status.as_text()).bind(reason.map(clean)).bind(self.now());
        query.execute().await?;
        let standing =
            |status: TenantStatus, reason: Option<&str>| json!({ "status": status, "reason": reason });
        let changes = [was.id.clone(), was.managing_chain()].into_iter().map(|chain| {
            was.change(&chain, "workspace.status_changed")
                .between(standing(was.status, was.status_reason.as_deref()), standing(status, reason))
        });
        self.audit_as(&mut tx, self.actor(), changes.collect()).await?;
        Ok(tx.commit().await?)
    }
}

/// The workspace inside a transaction, locked against other writers; not a deleted one.
async fn workspace_in(tx: &mut Tx, id: &str) -> Result<Workspace, RecordError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select * from workspaces where id = $1 and status <> 'deleted'{lock}");
    let row = tx.query(sql).bind(id).optional().await?;
    Ok(Workspace::from_row(&row.ok_or_else(|| RecordError::not_found("workspace", id))?)?)
}

/// 1 to 100 characters for people.
pub(super) fn check_display_name(name: &str) -> Result<(), RecordError> {
    if name.trim().is_empty() || name.chars().count() > LONGEST_DISPLAY_NAME {
        let message = format!("use 1 to {LONGEST_DISPLAY_NAME} characters");
        return Err(RecordError::invalid("display_name", message));
    }
    Ok(())
}

/// A name for addresses out of a title: its letters and digits in lower case, hyphens between words.
fn slug(title: &str) -> String {
    /// Leaves room for what makes it unlike others.
    const LONGEST: usize = 48;
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "workspace".to_owned() } else { slug.to_owned() }
}

pub(super) fn check_slug(name: &str) -> Result<(), RecordError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = name.len() <= 63
        && name.chars().next().is_some_and(allowed)
        && name.chars().all(|c| allowed(c) || c == '-');
    if good {
        return Ok(());
    }
    Err(RecordError::invalid(
        "name",
        "use 1 to 63 lower-case letters, digits and hyphens, starting with a letter or digit",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_slugs() {
        for (title, wanted) in [
            ("Asha's  Foods & Co.", "ashas-foods-co"),
            ("-- 24/7 --", "24-7"),
            ("\u{0906}\u{0936}\u{093e}", "workspace"),
            (&"x".repeat(90), &"x".repeat(48)),
        ] {
            assert_eq!(slug(title), wanted);
            assert!(check_slug(&slug(title)).is_ok());
        }
    }

    #[test]
    fn slugs() {
        for good in ["a", "0", "asha-foods", &"x".repeat(63)] {
            assert!(check_slug(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a b", "é", &"x".repeat(64)] {
            assert!(check_slug(bad).is_err(), "{bad}");
        }
    }
}
