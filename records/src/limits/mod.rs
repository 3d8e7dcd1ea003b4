//! Limits: how often somebody may do something. Rules say so per route, person, key, plan, workspace or for everybody;
//! counts are rows that every process changes in one statement, so that all of them give the same answer. Must not know
//! HTTP.
//!
//! - `rules` keeps the rules, `choose` says which of them counts for a caller, `plan` knows the caller's plan, `count` counts.

mod choose;
mod count;
mod plan;
mod rules;

pub use choose::Caller;
pub use rules::LimitRequest;

pub(crate) use rules::RuleCache;

use serde::Serialize;

/// Longest window, seconds; what is counted for longer is counted by the day.
pub const LONGEST_WINDOW: i64 = 86_400;

/// Whom a rule counts. Of several rules that fit a caller the one of the highest level counts; the first is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Somebody who signed in.
    Person,
    /// An API key.
    Key,
    /// Each workspace that has the plan.
    Plan,
    /// A workspace, whoever acts in it.
    Workspace,
    /// Every caller for themselves: the person, the key, or the address of who is neither.
    Global,
}

impl Level {
    /// Every level, the highest first.
    pub const ALL: &[Level] = &[Self::Person, Self::Key, Self::Plan, Self::Workspace, Self::Global];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Key => "key",
            Self::Plan => "plan",
            Self::Workspace => "workspace",
            Self::Global => "global",
        }
    }

    /// The other way.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.as_text() == text)
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRule {
    /// Whose rule it is; empty for the platform.
    pub workspace_id: String,
    /// `lim_…`.
    pub id: String,
    /// Whom it counts.
    pub level: Level,
    /// What it counts: `*`, `read`, `write`, a resource such as `workflow`, or `POST /api/workflows`; and names that
    /// are no routes, such as `sign_in.account`.
    pub route: String,
    /// Which person, key, plan or workspace; empty for each of them.
    pub subject: String,
    /// So many …
    pub window_limit: Option<i64>,
    /// … in any span of so many seconds.
    pub window_seconds: Option<i64>,
    /// So many in a day of UTC.
    pub daily_limit: Option<i64>,
    /// When it was made, milliseconds since the epoch.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// Which part of a rule an answer speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitType {
    /// The rolling window.
    Window,
    /// The day.
    Daily,
}

/// What a count said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done. If not, it was not counted.
    pub allowed: bool,
    /// What stands in the way, or would be the first to.
    pub limit_type: LimitType,
    /// So many …
    pub limit: i64,
    /// … in so many seconds.
    pub window_seconds: i64,
    /// How often it may be done yet, as far as is known.
    pub remaining: i64,
    /// When it may be done again; 0 when it may be done now.
    pub retry_after_seconds: i64,
}
