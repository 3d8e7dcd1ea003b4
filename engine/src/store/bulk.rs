//! Statements that write many rows at once, as the tables of the engine use them. Must not know tables.

pub(super) use sluice_db::Bulk;

/// The values of one row as a list of arguments.
macro_rules! values {
    ($into:expr; $($value:expr),* $(,)?) => {
        $into.extend([$(sluice_db::Arg::from($value)),*])
    };
}
pub(super) use values;
