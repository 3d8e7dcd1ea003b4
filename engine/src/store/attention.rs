//! Runs that a person must look at: counted, and taken off the list. Must not know why a run needs attention.

use super::columns::attention_of;
use super::{Attention, Change, RunKey, Store, StoreError};

pub(super) const COUNT: &str = "select attention, count(*) as n from runs where attention is not null group by attention order by attention";

impl Store {
    /// How many runs of all workspaces need a person, by reason. Reads only those.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_attention(&self) -> Result<Vec<(Attention, i64)>, StoreError> {
        let rows = self.db.query(COUNT).all().await?;
        let counts = rows.iter().map(|row| Ok((attention_of(row.int("attention")?), row.int("n")?)));
        let counts = counts.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(counts.into_iter().filter_map(|(reason, count)| Some((reason?, count))).collect())
    }

    /// A person has looked at a run that is over: it needs no further attention. Answers whether it needed any; one
    /// that goes on keeps asking. `change` goes into the log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledge(&self, key: &RunKey, change: Option<Box<Change>>) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let updated = tx
            .query(
                "update runs set attention = null where workspace_id = $1 and run_id = $2 and status >= 3 \
                 and attention is not null",
            )
            .bind(&*key.workspace_id)
            .bind(&*key.run_id)
            .execute()
            .await?;
        if updated == 1 {
            self.log.write(&mut tx, change.into_iter().map(|change| *change).collect()).await?;
        }
        tx.commit().await?;
        Ok(updated == 1)
    }
}
