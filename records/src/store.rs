//! The door to all records.

use std::sync::Arc;

use sluice_db::{Db, Tx};

use crate::access::Actor;
use crate::vault::Vault;
use crate::{Cipher, RecordError};

/// Tells the time in milliseconds since the Unix epoch. A value, so that tests can turn it.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| jiff::Timestamp::now().as_millisecond())
}

/// Everything that is stored about customers and tenants. Cloning is cheap. The operations live in one file per
/// concern; each commits before it returns.
#[derive(Clone)]
pub struct Records {
    pub(crate) db: Db,
    pub(crate) vault: Vault,
    clock: Clock,
    /// Where the pages are that letters lead to.
    pub(crate) pages: Option<Arc<str>>,
    /// Who signs the changes.
    actor: Arc<Actor>,
    /// The limits, as they were read last.
    pub(crate) limits: Arc<crate::limits::RuleCache>,
    /// Told when an event was written down.
    pub(crate) changed: Arc<tokio::sync::Notify>,
    /// Told when mail was written down.
    pub(crate) mail: Arc<tokio::sync::Notify>,
    /// Told when somebody asked for an erasure.
    pub(crate) erasing: Arc<tokio::sync::Notify>,
}

impl Records {
    /// Works on `db`, which must be migrated, and keeps secrets in a vault under the master keys of `cipher`.
    pub fn new(db: Db, cipher: Cipher) -> Self {
        Self::with_clock(db, cipher, system_clock())
    }

    /// The same with a clock of the caller's.
    pub fn with_clock(db: Db, cipher: Cipher, clock: Clock) -> Self {
        let vault = Vault::new(db.clone(), cipher, clock.clone());
        Self {
            limits: Arc::new(crate::limits::RuleCache::new(db.clone())),
            db,
            vault,
            clock,
            pages: None,
            actor: Arc::new(Actor::system()),
            changed: Arc::default(),
            mail: Arc::default(),
            erasing: Arc::default(),
        }
    }

    /// The same records for somebody: what is changed through them is signed by this actor. Otherwise the system signs.
    pub fn acting(&self, actor: Actor) -> Self {
        Self { actor: Arc::new(actor), ..self.clone() }
    }

    /// The same records, whose letters lead to pages at this address (without a slash at its end).
    pub fn with_pages(&self, address: &str) -> Self {
        Self { pages: Some(address.into()), ..self.clone() }
    }

    /// The same records as one workspace sees them: see [`Db::within`].
    pub fn within(&self, workspace_id: &str) -> Self {
        Self { db: self.db.within(workspace_id), ..self.clone() }
    }

    /// Who signs the changes.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The database underneath, for the parts of the program that keep their own tables in it.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Forgets up to `limit` effects applied before `before`: those of runs that no longer repeat them. Returns how many.
    pub async fn purge_applied_effects(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        const SQL: &str = "delete from applied_effects where (workspace_id, effect_id) in \
             (select workspace_id, effect_id from applied_effects where applied_at < $1 order by applied_at limit $2)";
        Ok(self.db.query(SQL).bind(before).bind(limit).execute().await?)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) async fn begin(&self) -> Result<Tx, RecordError> {
        Ok(self.db.begin().await?)
    }
}

/// Holds everything else that creates or merges in this workspace back until the transaction ends. SQLite has one
/// writer anyway.
///
/// # Errors
/// `NotFound` when the workspace does not exist.
pub(crate) async fn lock_workspace(tx: &mut Tx, workspace_id: &str) -> Result<(), RecordError> {
    let sql = format!("select id from workspaces where id = $1{}", tx.dialect().for_update());
    match tx.query(sql).bind(workspace_id).optional().await? {
        Some(_) => Ok(()),
        None => Err(RecordError::not_found("workspace", workspace_id)),
    }
}

/// True the first time an effect writes; a repetition changes nothing. No effect id means no such protection.
pub(crate) async fn first_time(
    tx: &mut Tx,
    workspace_id: &str,
    effect_id: Option<&str>,
    now: i64,
) -> Result<bool, RecordError> {
    let Some(effect_id) = effect_id else { return Ok(true) };
    let written = tx
        .query(
            "insert into applied_effects (workspace_id, effect_id, applied_at) values ($1, $2, $3) \
             on conflict do nothing",
        )
        .bind(workspace_id)
        .bind(effect_id)
        .bind(now)
        .execute()
        .await?;
    Ok(written == 1)
}
