//! What a caller may say about a database before it is opened.

use std::time::Duration;

/// How hard SQLite waits for the disk at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit survives a power cut. The default.
    #[default]
    Full,
    /// The last commits may be lost in a power cut (not in a crash of the process); the file stays consistent.
    Normal,
}

/// Where the database is and how it is used.
#[derive(Clone)]
pub struct DbOptions {
    /// `sqlite:path`, `sqlite::memory:`, `postgres://user:password@host:port/name`.
    pub url: String,
    /// SQLite only.
    pub synchronous: Synchronous,
    /// PostgreSQL: connections of this process. SQLite: reading connections beside the single writing one.
    pub max_connections: u32,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// SQLite: how long a statement waits for another process's lock.
    pub busy_timeout: Duration,
    /// PostgreSQL: a statement that runs longer is cancelled. None: the server's own setting.
    pub statement_timeout: Option<Duration>,
}

impl DbOptions {
    /// The defaults for `url`: full durability, 8 connections, 30 s for a connection, 5 s for a lock.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            synchronous: Synchronous::Full,
            max_connections: 8,
            acquire_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Some(Duration::from_secs(60)),
        }
    }
}

impl std::fmt::Debug for DbOptions {
    /// Leaves the URL's password out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DbOptions")
            .field("url", &without_password(&self.url))
            .field("synchronous", &self.synchronous)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// The URL as it may be shown: whatever stands between the user's name and the `@` is replaced, and so is the
/// query, where PostgreSQL accepts a password too.
pub(crate) fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(base, _)| base);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((login, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    format!("{scheme}://{user}@{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_no_password() {
        assert_eq!(
            without_password("postgres://asha:s3cret@db.example:5432/x"),
            "postgres://asha@db.example:5432/x"
        );
        assert_eq!(without_password("postgres://db/x?password=s3cret"), "postgres://db/x");
        assert_eq!(without_password("sqlite:data/sluice.sqlite"), "sqlite:data/sluice.sqlite");
    }
}
