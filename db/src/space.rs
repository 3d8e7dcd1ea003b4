//! Giving the space of deleted rows back to the disk. PostgreSQL's autovacuum does it unasked; SQLite keeps free pages in
//! its file until it is told. Must not know who deleted what.

use crate::open::{Db, Pools};
use crate::{DbError, Dialect};

/// How much of an SQLite file is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes of one page.
    pub page_size: i64,
    /// Pages of the file.
    pub pages: i64,
    /// Pages that hold nothing.
    pub free_pages: i64,
    /// Whether [`Db::give_back`] can return free pages. Files made before that was the rule cannot, until
    /// [`Db::vacuum`] has written them anew.
    pub can_shrink: bool,
}

impl Space {
    /// Bytes that hold nothing.
    pub fn free_bytes(&self) -> i64 {
        self.free_pages * self.page_size
    }
}

impl Db {
    /// How much of the file is in use; `None` on PostgreSQL and for a database in memory.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn space(&self) -> Result<Option<Space>, DbError> {
        if self.dialect() == Dialect::Postgres || self.is_in_memory() {
            return Ok(None);
        }
        const SQL: &str = "select s.page_size, c.page_count, f.freelist_count, v.auto_vacuum from pragma_page_size s, \
             pragma_page_count c, pragma_freelist_count f, pragma_auto_vacuum v";
        let row = self.query(SQL).one().await?;
        Ok(Some(Space {
            page_size: row.int("page_size")?,
            pages: row.int("page_count")?,
            free_pages: row.int("freelist_count")?,
            // 0 none, 1 full, 2 incremental.
            can_shrink: row.int("auto_vacuum")? == 2,
        }))
    }

    /// Returns at most `pages` free pages to the disk; the file is cut when the log is folded back into it. Writers wait
    /// meanwhile, so the number should be small. Does nothing where there is nothing to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, pages: u32) -> Result<(), DbError> {
        if let Pools::Sqlite { .. } = self.pools() {
            // A row is answered per page: all are fetched, or the statement would stop half-way.
            self.query(format!("pragma incremental_vacuum({pages})")).all().await?;
        }
        Ok(())
    }

    /// Writes an SQLite database anew without free space; afterwards it can give space back bit by bit. Needs as much
    /// free disk as the database takes, and everybody waits meanwhile. Does nothing on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails, is in use by another process, or the disk is full; it is then as it was.
    pub async fn vacuum(&self) -> Result<(), DbError> {
        self.overwrite_deleted().await.map(|_| ())
    }

    /// The same, to leave nothing of deleted rows behind: SQLite marks them as free, and splits pages without clearing
    /// what moved away. Answers whether the log was emptied, too; it is not while somebody reads from it.
    ///
    /// # Errors
    /// As for [`Db::vacuum`].
    pub async fn overwrite_deleted(&self) -> Result<bool, DbError> {
        let Pools::Sqlite { .. } = self.pools() else { return Ok(true) };
        self.query("vacuum").execute().await?;
        self.empty_log().await
    }

    /// Folds SQLite's log back into the file and cuts it to nothing. Answers whether that was possible: somebody may be
    /// reading from it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty_log(&self) -> Result<bool, DbError> {
        let Pools::Sqlite { .. } = self.pools() else { return Ok(true) };
        Ok(self.query("pragma wal_checkpoint(truncate)").one().await?.int("busy")? == 0)
    }
}
