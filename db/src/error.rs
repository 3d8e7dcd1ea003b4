//! What can go wrong with a database, in the words of the person who has to fix it.

use std::sync::Arc;

use sqlx::error::DatabaseError;

use crate::Dialect;

/// A closed set of failures; each message says what to do. The engine's own words are in the source chain. Cloning is
/// cheap: those who shared a transaction share its failure.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// `one()` found no row.
    #[error("no such row")]
    NotFound,
    /// A unique index or primary key refused the row. `constraint` is `table.column, …` on SQLite, the constraint's
    /// name on PostgreSQL.
    #[error("a row with the same {constraint} exists already")]
    Unique { constraint: String },
    /// Not-null, check or foreign key: the caller wrote something the schema forbids.
    #[error("the schema refuses this row: {message}")]
    Constraint { message: String },
    /// Somebody else holds the lock, or no connection became free in time. Trying again may help.
    #[error(
        "the database is busy ({message}); try again, or raise the number of connections if this persists"
    )]
    Busy { message: String },
    #[error(
        "the database is read-only; check the owner and permissions of the database file and its folder, or connect to the primary server"
    )]
    ReadOnly,
    #[error("the disk that holds the database is full; free some space, nothing was written")]
    Full,
    #[error("the database cannot be reached: {message}")]
    Unreachable { message: String },
    #[error(
        "the database was written by a newer version (schema {found}, this version knows {known}); start the newer version or restore a backup"
    )]
    NewerSchema { found: i64, known: i64 },
    #[error("not a usable database: {message}; restore a backup or point to another file")]
    Corrupt { message: String },
    /// A column is missing or has another type: a mistake in the program.
    #[error("column {column} cannot be read")]
    Column {
        column: String,
        #[source]
        source: Arc<sqlx::Error>,
    },
    #[error("the database refused the statement")]
    Other(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl DbError {
    /// True for `Unique`.
    pub fn is_unique(&self) -> bool {
        matches!(self, DbError::Unique { .. })
    }

    /// True when the same call may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        matches!(self, DbError::Busy { .. } | DbError::Unreachable { .. } | DbError::Full)
    }

    /// True when the database as a whole cannot be used: nobody's statement is at fault.
    pub fn is_everybodys(&self) -> bool {
        matches!(
            self,
            DbError::Unreachable { .. }
                | DbError::Full
                | DbError::ReadOnly
                | DbError::Corrupt { .. }
                | DbError::NewerSchema { .. }
        )
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        let source: Box<dyn std::error::Error + Send + Sync> = message.into().into();
        DbError::Other(source.into())
    }
}

/// Sorts an error of the driver into the closed set.
pub(crate) fn classify(dialect: Dialect, error: sqlx::Error) -> DbError {
    match error {
        sqlx::Error::RowNotFound => DbError::NotFound,
        sqlx::Error::PoolTimedOut => DbError::Busy { message: "no connection became free in time".into() },
        sqlx::Error::PoolClosed => {
            DbError::Unreachable { message: "it was closed; the process is stopping".into() }
        }
        sqlx::Error::Io(source) => unreachable_because(&source.to_string()),
        sqlx::Error::Tls(source) => unreachable_because(&source.to_string()),
        sqlx::Error::WorkerCrashed => {
            DbError::Unreachable { message: "its worker thread ended; restart the process".into() }
        }
        sqlx::Error::Database(database) => match dialect {
            Dialect::Sqlite => from_sqlite(database),
            Dialect::Postgres => from_postgres(database),
        },
        other => DbError::Other(Arc::new(other)),
    }
}

fn unreachable_because(reason: &str) -> DbError {
    DbError::Unreachable {
        message: format!("{reason}; check that the server runs and that host and port are right"),
    }
}

/// By SQLite's result codes, <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn from_sqlite(error: Box<dyn DatabaseError>) -> DbError {
    let message = error.message().to_owned();
    let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(1);
    match (code & 0xff, code) {
        (19, 1555 | 2067) => {
            let constraint = message.rsplit_once(": ").map_or(message.as_str(), |(_, columns)| columns);
            DbError::Unique { constraint: constraint.to_owned() }
        }
        (19, _) => DbError::Constraint { message },
        (5 | 6, _) => DbError::Busy { message },
        (3 | 8, _) => DbError::ReadOnly,
        (13, _) => DbError::Full,
        (11 | 26, _) => DbError::Corrupt { message },
        (14, _) => DbError::Unreachable {
            message: format!("{message}; check that the folder exists and may be read and written"),
        },
        _ => DbError::Other(error.into_error().into()),
    }
}

/// By SQLSTATE, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn from_postgres(error: Box<dyn DatabaseError>) -> DbError {
    let message = error.message().to_owned();
    let code = error.code().unwrap_or_default().into_owned();
    match (code.get(..2).unwrap_or(""), code.as_str()) {
        (_, "23505") => DbError::Unique { constraint: error.constraint().unwrap_or("key").to_owned() },
        ("23", _) => DbError::Constraint { message },
        ("40", _) | (_, "55P03" | "57014" | "53300") => DbError::Busy { message },
        (_, "25006") => DbError::ReadOnly,
        (_, "53100") => DbError::Full,
        ("28", _) | (_, "3D000") => DbError::Unreachable {
            message: format!("{message}; check user, password and database name in the URL"),
        },
        ("08", _) | (_, "57P01" | "57P02" | "57P03") => unreachable_because(&message),
        ("XX", "XX001" | "XX002") => DbError::Corrupt { message },
        _ => DbError::Other(error.into_error().into()),
    }
}
