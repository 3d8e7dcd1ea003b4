//! Which plan a workspace has, kept at hand for some seconds, because limits may ask for it with every request. Must not
//! know what a plan says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::choose::Caller;
use super::rules::Rules;
use super::{Level, RuleCache};
use crate::{RecordError, Records};

/// How long a plan is kept at hand, milliseconds.
const KEPT_MS: i64 = 5_000;

/// Workspaces whose plan is kept at hand; beyond that the cache begins anew.
const MOST: usize = 10_000;

/// The plan of a workspace, or that it has none, and when it was read.
type Kept = (i64, Option<Arc<str>>);

/// The plans that were asked for last, by workspace.
#[derive(Default)]
pub(super) struct PlanCache(Mutex<HashMap<String, Kept>>);

impl PlanCache {
    fn get(&self, workspace_id: &str, now: i64) -> Option<Option<Arc<str>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, plan) = kept.get(workspace_id)?;
        (*at..*at + KEPT_MS).contains(&now).then(|| plan.clone())
    }

    fn put(&self, workspace_id: &str, now: i64, plan: Option<Arc<str>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(workspace_id.to_owned(), (now, plan));
    }

    fn forget(&self, workspace_id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(workspace_id);
    }
}

impl RuleCache {
    /// What was known of the plan of a workspace is out of date.
    pub(crate) fn forget_plan_of(&self, workspace_id: &str) {
        self.plans.forget(workspace_id);
    }
}

impl Records {
    /// The plan of whoever asks, where a rule of the platform asks for one: workspaces set none for plans. Nothing is read
    /// where no rule does.
    pub(super) async fn plan_for(
        &self,
        rules: &Rules,
        caller: &Caller<'_>,
        now: i64,
    ) -> Result<Option<Arc<str>>, RecordError> {
        let Some(workspace_id) = caller.workspace else { return Ok(None) };
        if caller.plan.is_some() || !rules.of("").iter().any(|rule| rule.level == Level::Plan) {
            return Ok(None);
        }
        if let Some(plan) = self.limits.plans.get(workspace_id, now) {
            return Ok(plan);
        }
        // The plan that it chose last limits it also when the subscription is over: that is no way out of a limit.
        let sql = "select plan_id from subscription_events where workspace_id = $1 order by seq desc limit 1";
        let row = self.limits.db.query(sql).bind(workspace_id).optional().await?;
        let plan: Option<Arc<str>> = row.map(|row| row.text(0)).transpose()?.map(Into::into);
        self.limits.plans.put(workspace_id, now, plan.clone());
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_kept_for_some_seconds_and_forgotten_when_it_changes() {
        let cache = PlanCache::default();
        assert_eq!(cache.get("ws_1", 7), None);
        cache.put("ws_1", 7, Some("plan_1".into()));
        cache.put("ws_2", 7, None);
        assert_eq!(cache.get("ws_1", 7 + KEPT_MS - 1), Some(Some("plan_1".into())));
        assert_eq!(cache.get("ws_2", 7), Some(None), "that there is none is known as well");
        assert_eq!(cache.get("ws_1", 7 + KEPT_MS), None);
        assert_eq!(cache.get("ws_1", 6), None, "a clock that was set back");
        cache.forget("ws_1");
        assert_eq!((cache.get("ws_1", 7), cache.get("ws_2", 7)), (None, Some(None)));
        for number in 0..=MOST {
            cache.put(&format!("ws_{number}"), 7, None);
        }
        assert!(cache.0.lock().unwrap().len() <= MOST);
    }
}
