//! Statements that write many rows at once, as the tables of the engine use them: [`Bulk`] by itself, [`Script`] for
//! several of them in one text, and [`Rider`] for what goes along with one. Must not know tables.

use serde_json::Value;
pub(super) use sluice_db::Bulk;
pub(super) use sluice_db::RowValues as Values;
use sluice_db::{Arg, ArgType, Dialect, Piece, placeholders};
use std::sync::OnceLock;

/// Rows in one text of a [`Script`].
const MOST_ROWS: usize = 64;

/// Rows of another table that go along with those of a [`Script`], without a trip of their own. Those that are
/// there already are left as they are. However many there are, the text is the same.
pub(super) struct Rider {
    /// `insert into …` with the columns.
    pub(super) insert: &'static str,
    pub(super) columns: usize,
}

/// Rows of a [`Rider`] on their way.
pub(super) struct Riding {
    rider: &'static Rider,
    list: Arg,
}

impl Rider {
    /// Rows that are to go along; none when there are none.
    pub(super) fn with<T>(&'static self, rows: &[T], values: impl Fn(&T, &mut Values)) -> Option<Riding> {
        (!rows.is_empty()).then(|| Riding { rider: self, list: Arg::Text(json_rows(rows, values)) })
    }

    fn text(&self) -> String {
        let columns: Vec<_> = (0..self.columns).map(|column| format!("value ->> {column}")).collect();
        // `where true`, or `on conflict` would be read as a part of a join.
        format!(
            "{}select {} from json_each(?) where true on conflict do nothing",
            self.insert,
            columns.join(", ")
        )
    }
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

/// Adds the values that a statement takes of a row.
type ValuesOf<'a, T> = &'a dyn Fn(&T, &mut Values);

/// Statements about the same rows that go to SQLite in one text, because each trip there wakes two threads. The text
/// exists for every number of rows up to [`MOST_ROWS`], alone and with a rider.
pub(super) struct Script {
    first: &'static Bulk,
    /// Whether the text fails unless `first` changed every row.
    is_counted: bool,
    second: Option<&'static Bulk>,
    texts: [[OnceLock<String>; MOST_ROWS]; 2],
}

impl Script {
    /// One statement.
    pub(super) const fn new(first: &'static Bulk) -> Self {
        Self::of(first, false, None)
    }

    /// One that fails unless it changes every row.
    pub(super) const fn counted(first: &'static Bulk) -> Self {
        Self::of(first, true, None)
    }

    /// One that fails unless it changes every row, and then another.
    pub(super) const fn counted_then(first: &'static Bulk, second: &'static Bulk) -> Self {
        Self::of(first, true, Some(second))
    }

    const fn of(first: &'static Bulk, is_counted: bool, second: Option<&'static Bulk>) -> Self {
        let texts = [const { [const { OnceLock::new() }; MOST_ROWS] }; 2];
        Self { first, is_counted, second, texts }
    }

    /// Whoever rides, it is always the same.
    fn text(&'static self, rows: usize, rider: Option<&Rider>) -> &'static str {
        self.texts[usize::from(rider.is_some())][rows - 1].get_or_init(|| {
            let mut parts = vec![self.first.text_of(Dialect::Sqlite, rows)];
            if self.is_counted {
                // Not JSON is an error. SQLite cannot know the answer beforehand, so it does not ask too early.
                parts.push(format!("select 1 where json(iif(changes() = {rows}, '1', '')) is null"));
            }
            parts.extend(self.second.map(|second| second.text_of(Dialect::Sqlite, rows)));
            parts.extend(rider.map(Rider::text));
            parts.join(";\n")
        })
    }

    /// Adds what writes all `rows`, with the values that each statement takes of one. What rides along is taken if
    /// there are rows to go along with.
    pub(super) fn add<T>(
        &'static self,
        pieces: &mut Vec<Piece>,
        rows: &[T],
        values: &[ValuesOf<'_, T>],
        riding: &mut Option<Riding>,
    ) {
        let columns = self.first.columns() + self.second.map_or(0, Bulk::columns);
        for rows in rows.chunks(MOST_ROWS) {
            let mut args = Values::with_capacity(rows.len() * columns + 1);
            for values in values {
                rows.iter().for_each(|row| values(row, &mut args));
            }
            debug_assert_eq!(args.len(), rows.len() * columns);
            let riding = riding.take();
            let text = self.text(rows.len(), riding.as_ref().map(|riding| riding.rider));
            args.extend(riding.map(|riding| riding.list));
            pieces.push(Piece { text, args });
        }
    }
}

/// The rows as one list per column, for [`select_lists`].
pub(super) fn columns<T>(rows: &[T], kinds: &[ArgType], values: impl Fn(&T, &mut Values)) -> Values {
    let mut lists: Vec<Values> = kinds.iter().map(|_| Values::with_capacity(rows.len())).collect();
    let mut row_values = Values::with_capacity(kinds.len());
    for row in rows {
        values(row, &mut row_values);
        lists.iter_mut().zip(row_values.drain(..)).for_each(|(list, value)| list.push(value));
    }
    kinds.iter().zip(lists).map(|(kind, list)| Arg::List(*kind, list)).collect()
}

/// A `select` of the rows in lists of these kinds, the first of which has the number `first`. The lists stand side by side in
/// the select list, where they are read row by row: behind `from` the server makes a table of each of them before it.
pub(super) fn select_lists(first: usize, kinds: &[ArgType]) -> String {
    select(first, kinds, |argument| format!("unnest({argument}[])"))
}

/// A `select` of one row whose values are arguments of these kinds.
pub(super) fn select_row(first: usize, kinds: &[ArgType]) -> String {
    select(first, kinds, str::to_owned)
}

fn select(first: usize, kinds: &[ArgType], column: impl Fn(&str) -> String) -> String {
    let types = kinds.iter().map(|kind| match kind {
        ArgType::Text => "text",
        ArgType::Int => "bigint",
        ArgType::Bool => "boolean",
        ArgType::Float => "double precision",
        ArgType::Bytes => "bytea",
    });
    let arguments = placeholders(first, kinds.len());
    let columns =
        arguments.split(", ").zip(types).map(|(argument, kind)| column(&format!("{argument}::{kind}")));
    format!("select {}", columns.collect::<Vec<_>>().join(", "))
}

/// The values of one row as a list of arguments.
macro_rules! values {
    ($into:expr; $($value:expr),* $(,)?) => {
        $into.extend([$(sluice_db::Arg::from($value)),*])
    };
}
pub(super) use values;
