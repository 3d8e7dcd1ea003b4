//! `flow.respond`: what the caller of a webhook is answered. Must not know HTTP servers.

use crate::values::check;
use sluice_node_sdk::outcome::{Output, Reply};
use sluice_node_sdk::prelude::*;
use std::collections::BTreeMap;

/// The node.
pub struct Respond;

/// The answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RespondParams {
    /// HTTP status code.
    #[serde(default = "ok")]
    #[schemars(range(min = 200, max = 599))]
    pub status: u16,
    /// Header fields. A `content-type` other than JSON sends a text body as it is.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: any JSON, or text. The data of the first item when missing.
    #[serde(default)]
    pub body: Option<Value>,
}

fn ok() -> u16 {
    200
}

/// Header fields that describe the connection and belong to the server.
const RESERVED: [&str; 5] = ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];

impl Node for Respond {
    const TYPE: &'static str = "flow.respond";
    type Params = RespondParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Respond", "Answers the caller of the webhook")
            .docs(
                "Answers the HTTP request that started the run, when its `trigger.webhook` says `respond: \
                 respond_node`. The run goes on afterwards: items pass through. Only the first answer of a \
                 run is sent. In a run without a waiting caller the answer is kept in the trace only.",
            )
            .example(
                Example::new("Accepted", json!({ "status": 202, "body": { "queued": true } }))
                    .input(vec![json!({ "id": 1 })])
                    .output(vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new(
                    "A text page",
                    json!({ "headers": { "content-type": "text/plain" }, "body": "Thank you, {{ json.name }}" }),
                )
                .input(vec![json!({ "name": "Asha" })])
                .output(vec![json!({ "name": "Asha" })]),
            )
            .example(
                Example::new("No such status", json!({ "status": 42 }))
                    .input(vec![json!({})])
                    .error("invalid_status"),
            )
            .example(
                Example::new("A header that is the server's", json!({ "headers": { "Content-Length": "3" } }))
                    .input(vec![json!({})])
                    .error("invalid_header"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, sendable)
    }

    async fn run(&self, ctx: &Context<'_, RespondParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        sendable(&params)?;
        let body = match (&params.body, params.status) {
            (Some(body), _) => body.clone(),
            (None, 204 | 304) => Value::Null,
            (None, _) => input.items().first().map_or(Value::Null, |item| (*item.json).clone()),
        };
        let reply = Reply { status: params.status, headers: params.headers.clone(), body };
        Ok(Output { reply: Some(reply), ..Output::main(input.pass()) }.into())
    }
}

fn sendable(params: &RespondParams) -> Result<(), NodeError> {
    if !(200..=599).contains(&params.status) {
        let message = format!("{} is not a status for an answer; use 200 to 599", params.status);
        return Err(NodeError::invalid_params(message).code("invalid_status").at("/status"));
    }
    params.headers.iter().try_for_each(|(name, value)| check_header(name, value))
}

/// Refuses what could break or forge the answer's head (RFC 9110, section 5).
fn check_header(name: &str, value: &str) -> Result<(), NodeError> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let fault = if name.is_empty() || !name.chars().all(token) {
        "is not a header name"
    } else if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        "is set by the server"
    } else if value.chars().any(|c| c.is_control() && c != '\t') {
        "has a line break or another control character in its value"
    } else {
        return Ok(());
    };
    Err(NodeError::invalid_params(format!("The header `{}` {fault}", name.escape_debug()))
        .code("invalid_header")
        .at("/headers"))
}
