//! `flow.call`: runs another workflow as a child. Must not know how runs are started.

use crate::values::check;
use sluice_node_sdk::outcome::{Call as CallWish, Cause, Resumed};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Call;

/// Which workflow, and whether to wait for it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallParams {
    /// Id or name of the workflow. Its published version runs, from its `trigger.workflow` node.
    #[schemars(length(min = 1))]
    pub workflow: String,
    /// Whether to wait until it is over and go on with its items.
    #[serde(default = "yes")]
    pub wait: bool,
}

fn yes() -> bool {
    true
}

impl Node for Call {
    const TYPE: &'static str = "flow.call";
    type Params = CallParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Call workflow", "Runs another workflow with these items")
            .docs(
                "Starts another workflow with all items at once. With `wait` (the default) this run sleeps \
                 until the child is over and goes on with the items of the child's last node; a child that \
                 failed fails this node with `child_failed`. Without `wait` the items pass on at once, each \
                 with the child's id in `child_run_id`.\n\n\
                 To call once per item, put it into a `flow.loop`.",
            )
            .example(
                Example::new("Wait for the result", json!({ "workflow": "Score a lead" }))
                    .input(vec![json!({ "lead": 7 })])
                    .waits(),
            )
            .example(
                Example::new("Start and go on", json!({ "workflow": "Send survey", "wait": false }))
                    .input(vec![json!({ "contact": "con_1" })])
                    .waits(),
            )
            .example(
                Example::new("No workflow named", json!({ "workflow": " " }))
                    .input(vec![json!({})])
                    .error("workflow_missing"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, named)
    }

    async fn run(&self, ctx: &Context<'_, CallParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        if let Some(resumed) = &ctx.resumed {
            return after_call(&params, &input, resumed);
        }
        named(&params)?;
        let workflow = params.workflow.trim().to_owned();
        Ok(Outcome::Call(CallWish { workflow, items: input.items().to_vec(), wait: params.wait }))
    }
}

fn named(params: &CallParams) -> Result<(), NodeError> {
    if !params.workflow.trim().is_empty() {
        return Ok(());
    }
    Err(NodeError::invalid_params("Name the workflow to call").code("workflow_missing").at("/workflow"))
}

fn after_call(params: &CallParams, input: &Input, resumed: &Resumed) -> Result<Outcome, NodeError> {
    let Cause::Signal { payload } = &resumed.cause else {
        return Err(NodeError::bug("A call was resumed by a timer, which it never asked for"));
    };
    if !params.wait {
        let run_id = &payload["run_id"];
        let marked = input.items().iter().enumerate().map(|(index, item)| {
            crate::values::field::with_field(item, index, "child_run_id", run_id.clone())
        });
        return Ok(marked.collect::<Result<Vec<_>, _>>()?.into());
    }
    if payload["status"] != "succeeded" {
        return Err(child_failed(params, payload));
    }
    let items = payload.get("items").cloned().unwrap_or_else(|| json!([]));
    let mut items: Vec<Item> = serde_json::from_value(items)
        .map_err(|error| NodeError::bug(format!("The child's items cannot be read: {error}")))?;
    // Lineage inside the child means nothing here; with one item in, that one is the origin.
    let origin = (input.items().len() == 1).then_some(0);
    items.iter_mut().for_each(|item| item.from = origin);
    Ok(items.into())
}

fn child_failed(params: &CallParams, payload: &Value) -> NodeError {
    let status = payload["status"].as_str().unwrap_or("unknown");
    let reason = payload["error"]["message"].as_str().map(|text| format!(": {text}")).unwrap_or_default();
    NodeError::rejected(format!("The workflow `{}` ended as {status}{reason}", params.workflow))
        .code("child_failed")
        .details(json!({ "run_id": payload["run_id"], "status": status, "error": payload["error"] }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn resume(params: Value, payload: Value) -> Result<Outcome, NodeError> {
        let resumed = Resumed { cause: Cause::Signal { payload }, state: Value::Null };
        let bench = Bench::new(node(Call)).resumed(resumed);
        bench.run(params, Input::main(vec![Item::new(json!({ "lead": 7 }))])).await
    }

    #[tokio::test]
    async fn a_finished_child_gives_its_items() {
        let payload = json!({ "run_id": "run_2", "status": "succeeded", "items": [{ "json": { "score": 9 }, "from": 4 }] });
        let outcome = resume(json!({ "workflow": "x" }), payload).await.unwrap();
        assert_eq!(outcome, vec![Item::new(json!({ "score": 9 })).from_input(0)].into());
    }

    #[tokio::test]
    async fn a_failed_child_fails_the_node_with_its_error() {
        let payload = json!({ "run_id": "run_2", "status": "failed", "error": { "code": "timeout", "message": "Too slow" } });
        let error = resume(json!({ "workflow": "Score" }), payload).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.kind), ("child_failed", ErrorKind::Rejected));
        assert_eq!(error.message, "The workflow `Score` ended as failed: Too slow");
        assert_eq!(error.details.unwrap()["run_id"], "run_2");
    }

    #[tokio::test]
    async fn without_waiting_items_carry_the_childs_id() {
        let outcome =
            resume(json!({ "workflow": "x", "wait": false }), json!({ "run_id": "run_2" })).await.unwrap();
        let expected = Item::new(json!({ "lead": 7, "child_run_id": "run_2" })).from_input(0);
        assert_eq!(outcome, Output::main(vec![expected]).into());
    }
}
