//! Work that only one at a time may do, over all processes that share a PostgreSQL database. On SQLite, where one
//! process drives a database, over all tasks of that process. Must not know what the work is.

use std::sync::PoisonError;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Postgres};

use crate::error::classify;
use crate::open::{Alone, Db, Pools};
use crate::{DbError, Dialect};

/// Two numbers of one name would be two locks, so both engines and all processes must work them out alike. The schema is
/// part of it: two installations in one database do not get into each other's way.
const TRY: &str = "select pg_try_advisory_lock(hashtextextended(current_schema() || '/' || $1, 0))";

/// The right to do something alone, until it is dropped. On PostgreSQL it occupies one connection, and it ends with that
/// connection too: when the server or the network fails, somebody else may get it while this value still lives. So what
/// is done under it must stay harmless when done twice.
#[must_use = "the right ends when the value is dropped"]
pub struct Exclusive(Held);

enum Held {
    Here { alone: Alone, name: String },
    There(Option<PoolConnection<Postgres>>),
}

impl Db {
    /// Takes the right to do `name` alone; `None` while somebody else has it.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn try_exclusive(&self, name: &str) -> Result<Option<Exclusive>, DbError> {
        let refused = |error| classify(Dialect::Postgres, error);
        match self.pools() {
            Pools::Sqlite { .. } => {
                let mut alone = self.alone().lock().unwrap_or_else(PoisonError::into_inner);
                let is_free = alone.insert(name.to_owned());
                let held = || Held::Here { alone: self.alone().clone(), name: name.to_owned() };
                Ok(is_free.then(|| Exclusive(held())))
            }
            Pools::Postgres(pool) => {
                let connection = pool.acquire().await.map_err(refused)?;
                // Held from here on: when this call is given up half-way, the lock must go with the connection.
                let mut held = Exclusive(Held::There(Some(connection)));
                let Held::There(Some(connection)) = &mut held.0 else { return Ok(None) };
                let taken: bool =
                    sqlx::query_scalar(TRY).bind(name).fetch_one(&mut **connection).await.map_err(refused)?;
                if taken {
                    return Ok(Some(held));
                }
                held.back_to_the_pool();
                Ok(None)
            }
        }
    }
}

impl Exclusive {
    /// Whether the right is still ours. Asks the server on PostgreSQL.
    pub async fn is_held(&mut self) -> bool {
        match &mut self.0 {
            Held::Here { .. } => true,
            Held::There(Some(connection)) => connection.ping().await.is_ok(),
            Held::There(None) => false,
        }
    }

    /// Gives the right up, so that the next who asks gets it. Dropping does the same a little later.
    pub async fn release(mut self) {
        let Held::There(Some(connection)) = &mut self.0 else { return };
        let unlocked = sqlx::query("select pg_advisory_unlock_all()").execute(&mut **connection).await;
        if unlocked.is_ok() {
            self.back_to_the_pool();
        }
    }

    /// Only for a connection that holds no lock.
    fn back_to_the_pool(&mut self) {
        if let Held::There(connection) = &mut self.0 {
            drop(connection.take());
        }
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        match &mut self.0 {
            Held::Here { alone, name } => {
                alone.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            }
            // The server frees the lock when its connection ends; giving it back to the pool would keep it.
            Held::There(connection) => drop(connection.take().map(PoolConnection::detach)),
        }
    }
}
