//! Where the measured server stores: a fresh SQLite file or a fresh PostgreSQL database, and how large it became.
//! Must not know any table.

use crate::fault::{Tried, While as _};
use sluice_db::{Db, DbOptions};
use std::path::{Path, PathBuf};

/// Which database a measurement is to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file in the data folder.
    Sqlite,
    /// A new database on the server with this URL.
    Postgres(String),
}

impl Kind {
    /// For tables.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A fresh database; one on a server is dropped by [`Database::remove`].
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// What `--database` takes.
    pub(crate) url: String,
    /// The file, for SQLite.
    file: Option<PathBuf>,
    /// Server and name, for PostgreSQL.
    server: Option<(String, String)>,
}

impl Database {
    /// Makes one, named after `purpose`, its file in `folder`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub(crate) async fn fresh(kind: &Kind, folder: &Path, purpose: &str) -> Tried<Self> {
        let Kind::Postgres(server) = kind else {
            let file = folder.join(format!("{purpose}.db"));
            return Ok(Self { url: format!("sqlite:{}", file.display()), file: Some(file), server: None });
        };
        let name = format!("load_{purpose}_{:08x}", fastrand::u32(..));
        let db = Db::open(DbOptions::new(server.as_str())).await?;
        db.query(format!("create database {name}")).execute().await?;
        db.close().await;
        Ok(Self { url: with_name(server, &name), file: None, server: Some((server.clone(), name)) })
    }

    /// Opens it beside the server.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn open(&self) -> Tried<Db> {
        Ok(Db::open(DbOptions::new(self.url.as_str())).await?)
    }

    /// Its size on disk in bytes, with indexes, after a checkpoint.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn bytes(&self) -> Tried<u64> {
        let db = self.open().await?;
        let Some(file) = &self.file else {
            let row = db.query("select pg_database_size(current_database())").one().await?;
            let bytes = row.int(0)?;
            db.close().await;
            return Ok(u64::try_from(bytes).unwrap_or(0));
        };
        // A reader may hold the checkpoint up; then the log is counted as well.
        db.query("pragma wal_checkpoint(truncate)").execute().await?;
        db.close().await;
        let size = |path: &Path| std::fs::metadata(path).map(|data| data.len());
        let log = size(&PathBuf::from(format!("{}-wal", file.display()))).unwrap_or(0);
        Ok(log + size(file).while_trying(|| format!("measuring {}", file.display()))?)
    }

    /// Drops a database on a server; a file goes with its folder.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn remove(self) -> Tried<()> {
        if let Some((server, name)) = self.server {
            let db = Db::open(DbOptions::new(server.as_str())).await?;
            db.query(format!("drop database if exists {name} with (force)")).execute().await?;
            db.close().await;
        }
        Ok(())
    }
}

/// The URL with another database name; parameters stay.
fn with_name(url: &str, name: &str) -> String {
    let (place, parameters) = url.split_once('?').map_or((url, String::new()), |(a, b)| (a, format!("?{b}")));
    let after_scheme = place.find("://").map_or(0, |at| at + 3);
    let base = place[after_scheme..].find('/').map_or(place, |at| &place[..after_scheme + at]);
    format!("{base}/{name}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::with_name;

    #[test]
    fn the_name_in_a_url_is_replaced() {
        assert_eq!(with_name("postgres://u@h:1/postgres", "x"), "postgres://u@h:1/x");
        assert_eq!(with_name("postgres://u@h:1/a?sslmode=off", "x"), "postgres://u@h:1/x?sslmode=off");
        assert_eq!(with_name("postgres://u@h", "x"), "postgres://u@h/x");
    }
}
