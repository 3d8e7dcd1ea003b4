//! Nodes with something around them: made to fail, or counted and given an outside that keeps its word about
//! repeated effects.

use futures::future::BoxFuture;
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::{HttpRequest, HttpResponse, HttpTransport};
use sluice_node_sdk::item::Input;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::problem::ParamProblem;
use sluice_node_sdk::spec::NodeSpec;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Puts something around a node.
pub(super) type Wrap = dyn Fn(Arc<dyn DynNode>) -> Arc<dyn DynNode> + Send + Sync;

/// How a node is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The outside refuses for good.
    Rejected,
    /// The outside cannot be reached, however often it is tried.
    Unavailable,
    /// The node panics.
    Panic,
}

impl Fault {
    /// All ways.
    pub(super) const ALL: [Self; 3] = [Self::Rejected, Self::Unavailable, Self::Panic];
}

/// A node that fails wherever the workflow has it under a certain id.
pub(super) struct Failing {
    pub(super) inner: Arc<dyn DynNode>,
    pub(super) node_id: Arc<str>,
    pub(super) fault: Fault,
}

impl DynNode for Failing {
    fn spec(&self) -> &NodeSpec {
        self.inner.spec()
    }

    fn check(&self, params: &serde_json::Value) -> Vec<ParamProblem> {
        self.inner.check(params)
    }

    fn run<'a>(&'a self, ctx: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        if ctx.node_id != self.node_id {
            return self.inner.run(ctx, input);
        }
        let fault = self.fault;
        Box::pin(async move {
            match fault {
                Fault::Rejected => Err(NodeError::rejected("The test planned this refusal")),
                Fault::Unavailable => Err(NodeError::unavailable("The test planned this failure")),
                // Without the hook that prints it.
                Fault::Panic => std::panic::resume_unwind(Box::new("the test planned this panic")),
            }
        })
    }
}

tokio::task_local! {
    /// Which attempt of which execution is under way, and how many requests it has sent.
    static ATTEMPT: (String, AtomicU32);
}

/// How often executions ran, by node and iteration, over all engines of a test.
#[derive(Default)]
pub(super) struct Ledger(Mutex<BTreeMap<(String, u32), u32>>);

impl Ledger {
    fn count(&self, node: &str, iteration: u32) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((node.to_owned(), iteration)).or_default() += 1;
    }

    /// All counts.
    pub(super) fn counts(&self) -> BTreeMap<(String, u32), u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A node whose executions are counted.
pub(super) struct Counted {
    pub(super) inner: Arc<dyn DynNode>,
    pub(super) ledger: Arc<Ledger>,
}

impl DynNode for Counted {
    fn spec(&self) -> &NodeSpec {
        self.inner.spec()
    }

    fn check(&self, params: &serde_json::Value) -> Vec<ParamProblem> {
        self.inner.check(params)
    }

    fn run<'a>(&'a self, ctx: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        // Whoever is in doubt looks, and repeats nothing that may have happened.
        if ctx.doubt.is_none() {
            self.ledger.count(&ctx.node_id, ctx.iteration);
        }
        let now = ctx.now_ms();
        let attempt = format!("{}/{}/{now}/{:?}", ctx.effect_id(), ctx.attempt, ctx.resumed);
        Box::pin(ATTEMPT.scope((attempt, AtomicU32::new(0)), self.inner.run(ctx, input)))
    }
}

/// An outside that answers a repeated attempt as it answered it the first time, as providers do that know the
/// effect id. A script that answers a limited number of times would otherwise run out after a crash.
pub(super) struct Repeatable {
    pub(super) inner: Arc<dyn HttpTransport>,
    pub(super) answered: Mutex<HashMap<(String, u32), Result<HttpResponse, NodeError>>>,
}

impl HttpTransport for Repeatable {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        let key = ATTEMPT.try_with(|(id, sent)| (id.clone(), sent.fetch_add(1, Ordering::SeqCst))).ok();
        Box::pin(async move {
            let Some(key) = key else { return self.inner.send(request).await };
            let known = self.answered.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            if let Some(known) = known {
                return known;
            }
            let answer = self.inner.send(request).await;
            self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
            answer
        })
    }

    fn answers(&self, request: &HttpRequest) -> bool {
        self.inner.answers(request)
    }

    fn is_scripted(&self) -> bool {
        self.inner.is_scripted()
    }
}
