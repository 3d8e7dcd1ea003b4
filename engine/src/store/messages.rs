//! What is told to runs that other processes may be driving: a row per message, answered by whoever drives the run.
//! Must not know what a message says.

use super::claims::claim_rows;
use super::runs::read_key;
use super::{RunKey, Store, StoreError};
use sluice_db::{DbError, Row};

/// A message for a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunMessage {
    /// For which run.
    pub key: RunKey,
    /// `msg_…`.
    pub id: String,
    /// What it says, as JSON text.
    pub body: String,
}

/// A message that nobody has answered, and how its run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenMessage {
    /// The message.
    pub message: RunMessage,
    /// The process that drives the run.
    pub owner: Option<i64>,
    /// Whether there is such a run.
    pub is_known: bool,
}

const OPEN: &str = "select m.workspace_id, m.run_id, m.message_id, m.body, r.owner, r.status \
     from run_messages m left join runs r on r.workspace_id = m.workspace_id and r.run_id = m.run_id \
     where m.answered_at is null and (r.owner is null or r.owner = $1) order by m.created_at limit $2";

impl Store {
    /// Leaves a message for a run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave_message(&self, message: &RunMessage, now: i64) -> Result<(), StoreError> {
        const SQL: &str = "insert into run_messages (workspace_id, run_id, message_id, body, created_at) \
             values ($1, $2, $3, $4, $5) on conflict do nothing";
        self.db
            .query(SQL)
            .bind(&*message.key.workspace_id)
            .bind(&*message.key.run_id)
            .bind(&message.id)
            .bind(&message.body)
            .bind(now)
            .execute()
            .await?;
        Ok(())
    }

    /// The oldest messages that `runner` may deal with: of runs that it drives, and of runs that nobody drives.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_messages(&self, runner: i64, limit: u32) -> Result<Vec<OpenMessage>, StoreError> {
        let rows = self.db.query(OPEN).bind(runner).bind(limit).all().await?;
        rows.iter().map(read_open).collect()
    }

    /// Notes the answer to a message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_message(
        &self,
        key: &RunKey,
        id: &str,
        answer: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update run_messages set answer = $4, answered_at = $5 \
             where workspace_id = $1 and run_id = $2 and message_id = $3 and answered_at is null";
        let query = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id).bind(id);
        query.bind(answer).bind(now).execute().await?;
        Ok(())
    }

    /// The answer to a message, if there is one by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_of(&self, key: &RunKey, id: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str =
            "select answer from run_messages where workspace_id = $1 and run_id = $2 and message_id = $3";
        let query = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id).bind(id);
        let row = query.optional().await?;
        Ok(row.map(|row| row.opt_text("answer")).transpose()?.flatten())
    }

    /// Takes over one run for the messages that lie there for it, unless somebody drives it. With `in_lane` it is
    /// left alone while another run of its lane is under way. Answers how often it was taken over since its last
    /// commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_run(
        &self,
        runner: i64,
        key: &RunKey,
        in_lane: bool,
    ) -> Result<Option<i64>, StoreError> {
        let mut tx = self.db.begin().await?;
        tx.lock(super::claims::LOCK).await?;
        let lane_rule =
            if in_lane { super::claims::lane_is_free(super::claims::ANYONE) } else { String::new() };
        let sql = format!(
            "select r.workspace_id, r.run_id, r.claims from runs r \
             where r.workspace_id = $1 and r.run_id = $2 and r.owner is null {lane_rule}"
        );
        let row = tx.query(sql).bind(&*key.workspace_id).bind(&*key.run_id).optional().await?;
        let claimed = claim_rows(&mut tx, runner, row.as_slice()).await?;
        tx.commit().await?;
        Ok(claimed.first().map(|claimed| claimed.claims))
    }
}

fn read_open(row: &Row) -> Result<OpenMessage, StoreError> {
    let message = RunMessage { key: read_key(row)?, id: row.text("message_id")?, body: row.text("body")? };
    let is_known = row.opt_int("status")?.is_some();
    Ok::<_, DbError>(OpenMessage { message, owner: row.opt_int("owner")?, is_known }).map_err(Into::into)
}
