//! `flow.approval`: asks a person and waits for the decision. Must not know how people are reached.

use crate::values::field::with_field;
use sluice_node_sdk::outcome::{Cause, Output, Resumed};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Approval;

/// What is asked, of whom, and for how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalParams {
    /// What is to be decided, in a few words.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What the person needs to know, as Markdown.
    #[serde(default)]
    pub message: String,
    /// E-mail addresses or user ids of those who may decide; everybody with the right to when empty.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// How long to wait for a decision, such as `2d`; without limit when missing.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// What happens when nobody decided in time.
    #[serde(default)]
    pub on_timeout: OnTimeout,
}

/// What happens when nobody decided in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// Items leave at `timeout`.
    #[default]
    Timeout,
    /// As if approved.
    Approve,
    /// As if rejected.
    Reject,
    /// The node fails with `approval_timeout`.
    Fail,
}

impl Node for Approval {
    const TYPE: &'static str = "flow.approval";
    type Params = ApprovalParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Approval", "Asks a person to approve or reject")
            .docs(
                "Puts a question before a person and waits: in the list of approvals, through the REST API \
                 (`POST /api/approvals/{id}`) or by a signed link. Items leave at `approved` or `rejected`, \
                 each with `approval: { decision, note, by }`.",
            )
            .outputs(Ports::fixed(&[
                ("approved", "Items after an approval"),
                ("rejected", "Items after a rejection"),
                ("timeout", "Items when nobody decided in time"),
            ]))
            .timeout_param("/timeout")
            .example(
                Example::new(
                    "Ask before spending money",
                    json!({
                        "title": "Raise the budget?",
                        "message": "Campaign **{{ json.name }}** asks for {{ json.budget }} a day.",
                        "timeout": "2d",
                        "on_timeout": "reject"
                    }),
                )
                .input(vec![json!({ "name": "Diwali", "budget": 900 })])
                .waits(),
            )
            .example(Example::new("Just ask", json!({ "title": "Send now?" })).input(vec![json!({})]).waits())
            .example(
                Example::new("A question needs a title", json!({ "title": "" }))
                    .input(vec![json!({})])
                    .error("title_missing"),
            )
    }

    async fn run(&self, ctx: &Context<'_, ApprovalParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        if let Some(resumed) = &ctx.resumed {
            return decided(&params, &input, resumed);
        }
        if params.title.trim().is_empty() {
            let message = "Give the question a title, so that people know what they decide";
            return Err(NodeError::invalid_params(message).code("title_missing").at("/title"));
        }
        let until = params.timeout.map(|timeout| timeout.after(ctx.now_ms()));
        let info = json!({
            "title": params.title,
            "message": params.message,
            "approvers": params.approvers,
            "expires_at": until,
        });
        let key = format!("approval:{}", ctx.effect_id());
        Ok(Suspend::for_signal(WaitKind::Approval, key).or_until(until).info(info).into())
    }
}

fn decided(params: &ApprovalParams, input: &Input, resumed: &Resumed) -> Result<Outcome, NodeError> {
    let decision = |word: &str| json!({ "decision": word, "note": null, "by": null });
    let (port, approval) = match &resumed.cause {
        Cause::Signal { payload } => {
            let approval =
                json!({ "decision": payload["decision"], "note": payload["note"], "by": payload["by"] });
            match payload["decision"].as_str() {
                Some("approve") => ("approved", approval),
                Some("reject") => ("rejected", approval),
                _ => {
                    let message = "The decision must be `approve` or `reject`";
                    return Err(NodeError::invalid_input(message).code("approval_decision"));
                }
            }
        }
        Cause::Timer => match params.on_timeout {
            OnTimeout::Timeout => ("timeout", decision("timeout")),
            OnTimeout::Approve => ("approved", decision("timeout")),
            OnTimeout::Reject => ("rejected", decision("timeout")),
            OnTimeout::Fail => {
                let message = format!("Nobody decided on `{}` in time", params.title);
                return Err(NodeError::rejected(message).code("approval_timeout"));
            }
        },
    };
    let marked = input.items().iter().enumerate();
    let items = marked.map(|(index, item)| with_field(item, index, "approval", approval.clone()));
    Ok(Output::port(port, items.collect::<Result<_, _>>()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::testkit::{Bench, TEST_NOW_MS};

    fn input() -> Input {
        Input::main(vec![Item::new(json!({ "id": 1 }))])
    }

    async fn resume(params: Value, cause: Cause) -> Result<Outcome, NodeError> {
        Bench::new(node(Approval)).resumed(Resumed { cause, state: Value::Null }).run(params, input()).await
    }

    #[tokio::test]
    async fn it_waits_for_its_own_key_with_the_question() {
        let params = json!({ "title": "Go?", "approvers": ["a@example.com"], "timeout": "1h" });
        let outcome = Bench::new(node(Approval)).run(params, input()).await.unwrap();
        let Outcome::Suspend(wait) = outcome else { panic!("{outcome:?}") };
        assert_eq!(wait.signal.as_deref(), Some("approval:run_test/node/0"));
        assert_eq!((wait.kind, wait.until), (WaitKind::Approval, Some(TEST_NOW_MS + 3_600_000)));
        assert_eq!(wait.info["title"], "Go?");
        assert_eq!(wait.info["approvers"], json!(["a@example.com"]));
    }

    #[tokio::test]
    async fn each_end_has_its_port() {
        let signal = |decision: &str| Cause::Signal {
            payload: json!({ "decision": decision, "note": "ok", "by": "usr_1" }),
        };
        let table = [
            (json!({ "title": "Go?" }), signal("approve"), "approved", "approve"),
            (json!({ "title": "Go?" }), signal("reject"), "rejected", "reject"),
            (json!({ "title": "Go?" }), Cause::Timer, "timeout", "timeout"),
            (json!({ "title": "Go?", "on_timeout": "approve" }), Cause::Timer, "approved", "timeout"),
            (json!({ "title": "Go?", "on_timeout": "reject" }), Cause::Timer, "rejected", "timeout"),
        ];
        for (params, cause, port, decision) in table {
            let outcome = resume(params, cause).await.unwrap();
            let Outcome::Done(output) = outcome else { panic!("{outcome:?}") };
            assert_eq!(output.ports.len(), 1);
            let (name, items) = &output.ports[0];
            assert_eq!((name.as_ref(), &items[0].json["approval"]["decision"]), (port, &json!(decision)));
            assert_eq!(items[0].from, Some(0));
        }
    }

    #[tokio::test]
    async fn failing_ends_have_their_codes() {
        let fail = resume(json!({ "title": "Go?", "on_timeout": "fail" }), Cause::Timer).await.unwrap_err();
        assert_eq!(fail.code, "approval_timeout");
        let odd = Cause::Signal { payload: json!({ "decision": "maybe" }) };
        assert_eq!(resume(json!({ "title": "Go?" }), odd).await.unwrap_err().code, "approval_decision");
    }
}
