//! The rules of the platform and of workspaces: set, listed, taken away, and kept at hand for a second. Must not know
//! whom they fit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sluice_db::{Db, DbError, Row};

use super::plan::PlanCache;
use super::{LONGEST_WINDOW, Level, LimitRule};
use crate::audit::{Change, PLATFORM, Target};
use crate::ids::{clean, new_short_id};
use crate::throttle;
use crate::{RecordError, Records};

/// How long rules are kept at hand, milliseconds.
const KEPT_MS: i64 = 1_000;

/// Most rules of one workspace, and of the platform.
const MOST: i64 = 1_000;

/// Longest route or subject, characters.
const LONGEST: usize = 200;

/// Against guessing, of passwords and codes, for one account and from one address: name, so many in so many seconds, so
/// many in a day. They count until the platform sets others in their place.
const DEFAULTS: [(&str, i64, i64, i64); 8] = [
    (throttle::SIGN_IN_ACCOUNT, 10, 900, 100),
    (throttle::SIGN_IN_ADDRESS, 50, 900, 500),
    // A single code bears five tries.
    (throttle::CODE_ACCOUNT, 15, 3_600, 30),
    (throttle::CODE_ADDRESS, 50, 900, 200),
    (throttle::CODE_SENT_ACCOUNT, 3, 3_600, 10),
    (throttle::CODE_SENT_ADDRESS, 30, 3_600, 200),
    (throttle::SIGN_UP_ADDRESS, 30, 3_600, 100),
    (throttle::OIDC_ADDRESS, 60, 900, 1_000),
];

/// The defaults that nothing was set in place of.
fn defaults(set: &[LimitRule]) -> Vec<LimitRule> {
    let is_set = |name: &str| set.iter().any(|rule| rule.level == Level::Global && rule.route == name);
    let missing = DEFAULTS.iter().filter(|(name, ..)| !is_set(name));
    let rule = |(name, limit, seconds, daily): &(&str, i64, i64, i64)| LimitRule {
        workspace_id: String::new(),
        id: default_id(name),
        level: Level::Global,
        route: (*name).to_owned(),
        subject: String::new(),
        window_limit: Some(*limit),
        window_seconds: Some(*seconds),
        daily_limit: Some(*daily),
        created_at: 0,
        updated_at: 0,
    };
    missing.map(rule).collect()
}

fn default_id(name: &str) -> String {
    format!("lim_{}", name.replace('.', "_"))
}

/// A rule as it is asked for. Level, route and subject name it: setting it again replaces the former.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRequest {
    /// Whom it counts.
    pub level: Level,
    /// What it counts.
    pub route: String,
    /// Which person, key, plan or workspace; empty for each of them.
    pub subject: String,
    /// So many …
    pub window_limit: Option<i64>,
    /// … in any span of so many seconds.
    pub window_seconds: Option<i64>,
    /// So many in a day of UTC.
    pub daily_limit: Option<i64>,
}

/// All rules, by workspace; the platform's under the empty name.
#[derive(Debug, Default)]
pub(crate) struct Rules(HashMap<String, Vec<LimitRule>>);

impl Rules {
    pub(crate) fn of(&self, workspace: &str) -> &[LimitRule] {
        self.0.get(workspace).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The rules as they were read last, and when. They are read, and counted by, for everybody: whoever sees one workspace
/// only ([`Records::within`]) must keep the platform's all the same.
pub(crate) struct RuleCache {
    /// The database without a wall.
    pub(super) db: Db,
    pub(super) plans: PlanCache,
    kept: Mutex<Option<(i64, Arc<Rules>)>>,
}

impl RuleCache {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, plans: PlanCache::default(), kept: Mutex::default() }
    }

    fn get(&self, now: i64) -> Option<Arc<Rules>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept.as_ref().filter(|(at, _)| (*at..*at + KEPT_MS).contains(&now));
        fresh.map(|(_, rules)| rules.clone())
    }

    fn put(&self, kept: Option<(i64, Arc<Rules>)>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

impl LimitRule {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let level = row.text("level")?;
        Ok(Self {
            workspace_id: row.text("workspace_id")?,
            id: row.text("id")?,
            level: Level::from_text(&level)
                .ok_or_else(|| DbError::Corrupt { message: format!("a limit has the level {level:?}") })?,
            route: row.text("route")?,
            subject: row.text("subject")?,
            window_limit: row.opt_int("window_limit")?,
            window_seconds: row.opt_int("window_seconds")?,
            daily_limit: row.opt_int("daily_limit")?,
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
        })
    }

    /// As the audit trail shows it.
    fn logged(&self) -> Value {
        json!({
            "level": self.level, "route": self.route, "subject": self.subject,
            "window_limit": self.window_limit, "window_seconds": self.window_seconds,
            "daily_limit": self.daily_limit,
        })
    }

    fn change(&self, action: &'static str) -> Change {
        let chain = if self.workspace_id.is_empty() { PLATFORM } else { &self.workspace_id };
        Change::new(chain, action, Target::new("limit", &*self.id).named(&*self.route))
    }
}

impl Records {
    /// The rules of a workspace, or of the platform for none; with the defaults that still count.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_limits(&self, workspace: Option<&str>) -> Result<Vec<LimitRule>, RecordError> {
        let sql = "select * from limit_rules where workspace_id = $1 order by route, level, subject";
        let rows = self.db.query(sql).bind(workspace.unwrap_or("")).all().await?;
        let mut rules = rows.iter().map(LimitRule::from_row).collect::<Result<Vec<_>, _>>()?;
        if workspace.is_none() {
            rules.extend(defaults(&rules));
        }
        Ok(rules)
    }

    /// Sets a rule of a workspace, or of the platform for none.
    ///
    /// # Errors
    /// `Invalid` for values that make no rule, `Conflict` for more than a thousand.
    pub async fn set_limit(
        &self,
        workspace: Option<&str>,
        request: LimitRequest,
    ) -> Result<LimitRule, RecordError> {
        let request = checked(workspace, request)?;
        let (owner, now) = (workspace.unwrap_or(""), self.now());
        let mut tx = self.begin().await?;
        tx.lock(&format!("limits {owner}")).await?;
        let sql = "select * from limit_rules where workspace_id = $1 and level = $2 and route = $3 and subject = $4";
        let place = tx.query(sql).bind(owner).bind(request.level.as_text()).bind(&request.route);
        let former = place.bind(&request.subject).optional().await?;
        let former = former.as_ref().map(LimitRule::from_row).transpose()?;
        let sql = "select count(*) as n from limit_rules where workspace_id = $1";
        if former.is_none() && tx.query(sql).bind(owner).one().await?.int("n")? >= MOST {
            return Err(RecordError::conflict(format!(
                "there are {MOST} limits already; take one away first"
            )));
        }
        let is_default = workspace.is_none()
            && request.level == Level::Global
            && DEFAULTS.iter().any(|(name, ..)| *name == request.route);
        let id = match &former {
            Some(former) => former.id.clone(),
            // What the default has counted stays counted.
            None if is_default => default_id(&request.route),
            None => new_short_id("lim"),
        };
        let rule = LimitRule {
            workspace_id: owner.to_owned(),
            id,
            level: request.level,
            route: request.route,
            subject: request.subject,
            window_limit: request.window_limit,
            window_seconds: request.window_seconds,
            daily_limit: request.daily_limit,
            created_at: former.as_ref().map_or(now, |former| former.created_at),
            updated_at: now,
        };
        tx.query(
            "insert into limit_rules (workspace_id, id, level, route, subject, window_limit, window_seconds, \
             daily_limit, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             on conflict (workspace_id, id) do update set window_limit = excluded.window_limit, \
             window_seconds = excluded.window_seconds, daily_limit = excluded.daily_limit, \
             updated_at = excluded.updated_at",
        )
        .bind(owner)
        .bind(&rule.id)
        .bind(rule.level.as_text())
        .bind(&rule.route)
        .bind(&rule.subject)
        .bind(rule.window_limit)
        .bind(rule.window_seconds)
        .bind(rule.daily_limit)
        .bind(rule.created_at)
        .bind(now)
        .execute()
        .await?;
        let change = match former {
            Some(former) => rule.change("limit.updated").between(former.logged(), rule.logged()),
            None => rule.change("limit.created").after(rule.logged()),
        };
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        self.limits.put(None);
        Ok(rule)
    }

    /// Takes a rule away, with what it has counted. Where a default counted before, it counts again.
    ///
    /// # Errors
    /// `NotFound` when the workspace, or the platform for none, has no such rule.
    pub async fn delete_limit(&self, workspace: Option<&str>, id: &str) -> Result<(), RecordError> {
        let owner = workspace.unwrap_or("");
        let mut tx = self.begin().await?;
        let lock = tx.dialect().for_update();
        let sql = format!("select * from limit_rules where workspace_id = $1 and id = $2{lock}");
        let row = tx.query(sql).bind(owner).bind(clean(id)).optional().await?;
        let rule = LimitRule::from_row(&row.ok_or_else(|| RecordError::not_found("limit", id))?)?;
        for sql in [
            "delete from limit_rules where workspace_id = $1 and id = $2",
            "delete from limit_counts where workspace_id = $1 and substr(counter, 1, length($2) + 1) = $2 || '/'",
        ] {
            tx.query(sql).bind(owner).bind(&rule.id).execute().await?;
        }
        self.audit(&mut tx, rule.change("limit.deleted").before(rule.logged())).await?;
        tx.commit().await?;
        self.limits.put(None);
        Ok(())
    }

    /// All rules, as they were within the last second.
    pub(super) async fn limit_rules_now(&self) -> Result<Arc<Rules>, RecordError> {
        let now = self.now();
        if let Some(rules) = self.limits.get(now) {
            return Ok(rules);
        }
        let rows = self.limits.db.query("select * from limit_rules").all().await?;
        let mut rules = Rules::default();
        for row in &rows {
            let rule = LimitRule::from_row(row)?;
            rules.0.entry(rule.workspace_id.clone()).or_default().push(rule);
        }
        let of_platform = rules.0.entry(String::new()).or_default();
        of_platform.extend(defaults(of_platform));
        let rules = Arc::new(rules);
        self.limits.put(Some((now, rules.clone())));
        Ok(rules)
    }
}

fn checked(workspace: Option<&str>, request: LimitRequest) -> Result<LimitRequest, RecordError> {
    let route = clean(request.route.trim());
    if route.is_empty() || route.chars().count() > LONGEST {
        return Err(RecordError::invalid("route", "use `*`, `read`, `write`, a resource, or `METHOD /path`"));
    }
    let subject = clean(request.subject.trim());
    if subject.chars().count() > LONGEST {
        return Err(RecordError::invalid("subject", "use at most 200 characters"));
    }
    if request.level == Level::Global && !subject.is_empty() {
        return Err(RecordError::invalid("subject", "a global limit counts everybody; leave it out"));
    }
    if workspace.is_some() && request.level == Level::Plan {
        return Err(RecordError::invalid("level", "limits of plans are the platform's"));
    }
    if workspace.is_some() && request.level == Level::Workspace && !subject.is_empty() {
        return Err(RecordError::invalid("subject", "a workspace limits itself; leave it out"));
    }
    let at_least_one = |path: &str, value: Option<i64>| match value {
        Some(value) if value < 1 => Err(RecordError::invalid(path, "use a whole number from 1")),
        _ => Ok(()),
    };
    at_least_one("window_limit", request.window_limit)?;
    at_least_one("daily_limit", request.daily_limit)?;
    match (request.window_limit, request.window_seconds) {
        (Some(_), Some(seconds)) if !(1..=LONGEST_WINDOW).contains(&seconds) => {
            return Err(RecordError::invalid("window_seconds", "use 1 to 86400 seconds"));
        }
        (Some(_), None) | (None, Some(_)) => {
            let message = "`window_limit` and `window_seconds` go together";
            return Err(RecordError::invalid("window_seconds", message));
        }
        (None, None) if request.daily_limit.is_none() => {
            return Err(RecordError::invalid("window_limit", "set a window, a daily limit, or both"));
        }
        _ => {}
    }
    Ok(LimitRequest { route, subject, ..request })
}
