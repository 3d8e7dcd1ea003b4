//! The outside of the tests: says what nodes with effects do, and keeps what they did.

use futures::future::BoxFuture;
use serde_json::Value;
use sluice_node_sdk::context::{Doubt, NodeContext};
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::http::{HttpRequest, HttpResponse, HttpTransport};
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::outcome::{Outcome, Output};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, watch};

/// What an attempt of a node does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Gives one item.
    Give(Value),
    /// Fails.
    Fail(ErrorKind),
    /// Panics.
    Panic,
    /// Waits for [`World::release`], then passes its input on. Gives up when the run is cancelled.
    Hold,
    /// The same, and asks the outside over HTTP before that.
    HoldAndAsk,
    /// Never answers, and does not listen either.
    Stuck,
}

/// One attempt that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) node: String,
    pub(crate) attempt: u32,
    pub(crate) effect_id: String,
    pub(crate) doubt: Option<Doubt>,
}

/// The outside.
pub(crate) struct World {
    plans: Mutex<HashMap<String, VecDeque<Act>>>,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    calls: watch::Sender<Vec<Call>>,
    asking: AtomicUsize,
    asked: AtomicUsize,
}

impl HttpTransport for World {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = HttpResponse { status: 200, headers: Vec::new(), body: "{}".into(), url: request.url };
        Box::pin(async { Ok(answer) })
    }
}

impl Default for World {
    fn default() -> Self {
        let (plans, gates, asking, asked) = Default::default();
        Self { plans, gates, calls: watch::Sender::new(Vec::new()), asking, asked }
    }
}

impl World {
    /// Plans the next attempts of a node; without a plan it passes its input on.
    pub(crate) fn plan(&self, node: &str, acts: impl IntoIterator<Item = Act>) {
        self.plans.lock().unwrap().entry(node.to_owned()).or_default().extend(acts);
    }

    /// Lets attempts that hold go on.
    pub(crate) fn release(&self, node: &str, count: usize) {
        self.gate(node).add_permits(count);
    }

    /// The attempts that began.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    /// The nodes whose attempts began, in order.
    pub(crate) fn order(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.node).collect()
    }

    /// Waits until that many attempts of a node began.
    pub(crate) async fn begun(&self, node: &str, count: usize) {
        let mut calls = self.calls.subscribe();
        let enough = |calls: &Vec<Call>| calls.iter().filter(|call| call.node == node).count() >= count;
        calls.wait_for(enough).await.unwrap();
    }

    /// Attempts that went on to ask over HTTP.
    pub(crate) fn asking(&self) -> usize {
        self.asking.load(Ordering::SeqCst)
    }

    /// Requests that came over HTTP.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn gate(&self, node: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        gates.entry(node.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))).clone()
    }

    /// One attempt.
    pub(crate) async fn act(&self, ctx: &NodeContext, input: &Input) -> Result<Outcome, NodeError> {
        let node = ctx.node_id.to_string();
        let call =
            Call { node: node.clone(), attempt: ctx.attempt, effect_id: ctx.effect_id(), doubt: ctx.doubt };
        self.calls.send_modify(|calls| calls.push(call));
        let act = self.plans.lock().unwrap().get_mut(&node).and_then(VecDeque::pop_front);
        ctx.info(format!("attempt {}", ctx.attempt));
        ctx.usage("attempt", 1, &[("node", &node)]);
        match act {
            None => Ok(Output::main(input.pass()).into()),
            Some(Act::Give(json)) => Ok(Output::main(vec![Item::new(json).from_input(0)]).into()),
            Some(Act::Fail(kind)) => Err(NodeError::new(kind, "as planned")),
            Some(Act::Panic) => panic!("as planned"),
            Some(act @ (Act::Hold | Act::HoldAndAsk)) => {
                let gate = self.gate(&node);
                tokio::select! {
                    permit = gate.acquire() => permit.unwrap().forget(),
                    () = ctx.cancel.cancelled() => return Err(NodeError::cancelled("stopped")),
                }
                if matches!(act, Act::HoldAndAsk) {
                    self.asking.fetch_add(1, Ordering::SeqCst);
                    ctx.http(HttpRequest::new("GET", "http://outside/")).await?;
                }
                Ok(Output::main(input.pass()).into())
            }
            Some(Act::Stuck) => std::future::pending().await,
        }
    }
}
