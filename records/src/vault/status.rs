//! What the vault holds, in numbers: which master keys are needed, and which values a rotation would change.

use super::columns::COLUMNS;
use super::{HEAD_LEN, Vault, head};
use crate::RecordError;

/// Numbers and names of keys; nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultStatus {
    /// Name of the master key that this process wraps with.
    pub master_key: String,
    /// Data keys by the name of the master key that wraps them, and whether this process has that one.
    pub data_keys: Vec<(String, u64, bool)>,
    /// Data keys that only open.
    pub retired: u64,
    /// Sealed values by table.
    pub values: Vec<SealedValues>,
    /// When a renewal of the data keys began that did not come to its end.
    pub unfinished_since: Option<i64>,
}

/// The sealed values of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValues {
    /// The table.
    pub table: &'static str,
    /// Sealed under a data key that is in use.
    pub current: u64,
    /// Sealed under a retired data key.
    pub retired: u64,
    /// Sealed by a master key itself, as earlier releases did.
    pub direct: u64,
}

impl Vault {
    /// Counts keys and values.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn status(&self) -> Result<VaultStatus, RecordError> {
        let sql = "select master_key, count(*) as n from data_keys group by master_key order by master_key";
        let mut data_keys = Vec::new();
        for row in self.db.query(sql).all().await? {
            let id = row.text("master_key")?;
            let known = self.cipher.knows(&id);
            data_keys.push((id, count(row.int("n")?), known));
        }
        let sql = "select count(*) as n from data_keys where retired_at is not null";
        let retired = count(self.db.query(sql).one().await?.int("n")?);
        let mut in_use = std::collections::HashSet::new();
        for row in self.db.query("select id from data_keys where retired_at is null").all().await? {
            in_use.insert(head(&row.text("id")?)?.to_vec());
        }
        let mut values = Vec::with_capacity(COLUMNS.len());
        for column in &COLUMNS {
            let sealed = column.column;
            let sql = format!(
                "select substr({sealed}, 1, {HEAD_LEN}) as head, count(*) as n from {} \
                 where {sealed} is not null group by 1",
                column.table
            );
            let mut found = SealedValues { table: column.table, current: 0, retired: 0, direct: 0 };
            for row in self.db.query(sql).all().await? {
                let (head, n) = (row.bytes("head")?, count(row.int("n")?));
                match head.first() {
                    Some(1) => found.direct += n,
                    _ if in_use.contains(&head) => found.current += n,
                    _ => found.retired += n,
                }
            }
            values.push(found);
        }
        Ok(VaultStatus {
            master_key: self.cipher.current(),
            data_keys,
            retired,
            values,
            unfinished_since: self.unfinished().await?.map(|(_, since)| since),
        })
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
