//! Limits of what counts at any one time, not by month: members, numbers, published workflows. One more is refused before
//! it is there. Must not know what is put aside or paid.

use sluice_db::Tx;

use super::subscriptions::Subscription;
use crate::store::lock_workspace;
use crate::{RecordError, Records};

/// What can be counted here.
pub(super) const STANDING: &[&str] = &["members", "numbers"];

const NUMBERS: &str = "select count(*) as n from numbers where workspace_id = $1";

const MEMBERS: &str = "select count(*) as n from memberships \
     where scope_kind = 'workspace' and scope_id = $1 and status <> 'suspended'";

/// Whoever is invited has a place already.
const MEMBERS_AND_INVITED: &str = "select count(*) as n from ( \
       select person_id from memberships \
       where scope_kind = 'workspace' and scope_id = $1 and status <> 'suspended' \
       union all select id from invitations where scope_kind = 'workspace' and scope_id = $1 \
       and accepted_at is null and revoked_at is null and expires_at > $2) places";

/// A place that somebody is about to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Of a number.
    Number,
    /// Of somebody who becomes a member.
    Member,
    /// Of somebody who is invited.
    Invited,
}

impl Place {
    /// The name of the limit.
    fn limit(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Member | Self::Invited => "members",
        }
    }

    /// How the taken ones are counted, and whether the time must be known for that.
    fn count(self, now: i64) -> (&'static str, Option<i64>) {
        match self {
            Self::Number => (NUMBERS, None),
            Self::Member => (MEMBERS, None),
            Self::Invited => (MEMBERS_AND_INVITED, Some(now)),
        }
    }
}

impl Records {
    /// How many of those in [`STANDING`] there are now.
    pub(super) async fn count_now(&self, workspace_id: &str, name: &str) -> Result<i64, RecordError> {
        let place = if name == "numbers" { Place::Number } else { Place::Invited };
        let (sql, now) = place.count(self.now());
        Ok(self.db.query(sql).bind(workspace_id).bind_all(now).one().await?.int("n")?)
    }

    /// Refuses one more place in a workspace when the plan allows no more. Asked in the transaction that takes it: whoever
    /// wants another one at the same time waits for its end.
    ///
    /// # Errors
    /// As for [`Records::require_room`].
    pub(crate) async fn require_place(
        &self,
        tx: &mut Tx,
        workspace_id: &str,
        place: Place,
    ) -> Result<(), RecordError> {
        let Some(subscription) = self.subscription_in(tx, workspace_id).await? else { return Ok(()) };
        lock_workspace(tx, workspace_id).await?;
        let (sql, now) = place.count(self.now());
        let taken = tx.query(sql).bind(workspace_id).bind_all(now).one().await?.int("n")?;
        require_room_under(&subscription, place.limit(), taken)
    }

    /// Refuses one more of something of which there are `have` now, when the plan allows no more.
    ///
    /// # Errors
    /// `Refused`: `plan_limit_reached`, or `subscription_inactive` when the subscription is over.
    pub async fn require_room(&self, workspace_id: &str, name: &str, have: i64) -> Result<(), RecordError> {
        match self.subscription(workspace_id).await? {
            Some(subscription) => require_room_under(&subscription, name, have),
            None => Ok(()),
        }
    }
}

fn require_room_under(subscription: &Subscription, name: &str, have: i64) -> Result<(), RecordError> {
    require_usable(subscription)?;
    match subscription.plan.limit(name) {
        Some(limit) if have >= limit => Err(RecordError::refused(
            "plan_limit_reached",
            format!(
                "the plan {:?} allows {limit} {name}, and there are {have}; upgrade the plan",
                subscription.plan.fields.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses everything under a subscription that is over.
pub(super) fn require_usable(subscription: &Subscription) -> Result<(), RecordError> {
    if subscription.is_usable() {
        return Ok(());
    }
    Err(RecordError::refused(
        "subscription_inactive",
        format!("the subscription to {:?} is over; choose a plan", subscription.plan.fields.name),
    ))
}
