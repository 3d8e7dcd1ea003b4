//! The [`Node`] trait that authors implement, and its type-erased form that hosts run.

use crate::context::{Context, NodeContext};
use crate::error::NodeError;
use crate::item::Input;
use crate::outcome::Outcome;
use crate::problem::ParamProblem;
use crate::spec::NodeSpec;
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;

/// A node type: one type, one file, about 40 lines. `&self` may hold handles to services.
pub trait Node: Send + Sync + 'static {
    /// `service.verb`.
    const TYPE: &'static str;
    /// Parameters. Field docs become the help text; derive with `deny_unknown_fields`.
    type Params: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// What the node says of itself.
    fn spec(&self) -> NodeSpec;

    /// What a look at the parameters as written, beyond their schema, shows to be wrong: a title that is too
    /// long, two buttons with one id. Expressions are still text with `{{ }}`, and the parameters may break
    /// the schema too, so judge only what is plainly there.
    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let _ = params;
        Vec::new()
    }

    /// Does the work of one execution on all its input items. `async fn` in the implementation is fine.
    fn run(
        &self,
        ctx: &Context<'_, Self::Params>,
        input: Input,
    ) -> impl Future<Output = Result<Outcome, NodeError>> + Send;
}

/// A node without its parameter type.
pub trait DynNode: Send + Sync + 'static {
    /// What the node says of itself, type and parameter schema included.
    fn spec(&self) -> &NodeSpec;
    /// See [`Node::check`].
    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let _ = params;
        Vec::new()
    }
    /// Runs it.
    fn run<'a>(&'a self, ctx: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>>;
}

struct Erased<N> {
    node: N,
    spec: NodeSpec,
}

impl<N: Node> DynNode for Erased<N> {
    fn spec(&self) -> &NodeSpec {
        &self.spec
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        self.node.check(params)
    }

    fn run<'a>(&'a self, ctx: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async move { self.node.run(&Context::new(ctx), input).await })
    }
}

/// Erases a node's parameter type and completes its spec, ready for a registry.
pub fn node<N: Node>(node: N) -> Arc<dyn DynNode> {
    let mut spec = node.spec();
    N::TYPE.clone_into(&mut spec.node_type);
    spec.params_schema = schema_of::<N::Params>();
    Arc::new(Erased { node, spec })
}

/// The JSON Schema of a parameter type. Strings with `{{ }}` are allowed everywhere by the validator, not
/// by the schema, so that the schema stays what a form needs.
fn schema_of<P: JsonSchema>() -> Value {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<P>().to_value()
}
