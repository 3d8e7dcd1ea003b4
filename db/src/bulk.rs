//! Statements that write many rows at once. Each has one text per number of rows, of which there are few: a list is
//! cut into powers of two, so that every text is prepared once per connection. Must not know tables.

use crate::{Arg, DbError, Dialect, Tx, value_rows};
use std::sync::OnceLock;

/// Texts per statement: 1, 2, 4, … 64 rows.
const SIZES: usize = 7;

/// The values of one row, in the order of its columns.
pub type RowValues = Vec<Arg>;

/// A statement around a list of rows. To be kept in a `static`.
pub struct Bulk {
    before: &'static str,
    columns: usize,
    after: &'static str,
    texts: OnceLock<[String; SIZES]>,
    postgres_texts: OnceLock<[String; SIZES]>,
}

impl Bulk {
    /// `before (…), (…) after`, with so many columns in each row.
    pub const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self { before, columns, after, texts: OnceLock::new(), postgres_texts: OnceLock::new() }
    }

    /// The text for 2 to the power of `size` rows.
    pub fn text(&'static self, dialect: Dialect, size: usize) -> &'static str {
        let texts = match dialect {
            Dialect::Sqlite => &self.texts,
            Dialect::Postgres => &self.postgres_texts,
        };
        &texts.get_or_init(|| std::array::from_fn(|size| self.text_of(dialect, 1_usize << size)))[size]
    }

    /// A new text for any number of rows.
    pub fn text_of(&self, dialect: Dialect, rows: usize) -> String {
        format!("{}{}{}", self.before, value_rows(dialect, self.columns, rows), self.after)
    }

    /// How many columns each row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Runs the statement for all `rows` and counts the rows that it changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute<T>(
        &'static self,
        tx: &mut Tx,
        rows: &[T],
        values: impl Fn(&T, &mut RowValues),
    ) -> Result<u64, DbError> {
        let (mut left, mut changed) = (rows, 0);
        while let Some(size) = left.len().checked_ilog2() {
            let size = (size as usize).min(SIZES - 1);
            let (now, later) = left.split_at(1 << size);
            let mut args = RowValues::with_capacity(now.len() * self.columns);
            for row in now {
                values(row, &mut args);
            }
            debug_assert_eq!(args.len(), now.len() * self.columns, "{}", self.before);
            let text = self.text(tx.dialect(), size);
            changed += tx.query(text).bind_all(args).execute().await?;
            left = later;
        }
        Ok(changed)
    }
}
