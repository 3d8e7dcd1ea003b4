//! The text of a statement: static where possible, owned where a list length decides it.

use crate::Dialect;
use std::borrow::Cow;
use std::fmt::Write as _;

/// SQL text with `$1`-style placeholders. Build it from a literal, or from a `String` whose dynamic parts are
/// placeholders and column lists made by the program, never values that came from outside.
#[derive(Debug, Clone)]
pub struct Sql(pub(crate) Cow<'static, str>);

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Sql(Cow::Borrowed(text))
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Sql(Cow::Owned(text))
    }
}

impl Sql {
    /// True when the statement can run on a read-only connection: a `select`, or a `with` that changes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        let text = self.0.trim_start();
        let starts_with =
            |word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        if starts_with("select") {
            return true;
        }
        starts_with("with")
            && !text
                .split(|c: char| !c.is_ascii_alphabetic() && c != '_')
                .any(|word| ["insert", "update", "delete"].iter().any(|verb| word.eq_ignore_ascii_case(verb)))
    }
}

/// `$first, …` for `count` values: the inside of an `in (…)` list or of one `values (…)` row.
pub fn placeholders(first: usize, count: usize) -> String {
    let mut list = String::with_capacity(count * 5);
    for number in first..first + count {
        if number > first {
            list.push_str(", ");
        }
        list.push('$');
        list.push_str(&number.to_string());
    }
    list
}

/// The rows after `values` in a statement that writes many at once: `(…), (…)`, to be bound row by row. Its
/// placeholders have no numbers on SQLite, which looks each name up in a list while binding: with a thousand of them
/// that would take longer than the writing.
pub fn value_rows(dialect: Dialect, columns: usize, rows: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 7);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                text.push_str(", ");
            }
            // Writing into a string cannot fail.
            let _ = match dialect {
                Dialect::Sqlite => write!(text, "?"),
                Dialect::Postgres => write!(text, "${}", row * columns + column + 1),
            };
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_statements_are_recognised() {
        assert!(Sql::from("  SELECT 1").only_reads());
        assert!(Sql::from("with a as (select updated_at from t) select * from a").only_reads());
        assert!(!Sql::from("with a as (select 1) insert into t select * from a").only_reads());
        assert!(!Sql::from("insert into t values ($1) returning id").only_reads());
    }

    #[test]
    fn placeholder_lists_count_from_the_given_number() {
        assert_eq!(placeholders(3, 3), "$3, $4, $5");
        assert_eq!(placeholders(1, 0), "");
    }

    #[test]
    fn value_rows_are_bound_row_by_row() {
        assert_eq!(value_rows(Dialect::Sqlite, 2, 2), "(?, ?), (?, ?)");
        assert_eq!(value_rows(Dialect::Postgres, 2, 2), "($1, $2), ($3, $4)");
    }
}
