//! Every column in which sealed values are stored. Rotation walks through this list, so a column that is missing in it
//! would be lost with the keys: a test compares it with the schema.

/// A column of sealed values. The parts are SQL written here, never values from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct SealedColumn {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// The scope that a value is bound to: a column, or an expression such as `cast('' as text)` for the platform.
    pub(super) scope: &'static str,
    /// The column with the id of the row.
    pub(super) row: &'static str,
    /// The name of the field that a value is bound to.
    pub(super) field: &'static str,
}

/// Bound to credentials.
pub(crate) const CREDENTIAL: &str = "credential";
/// Bound to keys of persons.
pub(super) const SUBJECT_KEY: &str = "subject_key";
/// Bound to sign-ins at providers that are under way.
pub(crate) const VERIFIER: &str = "verifier";

/// Bound to erasures that are under way.
pub(crate) const ERASURE: &str = "erasure";

/// All of them.
pub(super) const COLUMNS: [SealedColumn; 4] = [
    SealedColumn {
        table: "credentials",
        column: "sealed",
        scope: "workspace_id",
        row: "id",
        field: CREDENTIAL,
    },
    SealedColumn {
        table: "subject_keys",
        column: "wrapped",
        scope: "workspace_id",
        row: "contact_id",
        field: SUBJECT_KEY,
    },
    SealedColumn {
        table: "oauth_states",
        column: "verifier",
        scope: "workspace_id",
        row: "state_hash",
        field: VERIFIER,
    },
    SealedColumn { table: "erasures", column: "sealed", scope: "workspace_id", row: "id", field: ERASURE },
];

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_db::Db;
    use std::collections::BTreeSet;

    /// Columns of bytes that hold nothing sealed by the vault. Letters are sealed with a key made from the master key,
    /// because they are written in the midst of transactions; they are gone in minutes, and earlier keys open them too.
    const OTHERS: [&str; 10] = [
        "data_keys.wrapped",
        "inbound_bodies.raw",
        "run_events.body",
        "runs.first_events",
        "audit_entries.prev_hash",
        "audit_entries.hash",
        "audit_heads.last_hash",
        "audit_heads.seal",
        "mail_outbox.sealed",
        "brand_logos.content",
    ];

    async fn every_column_of_bytes_is_known(db: Db) {
        let sql = match db.dialect() {
            sluice_db::Dialect::Sqlite => {
                "select t.name as tab, c.name as col from sqlite_master t join pragma_table_info(t.name) c \
                 where t.type = 'table' and lower(c.type) = 'blob' and t.name not like '\\_%' escape '\\'"
            }
            sluice_db::Dialect::Postgres => {
                "select table_name::text as tab, column_name::text as col from information_schema.columns \
                 where table_schema = current_schema() and data_type = 'bytea' and table_name not like '\\_%'"
            }
        };
        let known: BTreeSet<String> =
            COLUMNS.iter().map(|column| format!("{}.{}", column.table, column.column)).collect();
        for row in db.query(sql).all().await.unwrap() {
            let name = format!("{}.{}", row.text("tab").unwrap(), row.text("col").unwrap());
            assert!(
                known.contains(&name) || OTHERS.contains(&name.as_str()),
                "{name} holds bytes: if they are sealed, add it to COLUMNS, else to OTHERS"
            );
        }
    }

    sluice_db::contract_tests! { every_column_of_bytes_is_known }
}
