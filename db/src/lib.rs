//! One small door to SQLite and PostgreSQL: pools, arguments, rows, transactions, migrations, ids, contract tests.
//!
//! Callers write one canonical SQL text with `$1` placeholders; it runs on both engines. This crate knows no
//! table's meaning: it must not know workflows, runs, contacts or anything else that is stored.

mod arg;
mod bulk;
pub mod contract;
mod copy;
mod dialect;
mod error;
mod exclusive;
mod held;
mod ids;
mod listen;
mod migrate;
mod open;
mod options;
mod query;
mod row;
mod space;
mod sql;
mod statistics;

pub use arg::{Arg, ArgType};
pub use bulk::{Bulk, RowValues};
pub use copy::{CopiedTable, CopyError, copy_all};
pub use dialect::Dialect;
pub use error::DbError;
pub use exclusive::Exclusive;
pub use held::{Held, Piece};
pub use ids::{hashed_id, random_id, sortable_id};
pub use listen::Listener;
pub use open::Db;
pub use options::{DbOptions, Synchronous};
pub use query::{Query, Tx, TxQuery};
pub use row::{ColumnIndex, Row};
pub use space::Space;
pub use sql::{Sql, placeholders, value_rows};
