//! API keys: 256 random bits, shown once, stored as a hash.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sluice_db::{DbError, Row};

use crate::ids::new_short_id;
use crate::{RecordError, Records};

/// What a key may reach.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "scope", content = "workspace_id")]
pub enum KeyScope {
    Platform,
    Workspace(String),
}

/// A key as it may be shown: everything but the key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApiKey {
    pub id: String,
    #[serde(flatten)]
    pub scope: KeyScope,
    pub name: String,
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

/// `last_used_at` is written at most this often per key, so that reading requests do not become writing ones.
const TOUCH_EVERY_MS: i64 = 60_000;

impl ApiKey {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            scope: row.opt_text("workspace_id")?.map_or(KeyScope::Platform, KeyScope::Workspace),
            name: row.text("name")?,
            created_at: row.int("created_at")?,
            last_used_at: row.opt_int("last_used_at")?,
            revoked_at: row.opt_int("revoked_at")?,
        })
    }
}

fn hash(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref())
}

impl Records {
    /// Makes a key and returns it, this once.
    ///
    /// # Errors
    /// `NotFound` when the workspace does not exist.
    pub async fn create_api_key(&self, scope: KeyScope, name: &str) -> Result<NewApiKey, RecordError> {
        let workspace_id = match &scope {
            KeyScope::Platform => None,
            KeyScope::Workspace(id) => Some(self.workspace(id).await?.id),
        };
        let mut secret = [0u8; 32];
        rand::fill(&mut secret).map_err(|_| {
            RecordError::conflict("the operating system has no random numbers to give; try again")
        })?;
        let key = format!("sk_{}", URL_SAFE_NO_PAD.encode(secret));
        let info = ApiKey {
            id: new_short_id("key"),
            scope,
            name: crate::ids::clean(name),
            created_at: self.now(),
            last_used_at: None,
            revoked_at: None,
        };
        self.db
            .query("insert into api_keys (id, workspace_id, name, key_hash, created_at) values ($1, $2, $3, $4, $5)")
            .bind(&info.id)
            .bind(workspace_id)
            .bind(&info.name)
            .bind(hash(&key))
            .bind(info.created_at)
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

    /// The keys of a workspace, or the platform keys, oldest first.
    pub async fn list_api_keys(&self, scope: &KeyScope) -> Result<Vec<ApiKey>, RecordError> {
        let query = match scope {
            KeyScope::Platform => {
                self.db.query("select * from api_keys where workspace_id is null order by created_at, id")
            }
            KeyScope::Workspace(id) => self
                .db
                .query("select * from api_keys where workspace_id = $1 order by created_at, id")
                .bind(id),
        };
        Ok(query.all().await?.iter().map(ApiKey::from_row).collect::<Result<_, _>>()?)
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// `NotFound` when the scope has no such key.
    pub async fn revoke_api_key(&self, scope: &KeyScope, id: &str) -> Result<(), RecordError> {
        let workspace_id = match scope {
            KeyScope::Platform => None,
            KeyScope::Workspace(id) => Some(id.as_str()),
        };
        let changed = self
            .db
            .query(
                "update api_keys set revoked_at = coalesce(revoked_at, $3) \
                 where id = $1 and coalesce(workspace_id, '') = coalesce($2, '')",
            )
            .bind(id)
            .bind(workspace_id)
            .bind(self.now())
            .execute()
            .await?;
        if changed == 0 { Err(RecordError::not_found("API key", id)) } else { Ok(()) }
    }
}
