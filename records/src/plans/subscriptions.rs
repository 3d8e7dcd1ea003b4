//! Subscriptions: what happened to them, as events that are only appended. How one stands follows from its last event and
//! the clock, so nothing has to run at midnight. Must not know payments; whoever takes money reports it as a renewal.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{Row, Tx};

use super::catalogue::Plan;
use crate::audit::{Change, Target};
use crate::ids::clean;
use crate::store::lock_workspace;
use crate::{RecordError, Records, Scope};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// A period that was not paid is granted for so long.
const GRACE_MS: i64 = 7 * DAY_MS;

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Tried, for some days.
    Trial,
    /// Paid, or free.
    Active,
    /// Not paid; everything still works, for a week.
    PastDue,
    /// Ends with its period.
    Cancelled,
    /// Over: nothing may be spent.
    Expired,
}

impl SubscriptionStatus {
    /// As stored.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let all = [Self::Trial, Self::Active, Self::PastDue, Self::Cancelled, Self::Expired];
        all.into_iter().find(|status| status.as_text() == text)
    }
}

/// A subscription as it stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscription {
    #[serde(skip)]
    pub workspace_id: String,
    pub plan: Plan,
    pub status: SubscriptionStatus,
    /// When the months began to be counted.
    pub anchor: i64,
    pub period_start: i64,
    pub period_end: i64,
    /// When the last change was.
    pub changed_at: i64,
}

impl Subscription {
    /// Whether anything may be spent.
    pub fn is_usable(&self) -> bool {
        self.status != SubscriptionStatus::Expired
    }

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({ "plan": self.plan.id, "status": self.status, "period_end": self.period_end })
    }

    /// The month, counted from the anchor, in which a moment lies: its beginning and its end. Limits count by it.
    pub fn month_of(&self, at: i64) -> (i64, i64) {
        month_of(self.anchor, at)
    }
}

/// What may happen to a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// Begins, or moves to another plan. A trial stays a trial, and what was used in the month stays used.
    Choose { plan_id: String, trial: bool },
    /// The next period was paid.
    Renew,
    /// A payment failed.
    PastDue,
    /// Ends with its period.
    Cancel,
    /// Ends at once.
    Expire,
}

/// An event as stored.
#[derive(Clone)]
struct Event {
    seq: i64,
    kind: SubscriptionStatus,
    plan_id: String,
    anchor: i64,
    period_start: i64,
    period_end: i64,
    at: i64,
}

impl Event {
    fn from_row(row: &Row) -> Result<Self, RecordError> {
        let kind = SubscriptionStatus::from_text(&row.text("kind")?).ok_or_else(|| {
            let message = "a subscription has an unknown event".to_owned();
            sluice_db::DbError::Corrupt { message }
        })?;
        Ok(Self {
            seq: row.int("seq")?,
            kind,
            plan_id: row.text("plan_id")?,
            anchor: row.int("anchor")?,
            period_start: row.int("period_start")?,
            period_end: row.int("period_end")?,
            at: row.int("at")?,
        })
    }

    /// How it stands at a moment, with the period that then runs.
    fn at(&self, plan: &Plan, now: i64) -> (SubscriptionStatus, i64, i64) {
        use SubscriptionStatus::{Active, Cancelled, Expired, PastDue, Trial};
        let own = |status| (status, self.period_start, self.period_end);
        let is_over = now >= self.period_end;
        match self.kind {
            Trial | Cancelled if is_over => own(Expired),
            // A free plan goes on by itself.
            Active if is_over && plan.fields.price == 0 => {
                let (start, end) = period_of(self.period_start, plan.fields.period.months(), now);
                (Active, start, end)
            }
            Active if is_over && now < self.period_end.saturating_add(GRACE_MS) => own(PastDue),
            Active if is_over => own(Expired),
            PastDue if now >= self.at.saturating_add(GRACE_MS) => own(Expired),
            status => own(status),
        }
    }
}

const LAST: &str = "select * from subscription_events where workspace_id = $1 order by seq desc limit 1";

impl Records {
    /// How the subscription of a workspace stands; none when it never had one, and is then limited by nothing.
    pub async fn subscription(&self, workspace_id: &str) -> Result<Option<Subscription>, RecordError> {
        let Some(row) = self.db.query(LAST).bind(workspace_id).optional().await? else { return Ok(None) };
        let event = Event::from_row(&row)?;
        let plan = self.plan(&event.plan_id).await?;
        Ok(Some(as_of(workspace_id, &event, plan, self.now())))
    }

    /// The same within a transaction.
    pub(super) async fn subscription_in(
        &self,
        tx: &mut Tx,
        workspace_id: &str,
    ) -> Result<Option<Subscription>, RecordError> {
        let Some(row) = tx.query(LAST).bind(workspace_id).optional().await? else { return Ok(None) };
        let event = Event::from_row(&row)?;
        let plan = self.plan_in(tx, &event.plan_id).await?;
        Ok(Some(as_of(workspace_id, &event, plan, self.now())))
    }

    /// The plans that a workspace may choose: its reseller's if that has any, else the platform's.
    pub async fn available_plans(&self, workspace_id: &str) -> Result<Vec<Plan>, RecordError> {
        if let Some(reseller) = self.workspace(workspace_id).await?.reseller_id {
            let own = self.list_plans(&Scope::Reseller(reseller)).await?;
            if !own.is_empty() {
                return Ok(own);
            }
        }
        self.list_plans(&Scope::Platform).await
    }

    /// Changes the subscription of a workspace.
    ///
    /// # Errors
    /// `NotFound` for a plan that it cannot choose, `Conflict` for a second trial, or a change that the state does not
    /// allow.
    pub async fn change_subscription(
        &self,
        workspace_id: &str,
        change: &SubscriptionChange,
        note: Option<&str>,
    ) -> Result<Subscription, RecordError> {
        let choice = match change {
            SubscriptionChange::Choose { plan_id, .. } => {
                let all = self.available_plans(workspace_id).await?;
                Some(all.into_iter().find(|plan| plan.id == *plan_id))
            }
            _ => None,
        };
        let workspace = self.workspace(workspace_id).await?;
        // Whoever runs the workspace sees what becomes of it beside what is done in it.
        let chains = [workspace.managing_chain(), workspace.id];
        let now = self.now();
        let mut tx = self.begin().await?;
        lock_workspace(&mut tx, workspace_id).await?;
        let row = tx.query(LAST).bind(workspace_id).optional().await?;
        let last = row.as_ref().map(Event::from_row).transpose()?;
        let plan_id = match (&choice, &last) {
            (Some(Some(plan)), _) => plan.id.clone(),
            (Some(None), _) => {
                let SubscriptionChange::Choose { plan_id, .. } = change else {
                    return Err(RecordError::not_found("plan", ""));
                };
                return Err(RecordError::not_found("plan", plan_id));
            }
            (None, Some(last)) => last.plan_id.clone(),
            (None, None) => return Err(RecordError::not_found("subscription", workspace_id)),
        };
        lock_plan(&mut tx, &plan_id, choice.is_some()).await?;
        let plan = self.plan_in(&mut tx, &plan_id).await?;
        let before = match &last {
            Some(last) => {
                let own = if last.plan_id == plan.id {
                    plan.clone()
                } else {
                    self.plan_in(&mut tx, &last.plan_id).await?
                };
                let standing = last.at(&own, now);
                Some((as_of(workspace_id, last, own, now), last.clone(), standing))
            }
            None => None,
        };
        let was = before.as_ref().map(|(own, ..)| own.logged());
        let before = before.map(|(_, last, standing)| (last, standing));
        let has_tried = match change {
            SubscriptionChange::Choose { trial: true, .. } => has_tried(&mut tx, workspace_id).await?,
            _ => false,
        };
        let event = next(before, &plan, change, has_tried, now)?;
        self.append(&mut tx, workspace_id, &event, note).await?;
        let is = as_of(workspace_id, &event, plan, now);
        let target = Target::new("subscription", workspace_id).named(&*is.plan.fields.name);
        let changes = chains.into_iter().map(|chain| {
            let change = Change::new(chain, "subscription.changed", target.clone());
            let mut after = is.logged();
            after["note"] = note.into();
            match &was {
                Some(was) => change.between(was.clone(), after),
                None => change.after(after),
            }
        });
        self.audit_as(&mut tx, self.actor(), changes.collect()).await?;
        tx.commit().await?;
        self.limits.forget_plan_of(workspace_id);
        Ok(is)
    }

    async fn append(
        &self,
        tx: &mut Tx,
        workspace_id: &str,
        event: &Event,
        note: Option<&str>,
    ) -> Result<(), RecordError> {
        tx.query(
            "insert into subscription_events (workspace_id, seq, kind, plan_id, anchor, period_start, period_end, \
             actor, note, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(workspace_id)
        .bind(event.seq)
        .bind(event.kind.as_text())
        .bind(&event.plan_id)
        .bind(event.anchor)
        .bind(event.period_start)
        .bind(event.period_end)
        .bind(self.signature())
        .bind(note.map(clean))
        .bind(event.at)
        .execute()
        .await?;
        Ok(())
    }
}

/// Holds back whoever wants to withdraw the plan meanwhile; a withdrawn plan takes no new subscribers.
async fn lock_plan(tx: &mut Tx, plan_id: &str, is_chosen: bool) -> Result<(), RecordError> {
    let sql = format!("select archived_at from plans where id = $1{}", tx.dialect().for_update());
    let row = tx.query(sql).bind(plan_id).optional().await?;
    let open = row.as_ref().map(|row| row.opt_int("archived_at")).transpose()?;
    match open {
        Some(archived) if archived.is_none() || !is_chosen => Ok(()),
        _ => Err(RecordError::not_found("plan", plan_id)),
    }
}

async fn has_tried(tx: &mut Tx, workspace_id: &str) -> Result<bool, RecordError> {
    let sql = "select 1 as found from subscription_events where workspace_id = $1 and kind = 'trial' limit 1";
    Ok(tx.query(sql).bind(workspace_id).optional().await?.is_some())
}

fn as_of(workspace_id: &str, event: &Event, plan: Plan, now: i64) -> Subscription {
    let (status, period_start, period_end) = event.at(&plan, now);
    Subscription {
        workspace_id: workspace_id.to_owned(),
        plan,
        status,
        anchor: event.anchor,
        period_start,
        period_end,
        changed_at: event.at,
    }
}

/// The event that a change is.
fn next(
    before: Option<(Event, (SubscriptionStatus, i64, i64))>,
    plan: &Plan,
    change: &SubscriptionChange,
    has_tried: bool,
    now: i64,
) -> Result<Event, RecordError> {
    use SubscriptionStatus::{Active, Cancelled, Expired, PastDue, Trial};
    let seq = before.as_ref().map_or(0, |(last, _)| last.seq) + 1;
    let usable = before.filter(|(_, (status, ..))| *status != Expired);
    if let SubscriptionChange::Choose { trial, .. } = change {
        if *trial && has_tried {
            return Err(RecordError::conflict("this workspace had its trial"));
        }
        if *trial && plan.fields.trial_days == 0 {
            return Err(RecordError::conflict("this plan has no trial"));
        }
        return Ok(match usable {
            // What runs goes on under the other plan, unless a trial is turned into the real thing.
            Some((last, (status, period_start, period_end))) if status != Trial || *trial => Event {
                seq,
                kind: if *trial { Trial } else { chosen(last.kind, plan) },
                plan_id: plan.id.clone(),
                anchor: last.anchor,
                period_start,
                period_end: if *trial { now + plan.fields.trial_days * DAY_MS } else { period_end },
                at: now,
            },
            _ => {
                // Full hours, because usage is summed by the hour.
                let anchor = now.div_euclid(HOUR_MS) * HOUR_MS;
                let end = if *trial {
                    now + plan.fields.trial_days * DAY_MS
                } else {
                    months_after(anchor, plan.fields.period.months())
                };
                let kind = if *trial { Trial } else { Active };
                let plan_id = plan.id.clone();
                Event { seq, kind, plan_id, anchor, period_start: anchor, period_end: end, at: now }
            }
        });
    }
    let Some((last, (status, period_start, period_end))) = usable else {
        return Err(RecordError::conflict("the subscription is over; choose a plan"));
    };
    let same = |kind| Event { seq, kind, period_start, period_end, at: now, ..last.clone() };
    match change {
        SubscriptionChange::Renew if status == Trial => {
            let anchor = now.div_euclid(HOUR_MS) * HOUR_MS;
            let end = months_after(anchor, plan.fields.period.months());
            Ok(Event { anchor, period_start: anchor, period_end: end, ..same(Active) })
        }
        SubscriptionChange::Renew => {
            let end = months_after(period_end, plan.fields.period.months());
            Ok(Event { period_start: period_end, period_end: end, ..same(Active) })
        }
        SubscriptionChange::PastDue if matches!(status, Active | PastDue) => Ok(same(PastDue)),
        SubscriptionChange::Cancel if status != Cancelled => Ok(same(Cancelled)),
        SubscriptionChange::Expire => Ok(same(Expired)),
        _ => Err(RecordError::conflict(format!("the subscription is {}", status.as_text()))),
    }
}

/// What becomes of a subscription that still runs when a plan is chosen: choosing takes a cancellation back, and nothing is
/// owed for what is free.
fn chosen(last: SubscriptionStatus, plan: &Plan) -> SubscriptionStatus {
    use SubscriptionStatus::{Active, Cancelled, PastDue};
    match last {
        Cancelled => Active,
        PastDue if plan.fields.price == 0 => Active,
        other => other,
    }
}

/// So many months after a moment, at the same time of day in UTC; on the last day of a shorter month.
fn months_after(from: i64, months: i32) -> i64 {
    let later = || {
        let at = Timestamp::from_millisecond(from).ok()?.to_zoned(TimeZone::UTC);
        at.checked_add(months.months()).ok().map(|at| at.timestamp().as_millisecond())
    };
    // Only times beyond the calendar have no month after them.
    later().unwrap_or(i64::MAX)
}

/// The period of so many months, counted from `from`, in which a moment lies.
fn period_of(from: i64, months: i32, at: i64) -> (i64, i64) {
    const LONGEST_MONTH_MS: i64 = 31 * DAY_MS;
    let mut count = i32::try_from((at - from).max(0) / (LONGEST_MONTH_MS * i64::from(months))).unwrap_or(0);
    loop {
        let end = months_after(from, months.saturating_mul(count + 1));
        if at < end || end == i64::MAX {
            return (months_after(from, months.saturating_mul(count)), end);
        }
        count += 1;
    }
}

/// The month, counted from an anchor, in which a moment lies.
pub(super) fn month_of(anchor: i64, at: i64) -> (i64, i64) {
    period_of(anchor, 1, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn months_follow_one_another_without_gaps() {
        let anchor = ms("2026-01-31T10:00:00Z");
        let months = [
            ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
            ("2026-02-28T09:59:59Z", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
            ("2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"),
            ("2028-02-29T11:00:00Z", "2028-02-29T10:00:00Z", "2028-03-31T10:00:00Z"),
        ];
        for (at, start, end) in months {
            assert_eq!(month_of(anchor, ms(at)), (ms(start), ms(end)), "{at}");
        }
        let (mut at, mut count) = (anchor, 0);
        while count < 60 {
            let (start, end) = month_of(anchor, at);
            assert_eq!(start, at);
            assert_eq!(month_of(anchor, end - 1), (start, end));
            (at, count) = (end, count + 1);
        }
    }
}
