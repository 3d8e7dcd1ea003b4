//! Errors as callers see them: one table of codes, one envelope. Whatever fails on our side is logged with its
//! causes and hidden from the caller. Must not know routes.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A row of the table of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// What programs branch on; never reused with another meaning.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// When it is answered, and what to do.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($name:ident = $status:literal $code:literal $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code { code: $code, status: $status, summary: $summary };)*
        /// Every code, in the order of the documentation.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    INVALID_JSON = 400 "invalid_json" "The body is not JSON, not UTF-8, or nested too deeply. `details` says where.";
    INVALID_QUERY = 400 "invalid_query" "A query parameter is missing, unknown or malformed.";
    INVALID_PATH = 400 "invalid_path" "A part of the address is malformed.";
    INVALID_CURSOR = 400 "invalid_cursor" "The cursor is not one that this list gave; start again without one.";
    WORKSPACE_REQUIRED = 400 "workspace_required" "A platform key must name a workspace in the header `X-Sluice-Workspace`.";
    IDEMPOTENCY_KEY_REQUIRED = 400 "idempotency_key_required" "Moving money needs a header `Idempotency-Key`, so that a repetition moves nothing again.";
    CODE_REFUSED = 400 "code_refused" "The one-time code is wrong or no longer good; it is good for one use, five tries and a short time. Ask for a new one.";
    SIGN_IN_REFUSED = 400 "sign_in_refused" "The sign-in at the other provider did not come to a good end; the message says why. Start again.";
    VERIFICATION_INCOMPLETE = 400 "verification_incomplete" "Not a complete verification request of Meta.";
    UNAUTHENTICATED = 401 "unauthenticated" "The API key or session is missing, unknown, ended or revoked.";
    INVALID_CREDENTIALS = 401 "invalid_credentials" "E-mail address and password do not fit together.";
    INVALID_SIGNATURE = 401 "invalid_signature" "The signature of the delivery is missing or does not fit its bytes.";
    HOOK_UNAUTHORIZED = 401 "hook_unauthorized" "The webhook asks for a credential that the request does not present.";
    BUDGET_EXHAUSTED = 402 "budget_exhausted" "The wallet does not hold that much; nothing was moved. Add credits.";
    PLAN_LIMIT_REACHED = 402 "plan_limit_reached" "The plan allows no more of this; upgrade it, or wait for the next month.";
    SUBSCRIPTION_INACTIVE = 402 "subscription_inactive" "The subscription is over; choose a plan.";
    PAYMENT_REQUIRED = 402 "payment_required" "The plan costs; who manages the workspace chooses it once it is paid.";
    IMPERSONATING = 403 "impersonating" "This cannot be done in somebody else's place; end it with `POST /api/logout`.";
    FORBIDDEN = 403 "forbidden" "The caller is known and may not do this; the message names the missing permission.";
    WORKSPACE_SUSPENDED = 403 "workspace_suspended" "The workspace is suspended; ask whoever runs the platform.";
    NOT_APPROVED = 403 "not_approved" "The account is not approved (any more); `details.status` says how it stands.";
    CSRF_REFUSED = 403 "csrf_refused" "A change by cookie needs the header `X-CSRF-Token` with the token that `GET /api/me` gives.";
    CROSS_SITE = 403 "cross_site" "The request comes from a page of another site.";
    SIGN_UP_CLOSED = 403 "sign_up_closed" "This installation takes no sign-ups; ask its operator for an account.";
    VERIFICATION_REFUSED = 403 "verification_refused" "The verify token is not the configured one.";
    NOT_FOUND = 404 "not_found" "There is no such thing, or it belongs to another workspace.";
    NO_SUCH_ROUTE = 404 "no_such_route" "The address is not one of this API; see `/api/openapi.json`.";
    NO_SUCH_HOOK = 404 "no_such_hook" "No published workflow listens at this address.";
    NOT_WAITING = 404 "not_waiting" "Nothing waits for this signal.";
    PROVIDER_NOT_CONFIGURED = 404 "provider_not_configured" "No client id and secret are configured for this provider.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "The address exists, the method does not; see the header `Allow`.";
    STALE_REVISION = 409 "stale_revision" "The draft was saved by someone else meanwhile; `details.current_revision` is the stored one.";
    NAME_TAKEN = 409 "name_taken" "The name is in use in this workspace; choose a different one.";
    PATH_TAKEN = 409 "path_taken" "Another published workflow has this webhook path.";
    NOT_PUBLISHED = 409 "not_published" "The workflow is not published.";
    RUN_STATE = 409 "run_state" "The run is in a state in which this cannot be done.";
    ALREADY_DECIDED = 409 "already_decided" "The approval was decided before, or the run ended.";
    NO_OPEN_OUTCOME = 409 "no_open_outcome" "Nothing is asked about the outcome of this node: it was settled before, or the run ended.";
    DUPLICATE_EVENT = 409 "duplicate_event" "The event was accepted before.";
    CONFLICT = 409 "conflict" "Something else holds the name, number or state; the message says what.";
    INBOUND_BUSY = 409 "inbound_busy" "The body is being handled right now; try again.";
    INBOUND_SHARED = 409 "inbound_shared" "The body also concerns another workspace; only a platform key can replay it.";
    SIGN_IN_INVALID = 400 "sign_in_invalid" "The sign-in at a provider is unknown, was used before or took longer than ten minutes; start it again.";
    SIGN_IN_ELSEWHERE = 403 "sign_in_elsewhere" "The sign-in was started in another browser or by another person; start it again in this one.";
    CONNECTION_DENIED = 422 "connection_denied" "The provider, or the person there, did not grant the access; the message says why.";
    CONNECTION_REVOKED = 409 "connection_revoked" "The connection does not open any more; connect the account again.";
    LINK_INVALID = 404 "link_invalid" "The link is incomplete or was not made by this server.";
    LINK_EXPIRED = 410 "link_expired" "The link is no longer valid; ask for a new one.";
    BODY_TOO_LARGE = 413 "body_too_large" "The body is larger than allowed.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "Send the body as `application/json`.";
    INVALID_BODY = 422 "invalid_body" "The JSON is not of the expected shape; `details.path` says where.";
    INVALID_VALUE = 422 "invalid_value" "A value is not allowed; `details.path` says which.";
    RESERVED_SIGNAL = 422 "reserved_signal" "Signals that begin like this one belong to the engine; approvals, replies and outcomes have addresses of their own.";
    INVALID_WORKFLOW = 422 "invalid_workflow" "The document has problems; `details.problems` lists all of them.";
    NO_TRIGGER = 422 "no_trigger" "The workflow has no trigger that fits.";
    TRIGGER_DECLINED = 422 "trigger_declined" "The trigger does not accept this event.";
    TRIGGER_FAILED = 422 "trigger_failed" "The trigger failed on this event; `details` is its error.";
    RATE_LIMITED = 429 "rate_limited" "More was asked than a limit allows; nothing was done. `details` says which limit. Try again after `Retry-After`.";
    RUN_FAILED = 500 "run_failed" "The run that this webhook started failed; `details` has its id and error code.";
    INTERNAL = 500 "internal" "A fault on our side. The log has it under the request id.";
    PROVIDER_UNAVAILABLE = 503 "provider_unavailable" "The other provider does not answer as it should; the log says how. Try again.";
    TRIGGER_PAUSED = 503 "trigger_paused" "The trigger rests because its credential does not open; connect the account again.";
    WHATSAPP_NOT_CONFIGURED = 503 "whatsapp_not_configured" "No app secret is configured, so deliveries cannot be verified.";
    MAIL_NOT_CONFIGURED = 503 "mail_not_configured" "This needs mail, and no mail server is configured: set `SLUICE_SMTP_URL` and `SLUICE_MAIL_FROM`.";
    OIDC_NOT_CONFIGURED = 503 "oidc_not_configured" "No other provider is configured to sign in at: set `SLUICE_OIDC_ISSUER`, `SLUICE_OIDC_CLIENT_ID` and `SLUICE_OIDC_CLIENT_SECRET`.";
    NOT_READY = 503 "not_ready" "The database does not answer.";
    SHUTTING_DOWN = 503 "shutting_down" "The server is stopping; try again in a moment.";
    OVERLOADED = 503 "overloaded" "More work waits than this installation takes; nothing was accepted. Try again after `Retry-After`.";
    RUN_UNANSWERED = 503 "run_unanswered" "The run could not be reached in time; what it was asked may still be done. Look at the run, then ask again.";
    DATABASE_UNAVAILABLE = 503 "database_unavailable" "The database does not answer, is full, busy or read-only; nothing was accepted. Try again after `Retry-After`.";
    TIMED_OUT = 503 "timed_out" "The request took too long and was given up.";
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.code)]
pub struct ApiError {
    code: Code,
    message: String,
    details: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What of an error goes into the envelope. Travels with the response to the layer that knows the request id.
#[derive(Clone, Debug)]
pub(crate) struct Envelope(pub(crate) Arc<ErrorFields>);

/// The inside of the envelope.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorFields {
    /// What programs branch on.
    pub(crate) code: &'static str,
    /// One sentence for people.
    pub(crate) message: String,
    /// More facts, depending on the code; null when there are none.
    #[schema(value_type = Value)]
    pub(crate) details: Value,
    /// Names the request in the log; also in the header `X-Request-Id`.
    pub(crate) request_id: String,
}

/// Every error answer.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    pub(crate) error: ErrorFields,
}

impl ApiError {
    /// An error with a message for the caller.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null, headers: Vec::new() }
    }

    /// An error that says what the table says.
    pub fn plain(code: Code) -> Self {
        Self::new(code, code.summary)
    }

    /// Nothing of that kind and id in reach of the caller.
    pub fn not_found(kind: &str, id: &str) -> Self {
        Self::new(NOT_FOUND, format!("there is no {kind} {id:?} in this workspace"))
    }

    /// A fault on our side: logged with its causes, hidden from the caller.
    pub fn internal(fault: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = fault, "a request failed on our side");
        Self::plain(INTERNAL)
    }

    /// The same error with more facts.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same error, pointing at a place of the request.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        self.details(serde_json::json!({ "path": path }))
    }

    /// The same error with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its row of the table.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the caller is told.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Code {
    /// Its HTTP status.
    pub fn http_status(self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.http_status().into_response();
        let fields = ErrorFields {
            code: self.code.code,
            message: self.message,
            details: self.details,
            request_id: String::new(),
        };
        response.extensions_mut().insert(Envelope(Arc::new(fields)));
        if self.code == UNAUTHENTICATED {
            let value = HeaderValue::from_static("Bearer realm=\"sluice\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        if self.code.status == 503 {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The table of codes as Markdown, kept in `docs/error-codes.md`.
pub fn documentation() -> String {
    let mut text = String::from(
        "# Error codes\n\n\
         Every failed request answers `{ \"error\": { \"code\", \"message\", \"details\", \"request_id\" } }`. \
         Programs branch on `code`; messages are for people and may change.\n\
         This page is generated from `api/src/error.rs` and checked by a test \
         (`UPDATE_DOCUMENTS=1 cargo test -p sluice-api documents` rewrites it).\n\n\
         | code | status | when |\n| --- | --- | --- |\n",
    );
    for code in ALL {
        text.push_str(&format!("| `{}` | {} | {} |\n", code.code, code.status, code.summary));
    }
    text
}
