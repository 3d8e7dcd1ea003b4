//! Statements with their arguments, on their own or inside a transaction.

use sqlx::postgres::PgPool;
use sqlx::{Postgres, Sqlite, Transaction};

use crate::error::classify;
use crate::open::{Db, Pools};
use crate::row::Inner;
use crate::{Arg, DbError, Dialect, Row, Sql};

/// Text and arguments of one statement.
pub(crate) struct Statement {
    pub(crate) sql: Sql,
    pub(crate) args: Vec<Arg>,
}

impl Statement {
    fn new(sql: Sql) -> Self {
        Self { sql, args: Vec::new() }
    }
}

/// Runs `$statement` with `$method` on the given executor of one engine. A macro because the two drivers share no
/// type and sqlx's own erased driver supports fewer types.
macro_rules! run {
    ($dialect:expr, $driver:ty, $statement:expr, $executor:expr, $method:ident) => {{
        let statement = $statement;
        match crate::arg::encode::<<$driver as sqlx::Database>::Arguments>(statement.args) {
            Ok(arguments) => sqlx::query_with::<$driver, _>(
                sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(statement.sql.0)),
                arguments,
            )
            .$method($executor)
            .await
            .map_err(|error| classify($dialect, error)),
            Err(error) => Err(classify($dialect, error)),
        }
    }};
}
pub(crate) use run;

/// A statement outside a transaction. See [`Db::query`].
#[must_use = "a query does nothing until it is run"]
pub struct Query<'a> {
    db: &'a Db,
    statement: Statement,
}

impl Db {
    /// One statement that is its own transaction. Statements that only read go to a reading connection.
    pub fn query(&self, sql: impl Into<Sql>) -> Query<'_> {
        Query { db: self, statement: Statement::new(sql.into()) }
    }

    /// Starts a writing transaction; dropping it without [`Tx::commit`] rolls back. On SQLite it holds the single
    /// writing connection: do no other work meanwhile, and read through the transaction, not through the `Db`
    /// (an in-memory database has one connection altogether).
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let begin = self.dialect().begin();
        let mut tx = match self.pools() {
            // Boxed: connecting takes kilobytes of state, which would be a part of every future that asks the database
            // for something, of each request from its first moment on.
            Pools::Sqlite { writer, .. } => {
                let _wanting = self.wanting();
                Box::pin(writer.begin_with(begin)).await.map(Tx::Sqlite)
            }
            Pools::Postgres(pool) => begin_to_the_end(pool.clone(), begin).await.map(Tx::Postgres),
        }
        .map_err(|error| classify(self.dialect(), error))?;
        if let (Tx::Postgres(_), Some(workspace_id)) = (&tx, self.workspace()) {
            // For this transaction only, so that no connection carries it to somebody else.
            tx.query("select set_config('sluice.workspace', $1, true)").bind(workspace_id).execute().await?;
        }
        Ok(tx)
    }
}

impl Query<'_> {
    /// Adds the next argument.
    pub fn bind(mut self, value: impl Into<Arg>) -> Self {
        self.statement.args.push(value.into());
        self
    }

    /// Adds arguments, one after the other (for `in (…)` lists, see [`crate::placeholders`]).
    pub fn bind_all<A: Into<Arg>>(mut self, values: impl IntoIterator<Item = A>) -> Self {
        self.statement.args.extend(values.into_iter().map(Into::into));
        self
    }

    /// Whether the server must be told whose rows may be seen.
    fn is_walled(&self) -> bool {
        self.db.workspace().is_some() && self.db.dialect() == Dialect::Postgres
    }

    /// Runs the statement in a transaction of its own that sees one workspace.
    async fn walled<T>(self, run: impl AsyncFnOnce(TxQuery<'_>) -> Result<T, DbError>) -> Result<T, DbError> {
        let mut tx = self.db.begin().await?;
        let done = run(TxQuery { tx: &mut tx, statement: self.statement }).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Every row.
    pub async fn all(self) -> Result<Vec<Row>, DbError> {
        if self.is_walled() {
            return self.walled(async |query: TxQuery<'_>| query.all().await).await;
        }
        match self.db.pools() {
            Pools::Sqlite { writer, readers } => {
                let only_reads = self.statement.sql.only_reads();
                let pool = if only_reads { readers } else { writer };
                let _wanting = (!only_reads).then(|| self.db.wanting());
                run!(Dialect::Sqlite, Sqlite, self.statement, pool, fetch_all).map(sqlite_rows)
            }
            Pools::Postgres(pool) => {
                run!(Dialect::Postgres, Postgres, self.statement, pool, fetch_all).map(postgres_rows)
            }
        }
    }

    /// The first row, if there is one.
    pub async fn optional(self) -> Result<Option<Row>, DbError> {
        if self.is_walled() {
            return self.walled(async |query: TxQuery<'_>| query.optional().await).await;
        }
        match self.db.pools() {
            Pools::Sqlite { writer, readers } => {
                let only_reads = self.statement.sql.only_reads();
                let pool = if only_reads { readers } else { writer };
                let _wanting = (!only_reads).then(|| self.db.wanting());
                run!(Dialect::Sqlite, Sqlite, self.statement, pool, fetch_optional).map(sqlite_row)
            }
            Pools::Postgres(pool) => {
                run!(Dialect::Postgres, Postgres, self.statement, pool, fetch_optional).map(postgres_row)
            }
        }
    }

    /// The first row; [`DbError::NotFound`] when there is none.
    pub async fn one(self) -> Result<Row, DbError> {
        self.optional().await?.ok_or(DbError::NotFound)
    }

    /// Runs the statement and counts the rows it changed.
    pub async fn execute(self) -> Result<u64, DbError> {
        if self.is_walled() {
            return self.walled(async |query: TxQuery<'_>| query.execute().await).await;
        }
        match self.db.pools() {
            Pools::Sqlite { writer, .. } => {
                let _wanting = self.db.wanting();
                run!(Dialect::Sqlite, Sqlite, self.statement, writer, execute)
                    .map(|done| done.rows_affected())
            }
            Pools::Postgres(pool) => run!(Dialect::Postgres, Postgres, self.statement, pool, execute)
                .map(|done| done.rows_affected()),
        }
    }
}

/// An open transaction.
pub enum Tx {
    #[doc(hidden)]
    Sqlite(Transaction<'static, Sqlite>),
    #[doc(hidden)]
    Postgres(Transaction<'static, Postgres>),
}

/// A statement inside a transaction. See [`Tx::query`].
#[must_use = "a query does nothing until it is run"]
pub struct TxQuery<'a> {
    tx: &'a mut Tx,
    statement: Statement,
}

impl Tx {
    /// One statement of this transaction. On PostgreSQL a statement that fails spoils the transaction: use
    /// `on conflict do nothing` where a duplicate is expected.
    pub fn query(&mut self, sql: impl Into<Sql>) -> TxQuery<'_> {
        TxQuery { tx: self, statement: Statement::new(sql.into()) }
    }

    /// Waits until no other transaction holds the lock of this name, and holds it until this one ends. On SQLite every
    /// writing transaction is alone already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock(&mut self, name: &str) -> Result<(), DbError> {
        if self.dialect() == Dialect::Postgres {
            self.query("select pg_advisory_xact_lock(hashtextextended(current_schema() || $1, 0))")
                .bind(name)
                .execute()
                .await?;
        }
        Ok(())
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        match self {
            Tx::Sqlite(_) => Dialect::Sqlite,
            Tx::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Makes everything durable, or fails and keeps nothing.
    pub async fn commit(self) -> Result<(), DbError> {
        let dialect = self.dialect();
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        }
        .map_err(|error| classify(dialect, error))
    }

    /// Undoes everything. Dropping does the same, later.
    pub async fn rollback(self) -> Result<(), DbError> {
        let dialect = self.dialect();
        match self {
            Tx::Sqlite(tx) => tx.rollback().await,
            Tx::Postgres(tx) => tx.rollback().await,
        }
        .map_err(|error| classify(dialect, error))
    }
}

impl TxQuery<'_> {
    /// Adds the next argument.
    pub fn bind(mut self, value: impl Into<Arg>) -> Self {
        self.statement.args.push(value.into());
        self
    }

    /// Adds arguments, one after the other.
    pub fn bind_all<A: Into<Arg>>(mut self, values: impl IntoIterator<Item = A>) -> Self {
        self.statement.args.extend(values.into_iter().map(Into::into));
        self
    }

    /// Every row.
    pub async fn all(self) -> Result<Vec<Row>, DbError> {
        match self.tx {
            Tx::Sqlite(tx) => {
                run!(Dialect::Sqlite, Sqlite, self.statement, &mut **tx, fetch_all).map(sqlite_rows)
            }
            Tx::Postgres(tx) => {
                run!(Dialect::Postgres, Postgres, self.statement, &mut **tx, fetch_all).map(postgres_rows)
            }
        }
    }

    /// The first row, if there is one.
    pub async fn optional(self) -> Result<Option<Row>, DbError> {
        match self.tx {
            Tx::Sqlite(tx) => {
                run!(Dialect::Sqlite, Sqlite, self.statement, &mut **tx, fetch_optional).map(sqlite_row)
            }
            Tx::Postgres(tx) => {
                run!(Dialect::Postgres, Postgres, self.statement, &mut **tx, fetch_optional).map(postgres_row)
            }
        }
    }

    /// The first row; [`DbError::NotFound`] when there is none.
    pub async fn one(self) -> Result<Row, DbError> {
        self.optional().await?.ok_or(DbError::NotFound)
    }

    /// Runs the statement and counts the rows it changed.
    pub async fn execute(self) -> Result<u64, DbError> {
        match self.tx {
            Tx::Sqlite(tx) => run!(Dialect::Sqlite, Sqlite, self.statement, &mut **tx, execute)
                .map(|done| done.rows_affected()),
            Tx::Postgres(tx) => run!(Dialect::Postgres, Postgres, self.statement, &mut **tx, execute)
                .map(|done| done.rows_affected()),
        }
    }
}

/// Begins a transaction in a task of its own, whatever becomes of the caller. The driver (sqlx 0.9.0, its issue 4393)
/// forgets a transaction whose `begin` is dropped on the way to the server and back: the next who gets that connection
/// writes into it, believes that it is stored, and it never is.
async fn begin_to_the_end(
    pool: PgPool,
    begin: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    // What nobody takes any more is rolled back by its drop, there.
    let begun = tokio::spawn(async move { pool.begin_with(begin).await });
    begun.await.unwrap_or_else(|failure| match failure.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // The runtime ends.
        Err(_) => Err(sqlx::Error::WorkerCrashed),
    })
}

fn sqlite_rows(rows: Vec<sqlx::sqlite::SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row(Inner::Sqlite(row))).collect()
}

fn postgres_rows(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row(Inner::Postgres(row))).collect()
}

fn sqlite_row(row: Option<sqlx::sqlite::SqliteRow>) -> Option<Row> {
    row.map(|row| Row(Inner::Sqlite(row)))
}

fn postgres_row(row: Option<sqlx::postgres::PgRow>) -> Option<Row> {
    row.map(|row| Row(Inner::Postgres(row)))
}
