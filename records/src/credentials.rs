//! Credentials: a name, a kind, public fields that may be shown, and a sealed secret that is only ever opened for use.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::ids::clean;
use crate::ids::new_short_id;
use crate::seal::Place;
use crate::{RecordError, Records, Secret};

/// A credential as it may be shown. Workflows refer to it by `name`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Credential {
    pub id: String,
    pub workspace_id: String,
    pub name: String,
    /// `whatsapp`, `http_bearer`, `http_basic`, `http_header`, `oauth2_client`, … Nodes say which kind they take.
    pub kind: String,
    /// What may be displayed: an account name, a scope, an expiry. Never a secret.
    pub public: Value,
    pub created_at: i64,
    pub updated_at: i64,
}

/// What it takes to store one.
pub struct NewCredential {
    pub name: String,
    pub kind: String,
    /// A JSON object.
    pub public: Value,
    pub secret: Secret,
}

/// What may change afterwards; what is none stays.
#[derive(Default)]
pub struct CredentialChange {
    pub name: Option<String>,
    pub public: Option<Value>,
    pub secret: Option<Secret>,
}

/// A credential opened for use.
pub struct OpenCredential {
    pub info: Credential,
    pub secret: Secret,
}

impl OpenCredential {
    /// Public and secret fields in one object; where both have a field, the secret one counts.
    pub fn merged(&self) -> Value {
        let mut all = self.info.public.as_object().cloned().unwrap_or_default();
        for (name, value) in self.secret.expose().as_object().into_iter().flatten() {
            all.insert(name.clone(), value.clone());
        }
        Value::Object(all)
    }
}

impl Credential {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            workspace_id: row.text("workspace_id")?,
            name: row.text("name")?,
            kind: row.text("kind")?,
            public: row.json("public_fields")?,
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
        })
    }

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({ "name": self.name, "kind": self.kind, "public": self.public })
    }

    fn change(&self, action: &'static str) -> Change {
        let target = Target::new("credential", &*self.id).named(&*self.name);
        Change::new(&*self.workspace_id, action, target)
    }

    fn place(&self) -> Place<'_> {
        Place { workspace_id: &self.workspace_id, row_id: &self.id, field: "credential" }
    }
}

const COLUMNS: &str = "workspace_id, id, name, kind, public_fields, created_at, updated_at";

/// The id counts before the name, should somebody name a credential like another one's id.
const BY_ID_OR_NAME: &str = "where workspace_id = $1 and (id = $2 or name = $2) \
     order by case when id = $2 then 0 else 1 end limit 1";

impl Records {
    /// Stores a credential.
    ///
    /// # Errors
    /// `Invalid` for an empty name or kind or a `public` that is no object, `Conflict` when the name is taken,
    /// `NotFound` for the workspace.
    pub async fn create_credential(
        &self,
        workspace_id: &str,
        new: NewCredential,
    ) -> Result<Credential, RecordError> {
        self.workspace(workspace_id).await?;
        let now = self.now();
        let credential = Credential {
            id: new_short_id("crd"),
            workspace_id: workspace_id.to_owned(),
            name: checked_name("name", &new.name)?,
            kind: checked_name("kind", &new.kind)?,
            public: checked_public(new.public)?,
            created_at: now,
            updated_at: now,
        };
        let sealed = self.cipher.seal(&credential.place(), &new.secret)?;
        let mut tx = self.begin().await?;
        let written = tx
            .query(
                "insert into credentials (workspace_id, id, name, kind, public_fields, sealed, created_at, updated_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing",
            )
            .bind(workspace_id)
            .bind(&credential.id)
            .bind(&credential.name)
            .bind(&credential.kind)
            .bind(credential.public.to_string())
            .bind(sealed)
            .bind(now)
            .execute()
            .await?;
        if written == 0 {
            return Err(name_taken(&credential.name));
        }
        self.audit(&mut tx, credential.change("credential.created").after(credential.logged())).await?;
        tx.commit().await?;
        Ok(credential)
    }

    /// The credential with this id or, failing that, this name.
    pub async fn credential(&self, workspace_id: &str, id_or_name: &str) -> Result<Credential, RecordError> {
        let sql =
            format!("select {COLUMNS} from credentials where workspace_id = $1 and (id = $2 or name = $2)");
        let row = self.db.query(sql).bind(workspace_id).bind(id_or_name).optional().await?;
        match row {
            Some(row) => Ok(Credential::from_row(&row)?),
            None => Err(RecordError::not_found("credential", id_or_name)),
        }
    }

    /// All credentials of a workspace by name, without secrets.
    pub async fn list_credentials(&self, workspace_id: &str) -> Result<Vec<Credential>, RecordError> {
        let sql = format!("select {COLUMNS} from credentials where workspace_id = $1 order by name");
        let rows = self.db.query(sql).bind(workspace_id).all().await?;
        Ok(rows.iter().map(Credential::from_row).collect::<Result<_, _>>()?)
    }

    /// Opens a credential for use, by id or name.
    ///
    /// # Errors
    /// `NotFound`; `Seal` when it was sealed with another master key or was tampered with.
    pub async fn open_credential(
        &self,
        workspace_id: &str,
        id_or_name: &str,
    ) -> Result<OpenCredential, RecordError> {
        let row = self
            .db
            .query(format!("select * from credentials {BY_ID_OR_NAME}"))
            .bind(workspace_id)
            .bind(id_or_name)
            .optional()
            .await?
            .ok_or_else(|| RecordError::not_found("credential", id_or_name))?;
        let info = Credential::from_row(&row)?;
        let secret = self.cipher.open(&info.place(), &row.bytes("sealed")?)?;
        Ok(OpenCredential { info, secret })
    }

    /// Changes what is given. The kind cannot change: nodes depend on it. Numbers follow a new name; workflows, which
    /// name credentials in their documents, do not.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict` when the new name is taken.
    pub async fn update_credential(
        &self,
        workspace_id: &str,
        id: &str,
        change: CredentialChange,
    ) -> Result<Credential, RecordError> {
        let mut tx = self.begin().await?;
        let mut credential = credential_in(&mut tx, workspace_id, id).await?;
        let old = credential.clone();
        if let Some(name) = change.name {
            credential.name = checked_name("name", &name)?;
        }
        if let Some(public) = change.public {
            credential.public = checked_public(public)?;
        }
        credential.updated_at = self.now();
        let mut logged = credential.logged();
        if change.secret.is_some() {
            logged["has_new_secret"] = true.into();
        }
        let sealed =
            change.secret.map(|secret| self.cipher.seal(&credential.place(), &secret)).transpose()?;
        let changed = tx
            .query(
                "update credentials set name = $3, public_fields = $4, sealed = coalesce($5, sealed), updated_at = $6 \
                 where workspace_id = $1 and id = $2",
            )
            .bind(workspace_id)
            .bind(&credential.id)
            .bind(&credential.name)
            .bind(credential.public.to_string())
            .bind(sealed)
            .bind(credential.updated_at)
            .execute()
            .await;
        match changed {
            Ok(0) => return Err(RecordError::not_found("credential", id)),
            Ok(_) => {}
            Err(error) if error.is_unique() => return Err(name_taken(&credential.name)),
            Err(error) => return Err(error.into()),
        }
        tx.query("update numbers set credential = $3 where workspace_id = $1 and credential = $2")
            .bind(workspace_id)
            .bind(&old.name)
            .bind(&credential.name)
            .execute()
            .await?;
        self.audit(&mut tx, credential.change("credential.updated").between(old.logged(), logged)).await?;
        tx.commit().await?;
        Ok(credential)
    }

    /// Removes a credential, by id or name.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while a connected number uses it.
    pub async fn delete_credential(&self, workspace_id: &str, id_or_name: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let credential = credential_in(&mut tx, workspace_id, id_or_name).await?;
        let user = tx
            .query("select display_phone_number from numbers where workspace_id = $1 and credential = $2 limit 1")
            .bind(workspace_id)
            .bind(&credential.name)
            .optional()
            .await?;
        if let Some(user) = user {
            let number = user.text(0)?;
            return Err(RecordError::conflict(format!("the WhatsApp number {number} uses this credential")));
        }
        tx.query("delete from credentials where workspace_id = $1 and id = $2")
            .bind(workspace_id)
            .bind(&credential.id)
            .execute()
            .await?;
        self.audit(&mut tx, credential.change("credential.deleted").before(credential.logged())).await?;
        Ok(tx.commit().await?)
    }
}

/// The credential inside a transaction, locked against other writers.
async fn credential_in(tx: &mut Tx, workspace_id: &str, id_or_name: &str) -> Result<Credential, RecordError> {
    let lock = tx.dialect().for_update();
    let row = tx
        .query(format!("select {COLUMNS} from credentials {BY_ID_OR_NAME}{lock}"))
        .bind(workspace_id)
        .bind(id_or_name)
        .optional()
        .await?;
    let row = row.ok_or_else(|| RecordError::not_found("credential", id_or_name))?;
    Ok(Credential::from_row(&row)?)
}

fn name_taken(name: &str) -> RecordError {
    RecordError::conflict(format!("a credential named {name:?} exists already"))
}

fn checked_name(path: &str, name: &str) -> Result<String, RecordError> {
    let name = clean(name.trim());
    if name.is_empty() || name.chars().count() > 100 {
        return Err(RecordError::invalid(path, "use 1 to 100 characters"));
    }
    Ok(name)
}

fn checked_public(public: Value) -> Result<Value, RecordError> {
    match public {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        Value::Object(_) => Ok(public),
        _ => Err(RecordError::invalid("public", "must be a JSON object")),
    }
}
