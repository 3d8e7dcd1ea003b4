//! The budget of a workspace: what its plan leaves it and what it can pay, asked and put aside before anything is spent.
//! Whoever has no subscription is limited by nothing and pays nothing. Must not know what is done with what is spent.

use serde::Serialize;

use super::room::{STANDING, require_usable};
use super::subscriptions::{Subscription, month_of};
use crate::ledger::{Account, AccountKind, Charge, DEFAULT_CURRENCY, Hold, HoldState, NewHold, Quota};
use crate::usage::{MESSAGE, RUN};
use crate::{RecordError, Records, Scope};

/// A hold that nobody ends is given back after so long. Evidence that comes later is charged then.
const HOLD_MS: i64 = 24 * 3_600_000;

/// What is put aside piece by piece before it is used. Of everything else the usage is counted afterwards.
const COUNTED_BEFORE: &[&str] = &["messages", "ai_credits", "broadcasts", "campaigns"];

/// Something that is to be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    pub workspace_id: String,
    /// Names the effect for ever.
    pub key: String,
    /// Such as `message`.
    pub kind: String,
    /// Pieces.
    pub quantity: i64,
    /// Such as `marketing`; empty when not known: then the dearest is put aside.
    pub category: String,
}

/// What is left of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// The limit's name, such as `messages`.
    pub kind: String,
    /// None for as many as one likes.
    pub limit: Option<i64>,
    /// The sum of what was used and put aside.
    pub used: i64,
    pub left: Option<i64>,
    /// The month it counts for; none for what counts at any one time.
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// The name of the limit that a kind of usage counts against.
fn limit_of(kind: &str) -> &str {
    match kind {
        MESSAGE => "messages",
        RUN => "runs",
        other => other,
    }
}

fn kind_of(limit: &str) -> &str {
    match limit {
        "messages" => MESSAGE,
        "runs" => RUN,
        other => other,
    }
}

fn unit(limit: &str, month: i64) -> String {
    format!("{limit}@{month}")
}

impl Records {
    /// What the plan of a workspace leaves it of something.
    pub async fn allowance(&self, workspace_id: &str, kind: &str) -> Result<Allowance, RecordError> {
        let subscription = self.subscription(workspace_id).await?;
        self.allowance_under(workspace_id, subscription.as_ref(), limit_of(kind)).await
    }

    /// The allowances of everything that the plan names or that is always counted, by name.
    pub async fn allowances(&self, workspace_id: &str) -> Result<Vec<Allowance>, RecordError> {
        let subscription = self.subscription(workspace_id).await?;
        let mut names: Vec<&str> = ["ai_credits", "messages", "runs"].into();
        names.extend(STANDING);
        if let Some(subscription) = &subscription {
            let named = subscription.plan.fields.limits.keys().map(String::as_str);
            names.extend(named.filter(|name| COUNTED_BEFORE.contains(name)));
        }
        names.sort_unstable();
        names.dedup();
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            found.push(self.allowance_under(workspace_id, subscription.as_ref(), name).await?);
        }
        Ok(found)
    }

    async fn allowance_under(
        &self,
        workspace_id: &str,
        subscription: Option<&Subscription>,
        name: &str,
    ) -> Result<Allowance, RecordError> {
        let limit = subscription.and_then(|subscription| subscription.plan.limit(name));
        let now = self.now();
        let month = subscription.map_or_else(|| month_of(0, now), |subscription| subscription.month_of(now));
        let (used, month) = match subscription {
            _ if STANDING.contains(&name) => (self.count_now(workspace_id, name).await?, None),
            Some(_) if COUNTED_BEFORE.contains(&name) => {
                let scope = Scope::Workspace(workspace_id.to_owned());
                let room = Account::new(&scope, AccountKind::Quota, unit(name, month.0));
                (-self.balance(&room).await?, Some(month))
            }
            _ => (self.used_since(workspace_id, kind_of(name), month.0).await?, Some(month)),
        };
        Ok(Allowance {
            kind: name.to_owned(),
            limit,
            used,
            left: limit.map(|limit| limit.saturating_sub(used).max(0)),
            from: month.map(|(from, _)| from),
            to: month.map(|(_, to)| to),
        })
    }

    /// Puts aside what something will cost, in pieces and in money, so that it cannot be overspent. Nothing is put aside
    /// without a subscription. A repetition gives the same hold.
    ///
    /// # Errors
    /// `Refused`: `plan_limit_reached`, `budget_exhausted`, or `subscription_inactive`. Then nothing is put aside.
    pub async fn reserve(&self, spend: &Spend) -> Result<Option<Hold>, RecordError> {
        let Some(subscription) = self.subscription(&spend.workspace_id).await? else { return Ok(None) };
        require_usable(&subscription)?;
        let now = self.now();
        let price = self.price(&spend.workspace_id, &spend.kind, &spend.category, now).await?;
        let limit = limit_of(&spend.kind);
        let fields = &subscription.plan.fields;
        let overage = fields.overage.get(limit).copied();
        let wish = NewHold {
            workspace_id: spend.workspace_id.clone(),
            key: spend.key.clone(),
            kind: spend.kind.clone(),
            quantity: spend.quantity,
            category: spend.category.clone(),
            currency: price.as_ref().map_or_else(|| fields.currency.clone(), |price| price.currency.clone()),
            amount: price.map_or(0, |price| price.of(spend.quantity)),
            quota: Some(Quota {
                unit: unit(limit, subscription.month_of(now).0),
                limit: subscription.plan.limit(limit),
                overage,
            }),
            expires_at: now.saturating_add(HOLD_MS),
        };
        self.hold(&wish).await.map(Some)
    }

    /// Charges what was reserved: the effect took place. What had been given back meanwhile is charged anew, as far as
    /// the budget allows: what has happened cannot be refused any more. Answers whether anything is charged.
    pub async fn settle(&self, spend: &Spend) -> Result<bool, RecordError> {
        let Some(hold) = self.settle_hold(&spend.workspace_id, &spend.key, Charge::Whole).await? else {
            return Ok(false);
        };
        if !hold.is_over_for_nothing() {
            return Ok(true);
        }
        match self.reserve(spend).await {
            Ok(Some(_)) => {
                self.settle_hold(&spend.workspace_id, &spend.key, Charge::Whole).await?;
                Ok(true)
            }
            Ok(None) | Err(RecordError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reserves and charges at once: for what cannot fail any more once it is paid.
    ///
    /// # Errors
    /// As for [`Records::reserve`].
    pub async fn spend(&self, spend: &Spend) -> Result<Option<Hold>, RecordError> {
        if self.reserve(spend).await?.is_none() {
            return Ok(None);
        }
        self.settle_hold(&spend.workspace_id, &spend.key, Charge::Whole).await
    }

    /// What was reserved under the dearest or a supposed category turned out to be of this one: the difference is given
    /// back. Costs that turn out higher are borne by whoever supposed too little. Answers whether this was the time.
    pub async fn settle_category(
        &self,
        workspace_id: &str,
        key: &str,
        category: &str,
        is_billable: bool,
    ) -> Result<bool, RecordError> {
        let Some(hold) = self.find_hold(workspace_id, key).await? else { return Ok(false) };
        let price = |category: &str| {
            let category = category.to_owned();
            let (kind, at) = (hold.kind.clone(), hold.at);
            async move { self.price(workspace_id, &kind, &category, at).await }
        };
        let of = |price: Option<super::Price>| price.map_or(0, |price| price.of(hold.quantity));
        let supposed = of(price(&hold.category).await?);
        let actual = if is_billable { of(price(category).await?) } else { 0 };
        let due = hold.amount.saturating_sub((supposed - actual).max(0)).max(0);
        if hold.state == HoldState::Open {
            let charge = Charge::Part { quantity: hold.quantity, amount: due };
            return Ok(self.settle_hold(workspace_id, key, charge).await?.is_some());
        }
        if due >= hold.amount {
            return Ok(false);
        }
        self.adjust_hold(workspace_id, key, due).await
    }

    /// The currency in which a workspace pays.
    pub async fn currency_of(&self, workspace_id: &str) -> Result<String, RecordError> {
        let subscription = self.subscription(workspace_id).await?;
        Ok(subscription.map_or_else(|| DEFAULT_CURRENCY.to_owned(), |found| found.plan.fields.currency))
    }
}
