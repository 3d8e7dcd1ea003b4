//! Provider bodies that tell of a person lose their content. Their hash stays: the repetition of one must not be taken for
//! news. Must not know formats.

use sluice_db::placeholders;

use super::{Erasure, Finder, Phase, Traces, save};
use crate::{RecordError, Records};

/// What stands where a body was.
pub(crate) const ERASED: &[u8] = b"{\"erased\":true}";

/// What people read beside an erased body.
const NOTE: &str = "it told of a person who was erased";

/// Bodies looked at in one step.
const BATCH: u32 = 100;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyStep {
    /// There may be more.
    More,
    /// A body has not been read yet; try again in a moment.
    Waiting,
    /// All are done.
    Done,
}

impl Records {
    /// Looks at some bodies, in the order in which they came: those from before the person was gone, or, in the phase for
    /// it, those that came since and that nobody new can have caused. Those of other workspaces are left alone. Goes on to
    /// the next phase after the last.
    ///
    /// # Errors
    /// When the database fails; repeat it then.
    pub async fn erase_bodies(
        &self,
        erasure: &mut Erasure,
        traces: &Traces,
        finder: &Finder,
    ) -> Result<BodyStep, RecordError> {
        const SQL: &str = "select b.id, b.received_at, b.status, b.raw, b.changes, b.note, s.changes as own, \
             case when exists (select 1 from inbound_body_shares o where o.inbound_id = b.id) then 1 else 0 end as shared \
             from inbound_bodies b left join inbound_body_shares s on s.inbound_id = b.id and s.workspace_id = $1 \
             where (b.received_at, b.id) > ($2, $3) and b.received_at <= $4 order by b.received_at, b.id limit $5";
        let left_at = erasure.left_at.unwrap_or_else(|| self.now());
        let is_late = erasure.phase == Phase::Late;
        let (from, until) = match is_late {
            false => (0, left_at),
            true if self.is_known(&erasure.workspace_id, &traces.values).await? => (left_at, left_at),
            true => (left_at, self.now()),
        };
        let (at, id) = erasure.place.split_once('/').unwrap_or_default();
        let at: i64 = at.parse().unwrap_or(from);
        let query = self.db.query(SQL).bind(&erasure.workspace_id).bind(at).bind(id).bind(until);
        let rows = query.bind(BATCH).all().await?;
        let mut found = Vec::new();
        let mut is_waiting = false;
        for row in &rows {
            let own = row.opt_text("own")?;
            // A body that nobody was found for belongs to nobody.
            let is_ours = own.is_some() || row.int("shared")? == 0;
            let mut parts = vec![row.bytes("raw")?, row.text("changes")?.into_bytes()];
            parts.extend([own, row.opt_text("note")?].into_iter().flatten().map(String::into_bytes));
            if is_ours && parts.iter().any(|part| finder.has_any(part)) {
                if row.text("status")? == "received" {
                    is_waiting = true;
                    break;
                }
                found.push(row.text("id")?);
            }
            erasure.place = format!("{}/{}", row.int("received_at")?, row.text("id")?);
        }
        let is_last = !is_waiting && rows.len() < BATCH as usize;
        erasure.count("inbound_bodies", found.len() as u64);
        if is_last {
            erasure.enter(if is_late { Phase::Scrubbing } else { Phase::Runs });
        }
        let mut tx = self.begin().await?;
        if !found.is_empty() {
            let sql = format!(
                "update inbound_bodies set raw = $1, changes = '[]', note = $2, erased_at = $3 where id in ({})",
                placeholders(4, found.len())
            );
            let query = tx.query(sql).bind(ERASED).bind(NOTE).bind(self.now());
            query.bind_all(found.iter().map(String::as_str)).execute().await?;
            let sql = format!(
                "update inbound_body_shares set changes = '[]' where workspace_id = $1 and inbound_id in ({})",
                placeholders(2, found.len())
            );
            let query = tx.query(sql).bind(&erasure.workspace_id);
            query.bind_all(found.iter().map(String::as_str)).execute().await?;
        }
        save(&mut tx, erasure).await?;
        tx.commit().await?;
        Ok(match (is_waiting, is_last) {
            (true, _) => BodyStep::Waiting,
            (_, true) => BodyStep::Done,
            _ => BodyStep::More,
        })
    }

    /// Whether somebody is known by one of these again.
    async fn is_known(&self, workspace_id: &str, values: &[String]) -> Result<bool, RecordError> {
        if values.is_empty() {
            return Ok(false);
        }
        let list = placeholders(2, values.len());
        let sql = format!(
            "select 1 as found from contact_identities where workspace_id = $1 and value in ({list}) limit 1"
        );
        let query = self.db.query(sql).bind(workspace_id).bind_all(values.iter().map(String::as_str));
        Ok(query.optional().await?.is_some())
    }
}
