//! Connected WhatsApp numbers: which workspace a `phone_number_id` belongs to.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::ids::clean;
use crate::plans::Place;
use crate::{RecordError, Records};

/// A WhatsApp business number that a workspace has connected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    pub workspace_id: String,
    /// Meta's id of the number; at most one workspace of the platform holds it.
    pub phone_number_id: String,
    pub waba_id: String,
    pub display_phone_number: String,
    pub verified_name: Option<String>,
    /// Name of the credential (kind `whatsapp`) that holds its token.
    pub credential: String,
    /// `connected`, or what the operator or Meta made of it (`restricted`, …).
    pub status: String,
    pub connected_at: i64,
    pub updated_at: i64,
}

/// What it takes to connect one.
#[derive(Debug, Clone)]
pub struct NewNumber {
    pub phone_number_id: String,
    pub waba_id: String,
    pub display_phone_number: String,
    pub verified_name: Option<String>,
    pub credential: String,
}

impl Number {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            workspace_id: row.text("workspace_id")?,
            phone_number_id: row.text("phone_number_id")?,
            waba_id: row.text("waba_id")?,
            display_phone_number: row.text("display_phone_number")?,
            verified_name: row.opt_text("verified_name")?,
            credential: row.text("credential")?,
            status: row.text("status")?,
            connected_at: row.int("connected_at")?,
            updated_at: row.int("updated_at")?,
        })
    }

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({
            "waba_id": self.waba_id,
            "display_phone_number": self.display_phone_number,
            "verified_name": self.verified_name,
            "credential": self.credential,
            "status": self.status,
        })
    }

    fn change(&self, action: &'static str) -> Change {
        let target = Target::new("number", &*self.phone_number_id).named(&*self.display_phone_number);
        Change::new(&*self.workspace_id, action, target)
    }
}

impl Records {
    /// Connects a number, or refreshes what is known about one this workspace holds already.
    ///
    /// # Errors
    /// `Conflict` when another workspace holds it (which one is not said), `Invalid` for empty ids, `NotFound` for a
    /// credential that does not exist, `Refused` when the plan allows no more numbers.
    pub async fn connect_number(&self, workspace_id: &str, new: NewNumber) -> Result<Number, RecordError> {
        for (path, id) in [("phone_number_id", &new.phone_number_id), ("waba_id", &new.waba_id)] {
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(RecordError::invalid(
                    path,
                    "copy the id from Meta's WhatsApp manager: digits only",
                ));
            }
        }
        let credential = self.credential(workspace_id, &new.credential).await?;
        let now = self.now();
        let mut tx = self.begin().await?;
        let before = number_in(&mut tx, workspace_id, &new.phone_number_id).await?;
        if before.is_none() {
            self.require_place(&mut tx, workspace_id, Place::Number).await?;
        }
        let written = tx
            .query(
                "insert into numbers (workspace_id, phone_number_id, waba_id, display_phone_number, verified_name, \
                 credential, status, connected_at, updated_at) values ($1, $2, $3, $4, $5, $6, 'connected', $7, $7) \
                 on conflict (workspace_id, phone_number_id) do update set waba_id = excluded.waba_id, \
                 display_phone_number = excluded.display_phone_number, verified_name = excluded.verified_name, \
                 credential = excluded.credential, status = 'connected', updated_at = excluded.updated_at",
            )
            .bind(workspace_id)
            .bind(&new.phone_number_id)
            .bind(&new.waba_id)
            .bind(clean(&new.display_phone_number))
            .bind(new.verified_name.as_deref().map(clean))
            .bind(&credential.name)
            .bind(now)
            .execute()
            .await;
        match written {
            Ok(_) => {}
            Err(error) if error.is_unique() => {
                return Err(RecordError::conflict(
                    "this WhatsApp number is connected to another workspace; disconnect it there first",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        let number = number_in(&mut tx, workspace_id, &new.phone_number_id).await?;
        let number = number.ok_or_else(|| RecordError::not_found("WhatsApp number", &new.phone_number_id))?;
        let change = match before {
            Some(before) => number.change("number.refreshed").between(before.logged(), number.logged()),
            None => number.change("number.connected").after(number.logged()),
        };
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// A number of this workspace.
    pub async fn number(&self, workspace_id: &str, phone_number_id: &str) -> Result<Number, RecordError> {
        self.connected_number(phone_number_id)
            .await?
            .filter(|number| number.workspace_id == workspace_id)
            .ok_or_else(|| RecordError::not_found("WhatsApp number", phone_number_id))
    }

    /// The number wherever it is connected: how a webhook finds its workspace.
    pub async fn connected_number(&self, phone_number_id: &str) -> Result<Option<Number>, RecordError> {
        let query =
            self.db.query("select * from numbers where phone_number_id = $1").bind(clean(phone_number_id));
        Ok(query.optional().await?.as_ref().map(Number::from_row).transpose()?)
    }

    /// The workspaces that hold numbers of this WhatsApp business account.
    pub async fn workspaces_of_waba(&self, waba_id: &str) -> Result<Vec<String>, RecordError> {
        let sql = "select distinct workspace_id from numbers where waba_id = $1 order by workspace_id";
        let rows = self.db.query(sql).bind(clean(waba_id)).all().await?;
        Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
    }

    /// All numbers of a workspace, oldest first.
    pub async fn list_numbers(&self, workspace_id: &str) -> Result<Vec<Number>, RecordError> {
        let sql = "select * from numbers where workspace_id = $1 order by connected_at, phone_number_id";
        let rows = self.db.query(sql).bind(workspace_id).all().await?;
        Ok(rows.iter().map(Number::from_row).collect::<Result<_, _>>()?)
    }

    /// Notes what became of a number (`connected`, `restricted`, …).
    pub async fn set_number_status(
        &self,
        workspace_id: &str,
        phone_number_id: &str,
        status: &str,
    ) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let before = number_in(&mut tx, workspace_id, phone_number_id).await?;
        let before = before.ok_or_else(|| RecordError::not_found("WhatsApp number", phone_number_id))?;
        let status = clean(status);
        tx.query("update numbers set status = $3, updated_at = $4 where workspace_id = $1 and phone_number_id = $2")
            .bind(workspace_id)
            .bind(phone_number_id)
            .bind(&status)
            .bind(self.now())
            .execute()
            .await?;
        let after = Number { status, ..before.clone() };
        let change = before.change("number.status_changed").between(before.logged(), after.logged());
        self.audit(&mut tx, change).await?;
        Ok(tx.commit().await?)
    }

    /// Lets a number go; its conversations stay.
    pub async fn disconnect_number(
        &self,
        workspace_id: &str,
        phone_number_id: &str,
    ) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let before = number_in(&mut tx, workspace_id, phone_number_id).await?;
        let before = before.ok_or_else(|| RecordError::not_found("WhatsApp number", phone_number_id))?;
        tx.query("delete from numbers where workspace_id = $1 and phone_number_id = $2")
            .bind(workspace_id)
            .bind(phone_number_id)
            .execute()
            .await?;
        self.audit(&mut tx, before.change("number.disconnected").before(before.logged())).await?;
        Ok(tx.commit().await?)
    }
}

/// The number inside a transaction, locked against other writers.
async fn number_in(
    tx: &mut Tx,
    workspace_id: &str,
    phone_number_id: &str,
) -> Result<Option<Number>, RecordError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select * from numbers where workspace_id = $1 and phone_number_id = $2{lock}");
    let row = tx.query(sql).bind(workspace_id).bind(clean(phone_number_id)).optional().await?;
    Ok(row.as_ref().map(Number::from_row).transpose()?)
}
