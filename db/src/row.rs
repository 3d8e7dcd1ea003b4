//! One row of an answer, read by column name or position.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row as _, TypeInfo, ValueRef};

use crate::DbError;

/// A row. The readers fail with [`DbError::Column`] when the column is missing, has another type, or is null where a
/// value was asked for.
pub struct Row(pub(crate) Inner);

pub(crate) enum Inner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl std::fmt::Debug for Row {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Row").field(&self.columns()).finish()
    }
}

/// A column's name (`&str`) or its position counted from 0 (`usize`).
pub trait ColumnIndex:
    sqlx::ColumnIndex<SqliteRow> + sqlx::ColumnIndex<PgRow> + std::fmt::Display + Copy
{
}
impl ColumnIndex for &str {}
impl ColumnIndex for usize {}

macro_rules! reader {
    ($(#[$doc:meta])* $name:ident, $opt_name:ident, $type:ty) => {
        $(#[$doc])*
        pub fn $name(&self, column: impl ColumnIndex) -> Result<$type, DbError> {
            match &self.0 {
                Inner::Sqlite(row) => row.try_get(column),
                Inner::Postgres(row) => row.try_get(column),
            }
            .map_err(|source| DbError::Column { column: column.to_string(), source: source.into() })
        }

        /// The same, `None` for null.
        pub fn $opt_name(&self, column: impl ColumnIndex) -> Result<Option<$type>, DbError> {
            match &self.0 {
                Inner::Sqlite(row) => row.try_get(column),
                Inner::Postgres(row) => row.try_get(column),
            }
            .map_err(|source| DbError::Column { column: column.to_string(), source: source.into() })
        }
    };
}

impl Row {
    reader!(
        /// A text column.
        text, opt_text, String
    );
    reader!(
        /// A boolean column.
        bool, opt_bool, bool
    );
    reader!(
        /// A blob (`bytea`) column.
        bytes, opt_bytes, Vec<u8>
    );
    reader!(
        /// A double precision column.
        float, opt_float, f64
    );

    /// An integer of any width. (PostgreSQL's `sum` of `bigint` is `numeric`: cast it to `bigint`.)
    pub fn int(&self, column: impl ColumnIndex) -> Result<i64, DbError> {
        match self.opt_int(column)? {
            Some(value) => Ok(value),
            None => Err(DbError::Column {
                column: column.to_string(),
                source: sqlx::Error::Decode("unexpected null".into()).into(),
            }),
        }
    }

    /// The same, `None` for null.
    pub fn opt_int(&self, column: impl ColumnIndex) -> Result<Option<i64>, DbError> {
        match &self.0 {
            Inner::Sqlite(row) => row.try_get(column),
            Inner::Postgres(row) => postgres_int(row, column),
        }
        .map_err(|source| DbError::Column { column: column.to_string(), source: source.into() })
    }

    /// A text column that holds JSON.
    pub fn json(&self, column: impl ColumnIndex) -> Result<serde_json::Value, DbError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|error| not_json(column, error))
    }

    /// The same, `None` for null.
    pub fn opt_json(&self, column: impl ColumnIndex) -> Result<Option<serde_json::Value>, DbError> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| not_json(column, error))
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<String> {
        match &self.0 {
            Inner::Sqlite(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
            Inner::Postgres(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
        }
    }
}

fn not_json(column: impl ColumnIndex, error: serde_json::Error) -> DbError {
    DbError::Column { column: column.to_string(), source: sqlx::Error::Decode(Box::new(error)).into() }
}

fn postgres_int(row: &PgRow, column: impl ColumnIndex) -> Result<Option<i64>, sqlx::Error> {
    let width = {
        let value = row.try_get_raw(column)?;
        value.type_info().name().to_owned()
    };
    match width.as_str() {
        "INT4" => Ok(row.try_get::<Option<i32>, _>(column)?.map(i64::from)),
        "INT2" => Ok(row.try_get::<Option<i16>, _>(column)?.map(i64::from)),
        _ => row.try_get(column),
    }
}
