//! Published webhooks, kept ready, because they are asked for with every request. What is kept is forgotten when a
//! workflow changes in this process, and after a second, within which the changes of other processes show. Must not
//! know HTTP.

use super::engine::Engine;
use super::error::EngineError;
use super::program::Program;
use crate::store::TriggerRow;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::Duration;

/// A published webhook trigger with the program of its workflow version.
pub struct Hook {
    /// The trigger.
    pub trigger: TriggerRow,
    /// The version.
    pub program: Arc<Program>,
}

/// Webhooks by workspace and path.
pub(super) type Hooks = Cache<String, Arc<Hook>>;

pub(super) fn hooks() -> Hooks {
    Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(1)).build()
}

impl Engine {
    /// The published webhook of a path.
    ///
    /// # Errors
    /// When the stored version does not run here, or the store fails.
    pub async fn webhook(&self, workspace: &str, path: &str) -> Result<Option<Arc<Hook>>, EngineError> {
        let key = format!("{workspace}/{path}");
        if let Some(found) = self.0.hooks.get(&key) {
            return Ok(Some(found));
        }
        let Some(trigger) = self.0.store.webhook(workspace, path).await? else { return Ok(None) };
        let program = self.program(workspace, &trigger.workflow_id, trigger.version).await?;
        let hook = Arc::new(Hook { trigger, program });
        self.0.hooks.insert(key, hook.clone());
        Ok(Some(hook))
    }

    /// Takes a workflow out of service. Answers whether it was in service.
    ///
    /// # Errors
    /// When there is no such workflow or the store fails.
    pub async fn unpublish(&self, workspace: &str, workflow: &str) -> Result<(), EngineError> {
        self.signed_store().unpublish(workspace, workflow).await?;
        self.0.hooks.invalidate_all();
        Ok(())
    }

    /// Deletes a workflow; its versions and runs stay. Answers whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_workflow(&self, workspace: &str, workflow: &str) -> Result<bool, EngineError> {
        let deleted = self.signed_store().delete_workflow(workspace, workflow).await?;
        self.0.hooks.invalidate_all();
        Ok(deleted)
    }
}
