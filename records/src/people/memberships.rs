//! Who is what where: roles of people in scopes, and people whom an operator makes. Must not know how they sign in.

use std::collections::BTreeSet;

use serde::Serialize;
use sluice_db::{DbError, Row, Tx};

use super::sign_up::insert_person;
use super::{Person, PersonStatus, email, lock_person_by_email, normalise_email};
use crate::access::{Permission, Role, Scope};
use crate::ids::new_short_id;
use crate::{RecordError, Records};

/// A role of a person in a workspace, with the names that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// `ws_…`.
    pub workspace_id: String,
    /// The name in addresses.
    pub name: String,
    /// The name for people.
    pub display_name: String,
    /// Their role there.
    pub role: Role,
}

/// Somebody whom an operator makes.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their address, which counts as proven.
    pub email: String,
    /// Their name; the address when it is empty.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

/// Makes somebody a member, or gives a member this role.
pub(crate) async fn add_membership(
    tx: &mut Tx,
    scope: &Scope,
    person_id: &str,
    role: Role,
    now: i64,
) -> Result<(), RecordError> {
    const SQL: &str = "insert into memberships (scope_kind, scope_id, person_id, role, status, created_at, updated_at) \
         values ($1, $2, $3, $4, 'active', $5, $5) on conflict (scope_kind, scope_id, person_id) do update set \
         role = excluded.role, status = 'active', updated_at = excluded.updated_at";
    let query = tx.query(SQL).bind(scope.kind()).bind(scope.id()).bind(person_id).bind(role.as_text());
    query.bind(now).execute().await?;
    Ok(())
}

/// The addresses of those who decide about sign-ups: people of the platform who may, and `further` ones.
pub(crate) async fn reviewers(tx: &mut Tx, further: &[String]) -> Result<BTreeSet<String>, RecordError> {
    const SQL: &str = "select p.email, m.role from memberships m join people p on p.id = m.person_id \
         where m.scope_kind = 'platform' and m.status = 'active' and p.status = 'approved'";
    let mut all: BTreeSet<String> = further.iter().cloned().collect();
    for row in tx.query(SQL).all().await? {
        let role = Role::from_text(&row.text("role")?);
        if role.is_some_and(|role| role.permissions().allows(Permission::PersonWrite)) {
            all.insert(row.text("email")?);
        }
    }
    Ok(all)
}

impl Records {
    /// Makes somebody with a role, or gives the role to who has the address. They have no password yet: see
    /// [`Self::make_code`].
    ///
    /// # Errors
    /// `Invalid` for an address, a name, or a role that does not exist in the scope; `NotFound` for the workspace.
    pub async fn create_person(&self, new: &NewPerson) -> Result<Person, RecordError> {
        let email = normalise_email(&new.email)?;
        let name = email::line("name", &new.name)?.unwrap_or_else(|| email.clone());
        if new.role.scope_kind() != new.scope.kind() {
            let message = format!("`{}` is a role in a {}", new.role.as_text(), new.role.scope_kind());
            return Err(RecordError::invalid("role", message));
        }
        if let Scope::Workspace(id) = &new.scope {
            self.workspace(id).await?;
        }
        let now = self.now();
        let mut person = Person {
            id: new_short_id("per"),
            email: email.clone(),
            name,
            phone: None,
            business_name: None,
            industry: None,
            status: PersonStatus::Approved,
            status_reason: None,
            token_version: 1,
            created_at: now,
            updated_at: now,
            verified_at: Some(now),
            last_login_at: None,
        };
        let mut tx = self.begin().await?;
        if !insert_person(&mut tx, &person, None).await? {
            let mut stored = lock_person_by_email(&mut tx, &email)
                .await?
                .ok_or_else(|| RecordError::conflict("the person was removed meanwhile; try again"))?;
            if stored.person.status != PersonStatus::Approved {
                // Whoever signed up with this address did not prove it: their password must not open it.
                stored.password_hash = None;
                stored.person = Person {
                    id: stored.person.id,
                    created_at: stored.person.created_at,
                    token_version: stored.person.token_version + 1,
                    ..person
                };
                super::write_person(&mut tx, &stored).await?;
            }
            person = stored.person;
        }
        add_membership(&mut tx, &new.scope, &person.id, new.role, now).await?;
        tx.commit().await?;
        Ok(person)
    }

    /// The workspaces in which somebody has a role, oldest membership first. What is suspended is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn memberships_of(&self, person_id: &str) -> Result<Vec<Membership>, RecordError> {
        const SQL: &str = "select w.id, w.name, w.display_name, m.role from memberships m \
             join workspaces w on w.id = m.scope_id where m.person_id = $1 and m.scope_kind = 'workspace' \
             and m.status = 'active' and w.status = 'active' order by m.created_at, w.id";
        let rows = self.db.query(SQL).bind(person_id).all().await?;
        let read = |row: &Row| -> Result<Option<Membership>, DbError> {
            let Some(role) = Role::from_text(&row.text("role")?) else { return Ok(None) };
            Ok(Some(Membership {
                workspace_id: row.text("id")?,
                name: row.text("name")?,
                display_name: row.text("display_name")?,
                role,
            }))
        };
        Ok(rows.iter().filter_map(|row| read(row).transpose()).collect::<Result<_, _>>()?)
    }
}
