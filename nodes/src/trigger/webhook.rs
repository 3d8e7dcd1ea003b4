//! `trigger.webhook`: an HTTP request to `/hooks/{workspace}/{path}` starts the workflow. The host
//! receives the request, checks the credential and sends the answer; this node must not know HTTP.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Webhook;

/// Where the request must go and how it is answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookParams {
    /// The part of the address after `/hooks/{workspace}/`, such as `orders` or `shop/orders`.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$"))]
    pub path: String,
    /// The HTTP method to accept.
    #[serde(default)]
    pub method: Method,
    /// When and with what the caller is answered.
    #[serde(default)]
    pub respond: Respond,
    /// Name of a credential that callers must present: a header with a secret value (`http_header`), a
    /// bearer token (`http_bearer`) or a user name and password (`http_basic`). Without it anybody who
    /// knows the address may call; others get 401 and start nothing.
    #[serde(default)]
    pub credential: Option<String>,
}

/// Accepted HTTP methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Every method.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// GET only.
    Get,
    /// POST only.
    Post,
    /// PUT only.
    Put,
    /// PATCH only.
    Patch,
    /// DELETE only.
    Delete,
}

impl Method {
    fn accepts(self, method: &str) -> bool {
        let wanted = match self {
            Self::Any => return true,
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        };
        method.eq_ignore_ascii_case(wanted)
    }
}

/// When the caller is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Respond {
    /// At once, with the id of the run.
    #[default]
    Immediately,
    /// When the run is over, with the items of its last node.
    LastNode,
    /// When a `flow.respond` node runs, with what it says.
    RespondNode,
}

impl Node for Webhook {
    const TYPE: &'static str = "trigger.webhook";
    type Params = WebhookParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Webhook", "Starts when an HTTP request arrives")
            .docs(
                "Starts the workflow for every request to `/hooks/{workspace}/{path}` once the workflow is \
                 published. The item is `{ method, path, headers, query, body }`: header names are in lower \
                 case, a JSON or form body is read into `body`, any other body is there as text.\n\n\
                 Set `credential` to turn away callers who do not present it.",
            )
            .trigger(TriggerSource::Webhook, false)
            .credential("credential", &["http_header", "http_bearer", "http_basic"], false)
            .example(
                Example::new(
                    "Take an order and answer at once",
                    json!({ "path": "orders", "method": "POST" }),
                )
                .input(vec![json!({ "method": "POST", "path": "orders", "body": { "id": 7 } })])
                .output(vec![json!({ "method": "POST", "path": "orders", "body": { "id": 7 } })]),
            )
            .example(
                Example::new("Decline another method", json!({ "path": "orders", "method": "POST" }))
                    .input(vec![json!({ "method": "GET", "path": "orders" })]),
            )
            .example(
                Example::new("Answer with the result", json!({ "path": "greet", "respond": "last_node" }))
                    .input(vec![json!({ "body": { "name": "Asha" } })])
                    .output(vec![json!({ "body": { "name": "Asha" } })]),
            )
            .example(
                Example::new("A word that is no way to respond", json!({ "path": "x", "respond": "later" }))
                    .input(vec![json!({ "body": null })])
                    .error("invalid_params"),
            )
    }

    async fn run(&self, ctx: &Context<'_, WebhookParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        // A test run may give only a body; then there is no method to decline.
        let fits = |item: &&Item| {
            item.json.get("method").and_then(Value::as_str).is_none_or(|method| params.method.accepts(method))
        };
        Ok(input.items().iter().filter(fits).cloned().collect::<Vec<_>>().into())
    }
}
