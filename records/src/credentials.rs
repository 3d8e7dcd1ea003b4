//! Credentials: a name, a kind, public fields that may be shown, and a sealed secret that is only ever opened for use.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::connections::{CHANGED, Connection, tell};
use crate::ids::clean;
use crate::ids::new_short_id;
use crate::vault::CREDENTIAL;
use crate::{RecordError, Records, SealError, Secret};

/// A credential as it may be shown. Workflows refer to it by `name`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Credential {
    pub id: String,
    pub workspace_id: String,
    pub name: String,
    /// `whatsapp`, `http_bearer`, `http_basic`, `http_header`, `oauth2_client`, `google`, … Nodes say which kind they take.
    pub kind: String,
    /// What may be displayed: an account name, a scope, an expiry. Never a secret.
    pub public: Value,
    /// Names of the secret fields that are set, never their values.
    pub secret_fields: Vec<String>,
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
    /// Names of the fields of [`OpenCredential::merged`] that may be shown.
    pub fn public_names(&self) -> Vec<String> {
        let secret = self.secret.expose();
        let fields = self.info.public.as_object().into_iter().flatten();
        fields.map(|(name, _)| name).filter(|name| secret.get(name).is_none()).cloned().collect()
    }

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
            secret_fields: names(row)?.unwrap_or_default(),
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
}

/// The names on record; none for what earlier releases stored.
fn names(row: &Row) -> Result<Option<Vec<String>>, DbError> {
    let names = row.opt_json("secret_fields")?;
    Ok(names.map(|names| serde_json::from_value(names).unwrap_or_default()))
}

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
            secret_fields: new.secret.names(),
            created_at: now,
            updated_at: now,
        };
        // Before the transaction: a workspace's first secret makes its key.
        let sealed = self.seal_credential(&credential, &new.secret).await?;
        let mut tx = self.begin().await?;
        let written = tx
            .query(
                "insert into credentials (workspace_id, id, name, kind, public_fields, secret_fields, sealed, created_at, \
                 updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict do nothing",
            )
            .bind(workspace_id)
            .bind(&credential.id)
            .bind(&credential.name)
            .bind(&credential.kind)
            .bind(credential.public.to_string())
            .bind(Value::from(credential.secret_fields.clone()).to_string())
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
        let row = self.credential_row(workspace_id, id_or_name).await?;
        self.shown(&row).await
    }

    /// All credentials of a workspace by name, without secrets.
    pub async fn list_credentials(&self, workspace_id: &str) -> Result<Vec<Credential>, RecordError> {
        let sql = "select * from credentials where workspace_id = $1 order by name";
        let mut all = Vec::new();
        for row in self.db.query(sql).bind(workspace_id).all().await? {
            all.push(self.shown(&row).await?);
        }
        Ok(all)
    }

    /// A credential without its secret. What an earlier release stored without names of its secret fields is opened to
    /// tell them; if it does not open, none are told.
    async fn shown(&self, row: &Row) -> Result<Credential, RecordError> {
        let mut credential = Credential::from_row(row)?;
        if names(row)?.is_none()
            && let Ok(secret) = self.unseal_credential(&credential, &row.bytes("sealed")?).await
        {
            credential.secret_fields = secret.names();
        }
        Ok(credential)
    }

    async fn credential_row(&self, workspace_id: &str, id_or_name: &str) -> Result<Row, RecordError> {
        let query = self.db.query(format!("select * from credentials {BY_ID_OR_NAME}"));
        let row = query.bind(workspace_id).bind(id_or_name).optional().await?;
        row.ok_or_else(|| RecordError::not_found("credential", id_or_name))
    }

    pub(crate) async fn seal_credential(
        &self,
        credential: &Credential,
        secret: &Secret,
    ) -> Result<Vec<u8>, RecordError> {
        let plain = secret.to_bytes();
        self.vault.seal(&credential.workspace_id, &credential.id, CREDENTIAL, &plain).await
    }

    async fn unseal_credential(&self, credential: &Credential, sealed: &[u8]) -> Result<Secret, RecordError> {
        let plain = self.vault.open(&credential.workspace_id, &credential.id, CREDENTIAL, sealed).await?;
        Ok(Secret::from_bytes(&plain).ok_or(SealError::Damaged)?)
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
        let row = self.credential_row(workspace_id, id_or_name).await?;
        let info = Credential::from_row(&row)?;
        let secret = self.unseal_credential(&info, &row.bytes("sealed")?).await?;
        Ok(OpenCredential { info, secret })
    }

    /// Changes what is given. The kind cannot change: nodes depend on it. Numbers follow a new name; workflows, which
    /// name credentials in their documents, do not.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict` when the new name is taken, or a secret is given for a connection.
    pub async fn update_credential(
        &self,
        workspace_id: &str,
        id: &str,
        change: CredentialChange,
    ) -> Result<Credential, RecordError> {
        let mut credential = self.credential(workspace_id, id).await?;
        let connection = self.connection(workspace_id, &credential.id).await?;
        if connection.is_some() && (change.secret.is_some() || change.public.is_some()) {
            let message = "the provider gave these tokens; connect the account again to change them";
            return Err(RecordError::conflict(message));
        }
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
        // Before the transaction: a workspace's first secret makes its key.
        let sealed = match &change.secret {
            Some(secret) => {
                credential.secret_fields = secret.names();
                Some(self.seal_credential(&credential, secret).await?)
            }
            None => None,
        };
        let names = sealed.is_some().then(|| Value::from(credential.secret_fields.clone()).to_string());
        let mut tx = self.begin().await?;
        let old = credential_in(&mut tx, workspace_id, &credential.id).await?;
        let changed = tx
            .query(
                "update credentials set name = $3, public_fields = $4, sealed = coalesce($5, sealed), \
                 secret_fields = coalesce($6, secret_fields), updated_at = $7 \
                 where workspace_id = $1 and id = $2",
            )
            .bind(workspace_id)
            .bind(&credential.id)
            .bind(&credential.name)
            .bind(credential.public.to_string())
            .bind(sealed)
            .bind(names)
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
        self.tell_of_connection(&mut tx, &credential, connection.as_ref()).await?;
        tx.commit().await?;
        self.changed.notify_one();
        Ok(credential)
    }

    /// Removes a credential, by id or name.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while a connected number uses it.
    pub async fn delete_credential(&self, workspace_id: &str, id_or_name: &str) -> Result<(), RecordError> {
        let named = self.credential(workspace_id, id_or_name).await?;
        let connection = self.connection(workspace_id, &named.id).await?;
        let mut tx = self.begin().await?;
        let credential = credential_in(&mut tx, workspace_id, &named.id).await?;
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
        for sql in [
            "delete from credentials where workspace_id = $1 and id = $2",
            "delete from connections where workspace_id = $1 and credential_id = $2",
        ] {
            tx.query(sql).bind(workspace_id).bind(&credential.id).execute().await?;
        }
        self.tell_of_connection(&mut tx, &credential, connection.as_ref()).await?;
        self.audit(&mut tx, credential.change("credential.deleted").before(credential.logged())).await?;
        tx.commit().await?;
        self.changed.notify_one();
        Ok(())
    }

    /// A connection under another name, or gone, lets other triggers rest.
    async fn tell_of_connection(
        &self,
        tx: &mut Tx,
        credential: &Credential,
        connection: Option<&Connection>,
    ) -> Result<(), RecordError> {
        let Some(connection) = connection else { return Ok(()) };
        let facts = json!({ "name": credential.name, "provider": connection.provider });
        tell(tx, CHANGED, (&credential.workspace_id, &credential.id), facts, self.now()).await
    }
}

/// The credential inside a transaction, locked against other writers.
async fn credential_in(tx: &mut Tx, workspace_id: &str, id_or_name: &str) -> Result<Credential, RecordError> {
    let lock = tx.dialect().for_update();
    let row = tx
        .query(format!("select * from credentials {BY_ID_OR_NAME}{lock}"))
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

pub(crate) fn checked_name(path: &str, name: &str) -> Result<String, RecordError> {
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
