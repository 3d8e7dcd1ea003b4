//! Statements that write many rows at once. Each has one text per number of rows, of which there are few: a list is
//! cut into powers of two, so that every text is prepared once per connection. [`Pair`] is for the two that nearly every
//! turn takes. Must not know tables.

use sluice_db::{Arg, ArgType, DbError, Dialect, Tx, placeholders, value_rows};
use std::sync::OnceLock;

/// Texts per statement: 1, 2, 4, … 64 rows.
const SIZES: usize = 7;

/// The values of one row, in the order of its columns.
pub(super) type Values = Vec<Arg>;

/// A statement around a list of rows.
pub(super) struct Bulk {
    before: &'static str,
    columns: usize,
    after: &'static str,
    texts: OnceLock<[String; SIZES]>,
    postgres_texts: OnceLock<[String; SIZES]>,
}

impl Bulk {
    /// `before (…), (…) after`, with so many columns in each row.
    pub(super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self { before, columns, after, texts: OnceLock::new(), postgres_texts: OnceLock::new() }
    }

    /// The text for 2 to the power of `size` rows.
    pub(super) fn text(&'static self, dialect: Dialect, size: usize) -> &'static str {
        let texts = match dialect {
            Dialect::Sqlite => &self.texts,
            Dialect::Postgres => &self.postgres_texts,
        };
        let make = |size: usize| {
            format!("{}{}{}", self.before, value_rows(dialect, self.columns, 1_usize << size), self.after)
        };
        &texts.get_or_init(|| std::array::from_fn(make))[size]
    }

    /// Runs the statement for all `rows` and counts the rows that it changed.
    pub(super) async fn execute<T>(
        &'static self,
        tx: &mut Tx,
        rows: &[T],
        values: impl Fn(&T, &mut Values),
    ) -> Result<u64, DbError> {
        let (mut left, mut changed) = (rows, 0);
        while let Some(size) = left.len().checked_ilog2() {
            let size = (size as usize).min(SIZES - 1);
            let (now, later) = left.split_at(1 << size);
            let mut args = Values::with_capacity(now.len() * self.columns);
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

/// Rows in one text of a [`Pair`].
const MOST_ROWS: usize = 64;

/// Two statements about the same rows that go to SQLite in one trip, because each trip there wakes two threads. Their
/// text exists for every number of rows up to [`MOST_ROWS`].
pub(super) struct Pair {
    first: &'static Bulk,
    second: &'static Bulk,
    texts: [OnceLock<String>; MOST_ROWS],
}

impl Pair {
    /// `first`, then `second`.
    pub(super) const fn new(first: &'static Bulk, second: &'static Bulk) -> Self {
        Self { first, second, texts: [const { OnceLock::new() }; MOST_ROWS] }
    }

    fn text(&'static self, rows: usize) -> &'static str {
        self.texts[rows - 1].get_or_init(|| {
            let text = |bulk: &Bulk| {
                format!("{}{}{}", bulk.before, value_rows(Dialect::Sqlite, bulk.columns, rows), bulk.after)
            };
            format!("{};\n{}", text(self.first), text(self.second))
        })
    }

    /// Runs both statements for all `rows` and counts the rows that they changed together.
    pub(super) async fn execute<T>(
        &'static self,
        tx: &mut Tx,
        rows: &[T],
        first: impl Fn(&T, &mut Values),
        second: impl Fn(&T, &mut Values),
    ) -> Result<u64, DbError> {
        if tx.dialect() == Dialect::Postgres {
            // It prepares no texts of several statements.
            let changed = self.first.execute(tx, rows, first).await?;
            return Ok(changed + self.second.execute(tx, rows, second).await?);
        }
        let mut changed = 0;
        for rows in rows.chunks(MOST_ROWS) {
            let mut args = Values::with_capacity(rows.len() * (self.first.columns + self.second.columns));
            rows.iter().for_each(|row| first(row, &mut args));
            rows.iter().for_each(|row| second(row, &mut args));
            changed += tx.query(self.text(rows.len())).bind_all(args).execute().await?;
        }
        Ok(changed)
    }
}

/// The rows as one list per column, for `unnest`.
pub(super) fn columns<T>(rows: &[T], kinds: &[ArgType], values: impl Fn(&T, &mut Values)) -> Values {
    let mut lists: Vec<Values> = kinds.iter().map(|_| Values::with_capacity(rows.len())).collect();
    let mut row_values = Values::with_capacity(kinds.len());
    for row in rows {
        values(row, &mut row_values);
        lists.iter_mut().zip(row_values.drain(..)).for_each(|(list, value)| list.push(value));
    }
    kinds.iter().zip(lists).map(|(kind, list)| Arg::List(*kind, list)).collect()
}

/// `unnest(…)` over lists of these kinds, the first of which has the number `first`.
pub(super) fn unnest(first: usize, kinds: &[ArgType]) -> String {
    let types = kinds.iter().map(|kind| match kind {
        ArgType::Text => "text",
        ArgType::Int => "bigint",
        ArgType::Bool => "boolean",
        ArgType::Float => "double precision",
        ArgType::Bytes => "bytea",
    });
    let lists = placeholders(first, kinds.len());
    let lists = lists.split(", ").zip(types).map(|(name, kind)| format!("{name}::{kind}[]"));
    format!("unnest({})", lists.collect::<Vec<_>>().join(", "))
}

/// The values of one row as a list of arguments.
macro_rules! values {
    ($into:expr; $($value:expr),* $(,)?) => {
        $into.extend([$(sluice_db::Arg::from($value)),*])
    };
}
pub(super) use values;
