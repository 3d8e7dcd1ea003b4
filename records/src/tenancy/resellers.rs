//! Resellers: agencies that run workspaces of their own clients, and of nobody else.

use super::TenantStatus;
use super::workspaces::{check_display_name, check_slug};
use crate::audit::{Change, Target};
use crate::ids::{clean, new_short_id};
use crate::{RecordError, Records};
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

/// A reseller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reseller {
    /// `rs_…`.
    pub id: String,
    /// Its slug.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether it may act.
    pub status: TenantStatus,
    /// When it was made.
    pub created_at: i64,
    /// When it was changed.
    pub updated_at: i64,
}

/// What may change; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct ResellerChange {
    /// Its name for people.
    pub display_name: Option<String>,
    /// Whether it may act.
    pub status: Option<TenantStatus>,
}

impl Reseller {
    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({ "display_name": self.display_name, "status": self.status })
    }

    fn change(&self, action: &'static str) -> Change {
        Change::of_platform(action, Target::new("reseller", &*self.id).named(&*self.name))
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            name: row.text("name")?,
            display_name: row.text("display_name")?,
            status: TenantStatus::from_text(&row.text("status")?),
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
        })
    }
}

impl Records {
    /// Makes a reseller. Only the platform does: nobody makes himself one.
    ///
    /// # Errors
    /// `Invalid` for a name that is not a slug, `Conflict` when it is taken.
    pub async fn create_reseller(&self, name: &str, display_name: &str) -> Result<Reseller, RecordError> {
        check_slug(name)?;
        check_display_name(display_name)?;
        let now = self.now();
        let made = Reseller {
            id: new_short_id("rs"),
            name: name.to_owned(),
            display_name: clean(display_name.trim()),
            status: TenantStatus::Active,
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.begin().await?;
        let written = tx
            .query(
                "insert into resellers (id, name, display_name, status, created_at, updated_at) \
                 values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
            )
            .bind(&made.id)
            .bind(&made.name)
            .bind(&made.display_name)
            .bind(made.status.as_text())
            .bind(now)
            .execute()
            .await?;
        if written == 0 {
            return Err(RecordError::conflict(format!("a reseller named {name:?} exists already")));
        }
        self.audit(&mut tx, made.change("reseller.created").after(made.logged())).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A reseller by id or name.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn reseller(&self, id_or_name: &str) -> Result<Reseller, RecordError> {
        let sql = "select * from resellers where id = $1 or name = $1 order by case when id = $1 then 0 else 1 end limit 1";
        let row = self.db.query(sql).bind(id_or_name).optional().await?;
        row.as_ref()
            .map(Reseller::from_row)
            .transpose()?
            .ok_or_else(|| RecordError::not_found("reseller", id_or_name))
    }

    /// All resellers by name.
    pub async fn list_resellers(&self) -> Result<Vec<Reseller>, RecordError> {
        let rows = self.db.query("select * from resellers order by name").all().await?;
        Ok(rows.iter().map(Reseller::from_row).collect::<Result<_, _>>()?)
    }

    /// Changes what is given.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`.
    pub async fn update_reseller(&self, id: &str, change: ResellerChange) -> Result<Reseller, RecordError> {
        if let Some(name) = &change.display_name {
            check_display_name(name)?;
        }
        let sql = "update resellers set display_name = coalesce($2, display_name), status = coalesce($3, status), \
                   updated_at = $4 where id = $1";
        let mut tx = self.begin().await?;
        let was = reseller_in(&mut tx, id).await?;
        tx.query(sql)
            .bind(id)
            .bind(change.display_name.map(|name| clean(name.trim())))
            .bind(change.status.map(TenantStatus::as_text))
            .bind(self.now())
            .execute()
            .await?;
        let is = reseller_in(&mut tx, id).await?;
        self.audit(&mut tx, is.change("reseller.updated").between(was.logged(), is.logged())).await?;
        tx.commit().await?;
        Ok(is)
    }
}

/// The reseller inside a transaction, locked against other writers.
async fn reseller_in(tx: &mut Tx, id: &str) -> Result<Reseller, RecordError> {
    let lock = tx.dialect().for_update();
    let row = tx.query(format!("select * from resellers where id = $1{lock}")).bind(id).optional().await?;
    Ok(Reseller::from_row(&row.ok_or_else(|| RecordError::not_found("reseller", id))?)?)
}
