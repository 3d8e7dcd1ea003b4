//! A writing connection that is kept for several transactions in a row. Whenever one is given back to the pool, the
//! driver asks the database whether it is still there, which costs as much as a small statement; and a transaction of
//! one text is one trip to SQLite's thread in place of three. Must not know tables.

use crate::error::classify;
use crate::open::{Db, Pools};
use crate::query::{Statement, run};
use crate::{Arg, DbError, Dialect};
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

/// One text of a transaction, with its arguments.
#[derive(Debug)]
pub struct Piece {
    /// On SQLite it may be several statements; on PostgreSQL it is one.
    pub text: &'static str,
    /// Those of its statements, one after the other.
    pub args: Vec<Arg>,
}

/// The connection. It goes back when it is dropped.
pub struct Held {
    db: Db,
    connection: Connection,
    /// A transaction may be open on it: it is closed in place of given back.
    is_open: bool,
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("db", &self.db).field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

impl Db {
    /// Takes a connection and keeps it. On SQLite nobody else can write meanwhile, see [`Held::is_wanted`]. It sees the
    /// rows of all workspaces: for the engine, not for a database that is seen [`Db::within`] one.
    ///
    /// # Errors
    /// When the database cannot be reached or no connection becomes free in time.
    pub async fn hold(&self) -> Result<Held, DbError> {
        debug_assert!(self.workspace().is_none());
        // Boxed like `Db::begin`.
        let connection = match self.pools() {
            Pools::Sqlite { writer, .. } => {
                let _wanting = self.wanting();
                Box::pin(writer.acquire()).await.map(Connection::Sqlite)
            }
            Pools::Postgres(pool) => Box::pin(pool.acquire()).await.map(Connection::Postgres),
        };
        let connection = connection.map_err(|error| classify(self.dialect(), error))?;
        Ok(Held { db: self.clone(), connection, is_open: false })
    }
}

impl Held {
    /// Whether somebody waits for this connection, because there is no other to write with: give it back after the
    /// transaction.
    pub fn is_wanted(&self) -> bool {
        self.db.is_wanted()
    }

    /// Runs texts as one transaction: all of them, or nothing. One that finds that nothing should be written must fail.
    ///
    /// On SQLite that is one trip per text. On PostgreSQL a single text is one trip, several are two more.
    ///
    /// # Errors
    /// That of the text that failed. Nothing was written then, unless the connection was lost in the very moment of the
    /// commit.
    pub async fn write(&mut self, pieces: Vec<Piece>) -> Result<(), DbError> {
        let is_sqlite = self.db.dialect() == Dialect::Sqlite;
        if let ([_], false) = (pieces.as_slice(), is_sqlite) {
            return self.run_all(pieces).await;
        }
        self.is_open = true;
        let written = if is_sqlite { self.run_all(pieces).await } else { self.run_between(pieces).await };
        // SQLite may have undone it by itself, and a server that is gone has: then that fails, as it does when the
        // transaction cannot be ended. Such a connection is not used again.
        self.is_open = written.is_err() && self.run("rollback", Vec::new()).await.is_err();
        written
    }

    async fn run_between(&mut self, pieces: Vec<Piece>) -> Result<(), DbError> {
        self.run(self.db.dialect().begin(), Vec::new()).await?;
        self.run_all(pieces).await?;
        self.run("commit", Vec::new()).await
    }

    async fn run_all(&mut self, pieces: Vec<Piece>) -> Result<(), DbError> {
        let count = pieces.len();
        for (at, piece) in pieces.into_iter().enumerate() {
            let text = match self.connection {
                Connection::Sqlite(_) => framed(piece.text, at == 0, at + 1 == count),
                Connection::Postgres(_) => piece.text,
            };
            self.run(text, piece.args).await?;
        }
        Ok(())
    }

    async fn run(&mut self, text: &'static str, args: Vec<Arg>) -> Result<(), DbError> {
        let statement = Statement { sql: text.into(), args };
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                run!(Dialect::Sqlite, Sqlite, statement, &mut **connection, execute).map(drop)
            }
            Connection::Postgres(connection) => {
                run!(Dialect::Postgres, Postgres, statement, &mut **connection, execute).map(drop)
            }
        }
    }
}

impl Drop for Held {
    /// What was left in the middle ends with its connection.
    fn drop(&mut self) {
        if self.is_open {
            match &mut self.connection {
                Connection::Sqlite(connection) => connection.close_on_drop(),
                Connection::Postgres(connection) => connection.close_on_drop(),
            }
        }
    }
}

/// A text for SQLite with the begin and the end of a transaction around it, as far as it is the first and the last. Made
/// once and kept for good, as the text itself is; found by the place of that, because comparing would read it all.
fn framed(text: &'static str, begins: bool, ends: bool) -> &'static str {
    type Framed = HashMap<(usize, usize, bool, bool), &'static str>;
    static FRAMED: LazyLock<Mutex<Framed>> = LazyLock::new(Mutex::default);
    if !begins && !ends {
        return text;
    }
    // Whoever panicked while holding it left a map that is still a map.
    let mut all = FRAMED.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry((text.as_ptr().addr(), text.len(), begins, ends)).or_insert_with(|| {
        let begin = if begins { format!("{};\n", Dialect::Sqlite.begin()) } else { String::new() };
        let end = if ends { ";\ncommit" } else { "" };
        format!("{begin}{text}{end}").leak()
    })
}
