//! Decisions about people: approve, reject, suspend. Must not know who may decide, nor through which door.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Person, PersonStatus, change, email, lock_person, write_person};
use crate::access::Role;
use crate::mail::letters;
use crate::{RecordError, Records};

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Lets somebody in: after review, or again after a rejection or suspension.
    Approve,
    /// Does not let somebody in who waits. Needs a reason.
    Reject,
    /// Shuts somebody out who was in. Needs a reason.
    Suspend,
}

impl Verdict {
    /// What the audit trail calls it.
    fn action(self) -> &'static str {
        match self {
            Self::Approve => "person.approved",
            Self::Reject => "person.rejected",
            Self::Suspend => "person.suspended",
        }
    }

    /// The states in which it can be decided.
    fn applies_to(self, status: PersonStatus) -> bool {
        match self {
            Self::Approve => {
                matches!(status, PersonStatus::UnderReview | PersonStatus::Rejected | PersonStatus::Suspended)
            }
            Self::Reject => status == PersonStatus::UnderReview,
            Self::Suspend => status == PersonStatus::Approved,
        }
    }
}

impl Records {
    /// Decides about somebody, and tells them.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` without a reason where one is needed; `Conflict` when the account is in a state in which this
    /// cannot be decided, for example because somebody else was faster.
    pub async fn decide_person(
        &self,
        id: &str,
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<Person, RecordError> {
        self.decide_when(id, verdict, reason, |status| verdict.applies_to(status)).await
    }

    /// The same for a sign-up only, as links decide: once.
    ///
    /// # Errors
    /// As [`Self::decide_person`].
    pub async fn decide_sign_up(
        &self,
        id: &str,
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<Person, RecordError> {
        let is_open = |status| status == PersonStatus::UnderReview && verdict.applies_to(status);
        self.decide_when(id, verdict, reason, is_open).await
    }

    async fn decide_when(
        &self,
        id: &str,
        verdict: Verdict,
        reason: Option<&str>,
        can_be_decided: impl Fn(PersonStatus) -> bool + Send,
    ) -> Result<Person, RecordError> {
        let reason = email::line("reason", reason.unwrap_or_default())?;
        let mut tx = self.begin().await?;
        let mut stored = lock_person(&mut tx, id).await?;
        let was = stored.person.status;
        if !can_be_decided(was) {
            return Err(RecordError::conflict(format!(
                "the account is {}: this cannot be decided now",
                was.as_text()
            )));
        }
        let needed = || RecordError::invalid("reason", "say why; the person is told");
        let person = &mut stored.person;
        person.updated_at = self.now();
        let letter = match verdict {
            Verdict::Approve => {
                person.status = PersonStatus::Approved;
                person.status_reason = None;
                (was != PersonStatus::Suspended).then(|| letters::approved(&person.email))
            }
            Verdict::Reject => {
                let reason = reason.ok_or_else(needed)?;
                person.status = PersonStatus::Rejected;
                let letter = letters::rejected(&person.email, &reason);
                person.status_reason = Some(reason);
                Some(letter)
            }
            Verdict::Suspend => {
                person.status = PersonStatus::Suspended;
                person.status_reason = Some(reason.ok_or_else(needed)?);
                person.token_version += 1;
                None
            }
        };
        write_person(&mut tx, &stored).await?;
        let founded = match verdict {
            Verdict::Approve => self.settle_in(&mut tx, &stored.person).await?,
            Verdict::Suspend => {
                self.end_sessions(&mut tx, id, None, "suspended").await?;
                None
            }
            Verdict::Reject => None,
        };
        if let Some(letter) = letter {
            self.post(&mut tx, &letter).await?;
        }
        let person = &stored.person;
        let after = json!({ "status": person.status, "reason": person.status_reason });
        let decided = change(verdict.action(), id).between(json!({ "status": was }), after);
        self.audit_account(&mut tx, person, [decided].into_iter().chain(founded).collect()).await?;
        tx.commit().await?;
        self.mail_written();
        Ok(stored.person)
    }

    /// What somebody is on the platform; none for most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn platform_role(&self, person_id: &str) -> Result<Option<Role>, RecordError> {
        const SQL: &str = "select role from memberships \
             where scope_kind = 'platform' and scope_id = '' and person_id = $1 and status = 'active'";
        let row = self.db.query(SQL).bind(person_id).optional().await?;
        Ok(row.map(|row| row.text("role")).transpose()?.and_then(|role| Role::from_text(&role)))
    }
}
