//! API keys: shown once, stored as a hash; what they may do, from where, and until when.

use crate::access::{Permission, Permissions, Role, Scope};
use crate::audit::{Change, Target, chain_of};
use crate::ids::{clean, new_short_id};
use crate::tokens;
use crate::{RecordError, Records};
use aws_lc_rs::constant_time;
use ipnet::IpNet;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};
use std::net::IpAddr;

/// A key as it may be shown: everything but the key.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// `key_…`.
    pub id: String,
    /// What it reaches.
    pub scope: Scope,
    /// For people.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// What it may do there; none for all that the scope has.
    pub allowed: Option<Permissions>,
    /// From where it may be used; empty for everywhere.
    pub addresses: Vec<IpNet>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: i64,
    /// Until when it is good.
    pub expires_at: Option<i64>,
    /// The key that it replaces.
    pub rotated_from: Option<String>,
    /// Within a minute.
    pub last_used_at: Option<i64>,
    /// When it was ended.
    pub revoked_at: Option<i64>,
}

/// A key to make.
#[derive(Debug, Clone, Default)]
pub struct KeyRequest {
    /// For people.
    pub name: String,
    /// What it may do; none for all that the scope has.
    pub allowed: Option<Permissions>,
    /// From where it may be used, as addresses or networks; empty for everywhere.
    pub addresses: Vec<String>,
    /// Until when it is good; none for ever.
    pub expires_at: Option<i64>,
}

/// A key that was just made. `key` cannot be had again. No `Debug` on purpose.
pub struct NewApiKey {
    /// What the caller presents.
    pub key: String,
    /// The rest.
    pub info: ApiKey,
}

/// How much of a key is shown in lists, so that people can tell which is which.
const PREFIX: usize = 8;

/// `last_used_at` is written at most this often per key, so that reading requests do not become writing ones.
const TOUCH_EVERY_MS: i64 = 60_000;

/// The longest time for which an old key goes on working beside its successor: a week.
const LONGEST_OVERLAP_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Addresses of a key at most.
const MOST_ADDRESSES: usize = 100;

impl ApiKey {
    /// What it may do in its scope.
    pub fn permissions(&self) -> Permissions {
        let most = most(&self.scope);
        self.allowed.map_or(most, |allowed| allowed.and(most))
    }

    /// Whether it may be used from an address. With a list, an address that is not known is not in it.
    pub fn allows_address(&self, address: Option<IpAddr>) -> bool {
        if self.addresses.is_empty() {
            return true;
        }
        address.is_some_and(|address| {
            let plain = address.to_canonical();
            self.addresses.iter().any(|network| network.contains(&address) || network.contains(&plain))
        })
    }

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        let allowed: Option<Vec<_>> = self.allowed.map(|set| set.iter().map(Permission::as_text).collect());
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        json!({
            "name": self.name, "permissions": allowed, "addresses": addresses, "expires_at": self.expires_at,
            "rotated_from": self.rotated_from, "revoked_at": self.revoked_at,
        })
    }

    fn change(&self, action: &'static str) -> Change {
        Change::new(chain_of(&self.scope), action, Target::new("api_key", &*self.id).named(&*self.name))
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        let addresses: Vec<String> = list(row.opt_text("addresses")?);
        Ok(Self {
            id: row.text("id")?,
            scope: match (row.opt_text("workspace_id")?, row.opt_text("reseller_id")?) {
                (Some(id), _) => Scope::Workspace(id),
                (None, Some(id)) => Scope::Reseller(id),
                (None, None) => Scope::Platform,
            },
            name: row.text("name")?,
            prefix: row.text("prefix")?,
            // A name that is not known any more allows nothing.
            allowed: row.opt_text("permissions")?.map(|names| {
                list(Some(names)).iter().filter_map(|name| Permission::from_text(name)).collect()
            }),
            addresses: addresses.iter().filter_map(|text| network(text)).collect(),
            created_by: row.text("created_by")?,
            created_at: row.int("created_at")?,
            expires_at: row.opt_int("expires_at")?,
            rotated_from: row.opt_text("rotated_from")?,
            last_used_at: row.opt_int("last_used_at")?,
            revoked_at: row.opt_int("revoked_at")?,
        })
    }
}

/// All that keys of a scope can be allowed.
fn most(scope: &Scope) -> Permissions {
    match scope {
        Scope::Platform => Permissions::all(),
        Scope::Reseller(_) => Role::ResellerAdmin.permissions(),
        Scope::Workspace(_) => Permissions::of_workspace(),
    }
}

fn list(text: Option<String>) -> Vec<String> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// A network, or a single address as one.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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

impl Records {
    /// Makes a key that may do everything in its scope, and returns it, this once.
    ///
    /// # Errors
    /// `NotFound` when the workspace does not exist.
    pub async fn create_api_key(&self, scope: Scope, name: &str) -> Result<NewApiKey, RecordError> {
        self.make_api_key(scope, KeyRequest { name: name.to_owned(), ..KeyRequest::default() }).await
    }

    /// Makes a key and returns it, this once.
    ///
    /// # Errors
    /// `NotFound` for workspace or reseller; `Invalid` for a permission that the scope does not have, an address that
    /// is none, or an end in the past.
    pub async fn make_api_key(&self, scope: Scope, request: KeyRequest) -> Result<NewApiKey, RecordError> {
        match &scope {
            Scope::Workspace(id) => drop(self.workspace(id).await?),
            Scope::Reseller(id) => drop(self.reseller(id).await?),
            Scope::Platform => {}
        }
        let (key, info) = self.new_key(scope, request)?;
        let mut tx = self.begin().await?;
        insert(&mut tx, &key, &info).await?;
        self.audit(&mut tx, info.change("api_key.created").after(info.logged())).await?;
        tx.commit().await?;
        Ok(NewApiKey { key, info })
    }

    fn new_key(&self, scope: Scope, request: KeyRequest) -> Result<(String, ApiKey), RecordError> {
        if let Some(allowed) = request.allowed
            && let Some(foreign) = allowed.without(most(&scope)).iter().next()
        {
            let message = format!("`{foreign}` is no permission of a {}", scope.kind());
            return Err(RecordError::invalid("permissions", message));
        }
        if request.addresses.len() > MOST_ADDRESSES {
            return Err(RecordError::invalid("addresses", format!("give at most {MOST_ADDRESSES}")));
        }
        let parsed = request.addresses.iter().enumerate().map(|(at, text)| {
            network(text.trim()).ok_or_else(|| {
                let message = "use an address such as 203.0.113.7 or a network such as 203.0.113.0/24";
                RecordError::invalid(&format!("addresses[{at}]"), message)
            })
        });
        let now = self.now();
        if request.expires_at.is_some_and(|at| at <= now) {
            return Err(RecordError::invalid("expires_at", "must be in the future"));
        }
        let key = tokens::new_token("sk")?;
        let info = ApiKey {
            id: new_short_id("key"),
            scope,
            name: clean(request.name.trim()),
            prefix: key[..PREFIX].to_owned(),
            allowed: request.allowed,
            addresses: parsed.collect::<Result<_, _>>()?,
            created_by: self.actor().id.clone(),
            created_at: now,
            expires_at: request.expires_at,
            rotated_from: None,
            last_used_at: None,
            revoked_at: None,
        };
        Ok((key, info))
    }

    /// Makes a successor that may do the same; the old key goes on working for `overlap_ms`, at most a week.
    ///
    /// # Errors
    /// `NotFound` when the scope has no such key that still works; `Invalid` for the overlap.
    pub async fn rotate_api_key(
        &self,
        scope: &Scope,
        id: &str,
        overlap_ms: i64,
    ) -> Result<NewApiKey, RecordError> {
        if !(0..=LONGEST_OVERLAP_MS).contains(&overlap_ms) {
            return Err(RecordError::invalid("overlap", "use at most seven days"));
        }
        let now = self.now();
        let old = self.api_key(scope, id).await?;
        let works = old.revoked_at.is_none() && old.expires_at.is_none_or(|at| at > now);
        if !works {
            return Err(RecordError::not_found("API key", id));
        }
        let request = KeyRequest {
            name: old.name.clone(),
            allowed: old.allowed,
            addresses: old.addresses.iter().map(ToString::to_string).collect(),
            expires_at: old.expires_at,
        };
        let (key, mut info) = self.new_key(scope.clone(), request)?;
        info.rotated_from = Some(old.id.clone());
        let mut tx = self.begin().await?;
        insert(&mut tx, &key, &info).await?;
        let sql = "update api_keys set expires_at = case when expires_at < $2 then expires_at else $2 end \
                   where id = $1 and revoked_at is null";
        tx.query(sql).bind(&old.id).bind(now + overlap_ms).execute().await?;
        self.audit(&mut tx, info.change("api_key.rotated").after(info.logged())).await?;
        tx.commit().await?;
        Ok(NewApiKey { key, info })
    }

    /// Whose key this is; none when it is unknown, revoked or over. The lookup is by hash, so its time says nothing
    /// about the key; the hash is compared once more in constant time.
    pub async fn find_api_key(&self, presented: &str) -> Result<Option<ApiKey>, RecordError> {
        let hash = tokens::hash(presented);
        let row = self.db.query("select * from api_keys where key_hash = $1").bind(&hash).optional().await?;
        let Some(row) = row else { return Ok(None) };
        let same = constant_time::verify_slices_are_equal(row.text("key_hash")?.as_bytes(), hash.as_bytes());
        let key = ApiKey::from_row(&row)?;
        let now = self.now();
        if same.is_err() || key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
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

    /// A key of a scope, whether it still works or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn api_key(&self, scope: &Scope, id: &str) -> Result<ApiKey, RecordError> {
        let (workspace_id, reseller_id) = columns(scope);
        let sql = format!("select * from api_keys where id = $3 and {OF_SCOPE}");
        let row = self.db.query(sql).bind(workspace_id).bind(reseller_id).bind(id).optional().await?;
        let key = row.as_ref().map(ApiKey::from_row).transpose()?;
        key.ok_or_else(|| RecordError::not_found("API key", id))
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
        let mut tx = self.begin().await?;
        let lock = tx.dialect().for_update();
        let sql = format!("select * from api_keys where id = $3 and {OF_SCOPE}{lock}");
        let row = tx.query(sql).bind(workspace_id).bind(reseller_id).bind(id).optional().await?;
        let was = ApiKey::from_row(&row.ok_or_else(|| RecordError::not_found("API key", id))?)?;
        if was.revoked_at.is_some() {
            return Ok(());
        }
        let is = ApiKey { revoked_at: Some(self.now()), ..was.clone() };
        let sql = "update api_keys set revoked_at = $2 where id = $1";
        tx.query(sql).bind(id).bind(is.revoked_at).execute().await?;
        self.audit(&mut tx, is.change("api_key.revoked").between(was.logged(), is.logged())).await?;
        Ok(tx.commit().await?)
    }
}

async fn insert(tx: &mut Tx, key: &str, info: &ApiKey) -> Result<(), RecordError> {
    let texts = |all: &[String]| serde_json::Value::from(all.to_vec()).to_string();
    let allowed: Option<Vec<String>> =
        info.allowed.map(|set| set.iter().map(|one| one.as_text().to_owned()).collect());
    let addresses: Vec<String> = info.addresses.iter().map(ToString::to_string).collect();
    let (workspace_id, reseller_id) = columns(&info.scope);
    tx.query(
        "insert into api_keys (id, workspace_id, reseller_id, name, key_hash, prefix, permissions, addresses, \
         created_by, created_at, expires_at, rotated_from) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&info.id)
    .bind(workspace_id)
    .bind(reseller_id)
    .bind(&info.name)
    .bind(tokens::hash(key))
    .bind(&info.prefix)
    .bind(allowed.map(|names| texts(&names)))
    .bind((!addresses.is_empty()).then(|| texts(&addresses)))
    .bind(&info.created_by)
    .bind(info.created_at)
    .bind(info.expires_at)
    .bind(info.rotated_from.as_deref())
    .execute()
    .await?;
    Ok(())
}
