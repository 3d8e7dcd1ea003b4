//! Statements that write many rows at once, as the tables of the engine use them: [`Bulk`], [`Pair`] for the two that
//! nearly every turn takes, and [`Rider`] for what goes along with them. Must not know tables.

use serde_json::Value;
pub(super) use sluice_db::Bulk;
pub(super) use sluice_db::RowValues as Values;
use sluice_db::{Arg, ArgType, DbError, Dialect, Tx, placeholders};
use std::sync::OnceLock;

/// Rows in one text of a [`Pair`].
const MOST_ROWS: usize = 64;

/// Rows of another table that go along with those of a [`Pair`] on SQLite, without a trip of their own. Those that are
/// there already are left as they are. However many there are, the text is the same.
pub(super) struct Rider {
    /// `insert into …` with the columns.
    pub(super) insert: &'static str,
    pub(super) columns: usize,
    /// What becomes of a row that is there: an update that changes nothing, because SQLite counts the changes of all
    /// statements together, and each row must count.
    pub(super) kept: &'static str,
}

impl Rider {
    /// The argument for rows; none when there are none.
    pub(super) fn args<T>(&self, rows: &[T], values: impl Fn(&T, &mut Values)) -> Option<Riding> {
        (!rows.is_empty())
            .then(|| Riding { list: Arg::Text(json_rows(rows, values)), rows: rows.len() as u64 })
    }

    fn text(&self) -> String {
        let columns: Vec<_> = (0..self.columns).map(|column| format!("value ->> {column}")).collect();
        let (insert, kept) = (self.insert, self.kept);
        // `where true`, or `on conflict` would be read as a part of a join.
        format!("{insert}select {} from json_each(?) where true {kept}", columns.join(", "))
    }
}

/// Rows of a [`Rider`] on their way.
pub(super) struct Riding {
    list: Arg,
    rows: u64,
}

/// The rows as a JSON list of lists. Bytes cannot ride.
fn json_rows<T>(rows: &[T], values: impl Fn(&T, &mut Values)) -> String {
    let value = |arg: Arg| match arg {
        Arg::Text(text) => Value::from(text),
        Arg::Int(number) => Value::from(number),
        Arg::Bool(is) => Value::from(is),
        Arg::Float(number) => Value::from(number),
        Arg::Null(_) | Arg::Bytes(_) | Arg::List(..) => Value::Null,
    };
    let row = |row: &T| {
        let mut args = Values::new();
        values(row, &mut args);
        args.into_iter().map(value).collect::<Value>()
    };
    rows.iter().map(row).collect::<Value>().to_string()
}

/// Two statements about the same rows that go to SQLite in one trip, because each trip there wakes two threads. Their
/// text exists for every number of rows up to [`MOST_ROWS`], alone and with a rider. PostgreSQL prepares no texts of
/// several statements; there they are two, and the rider a third.
pub(super) struct Pair {
    first: &'static Bulk,
    second: &'static Bulk,
    rider: &'static Rider,
    texts: [[OnceLock<String>; MOST_ROWS]; 2],
}

impl Pair {
    /// `first`, then `second`.
    pub(super) const fn new(first: &'static Bulk, second: &'static Bulk, rider: &'static Rider) -> Self {
        let texts = [const { [const { OnceLock::new() }; MOST_ROWS] }; 2];
        Self { first, second, rider, texts }
    }

    fn text(&'static self, rows: usize, with_rider: bool) -> &'static str {
        let text = |bulk: &Bulk| bulk.text_of(Dialect::Sqlite, rows);
        self.texts[usize::from(with_rider)][rows - 1].get_or_init(|| {
            let pair = format!("{};\n{}", text(self.first), text(self.second));
            if with_rider { format!("{pair};\n{}", self.rider.text()) } else { pair }
        })
    }

    /// Runs both statements for all `rows` and counts the rows that the two changed together. What rides along is taken
    /// where there are rows to go along with, on SQLite.
    pub(super) async fn execute<T>(
        &'static self,
        tx: &mut Tx,
        rows: &[T],
        first: impl Fn(&T, &mut Values),
        second: impl Fn(&T, &mut Values),
        riding: &mut Option<Riding>,
    ) -> Result<u64, DbError> {
        if tx.dialect() == Dialect::Postgres {
            let changed = self.first.execute(tx, rows, first).await?;
            return Ok(changed + self.second.execute(tx, rows, second).await?);
        }
        let mut changed = 0;
        for rows in rows.chunks(MOST_ROWS) {
            let mut args = Values::with_capacity(rows.len() * (self.first.columns() + self.second.columns()));
            rows.iter().for_each(|row| first(row, &mut args));
            rows.iter().for_each(|row| second(row, &mut args));
            let text = self.text(rows.len(), riding.is_some());
            let along = riding.take().map_or(0, |riding| {
                args.push(riding.list);
                riding.rows
            });
            changed += tx.query(text).bind_all(args).execute().await?.saturating_sub(along);
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
