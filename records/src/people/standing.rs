//! What a session allows at this moment: read anew for every request, so that a sign-out, a suspension or a lost role
//! counts at once. Must not know how the session was presented.

use super::PersonStatus;
use crate::access::Grant;
use crate::{RecordError, Records};

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `per_…`.
    pub person_id: String,
    /// Their address.
    pub email: String,
    /// What they may do, and where.
    pub grants: Vec<Grant>,
    /// Who acts in their place, `per_…`.
    pub impersonated_by: Option<String>,
}

impl Records {
    /// What a session allows; none when it ended, or when `version` is not the person's token version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, session_id: &str, version: i64) -> Result<Option<Standing>, RecordError> {
        const SQL: &str = "select s.person_id, s.token_version, s.expires_at, s.ended_at, s.home, s.impersonated_by, \
             p.email, p.status, p.token_version as current_version \
             from sessions s join people p on p.id = s.person_id where s.id = $1";
        let Some(row) = self.db.query(SQL).bind(session_id).optional().await? else { return Ok(None) };
        let current = row.int("current_version")?;
        let is_alive = row.opt_int("ended_at")?.is_none()
            && row.int("expires_at")? > self.now()
            && row.int("token_version")? == current
            && version == current
            && PersonStatus::from_stored(&row.text("status")?) == PersonStatus::Approved;
        if !is_alive {
            return Ok(None);
        }
        let person_id = row.text("person_id")?;
        let impersonated_by = row.opt_text("impersonated_by")?;
        let grants = match &impersonated_by {
            None => self.grants_of(&person_id).await?,
            Some(by) => {
                let home = row.opt_text("home")?;
                let grants = self.grants_in_place_of(&person_id, by, home.as_deref()).await?;
                let Some(grants) = grants else { return Ok(None) };
                grants
            }
        };
        Ok(Some(Standing { person_id, email: row.text("email")?, grants, impersonated_by }))
    }
}
