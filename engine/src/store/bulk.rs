//! Statements that write many rows at once, as the tables of the engine use them: [`Bulk`], and [`Pair`] for the two
//! that nearly every turn takes. Must not know tables.

pub(super) use sluice_db::Bulk;
pub(super) use sluice_db::RowValues as Values;
use sluice_db::{Arg, ArgType, DbError, Dialect, Tx, placeholders};
use std::sync::OnceLock;

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
        let text = |bulk: &Bulk| bulk.text_of(Dialect::Sqlite, rows);
        self.texts[rows - 1].get_or_init(|| format!("{};\n{}", text(self.first), text(self.second)))
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
            let mut args = Values::with_capacity(rows.len() * (self.first.columns() + self.second.columns()));
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
