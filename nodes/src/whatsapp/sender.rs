//! Which number sends, with which token, and whether anything is sent at all: shared by the nodes that call
//! Meta. Must not know messages.

use super::desk::Sender;
use super::limits::wrong;
use serde_json::Value;
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::HttpRequest;

/// Whether this run only pretends: a dry run, or answers from a script.
pub(crate) fn is_pretence(ctx: &NodeContext) -> bool {
    ctx.run.dry_run || ctx.services.http.is_scripted()
}

/// Whether this request must not go out: in a run that only pretends, unless the script answers it.
pub(crate) fn simulated(ctx: &NodeContext, request: &HttpRequest) -> bool {
    let http = &ctx.services.http;
    is_pretence(ctx) && !(http.is_scripted() && http.answers(request))
}

/// `POST /{number}/messages`.
pub(crate) fn messages_request(
    ctx: &NodeContext,
    phone_number_id: &str,
    token: &str,
    body: &Value,
) -> Result<HttpRequest, NodeError> {
    let url = format!("{}/{phone_number_id}/messages", ctx.base_url("graph")?);
    let mut request = HttpRequest::new("POST", url)
        .header("authorization", format!("Bearer {token}"))
        .json(body)
        .to_operator_url();
    request.timeout_ms = 20_000;
    Ok(request)
}

/// The access token of a credential.
pub(crate) async fn token(ctx: &NodeContext, credential: Option<&str>) -> Result<String, NodeError> {
    let opened = match credential {
        Some(name) => ctx.credential(name).await,
        None => {
            let message = "No credential: set `credential`, or connect the number with one";
            Err(NodeError::auth(message).code("credential_missing").at("/credential"))
        }
    };
    match opened {
        Ok(credential) => credential.text("access_token").map(ToOwned::to_owned),
        // Scripted answers come from a file; there is nobody to show a token to.
        Err(_) if ctx.services.http.is_scripted() => Ok("scripted".to_owned()),
        Err(error) => Err(error),
    }
}

/// The number to send from: the wanted one (id or display number), or the only one. A number that is not
/// on record will do by its id when `by_id`; without any number a pretence makes one up.
pub(crate) fn choose(
    numbers: Vec<Sender>,
    wanted: Option<&str>,
    by_id: bool,
    pretence: bool,
) -> Result<Sender, NodeError> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let Some(wanted) = wanted else { return only_one(numbers, pretence) };
    let found = numbers.into_iter().find(|number| {
        number.phone_number_id == wanted
            || (!digits(wanted).is_empty() && digits(&number.display_phone_number) == digits(wanted))
    });
    if let Some(number) = found {
        return Ok(number);
    }
    let is_id = (1..=32).contains(&wanted.len()) && wanted.chars().all(|c| c.is_ascii_digit());
    if is_id && by_id {
        let id = wanted.to_owned();
        return Ok(Sender { phone_number_id: id, display_phone_number: String::new(), credential: None });
    }
    let message = format!("The workspace has no WhatsApp number `{wanted}`; connect it first");
    Err(wrong("/from", "number_unknown", message))
}

fn only_one(mut numbers: Vec<Sender>, pretence: bool) -> Result<Sender, NodeError> {
    match (numbers.pop(), numbers.is_empty()) {
        (Some(number), true) => Ok(number),
        (Some(_), false) => {
            let message = "The workspace has several WhatsApp numbers; say in `from` which one sends";
            Err(wrong("/from", "number_ambiguous", message))
        }
        (None, _) if pretence => Ok(Sender {
            phone_number_id: "0".to_owned(),
            display_phone_number: String::new(),
            credential: None,
        }),
        (None, _) => {
            let message = "The workspace has no WhatsApp number; connect one first";
            Err(wrong("/from", "number_missing", message))
        }
    }
}
