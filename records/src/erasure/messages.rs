//! Messages and conversations of a person, and what stands beside them.

use std::collections::BTreeSet;

use sluice_db::placeholders;

use super::{Erasure, Phase, Traces, save};
use crate::{RecordError, Records};

/// Messages deleted in one step.
const BATCH: u32 = 100;

/// Some messages of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageStep {
    ids: Vec<String>,
    /// The runs that sent them, `run_…`: to be deleted before the messages, which alone tell of them.
    pub run_ids: BTreeSet<String>,
}

impl MessageStep {
    /// None are left.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl Records {
    /// Messages that are to be deleted next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_to_erase(
        &self,
        erasure: &Erasure,
        traces: &Traces,
    ) -> Result<MessageStep, RecordError> {
        let sql = format!(
            "select id, effect_id from messages where workspace_id = $1 and contact_id in ({}) limit $2",
            placeholders(3, traces.contact_ids.len())
        );
        let query = self.db.query(sql).bind(&erasure.workspace_id).bind(BATCH);
        let rows = query.bind_all(traces.contact_ids.iter().map(String::as_str)).all().await?;
        let mut step = MessageStep::default();
        for row in &rows {
            step.ids.push(row.text("id")?);
            // An effect is `run/node/iteration`.
            let effect = row.opt_text("effect_id")?;
            let run = effect.as_deref().and_then(|effect| effect.split('/').next());
            step.run_ids.extend(run.map(str::to_owned));
        }
        Ok(step)
    }

    /// Deletes messages with their statuses.
    ///
    /// # Errors
    /// When the database fails; repeat it then.
    pub async fn erase_messages(&self, erasure: &mut Erasure, step: &MessageStep) -> Result<(), RecordError> {
        let (ws, list) = (erasure.workspace_id.clone(), placeholders(2, step.ids.len()));
        let ids = || step.ids.iter().map(String::as_str);
        let mut tx = self.begin().await?;
        let sql = format!(
            "delete from message_statuses where workspace_id = $1 and (phone_number_id, wamid) in \
             (select phone_number_id, wamid from messages where workspace_id = $1 and wamid is not null and id in ({list}))"
        );
        let statuses = tx.query(sql).bind(&ws).bind_all(ids()).execute().await?;
        let sql = format!(
            "delete from message_statuses where workspace_id = $1 and effect_id in \
             (select effect_id from messages where workspace_id = $1 and effect_id is not null and id in ({list}))"
        );
        let early = tx.query(sql).bind(&ws).bind_all(ids()).execute().await?;
        let sql = format!("delete from messages where workspace_id = $1 and id in ({list})");
        let messages = tx.query(sql).bind(&ws).bind_all(ids()).execute().await?;
        erasure.count("message_statuses", statuses + early);
        erasure.count("messages", messages);
        save(&mut tx, erasure).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes what is left when the messages are gone: conversations, and what the person saw in groups. Goes on to the
    /// next phase.
    ///
    /// # Errors
    /// When the database fails; repeat it then.
    pub async fn erase_conversations(
        &self,
        erasure: &mut Erasure,
        traces: &Traces,
    ) -> Result<(), RecordError> {
        let ws = erasure.workspace_id.clone();
        let mut tx = self.begin().await?;
        let of = [
            ("conversations", "contact_id", &traces.contact_ids),
            ("message_statuses", "participant", &traces.words),
        ];
        for (table, column, values) in of.into_iter().filter(|(_, _, values)| !values.is_empty()) {
            let list = placeholders(2, values.len());
            let sql = format!("delete from {table} where workspace_id = $1 and {column} in ({list})");
            let query = tx.query(sql).bind(&ws).bind_all(values.iter().map(String::as_str));
            erasure.count(table, query.execute().await?);
        }
        erasure.enter(Phase::Late);
        save(&mut tx, erasure).await?;
        Ok(tx.commit().await?)
    }
}
