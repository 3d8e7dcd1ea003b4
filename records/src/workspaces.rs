//! Tenants.

use serde::Serialize;
use sluice_db::{DbError, Row, Tx};

use crate::ids::new_short_id;
use crate::{RecordError, Records};

/// A tenant. `name` is its slug in URLs and on the command line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workspace {
    pub id: String,
    pub name: String,
    /// The reseller whose client it is.
    pub reseller_id: Option<String>,
    pub created_at: i64,
}

impl Workspace {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            name: row.text("name")?,
            reseller_id: row.opt_text("reseller_id")?,
            created_at: row.int("created_at")?,
        })
    }
}

impl Records {
    /// Makes a workspace.
    ///
    /// # Errors
    /// `Invalid` for a name that is not a slug (`[a-z0-9][a-z0-9-]{0,62}`), `Conflict` when it is taken.
    pub async fn create_workspace(&self, name: &str) -> Result<Workspace, RecordError> {
        check_slug(name)?;
        let workspace = Workspace {
            id: new_short_id("ws"),
            name: name.to_owned(),
            reseller_id: None,
            created_at: self.now(),
        };
        let written = self
            .db
            .query("insert into workspaces (id, name, created_at) values ($1, $2, $3) on conflict do nothing")
            .bind(&workspace.id)
            .bind(name)
            .bind(workspace.created_at)
            .execute()
            .await?;
        if written == 0 {
            return Err(RecordError::conflict(format!("a workspace named {name:?} exists already")));
        }
        Ok(workspace)
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
        let row = self.db.query("select * from workspaces where id = $1").bind(id).optional().await?;
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

    /// All workspaces by name. For platform keys only.
    pub async fn list_workspaces(&self) -> Result<Vec<Workspace>, RecordError> {
        let rows = self.db.query("select * from workspaces order by name").all().await?;
        Ok(rows.iter().map(Workspace::from_row).collect::<Result<_, _>>()?)
    }
}

impl Records {
    /// Makes a workspace with a title for people, and a name made from it that nobody has. Answers its id.
    pub(crate) async fn found_workspace(&self, tx: &mut Tx, title: &str) -> Result<String, RecordError> {
        const SQL: &str = "insert into workspaces (id, name, display_name, created_at, updated_at) \
             values ($1, $2, $3, $4, $4) on conflict do nothing";
        /// Names with a number, before chance decides.
        const NUMBERED: u32 = 20;
        let base = slug(title);
        let mut number = 1;
        loop {
            let id = new_short_id("ws");
            let name = match number {
                1 => base.clone(),
                2..=NUMBERED => format!("{base}-{number}"),
                _ => format!("{base}-{}", new_short_id("").trim_start_matches('_')),
            };
            let query = tx.query(SQL).bind(&id).bind(name).bind(title).bind(self.now());
            if query.execute().await? == 1 {
                return Ok(id);
            }
            number += 1;
        }
    }
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

fn check_slug(name: &str) -> Result<(), RecordError> {
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
