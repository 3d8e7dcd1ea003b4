//! Runs a node without an engine: parameters without expressions, a clock that stands still, scripted HTTP.
//! [`check_examples`] runs every example of a node; expressions in examples need the engine and are
//! checked by the host's own suite.

use crate::context::{Doubt, NodeContext, ParamSource, RunInfo};
use crate::error::NodeError;
use crate::http::{ScriptedHttp, ScriptedReply};
use crate::item::{Input, Item};
use crate::node::DynNode;
use crate::outcome::{Outcome, Output, Resumed};
use crate::services::{Clock, Credential, CredentialSource, Services};
use crate::spec::Example;
use crate::usage::NoBudget;
use futures::future::BoxFuture;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio_util::sync::CancellationToken;

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct SimClock(AtomicI64);

impl SimClock {
    /// A clock that shows `now` (milliseconds since the epoch).
    pub fn at(now: i64) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Moves forward.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Jumps to a moment.
    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The code with which [`FixedParams`] refuses a script. Examples that end so are the host's to check.
pub const NEEDS_ENGINE: &str = "needs_engine";

/// Parameters that hold no expressions.
#[derive(Debug)]
pub struct FixedParams(pub Value);

impl ParamSource for FixedParams {
    fn is_static(&self) -> bool {
        true
    }

    fn resolve(&self, _item: usize) -> Result<Value, NodeError> {
        Ok(self.0.clone())
    }

    fn resolve_at(&self, pointer: &str, _item: usize) -> Result<Value, NodeError> {
        Ok(self.0.pointer(pointer).cloned().unwrap_or(Value::Null))
    }

    fn run_script(&self, _: &str, _: usize, _: Vec<(String, Value)>) -> Result<Value, NodeError> {
        let message = "The test kit cannot run scripts; use the engine's test harness";
        Err(NodeError::bug(message).code(NEEDS_ENGINE))
    }
}

/// Credentials written in a test: `{ "name": { "kind": …, "data": { … } } }`. All fields are
/// secret but those that a list `public` names.
#[derive(Clone, Debug, Default)]
pub struct FixedCredentials(pub BTreeMap<String, Value>);

impl CredentialSource for FixedCredentials {
    fn credential<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Result<Credential, NodeError>> {
        let found = self.0.get(name).map(|entry| Credential {
            kind: entry["kind"].as_str().unwrap_or_default().to_owned(),
            data: entry["data"].clone(),
            public: serde_json::from_value(entry["public"].clone()).unwrap_or_default(),
        });
        let answer = found.ok_or_else(|| {
            NodeError::auth(format!("There is no credential named `{name}`")).code("credential_missing")
        });
        Box::pin(std::future::ready(answer))
    }
}

/// The moment at which the test kit's clock stands: 2026-01-05T10:00:00Z, a Monday.
pub const TEST_NOW_MS: i64 = 1_767_607_200_000;

/// One node under test, with everything around it.
pub struct Bench {
    node: Arc<dyn DynNode>,
    /// The clock it sees.
    pub clock: Arc<SimClock>,
    /// What it sends.
    pub http: Arc<ScriptedHttp>,
    credentials: BTreeMap<String, Value>,
    base_urls: BTreeMap<String, String>,
    resumed: Option<Resumed>,
    loop_state: Option<Value>,
    iteration: u32,
    dry_run: bool,
    doubt: Option<Doubt>,
}

impl Bench {
    /// A bench for this node.
    pub fn new(node: Arc<dyn DynNode>) -> Self {
        Self {
            node,
            clock: Arc::new(SimClock::at(TEST_NOW_MS)),
            http: Arc::default(),
            credentials: BTreeMap::new(),
            base_urls: BTreeMap::from([("graph".to_owned(), "https://graph.test/v22.0".to_owned())]),
            resumed: None,
            loop_state: None,
            iteration: 0,
            dry_run: false,
            doubt: None,
        }
    }

    /// Scripts the answers of the outside.
    #[must_use]
    pub fn http(mut self, replies: Vec<ScriptedReply>) -> Self {
        self.http = Arc::new(ScriptedHttp::new(replies));
        self
    }

    /// Adds a credential.
    #[must_use]
    pub fn credential(mut self, name: &str, kind: &str, data: Value) -> Self {
        self.credentials.insert(name.to_owned(), serde_json::json!({ "kind": kind, "data": data }));
        self
    }

    /// Runs the node as after a wait.
    #[must_use]
    pub fn resumed(mut self, resumed: Resumed) -> Self {
        self.resumed = Some(resumed);
        self
    }

    /// Runs the node as a later iteration of a loop.
    #[must_use]
    pub fn iteration(mut self, iteration: u32, loop_state: Value) -> Self {
        self.iteration = iteration;
        self.loop_state = Some(loop_state);
        self
    }

    /// Runs the node as after an attempt of unknown outcome.
    #[must_use]
    pub fn doubt(mut self, doubt: Doubt) -> Self {
        self.doubt = Some(doubt);
        self
    }

    /// Runs the node as in a dry run.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Runs the node once.
    ///
    /// # Errors
    /// Whatever the node answers.
    pub async fn run(&self, params: Value, input: Input) -> Result<Outcome, NodeError> {
        let ctx = self.context(Arc::new(FixedParams(params)));
        self.node.run(&ctx, input).await
    }

    /// A context as the node would see it, with these parameters.
    pub fn context(&self, params: Arc<dyn ParamSource>) -> NodeContext {
        NodeContext {
            run: Arc::new(RunInfo {
                run_id: "run_test".to_owned(),
                workspace_id: "ws_test".to_owned(),
                workflow_id: "wf_test".to_owned(),
                workflow_name: "Test".to_owned(),
                time_zone: "UTC".to_owned(),
                dry_run: self.dry_run,
            }),
            node_id: "node".into(),
            iteration: self.iteration,
            attempt: 1,
            doubt: self.doubt,
            resumed: self.resumed.clone(),
            loop_state: self.loop_state.clone(),
            params,
            services: Arc::new(Services {
                clock: self.clock.clone(),
                http: self.http.clone(),
                credentials: Arc::new(FixedCredentials(self.credentials.clone())),
                base_urls: Arc::new(self.base_urls.clone()),
                budget: NoBudget::shared(),
            }),
            cancel: CancellationToken::new(),
            logs: std::sync::Mutex::default(),
            usage: std::sync::Mutex::default(),
            secrets: crate::mask::Secrets::default(),
        }
    }
}

/// Runs every example of a node that has no expressions, and describes the first that is not kept.
///
/// # Errors
/// A sentence naming the example, what was expected and what came.
pub async fn check_examples(node: &Arc<dyn DynNode>) -> Result<(), String> {
    for example in &node.spec().examples {
        if !example.params.to_string().contains("{{") {
            check_example(node, example, Arc::new(FixedParams(example.params.clone()))).await?;
        }
    }
    Ok(())
}

/// Runs one example with the given parameter source.
///
/// # Errors
/// A sentence naming the example, what was expected and what came.
pub async fn check_example(
    node: &Arc<dyn DynNode>,
    example: &Example,
    params: Arc<dyn ParamSource>,
) -> Result<(), String> {
    let mut bench = Bench::new(node.clone()).http(example.http.clone());
    bench.credentials.clone_from(&example.credentials);
    let answer = node.run(&bench.context(params), example_input(example)).await;
    let place = format!("{} example `{}`", node.spec().node_type, example.title);
    match (answer, &example.error) {
        (Err(error), Some(code)) if error.code == code.as_str() => Ok(()),
        (Err(error), _) if error.code == NEEDS_ENGINE => Ok(()),
        (Err(error), _) => Err(format!("{place}: failed with {}: {error}", error.code)),
        (Ok(_), Some(code)) => Err(format!("{place}: expected the error {code}")),
        (Ok(Outcome::Suspend(_) | Outcome::Call(_)), None) if example.waits => Ok(()),
        (Ok(Outcome::Done(output)), None) => compare(&place, &output, example),
        (Ok(Outcome::Stop(stop)), None) => compare(&place, &Output::main(stop.items), example),
        (Ok(other), None) => Err(format!("{place}: expected items, got {other:?}")),
    }
}

/// The input that an example describes.
pub fn example_input(example: &Example) -> Input {
    let items = |values: &[Value]| values.iter().cloned().map(Item::new).collect::<Vec<_>>();
    let main = Input::main(items(&example.input));
    example
        .input_ports
        .iter()
        .fold(main, |input, (port, values)| input.with_port(port.as_str(), items(values)))
}

fn compare(place: &str, output: &Output, example: &Example) -> Result<(), String> {
    let mut came: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (port, items) in output.ports.iter().filter(|(_, items)| !items.is_empty()) {
        came.insert(port, items.iter().map(|item| &*item.json).collect());
    }
    let wanted: BTreeMap<&str, Vec<&Value>> = example
        .output
        .iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(port, items)| (port.as_str(), items.iter().collect()))
        .collect();
    if came == wanted {
        return Ok(());
    }
    let show = |ports: &BTreeMap<&str, Vec<&Value>>| serde_json::to_string(ports).unwrap_or_default();
    Err(format!("{place}: expected {}, got {}", show(&wanted), show(&came)))
}
