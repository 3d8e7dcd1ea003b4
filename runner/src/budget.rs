//! Budgets of the records, for nodes that spend. Must not know any node, nor how a plan limits.

use crate::wiring::explain;
use futures::future::BoxFuture;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::usage::{Budget, Spending};
use sluice_records::plans::Spend;
use sluice_records::{RecordError, Records};

/// What the plan and the wallet of a workspace allow.
pub(crate) struct RecordBudget(pub(crate) Records);

impl Budget for RecordBudget {
    fn reserve<'a>(
        &'a self,
        workspace_id: &'a str,
        spending: &'a Spending,
    ) -> BoxFuture<'a, Result<(), NodeError>> {
        Box::pin(async move {
            self.0.reserve(&spend(workspace_id, spending)).await.map(drop).map_err(budget_error)
        })
    }

    fn settle<'a>(
        &'a self,
        workspace_id: &'a str,
        spending: &'a Spending,
    ) -> BoxFuture<'a, Result<(), NodeError>> {
        Box::pin(async move {
            self.0.settle(&spend(workspace_id, spending)).await.map(drop).map_err(budget_error)
        })
    }

    fn release<'a>(&'a self, workspace_id: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), NodeError>> {
        Box::pin(async move { self.0.release_hold(workspace_id, key).await.map(drop).map_err(budget_error) })
    }
}

fn spend(workspace_id: &str, spending: &Spending) -> Spend {
    Spend {
        workspace_id: workspace_id.to_owned(),
        key: spending.key.clone(),
        kind: spending.kind.clone(),
        quantity: spending.quantity,
        category: spending.category.clone(),
    }
}

/// A refusal is for good; anything else may be tried again.
fn budget_error(error: RecordError) -> NodeError {
    let message = error.to_string();
    match error {
        RecordError::Refused { code, .. } => NodeError::rejected(message).code(code),
        RecordError::Conflict { .. } | RecordError::Invalid { .. } => {
            NodeError::rejected(message).code("budget_refused")
        }
        other => {
            tracing::warn!(error = explain(&other), "a node could not ask its budget");
            NodeError::unavailable("The budget cannot be asked at the moment").code("budget_unavailable")
        }
    }
}
