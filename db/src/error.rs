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
    /// The server does not answer, or the disk does not do what it is told.
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

    /// True when the same call may succeed later although its caller changes nothing: the moment, the disk or the server
    /// is at fault.
    pub fn is_transient(&self) -> bool {
        matches!(self, DbError::Busy { .. } | DbError::Unreachable { .. } | DbError::Full | DbError::ReadOnly)
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
        // 4874: no room for the index of the log, which is how a full disk shows itself to those who only read, too.
        (13, _) | (10, 4874) => DbError::Full,
        (10, _) => DbError::Unreachable {
            message: format!("{message} ({code}); look at the disk and the system's log"),
        },
        (7, _) => DbError::Busy { message },
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
        (_, "53100") => DbError::Full,
        ("40" | "53", _) | (_, "55P03" | "57014") => DbError::Busy { message },
        (_, "25006") => DbError::ReadOnly,
        ("28", _) | (_, "3D000") => DbError::Unreachable {
            message: format!("{message}; check user, password and database name in the URL"),
        },
        ("08" | "57", _) => unreachable_because(&message),
        ("58", _) => {
            DbError::Unreachable { message: format!("{message}; look at the server's disk and its log") }
        }
        ("XX", "XX001" | "XX002") => DbError::Corrupt { message },
        _ => DbError::Other(error.into_error().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::error::ErrorKind;
    use std::fmt;

    /// An error as an engine tells it.
    #[derive(Debug)]
    struct Told(&'static str);

    impl fmt::Display for Told {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("told")
        }
    }

    impl std::error::Error for Told {}

    impl DatabaseError for Told {
        fn message(&self) -> &str {
            "told"
        }
        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> sqlx::error::BoxDynError {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn told(dialect: Dialect, code: &'static str) -> DbError {
        classify(dialect, sqlx::Error::Database(Box::new(Told(code))))
    }

    /// What nobody's statement is to blame for must not be taken for somebody's mistake: bodies would be put aside for it.
    #[test]
    fn a_disk_or_a_server_in_trouble_is_no_mistake_of_a_statement() {
        // Full, no room for the log's index, failed reads, writes and locks, no memory, read-only.
        for code in ["13", "4874", "10", "266", "778", "3850", "7", "3082", "8", "5", "261", "14"] {
            let error = told(Dialect::Sqlite, code);
            assert!(error.is_transient(), "{code}: {error}");
        }
        for code in [
            "53100", "53200", "53300", "58030", "58P01", "57P01", "57P03", "57P05", "57014", "40001",
            "40P01", "25006", "08006",
        ] {
            let error = told(Dialect::Postgres, code);
            assert!(error.is_transient(), "{code}: {error}");
        }
        assert!(matches!(told(Dialect::Sqlite, "4874"), DbError::Full));
        assert!(matches!(told(Dialect::Postgres, "53100"), DbError::Full));
    }

    #[test]
    fn a_statement_or_its_values_at_fault_stay_so() {
        for (dialect, code) in [
            (Dialect::Sqlite, "1"),
            (Dialect::Sqlite, "18"),
            (Dialect::Sqlite, "1299"),
            (Dialect::Postgres, "22021"),
            (Dialect::Postgres, "42P01"),
            (Dialect::Postgres, "23502"),
        ] {
            let error = told(dialect, code);
            assert!(!error.is_transient() && !error.is_everybodys(), "{code}: {error}");
        }
    }
}
