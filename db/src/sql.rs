//! The text of a statement: static where possible, owned where a list length decides it.

use std::borrow::Cow;

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
}
