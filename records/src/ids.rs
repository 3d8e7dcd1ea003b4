//! Ids, and the cleaning of text that came from outside.

use uuid::Uuid;

/// A new id with `prefix`, for example `con_0198…`. Ids made later sort later (UUID version 7).
pub fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

/// PostgreSQL cannot store the NUL character in text, SQLite can: take it out of everything that came from outside.
pub(crate) fn clean(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text.to_owned() }
}
