//! People whom an operator makes, and those who decide about sign-ups. Must not know how they sign in.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_db::Tx;

use super::sign_up::insert_person;
use super::{Person, PersonStatus, change, email, lock_person_by_email, normalise_email};
use crate::access::{Permission, Role, Scope};
use crate::ids::new_short_id;
use crate::tenancy::{MemberStatus, put_member};
use crate::{RecordError, Records};

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
        put_member(&mut tx, &new.scope, &person.id, new.role, MemberStatus::Active, now).await?;
        let after = json!({ "role": new.role, "scope": new.scope });
        self.audit(&mut tx, change("person.given_role", &person.id).after(after)).await?;
        tx.commit().await?;
        Ok(person)
    }
}
