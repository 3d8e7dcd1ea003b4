//! `http.request`: one request per item, with credentials, redirects and pagination.
//! Must not know the engine; whether a failure is tried again is the engine's business.

use super::answer::{self, As, Read};
use super::auth::{Auth, KINDS, Tokens};
use super::body::{self, Body};
use super::credentials;
use super::pages::{Pagination, Walk};
use serde_json::{Map, Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::prelude::*;
use url::Url;

/// The node.
#[derive(Default)]
pub(crate) struct Request {
    tokens: Tokens,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// Read.
    #[default]
    Get,
    /// Create or trigger.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
    /// Read the header fields only.
    Head,
    /// Ask what is possible.
    Options,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }

    /// Changes nothing.
    fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }

    /// Repeating it changes nothing more.
    fn is_repeatable(self) -> bool {
        self.is_safe() || matches!(self, Self::Put | Self::Delete)
    }
}

/// What to do about statuses from 400 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnStatus {
    /// Fail; 429 and 5xx may be tried again.
    #[default]
    Fail,
    /// Go on with the answer, whatever its status.
    Pass,
}

/// The request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// Method.
    #[serde(default)]
    method: Method,
    /// Address, with `http://` or `https://`.
    url: String,
    /// Parameters added to the address; a list repeats its name.
    #[serde(default)]
    query: Map<String, Value>,
    /// Header fields.
    #[serde(default)]
    headers: Map<String, Value>,
    /// Body.
    #[serde(default)]
    body: Option<Body>,
    /// Credential of kind `http_bearer`, `http_basic`, `http_header`, `oauth2_client` or `google`.
    #[serde(default)]
    credential: Option<String>,
    /// How many redirects to follow; 0 returns the redirect itself.
    #[serde(default = "five")]
    #[schemars(range(max = 20))]
    redirects: u8,
    /// Follow a long list page by page.
    #[serde(default)]
    pagination: Option<Pagination>,
    /// What to do about statuses from 400 on.
    #[serde(default)]
    on_status: OnStatus,
    /// How to read the body.
    #[serde(default)]
    response: As,
    /// The name under which a file is added to the item.
    #[serde(default = "data")]
    response_file: String,
    /// Time limit of each request, at most five minutes.
    #[serde(default = "half_a_minute")]
    timeout: Duration,
    /// Largest answer in bytes, after decompression; with pagination for all pages together. At most 100 MiB.
    #[serde(default = "ten_mib")]
    max_bytes: u64,
    /// One request for the first item only, in place of one per item.
    #[serde(default)]
    once: bool,
    /// Send an `Idempotency-Key` with POST and PATCH, the same for every attempt.
    #[serde(default)]
    idempotency_key: bool,
}

fn five() -> u8 {
    5
}

fn data() -> String {
    "data".to_owned()
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn ten_mib() -> u64 {
    10 * 1024 * 1024
}

const LONGEST_MS: u64 = 5 * 60 * 1_000;
const LARGEST_BYTES: u64 = 100 * 1024 * 1024;

impl Node for Request {
    const TYPE: &'static str = "http.request";
    type Params = Params;

    fn spec(&self) -> NodeSpec {
        let repeatable =
            ["", "GET", "HEAD", "OPTIONS", "PUT", "DELETE"].map(|method| (method, Effect::Idempotent));
        super::examples::request(
            NodeSpec::new("HTTP request", "Calls a web service")
                .docs(include_str!("request.md"))
                .effect(Effect::Once)
                .effect_by_param("/method", &repeatable)
                .outputs(Ports::fixed(&[
                    ("main", "One item per answer: status, headers, body"),
                    ("error", "The input items, when a request failed and errors are routed"),
                ]))
                .credential("credential", &KINDS, false)
                .credential_kinds(credentials::kinds())
                .timeout_ms(LONGEST_MS + 30_000),
        )
    }

    async fn run(&self, ctx: &Context<'_, Params>, input: Input) -> Result<Outcome, NodeError> {
        let all = input.items().len();
        let count = if all > 1 && ctx.params(0)?.once { 1 } else { all };
        let mut output = Vec::with_capacity(count);
        for (index, item) in input.items().iter().take(count).enumerate() {
            let params = ctx.params(index)?;
            match self.call(ctx, &params, index, item).await {
                Ok(answer) => output.push(answer.from_input(index)),
                Err(error) => return Err(partly_done(error, &params, index, count)),
            }
        }
        Ok(output.into())
    }
}

impl Request {
    async fn call(
        &self,
        ctx: &NodeContext,
        params: &Params,
        index: usize,
        item: &Item,
    ) -> Result<Item, NodeError> {
        let request = build(ctx, params, index, item)?;
        if must_not_send(ctx, params, &request) {
            return Ok(pretended(ctx, params, &request));
        }
        let mut auth = self.auth(ctx, params, None).await?;
        match &params.pagination {
            Some(rule) => self.pages(ctx, params, rule, request, &mut auth).await,
            None => {
                let answer = self.exchange(ctx, params, &request, &mut auth).await?;
                one_answer(params, &answer)
            }
        }
    }

    async fn auth(
        &self,
        ctx: &NodeContext,
        params: &Params,
        refused: Option<&str>,
    ) -> Result<Auth, NodeError> {
        match params.credential.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => self.tokens.open(ctx, name, refused).await,
            None => Ok(Auth::default()),
        }
    }

    /// One request and its answer; a stale OAuth token is renewed once.
    async fn exchange(
        &self,
        ctx: &NodeContext,
        params: &Params,
        request: &HttpRequest,
        auth: &mut Auth,
    ) -> Result<HttpResponse, NodeError> {
        let mut answer = transported(ctx, params, auth.sign(request.clone())).await?;
        if answer.status == 401 && auth.renewable {
            *auth = self.auth(ctx, params, Some(auth.token())).await?;
            answer = transported(ctx, params, auth.sign(request.clone())).await?;
        }
        if answer.status >= 400 && params.on_status == OnStatus::Fail {
            return Err(answer::status_error(&answer, auth, ctx.now_ms()));
        }
        Ok(answer)
    }

    async fn pages(
        &self,
        ctx: &NodeContext,
        params: &Params,
        rule: &Pagination,
        mut request: HttpRequest,
        auth: &mut Auth,
    ) -> Result<Item, NodeError> {
        rule.check()?;
        let first = parse_url(&request.url)?;
        let mut walk = Walk::new(rule, first);
        let (mut here, mut elements, mut pages) = (walk.start(), Vec::new(), 0_u32);
        loop {
            here.as_str().clone_into(&mut request.url);
            let answer = self.exchange(ctx, params, &request, auth).await?;
            if answer.status >= 400 {
                return one_answer(params, &answer);
            }
            request.max_response_bytes = request.max_response_bytes.saturating_sub(answer.body.len() as u64);
            let page = walk.elements(&answer)?;
            let next = walk.next(&here, &answer, page.len())?;
            elements.extend(page);
            pages += 1;
            match next {
                Some(next) => here = next,
                None => return Ok(Item::new(all_pages(&answer, elements, pages))),
            }
        }
    }
}

fn all_pages(last: &HttpResponse, elements: Vec<Value>, pages: u32) -> Value {
    json!({ "status": last.status, "headers": answer::headers(last), "body": elements, "pages": pages })
}

fn one_answer(params: &Params, answer: &HttpResponse) -> Result<Item, NodeError> {
    // The body of a refusal is shown as it is, not held against what a success would look like.
    let wanted = if answer.status >= 400 { As::Auto } else { params.response };
    let json =
        |body: Value| json!({ "status": answer.status, "headers": answer::headers(answer), "body": body });
    Ok(match answer::read(answer, wanted)? {
        Read::Value(body) => Item::new(json(body)),
        Read::File(file) => Item::new(json(Value::Null)).with_file(&params.response_file, file),
    })
}

/// Sends. What may be repeated without harm has no unknown outcome.
async fn transported(
    ctx: &NodeContext,
    params: &Params,
    request: HttpRequest,
) -> Result<HttpResponse, NodeError> {
    ctx.http(request).await.map_err(|error| match error.kind {
        ErrorKind::UnknownOutcome if params.method.is_repeatable() || params.idempotency_key => {
            NodeError { kind: ErrorKind::Unavailable, ..error }
        }
        _ => error,
    })
}

fn parse_url(text: &str) -> Result<Url, NodeError> {
    Url::parse(text.trim()).map_err(|error| {
        let shown = text.split(['?', '#']).next().unwrap_or_default();
        NodeError::invalid_params(format!("`{shown}` is no address: {error}")).code("invalid_url").at("/url")
    })
}

fn build(ctx: &NodeContext, params: &Params, index: usize, item: &Item) -> Result<HttpRequest, NodeError> {
    let mut url = parse_url(&params.url)?;
    let query = body::pairs(&params.query);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url.set_fragment(None);
    let mut request = HttpRequest::new(params.method.as_str(), url);
    for (name, value) in &params.headers {
        if !value.is_null() {
            request.headers.push((name.clone(), body::plain(value)));
        }
    }
    let has = |name: &str| params.headers.keys().any(|key| key.eq_ignore_ascii_case(name));
    if let Some(body) = &params.body {
        let (bytes, content_type) = body::encode(body, Some(item))?;
        request.body = bytes;
        if !has("content-type") {
            request = request.header("content-type", content_type);
        }
    }
    if params.idempotency_key && !params.method.is_repeatable() && !has("idempotency-key") {
        let effect_id = ctx.effect_id();
        let key = if index == 0 { effect_id } else { format!("{effect_id}#{index}") };
        request = request.header("idempotency-key", key);
    }
    request.timeout_ms = u64::try_from(params.timeout.as_ms()).unwrap_or_default().clamp(1, LONGEST_MS);
    request.max_response_bytes = params.max_bytes.min(LARGEST_BYTES);
    request.max_redirects = params.redirects.min(20);
    Ok(request)
}

/// In a dry run nothing that changes something goes out, unless a script answers it.
fn must_not_send(ctx: &NodeContext, params: &Params, request: &HttpRequest) -> bool {
    let http = &ctx.services.http;
    let answered = http.is_scripted() && http.answers(request);
    ctx.run.dry_run && !answered && !params.method.is_safe()
}

fn pretended(ctx: &NodeContext, params: &Params, request: &HttpRequest) -> Item {
    ctx.info(format!("Dry run: {} {} was not sent", request.method, params.url));
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
    let headers: Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Item::new(json!({
        "status": 0, "dry_run": true,
        "request": { "method": request.method, "url": request.url, "headers": headers, "body": body },
    }))
}

/// A failure after earlier items' requests were made. Trying the node again would make those again, so
/// for requests that must not be repeated the failure is final and says how far it got.
fn partly_done(mut error: NodeError, params: &Params, index: usize, count: usize) -> NodeError {
    if count > 1 {
        error.message = format!("Item {index}: {}", error.message);
    }
    let repeatable = params.method.is_repeatable() || params.idempotency_key;
    if index > 0 && !repeatable && error.kind.is_retryable() {
        let details = json!({ "done": index, "code": error.code, "cause": error.details });
        let message = format!(
            "{}. The requests of {index} earlier items were made, so the node is not tried again; \
             put it into a flow.loop to repeat single items",
            error.message
        );
        return NodeError::rejected(message).code("partly_done").details(details);
    }
    error
}
