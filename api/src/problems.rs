//! Failures of the engine and of the records in the words of the API. Must not know routes.

use crate::error::{self, ApiError};
use serde_json::json;
use sluice_engine::drive::EngineError;
use sluice_engine::graph::Problem;
use sluice_engine::store::StoreError;
use sluice_node_sdk::error::NodeError;
use sluice_records::{ConnectionError, RecordError};

impl From<StoreError> for ApiError {
    fn from(failure: StoreError) -> Self {
        let message = failure.to_string();
        match failure {
            StoreError::Conflict { current_revision } => Self::new(error::STALE_REVISION, message)
                .details(json!({ "current_revision": current_revision })),
            StoreError::NameTaken => Self::new(error::NAME_TAKEN, message).at("/name"),
            StoreError::PathTaken { path, workflow } => {
                Self::new(error::PATH_TAKEN, message).details(json!({ "path": path, "workflow": workflow }))
            }
            StoreError::NotFound => Self::new(error::NOT_FOUND, message),
            StoreError::BadCursor => Self::new(error::INVALID_CURSOR, message),
            StoreError::Db(ref cause) if cause.is_transient() => unavailable(&failure),
            StoreError::Db(_) | StoreError::Payloads(_) | StoreError::Corrupt { .. } => {
                Self::internal(&failure)
            }
        }
    }
}

/// The database will answer again; the caller may repeat the request as it is.
fn unavailable(fault: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::error!(error = fault, "the database cannot be used");
    ApiError::plain(error::DATABASE_UNAVAILABLE)
}

impl From<EngineError> for ApiError {
    fn from(failure: EngineError) -> Self {
        let message = failure.to_string();
        match failure {
            EngineError::Store(failure) => failure.into(),
            EngineError::Problems(problems) => invalid_workflow(problems),
            EngineError::NotFound { what, id } => Self::not_found(what, &id),
            EngineError::NoTrigger(_) => Self::new(error::NO_TRIGGER, message),
            EngineError::NotPublished(_) => Self::new(error::NOT_PUBLISHED, message),
            EngineError::Trigger(failure) => trigger(&failure),
            EngineError::Duplicate => Self::new(error::DUPLICATE_EVENT, message),
            EngineError::Refused(_) => Self::new(error::RUN_STATE, message),
            EngineError::NotWaiting(_) => Self::new(error::NOT_WAITING, message),
            EngineError::Unanswered(_) => Self::new(error::RUN_UNANSWERED, message),
            EngineError::Overloaded { .. } => Self::new(error::OVERLOADED, message),
            // Only nodes call workflows, and theirs is the failure.
            EngineError::CallTooDeep => Self::new(error::RUN_STATE, message),
            EngineError::WorkspaceClosed => Self::new(error::WORKSPACE_SUSPENDED, message),
            EngineError::ShuttingDown => Self::new(error::SHUTTING_DOWN, message),
        }
    }
}

impl From<RecordError> for ApiError {
    fn from(failure: RecordError) -> Self {
        let message = failure.to_string();
        match failure {
            RecordError::NotFound { .. } => Self::new(error::NOT_FOUND, message),
            RecordError::Conflict { .. } => Self::new(error::CONFLICT, message),
            RecordError::Invalid { path, .. } if path == "cursor" => {
                Self::new(error::INVALID_CURSOR, message)
            }
            // Said at the field that the path points at, so without its name.
            RecordError::Invalid { path, message } => {
                // `a.b[0]` is written `/a/b/0` where requests are spoken of (RFC 6901).
                let pointer = path.replace(['.', '['], "/").replace(']', "");
                Self::new(error::INVALID_VALUE, message).at(&format!("/{pointer}"))
            }
            RecordError::Refused { code, .. } => {
                let codes =
                    [error::BUDGET_EXHAUSTED, error::PLAN_LIMIT_REACHED, error::SUBSCRIPTION_INACTIVE];
                let found = codes.into_iter().find(|known| known.code == code);
                Self::new(found.unwrap_or(error::CONFLICT), message)
            }
            RecordError::Throttled(decision) => crate::limits::too_many(&decision),
            RecordError::CodeRefused => Self::new(error::CODE_REFUSED, message),
            RecordError::Db(ref cause) if cause.is_transient() => unavailable(&failure),
            RecordError::Seal(_) | RecordError::Db(_) => Self::internal(&failure),
        }
    }
}

impl From<ConnectionError> for ApiError {
    fn from(failure: ConnectionError) -> Self {
        let message = failure.to_string();
        match failure {
            ConnectionError::Record(failure) => failure.into(),
            ConnectionError::NoProvider(_) => Self::new(error::PROVIDER_NOT_CONFIGURED, message),
            ConnectionError::BadState => Self::new(error::SIGN_IN_INVALID, message),
            ConnectionError::OtherBrowser => Self::new(error::SIGN_IN_ELSEWHERE, message),
            ConnectionError::Denied { .. } => Self::new(error::CONNECTION_DENIED, message),
            ConnectionError::Revoked { .. } | ConnectionError::Expired { .. } => {
                Self::new(error::CONNECTION_REVOKED, message)
            }
            ConnectionError::Unavailable { .. } => Self::new(error::PROVIDER_UNAVAILABLE, message),
        }
    }
}

/// A document that cannot be accepted, with everything that is wrong with it.
pub(crate) fn invalid_workflow(problems: Vec<Problem>) -> ApiError {
    let first = problems.first().map_or("", |problem| problem.message.as_str());
    let message = match problems.len() {
        0 | 1 => format!("the workflow has a problem: {first}"),
        count => format!("the workflow has {count} problems, the first: {first}"),
    };
    ApiError::new(error::INVALID_WORKFLOW, message).details(json!({ "problems": problems }))
}

fn trigger(failure: &NodeError) -> ApiError {
    let code = match &*failure.code {
        "trigger_declined" => error::TRIGGER_DECLINED,
        "payload_too_large" => error::BODY_TOO_LARGE,
        _ => error::TRIGGER_FAILED,
    };
    ApiError::new(code, failure.message.clone()).details(json!(failure))
}
