//! What a running node can ask for: parameters resolved per item, time, HTTP, credentials, logging.

use crate::error::NodeError;
use crate::http::{HttpRequest, HttpResponse};
use crate::mask::Secrets;
use crate::outcome::Resumed;
use crate::services::{Credential, Services};
use crate::usage::{Spending, UsageNote};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};
use tokio_util::sync::CancellationToken;

/// A place for typed parameters that hold no expression: they are the same in every execution of a node.
pub type Kept = OnceLock<Arc<dyn Any + Send + Sync>>;

/// Supplies the parameters of a node with their `{{ }}` expressions evaluated for one input item.
pub trait ParamSource: Send + Sync {
    /// Whether the parameters hold no expression at all.
    fn is_static(&self) -> bool;
    /// Where typed parameters are kept from one execution to the next, if that is possible.
    fn kept(&self) -> Option<&Kept> {
        None
    }
    /// All parameters, for the input item with that index.
    ///
    /// # Errors
    /// `InvalidParams` with the parameter's path, the expression and the column.
    fn resolve(&self, item: usize) -> Result<Value, NodeError>;
    /// The parameter at a JSON pointer; `Value::Null` when there is none.
    ///
    /// # Errors
    /// As for [`ParamSource::resolve`].
    fn resolve_at(&self, pointer: &str, item: usize) -> Result<Value, NodeError>;
    /// Runs a script with extra variables, seeing what expressions of that item see.
    ///
    /// # Errors
    /// `InvalidParams` with line and column of the fault.
    fn run_script(
        &self,
        code: &str,
        item: usize,
        variables: Vec<(String, Value)>,
    ) -> Result<Value, NodeError>;
}

/// The facts of the run that a node may know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunInfo {
    /// `run_…`.
    pub run_id: String,
    /// `ws_…`.
    pub workspace_id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// The workflow's name.
    pub workflow_name: String,
    /// IANA time zone of the workflow.
    pub time_zone: String,
    /// A test run without outside effects: nodes describe what they would do.
    pub dry_run: bool,
}

/// One line that a node wrote while running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// `info` or `warn`.
    pub level: String,
    /// The text.
    pub message: String,
}

/// What a node does about an effect of which nobody can tell whether it took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Answer `unknown_outcome` again.
    Ask,
    /// It counts as done: go on with the rest.
    CountsAsDone,
}

/// The context of one node execution, without the type of its parameters.
pub struct NodeContext {
    /// The run.
    pub run: Arc<RunInfo>,
    /// Id of the node in its workflow.
    pub node_id: Arc<str>,
    /// How many times this node ran before in this run (loops).
    pub iteration: u32,
    /// 1 for the first try.
    pub attempt: u32,
    /// Nobody knows what became of the attempt before. Only set for node types that declare
    /// [`crate::spec::NodeSpec::evidence`]: look at what is on record and repeat nothing that may have happened. A
    /// failure other than `unknown_outcome` says that the doubt is settled.
    pub doubt: Option<Doubt>,
    /// Set when the node runs again after it had asked to wait.
    pub resumed: Option<Resumed>,
    /// For loop entries: what the last iteration asked to remember.
    pub loop_state: Option<Value>,
    /// Parameters.
    pub params: Arc<dyn ParamSource>,
    /// Clock, HTTP, credentials.
    pub services: Arc<Services>,
    /// Fires when the run is cancelled or the process stops.
    pub cancel: CancellationToken,
    /// Lines logged so far.
    pub logs: Mutex<Vec<LogLine>>,
    /// What was used so far.
    pub usage: Mutex<Vec<UsageNote>>,
    /// What must not show in anything that the node leaves behind.
    pub secrets: Secrets,
}

impl NodeContext {
    /// Identifies this execution for ever: `run/node/iteration`. Attempts of one execution share it.
    pub fn effect_id(&self) -> String {
        format!("{}/{}/{}", self.run.run_id, self.node_id, self.iteration)
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.services.clock.now_ms()
    }

    /// Sends an HTTP request through the guard; stops when the run is cancelled.
    ///
    /// # Errors
    /// See [`crate::http::HttpTransport::send`]; `Cancelled` when the run was cancelled.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpResponse, NodeError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(NodeError::cancelled("The run was cancelled")),
            answer = self.services.http.send(request) => answer,
        }
    }

    /// Opens a credential of the run's workspace. Its secrets are masked in whatever the node answers or logs.
    ///
    /// # Errors
    /// `Auth` when there is none of that name, or it cannot be opened.
    pub async fn credential(&self, name: &str) -> Result<Credential, NodeError> {
        self.known(self.services.credentials.credential(&self.run.workspace_id, name).await?)
    }

    /// Opens a credential again after the provider did not take its access token. Do it once, then give up.
    ///
    /// # Errors
    /// As for [`NodeContext::credential`]; `connection_revoked` when a person must connect the account again.
    pub async fn renewed_credential(&self, name: &str, refused: &str) -> Result<Credential, NodeError> {
        self.known(self.services.credentials.renewed(&self.run.workspace_id, name, refused).await?)
    }

    /// A credential whose secrets are masked from now on.
    fn known(&self, credential: Credential) -> Result<Credential, NodeError> {
        credential.secrets().for_each(|secret| self.secrets.add_all(secret));
        Ok(credential)
    }

    /// Masks a secret that came from somewhere else than a credential, such as a token that was fetched with one.
    pub fn hide(&self, secret: &str) {
        self.secrets.add(secret);
    }

    /// The base URL that the operator set for a provider, without a slash at its end.
    ///
    /// # Errors
    /// `InvalidParams` when the provider is not configured.
    pub fn base_url(&self, provider: &str) -> Result<&str, NodeError> {
        let url = self.services.base_urls.get(provider).ok_or_else(|| {
            NodeError::invalid_params(format!("No base URL is configured for `{provider}`"))
                .code("provider_not_configured")
        })?;
        Ok(url.trim_end_matches('/'))
    }

    /// Writes a line into the run's trace.
    pub fn info(&self, message: impl Into<String>) {
        self.log("info", message.into());
    }

    /// Writes a warning into the run's trace.
    pub fn warn(&self, message: impl Into<String>) {
        self.log("warn", message.into());
    }

    fn log(&self, level: &str, message: String) {
        let line = LogLine { at: self.now_ms(), level: level.to_owned(), message };
        self.logs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
    }

    /// Reports that pieces of something were used, with what kind of pieces they are (`category`, `model`). It counts
    /// once, in the commit that takes the result of this execution, whatever the result is; a repetition of the execution
    /// that reports the same again counts nothing. A node that waits and goes on names its reports itself:
    /// [`NodeContext::usage_as`].
    pub fn usage(&self, kind: &str, quantity: i64, attributes: &[(&str, &str)]) {
        let noted = self.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = noted.iter().filter(|note| note.kind == kind).count();
        drop(noted);
        self.usage_as(&count.to_string(), kind, quantity, attributes);
    }

    /// The same under a name of its own within this execution and kind, for example the number of an item.
    pub fn usage_as(&self, name: &str, kind: &str, quantity: i64, attributes: &[(&str, &str)]) {
        let note = UsageNote {
            key: format!("{}/{kind}/{name}", self.effect_id()),
            kind: kind.to_owned(),
            quantity,
            attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            at: self.now_ms(),
        };
        self.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(note);
    }

    /// Takes what was reported so far.
    pub fn take_usage(&self) -> Vec<UsageNote> {
        std::mem::take(&mut self.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Puts aside what something will cost, before it is done. Nothing in a dry run.
    ///
    /// # Errors
    /// `Rejected` with `plan_limit_reached`, `budget_exhausted` or `subscription_inactive`: then it must not be done.
    pub async fn reserve(&self, spending: &Spending) -> Result<(), NodeError> {
        if self.run.dry_run {
            return Ok(());
        }
        self.services.budget.reserve(&self.run.workspace_id, spending).await
    }

    /// It was done: charges what was put aside. What cannot be written down is only warned of, because what was done
    /// must not be done again for that; a status or the end of the hold settles it.
    pub async fn settle(&self, spending: &Spending) {
        if !self.run.dry_run
            && let Err(error) = self.services.budget.settle(&self.run.workspace_id, spending).await
        {
            self.warn(format!("What `{}` costs could not be charged: {error}", spending.kind));
        }
    }

    /// It was not done: gives back what was put aside, at the latest when the hold expires.
    pub async fn release(&self, spending: &Spending) {
        if !self.run.dry_run
            && let Err(error) = self.services.budget.release(&self.run.workspace_id, &spending.key).await
        {
            self.warn(format!(
                "What was put aside for `{}` could not be given back yet: {error}",
                spending.kind
            ));
        }
    }

    /// Takes the lines logged so far.
    pub fn take_logs(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.logs.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The context of one node execution, with typed parameters.
pub struct Context<'a, P> {
    inner: &'a NodeContext,
    /// Used when they are not kept for longer.
    fixed: Kept,
    params: PhantomData<P>,
}

impl<'a, P: DeserializeOwned + Send + Sync + 'static> Context<'a, P> {
    /// Wraps an untyped context.
    pub fn new(inner: &'a NodeContext) -> Self {
        Self { inner, fixed: Kept::new(), params: PhantomData }
    }

    /// The parameters for the input item with that index. Parameters without expressions are read once
    /// and shared, by all executions of the node in the same workflow version. Use index 0 for what concerns the whole list.
    ///
    /// # Errors
    /// `InvalidParams` with the path of the parameter.
    pub fn params(&self, item: usize) -> Result<Arc<P>, NodeError> {
        let source = &self.inner.params;
        let place = source.kept().unwrap_or(&self.fixed);
        if let Some(Ok(kept)) = place.get().cloned().map(Arc::downcast) {
            return Ok(kept);
        }
        let read: Arc<P> = Arc::new(read_params(source.resolve(item)?)?);
        if source.is_static() {
            // Who comes second has read the same.
            let _ = place.set(read.clone());
        }
        Ok(read)
    }
}

/// Reads resolved parameters into their type, naming the path of what is wrong.
fn read_params<P: DeserializeOwned>(value: Value) -> Result<P, NodeError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string().replace('.', "/");
        NodeError::invalid_params(format!("Parameter `{path}`: {}", error.inner())).at(format!("/{path}"))
    })
}

impl<P> Deref for Context<'_, P> {
    type Target = NodeContext;

    fn deref(&self) -> &NodeContext {
        self.inner
    }
}
