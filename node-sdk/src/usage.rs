//! What nodes report to have used, and the budget that they ask before they use it. Must not know prices or plans.

use crate::error::NodeError;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that an execution used. Written in the commit that takes the result of the execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageNote {
    /// Effect id, kind and name; a second note of this key counts nothing.
    pub key: String,
    /// Such as `message` or `ai_token`.
    pub kind: String,
    /// Pieces.
    pub quantity: i64,
    /// What kind of pieces: `category`, `model`. Few different values, because sums are kept for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// When, milliseconds since the epoch.
    pub at: i64,
}

/// Something that is to be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Names the effect for ever: the same key is put aside and charged once.
    pub key: String,
    /// Such as `message` or `ai_token`.
    pub kind: String,
    /// Pieces.
    pub quantity: i64,
    /// Such as `marketing` or a model; empty when not known, and then the dearest is put aside.
    pub category: String,
}

/// The budget of workspaces: asked before an effect, told afterwards. All of it may be repeated.
pub trait Budget: Send + Sync + 'static {
    /// Puts aside what something will cost.
    ///
    /// # Errors
    /// `Rejected` with `plan_limit_reached`, `budget_exhausted` or `subscription_inactive`: the effect must not take
    /// place. Others when the budget cannot be asked.
    fn reserve<'a>(
        &'a self,
        workspace_id: &'a str,
        spending: &'a Spending,
    ) -> BoxFuture<'a, Result<(), NodeError>>;

    /// The effect took place: charges what was put aside.
    ///
    /// # Errors
    /// When it cannot be written down.
    fn settle<'a>(
        &'a self,
        workspace_id: &'a str,
        spending: &'a Spending,
    ) -> BoxFuture<'a, Result<(), NodeError>>;

    /// The effect did not take place: gives back what was put aside.
    ///
    /// # Errors
    /// When it cannot be written down.
    fn release<'a>(&'a self, workspace_id: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), NodeError>>;
}

/// A host without budgets: everything may be used.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBudget;

impl NoBudget {
    /// As hosts hold it.
    pub fn shared() -> Arc<dyn Budget> {
        Arc::new(Self)
    }
}

fn fine<'a>() -> BoxFuture<'a, Result<(), NodeError>> {
    Box::pin(std::future::ready(Ok(())))
}

impl Budget for NoBudget {
    fn reserve<'a>(&'a self, _: &'a str, _: &'a Spending) -> BoxFuture<'a, Result<(), NodeError>> {
        fine()
    }

    fn settle<'a>(&'a self, _: &'a str, _: &'a Spending) -> BoxFuture<'a, Result<(), NodeError>> {
        fine()
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), NodeError>> {
        fine()
    }
}
