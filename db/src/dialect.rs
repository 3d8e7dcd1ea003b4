//! The few places where one SQL text cannot serve both engines.

/// Which engine answers, and the fragments that differ between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Appended to a `select` inside a transaction to lock its rows, leaving out those somebody else holds.
    /// SQLite has one writer at a time, so nothing is needed.
    pub fn for_update_skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update skip locked",
        }
    }

    /// Appended to a `select` inside a transaction to lock its rows, waiting for those somebody else holds.
    pub fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update",
        }
    }

    /// How a writing transaction starts. SQLite takes the write lock at once, so that it never has to fail half-way.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Dialect::Sqlite => "begin immediate",
            Dialect::Postgres => "begin",
        }
    }

    /// The greater of two scalar values: `max(a, b)` here, `greatest(a, b)` there. (Neither takes nulls the same
    /// way: SQLite answers null when one is null, PostgreSQL skips nulls; pass no nulls.)
    pub fn greatest(self) -> &'static str {
        match self {
            Dialect::Sqlite => "max",
            Dialect::Postgres => "greatest",
        }
    }
}
