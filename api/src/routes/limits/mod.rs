//! Limits of a workspace and of the platform: listed, set, taken away. Must not know how they are counted.

mod platform;
mod workspace;

use crate::access::TABLE;
use crate::error::{self, ApiError};
use crate::state::ApiState;
use serde::{Deserialize, Serialize};
use sluice_records::THROTTLES;
use sluice_records::limits::{Level, LimitRequest, LimitRule};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(workspace::list, workspace::set))
        .routes(routes!(workspace::delete))
        .routes(routes!(platform::list, platform::set))
        .routes(routes!(platform::delete))
}

/// Whom a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LimitLevel {
    /// Somebody who signed in.
    Person,
    /// An API key.
    Key,
    /// Each workspace that has the plan; for the platform only.
    Plan,
    /// A workspace, whoever acts in it.
    Workspace,
    /// Every caller for themselves.
    Global,
}

impl From<LimitLevel> for Level {
    fn from(level: LimitLevel) -> Self {
        match level {
            LimitLevel::Person => Self::Person,
            LimitLevel::Key => Self::Key,
            LimitLevel::Plan => Self::Plan,
            LimitLevel::Workspace => Self::Workspace,
            LimitLevel::Global => Self::Global,
        }
    }
}

impl From<Level> for LimitLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Person => Self::Person,
            Level::Key => Self::Key,
            Level::Plan => Self::Plan,
            Level::Workspace => Self::Workspace,
            Level::Global => Self::Global,
        }
    }
}

/// A limit to set. Level, route and subject name it: setting it again replaces the former.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitBody {
    /// Whom it counts. Of several limits that fit a caller, only the first in this order counts.
    level: LimitLevel,
    /// What it counts: `*`, `read`, `write`, a resource such as `workflow`, or a route such as
    /// `POST /api/workflows/{id}/run`. The platform also limits `sign_in.account` and the like.
    #[serde(default = "everything")]
    #[schema(default = "*")]
    route: String,
    /// Which person, key, plan or workspace; left out for each of them.
    #[serde(default)]
    subject: Option<String>,
    /// So many in any span of `window_seconds`.
    #[serde(default)]
    #[schema(minimum = 1)]
    window_limit: Option<i64>,
    /// The rolling window.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    window_seconds: Option<i64>,
    /// So many in a day of UTC.
    #[serde(default)]
    #[schema(minimum = 1)]
    daily_limit: Option<i64>,
}

fn everything() -> String {
    "*".to_owned()
}

impl LimitBody {
    fn request(self, is_platform: bool) -> Result<LimitRequest, ApiError> {
        let (route, is_throttled) = (self.route.trim(), THROTTLES.contains(&self.route.trim()));
        if !(is_route(route) || is_platform && is_throttled) {
            let message =
                "use `*`, `read`, `write`, a resource such as `workflow`, or a route such as `GET /api/runs`";
            return Err(ApiError::new(error::INVALID_VALUE, message).at("/route"));
        }
        Ok(LimitRequest {
            level: self.level.into(),
            route: route.to_owned(),
            subject: self.subject.unwrap_or_default(),
            window_limit: self.window_limit,
            window_seconds: self.window_seconds,
            daily_limit: self.daily_limit,
        })
    }
}

/// Whether a name is one that requests are counted under.
fn is_route(name: &str) -> bool {
    matches!(name, "*" | "read" | "write")
        || TABLE.iter().any(|(method, path, need)| {
            let resource = need.permission().and_then(|one| one.as_text().split(':').next());
            resource == Some(name)
                || name.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) == Some(*path)
        })
}

/// A limit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LimitView {
    /// `lim_…`.
    id: String,
    /// Whom it counts.
    level: LimitLevel,
    /// What it counts.
    route: String,
    /// Which person, key, plan or workspace; null for each of them.
    #[schema(required)]
    subject: Option<String>,
    /// So many …
    #[schema(required)]
    window_limit: Option<i64>,
    /// … in any span of so many seconds.
    #[schema(required)]
    window_seconds: Option<i64>,
    /// So many in a day of UTC.
    #[schema(required)]
    daily_limit: Option<i64>,
    /// When it was made.
    created_at: i64,
    /// When it was last changed.
    updated_at: i64,
}

impl From<LimitRule> for LimitView {
    fn from(rule: LimitRule) -> Self {
        Self {
            id: rule.id,
            level: rule.level.into(),
            route: rule.route,
            subject: Some(rule.subject).filter(|subject| !subject.is_empty()),
            window_limit: rule.window_limit,
            window_seconds: rule.window_seconds,
            daily_limit: rule.daily_limit,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_something_is_counted_under_are_routes() {
        for good in
            ["*", "read", "write", "workflow", "limit", "GET /api/runs", "POST /api/workflows/{id}/run"]
        {
            assert!(is_route(good), "{good}");
        }
        for bad in ["", "reads", "GET", "GET/api/runs", "GET /api/nothing", "/api/runs", "sign_in.account"] {
            assert!(!is_route(bad), "{bad}");
        }
    }
}
