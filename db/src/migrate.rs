//! Bringing a database to this version's schema, once, however many processes start together.

use sqlx::migrate::{MigrateError, Migrator};

use crate::error::classify;
use crate::open::Pools;
use crate::{Db, DbError, Dialect};

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

impl Db {
    /// Applies the migrations this version knows and the database has not. Safe to call from several processes at
    /// once: the others wait and then find nothing to do.
    ///
    /// # Errors
    /// `NewerSchema` when the database has migrations this version does not know; `Corrupt` when an applied
    /// migration's text differs from ours.
    pub async fn migrate(&self) -> Result<(), DbError> {
        let known = self.known_schema();
        if let Some(found) = self.schema_version().await?.filter(|found| *found > known) {
            return Err(DbError::NewerSchema { found, known });
        }
        match self.pools() {
            Pools::Sqlite { writer, .. } => {
                // sqlx takes no lock of its own on SQLite. An immediate transaction is one across processes;
                // the migrations become savepoints inside it.
                let begun = writer.begin_with(self.dialect().begin()).await;
                let mut tx = begun.map_err(|error| classify(Dialect::Sqlite, error))?;
                SQLITE.run_direct(None, &mut *tx, false).await.map_err(|error| self.refused(error))?;
                tx.commit().await.map_err(|error| classify(Dialect::Sqlite, error))
            }
            Pools::Postgres(pool) => POSTGRES.run(pool).await.map_err(|error| self.refused(error)),
        }
    }

    /// The number of the newest migration this version carries.
    pub fn known_schema(&self) -> i64 {
        let migrator = match self.dialect() {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
        };
        migrator.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// The number of the newest migration applied to the database; none when it is empty.
    pub async fn schema_version(&self) -> Result<Option<i64>, DbError> {
        let exists = match self.dialect() {
            Dialect::Sqlite => "select count(*) as n from sqlite_master where name = '_sqlx_migrations'",
            Dialect::Postgres => {
                "select count(*) as n from information_schema.tables \
                 where table_schema = current_schema() and table_name = '_sqlx_migrations'"
            }
        };
        if self.query(exists).one().await?.int("n")? == 0 {
            return Ok(None);
        }
        self.query("select max(version) as version from _sqlx_migrations").one().await?.opt_int("version")
    }

    fn refused(&self, error: MigrateError) -> DbError {
        match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                classify(self.dialect(), source)
            }
            MigrateError::VersionMissing(found) => DbError::NewerSchema { found, known: self.known_schema() },
            MigrateError::VersionMismatch(version) => DbError::Corrupt {
                message: format!("migration {version} was applied with another text than this version's"),
            },
            other => DbError::Other(std::sync::Arc::new(other)),
        }
    }
}
