//! API keys: 256 random bits, shown once, stored as a hash.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sluice_db::{DbError, Row};

use crate::access::{Permission, Permissions, Role, Scope};
use crate::ids::new_short_id;
use crate::{RecordError, Records};

/// A key as it may be shown: everything but the key.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    pub id: String,
    /// What it reaches.
    pub scope: Scope,
    pub name: String,
    /// What it may do there; none for all that the scope has.
    pub allowed: Option<Permissions>,
    pub created_at: i64,
    /// Within a minute.
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

/// A key that was just made. `key` cannot be had again. No `Debug` on purpose.
pub struct NewApiKey {
    pub key: String,
    pub info: ApiKey,
}

/// How much of a key is shown in lists, so that people can tell which is which.
const PREFIX: usize = 8;

/// `last_used_at` is written at most this often per key, so that reading requests do not become writing ones.
const TOUCH_EVERY_MS: i64 = 60_000;

impl ApiKey {
    /// What it may do in its scope.
    pub fn permissions(&self) -> Permissions {
        let most = match self.scope {
            Scope::Platform => Permissions::all(),
            Scope::Reseller(_) => Role::ResellerAdmin.permissions(),
            Scope::Workspace(_) => Permissions::of_workspace(),
        };
        self.allowed.map_or(most, |allowed| allowed.and(most))
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            scope: match (row.opt_text("workspace_id")?, row.opt_text("reseller_id")?) {
                (Some(id), _) => Scope::Workspace(id),
                (None, Some(id)) => Scope::Reseller(id),
                (None, None) => Scope::Platform,
            },
            name: row.text("name")?,
            allowed: row.opt_text("permissions")?.map(|list| permissions_from(&list)),
            created_at: row.int("created_at")?,
            last_used_at: row.opt_int("last_used_at")?,
            revoked_at: row.opt_int("revoked_at")?,
        })
    }
}

/// A stored list. A name that is not known any more allows nothing.
fn permissions_from(list: &str) -> Permissions {
    let names: Vec<String> = serde_json::from_str(list).unwrap_or_default();
    names.iter().filter_map(|name| Permission::from_text(name)).collect()
}

/// Workspace and reseller, as a key's row has them.
fn columns(scope: &Scope) -> (Option<&str>, Option<&str>) {
    match scope {
        Scope::Platform => (None, None),
        Scope::Reseller(id) => (None, Some(id)),
        Scope::Workspace(id) => (Some(id), None),
    }
}

/// The rows of a scope: its workspace is `$1`, its reseller `$2`.
const OF_SCOPE: &str =
    "coalesce(workspace_id, '') = coalesce($1, '') and coalesce(reseller_id, '') = coalesce($2, '')";

fn hash(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref())
}

impl Records {
    /// Makes a key and returns it, this once.
    ///
    /// # Errors
    /// `NotFound` when the workspace does not exist.
    pub async fn create_api_key(&self, scope: Scope, name: &str) -> Result<NewApiKey, RecordError> {
        if let Scope::Workspace(id) = &scope {
            self.workspace(id).await?;
        }
        let mut secret = [0u8; 32];
        rand::fill(&mut secret).map_err(|_| {
            RecordError::conflict("the operating system has no random numbers to give; try again")
        })?;
        let key = format!("sk_{}", URL_SAFE_NO_PAD.encode(secret));
        let info = ApiKey {
            id: new_short_id("key"),
            scope,
            name: crate::ids::clean(name),
            allowed: None,
            created_at: self.now(),
            last_used_at: None,
            revoked_at: None,
        };
        let (workspace_id, reseller_id) = columns(&info.scope);
        self.db
            .query(
                "insert into api_keys (id, workspace_id, reseller_id, name, key_hash, created_at, prefix) \
                 values ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(&info.id)
            .bind(workspace_id)
            .bind(reseller_id)
            .bind(&info.name)
            .bind(hash(&key))
            .bind(info.created_at)
            .bind(&key[..PREFIX])
            .execute()
            .await?;
        Ok(NewApiKey { key, info })
    }

    /// Whose key this is; none when it is unknown or revoked. The lookup is by hash, so its time says nothing about
    /// the key; the hash is compared once more in constant time.
    pub async fn find_api_key(&self, presented: &str) -> Result<Option<ApiKey>, RecordError> {
        let hash = hash(presented);
        let row = self.db.query("select * from api_keys where key_hash = $1").bind(&hash).optional().await?;
        let Some(row) = row else { return Ok(None) };
        let same = constant_time::verify_slices_are_equal(row.text("key_hash")?.as_bytes(), hash.as_bytes());
        let key = ApiKey::from_row(&row)?;
        if same.is_err() || key.revoked_at.is_some() {
            return Ok(None);
        }
        let now = self.now();
        if key.last_used_at.is_none_or(|last| last + TOUCH_EVERY_MS <= now) {
            self.db
                .query(
                    "update api_keys set last_used_at = $2 where id = $1 and coalesce(last_used_at, 0) < $2",
                )
                .bind(&key.id)
                .bind(now)
                .execute()
                .await?;
        }
        Ok(Some(key))
    }

    /// The keys of a scope, oldest first.
    pub async fn list_api_keys(&self, scope: &Scope) -> Result<Vec<ApiKey>, RecordError> {
        let (workspace_id, reseller_id) = columns(scope);
        let sql = format!("select * from api_keys where {OF_SCOPE} order by created_at, id");
        let rows = self.db.query(sql).bind(workspace_id).bind(reseller_id).all().await?;
        Ok(rows.iter().map(ApiKey::from_row).collect::<Result<_, _>>()?)
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// `NotFound` when the scope has no such key.
    pub async fn revoke_api_key(&self, scope: &Scope, id: &str) -> Result<(), RecordError> {
        let (workspace_id, reseller_id) = columns(scope);
        let sql =
            format!("update api_keys set revoked_at = coalesce(revoked_at, $4) where id = $3 and {OF_SCOPE}");
        let query = self.db.query(sql).bind(workspace_id).bind(reseller_id).bind(id).bind(self.now());
        if query.execute().await? == 0 { Err(RecordError::not_found("API key", id)) } else { Ok(()) }
    }
}
