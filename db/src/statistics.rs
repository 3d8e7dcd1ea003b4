//! What PostgreSQL's planner knows of the size of tables. It plans by what it saw at its last look, keeps plans of prepared
//! statements until the next, and looks once a minute: a plan made for a small table reads a large one whole until then.
//! SQLite plans by the indexes that there are. Must not know what tables hold.

use crate::{Db, DbError, Dialect};

/// Tables that have at least 32 pages, and more than twice as many as at the last look.
const OUTGROWN: &str = "select quote_ident(relname) as name from pg_class \
     where relkind = 'r' and relnamespace = current_schema()::regnamespace \
     and pg_relation_size(oid) / current_setting('block_size')::bigint > greatest(2 * relpages, 31) order by relname";

impl Db {
    /// Makes the planner look at the tables that have outgrown what it knows, and answers their names. Cheap when there
    /// are none; else it reads a sample of each and keeps nobody from writing. Does nothing on SQLite.
    ///
    /// # Errors
    /// When the database fails, or the user may not analyze its tables.
    pub async fn refresh_statistics(&self) -> Result<Vec<String>, DbError> {
        if self.dialect() != Dialect::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.query(OUTGROWN).all().await?;
        let names = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        for name in &names {
            self.query(format!("analyze {name}")).execute().await?;
        }
        Ok(names)
    }
}
