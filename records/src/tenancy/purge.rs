//! Removes the rows of deleted workspaces, little by little, so that nobody waits. What they used and paid (ledger,
//! usage) and what was done to them (audit) stays.

use crate::{RecordError, Records};

/// The tables of a workspace with their keys, children before parents.
const TABLES: &[(&str, &str)] = &[
    ("message_statuses", "workspace_id, phone_number_id, wamid, participant, status"),
    ("messages", "workspace_id, id"),
    ("conversations", "workspace_id, id"),
    ("contact_consents", "workspace_id, contact_id, topic"),
    ("contact_identities", "workspace_id, kind, value"),
    ("contact_merges", "workspace_id, merged_id"),
    ("contacts", "workspace_id, id"),
    ("inbound_body_runs", "workspace_id, inbound_id, run_id"),
    ("inbound_body_shares", "workspace_id, inbound_id"),
    ("record_events", "workspace_id, id"),
    ("applied_effects", "workspace_id, effect_id"),
    ("numbers", "workspace_id, phone_number_id"),
    ("oauth_states", "workspace_id, state_hash"),
    ("paused_credentials", "workspace_id, name"),
    ("connections", "workspace_id, credential_id"),
    ("credentials", "workspace_id, id"),
    ("limit_rules", "workspace_id, id"),
    ("limit_counts", "workspace_id, counter, subject"),
    ("subject_keys", "workspace_id, contact_id"),
    ("erasures", "workspace_id, id"),
    ("refusals", "workspace_id, mark, topic"),
    // After everything that is sealed with them: what backups still hold is then unreadable.
    ("data_keys", "workspace_id, id"),
    ("api_keys", "id"),
];

impl Records {
    /// Removes up to `limit` rows of deleted workspaces; returns how many. To be called again while it removes some.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_deleted_workspaces(&self, limit: u32) -> Result<u64, RecordError> {
        let sql = "select id from workspaces where status = 'deleted' and profile <> 'null' order by id";
        for row in self.db.query(sql).all().await? {
            let id = row.text(0)?;
            for (table, key) in TABLES {
                let sql = format!(
                    "delete from {table} where ({key}) in (select {key} from {table} where workspace_id = $1 limit $2)"
                );
                let removed = self.db.query(sql).bind(&id).bind(limit).execute().await?;
                if removed > 0 {
                    return Ok(removed);
                }
            }
            for table in ["memberships", "invitations", "brands", "domains"] {
                let sql = format!("delete from {table} where scope_kind = 'workspace' and scope_id = $1");
                self.db.query(sql).bind(&id).execute().await?;
            }
            // The row stays, so that its id is never given again and the ledger can name it; the profile goes last.
            self.db.query("update workspaces set profile = 'null' where id = $1").bind(&id).execute().await?;
        }
        Ok(0)
    }
}
