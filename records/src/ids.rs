//! Ids, and the cleaning of text that came from outside.

/// A new id with `prefix`, for example `con_1m7k…`, for rows that come in great numbers. Ids made later sort later.
pub fn new_id(prefix: &str) -> String {
    sluice_db::sortable_id(prefix)
}

/// A new id for the few rows that live long and are named in many others.
pub(crate) fn new_short_id(prefix: &str) -> String {
    sluice_db::random_id(prefix)
}

/// PostgreSQL cannot store the NUL character in text, SQLite can: take it out of everything that came from outside.
pub(crate) fn clean(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text.to_owned() }
}
