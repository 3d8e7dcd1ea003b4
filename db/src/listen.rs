//! Word from other processes over the same database: PostgreSQL's LISTEN and NOTIFY. On SQLite there are no other
//! processes, so nothing is ever heard. What is told this way is a hint: whoever listens must also look by itself
//! now and then, because a connection that breaks loses what was told meanwhile.

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::error::classify;
use crate::open::{Db, Pools};
use crate::{Arg, ArgType, DbError, Dialect};

/// Hears what other processes tell.
pub struct Listener(Option<PgListener>);

impl Db {
    /// Listens on channels (plain names). Takes a connection of its own on PostgreSQL.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn listen(&self, channels: &[&str]) -> Result<Listener, DbError> {
        let refused = |error| classify(Dialect::Postgres, error);
        match self.pools() {
            Pools::Sqlite { .. } => Ok(Listener(None)),
            Pools::Postgres(pool) => {
                // Not one of the pool's: it is held for as long as somebody listens.
                let options = (*pool.connect_options()).clone();
                let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
                let mut listener = PgListener::connect_with(&own).await.map_err(refused)?;
                listener.listen_all(channels.iter().copied()).await.map_err(refused)?;
                Ok(Listener(Some(listener)))
            }
        }
    }

    /// Tells every listener of a channel, in all processes. At most 8,000 bytes per word; equal words are told once.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn notify(&self, channel: &str, words: &[impl AsRef<str>]) -> Result<(), DbError> {
        if self.dialect() == Dialect::Postgres {
            let words = words.iter().map(|word| Arg::from(word.as_ref())).collect();
            let query =
                self.query("select pg_notify($1, word) from unnest($2::text[]) as word").bind(channel);
            query.bind(Arg::List(ArgType::Text, words)).execute().await?;
        }
        Ok(())
    }
}

impl Listener {
    /// The next word: channel and text. Waits for ever on SQLite. Reconnects by itself; what was told meanwhile is
    /// lost.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn next(&mut self) -> Result<(String, String), DbError> {
        match &mut self.0 {
            None => std::future::pending().await,
            Some(listener) => {
                let told = listener.recv().await.map_err(|error| classify(Dialect::Postgres, error))?;
                Ok((told.channel().to_owned(), told.payload().to_owned()))
            }
        }
    }
}
