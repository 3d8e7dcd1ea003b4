//! Which rule counts for a caller: of those that fit, the one of the highest level, of these one for the very subject,
//! of these one for the narrowest route. The platform's rules and the workspace's are asked by themselves, and both must
//! agree: nobody loosens what the platform has set. Must not know how it is counted.

use super::count::hit_in;
use super::{Decision, Level, LimitRule};
use crate::{RecordError, Records};

/// Who does what. What is not known is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'a> {
    /// What is done, the narrowest name first: `POST /api/workflows`, `workflow`, `write`, `*`.
    pub routes: &'a [&'a str],
    /// `per_…`.
    pub person: Option<&'a str>,
    /// `key_…`.
    pub key: Option<&'a str>,
    /// The plan of the workspace; where it is none, [`Records::admit`] looks it up if a rule asks for it.
    pub plan: Option<&'a str>,
    /// `ws_…`.
    pub workspace: Option<&'a str>,
    /// The network address.
    pub address: Option<&'a str>,
}

impl<'a> Caller<'a> {
    /// Who the caller is at a level, and whom a rule of that level counts.
    fn at(&self, level: Level) -> Option<(&'a str, &'a str)> {
        let same = |id| (id, id);
        match level {
            Level::Person => self.person.map(same),
            Level::Key => self.key.map(same),
            Level::Plan => self.plan.zip(self.workspace),
            Level::Workspace => self.workspace.map(same),
            Level::Global => self.person.or(self.key).or(self.address).map(|one| ("", one)),
        }
    }

    /// How well a rule fits, less being better; none when it does not.
    fn fit(&self, rule: &LimitRule) -> Option<(Level, bool, usize)> {
        let (is, _) = self.at(rule.level)?;
        let is_for_all = rule.subject.is_empty();
        let narrowness = self.routes.iter().position(|route| *route == rule.route)?;
        (is_for_all || rule.subject == is).then_some((rule.level, is_for_all, narrowness))
    }

    /// The rule that counts, and whom.
    fn choose<'r>(&self, rules: &'r [LimitRule]) -> Option<(&'r LimitRule, &'a str)> {
        let fitting = rules.iter().filter_map(|rule| Some((self.fit(rule)?, rule)));
        let (_, rule) = fitting.min_by_key(|(fit, _)| *fit)?;
        Some((rule, self.at(rule.level)?.1))
    }
}

impl Records {
    /// Whether somebody may do something now, and counts it if so. None where no rule counts: then it may be done, and
    /// no database was asked. A rule that was changed elsewhere counts within a second.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn admit(&self, caller: &Caller<'_>) -> Result<Option<Decision>, RecordError> {
        let rules = self.limit_rules_now().await?;
        let now = self.now();
        let plan = self.plan_for(&rules, caller, now).await?;
        let caller = &Caller { plan: caller.plan.or(plan.as_deref()), ..*caller };
        let own = caller.workspace.map(|workspace| rules.of(workspace)).unwrap_or_default();
        match (caller.choose(own), caller.choose(rules.of(""))) {
            (None, None) => Ok(None),
            (Some((rule, subject)), None) | (None, Some((rule, subject))) => {
                self.hit(rule, subject, now).await.map(Some)
            }
            (Some(first), Some(second)) => {
                let mut tx = self.limits.db.begin().await?;
                let first = hit_in(&mut tx, first.0, first.1, now).await?;
                if !first.allowed {
                    return Ok(Some(first));
                }
                let second = hit_in(&mut tx, second.0, second.1, now).await?;
                if !second.allowed {
                    // Dropped, so that the first does not count what was not done.
                    return Ok(Some(second));
                }
                tx.commit().await?;
                Ok(Some(if first.remaining <= second.remaining { first } else { second }))
            }
        }
    }

    /// Whether something that is no route may be done now for somebody who has not signed in, and counts it if so: for
    /// example `sign_in.account` with an e-mail address. None where the platform has no rule for it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn throttle(&self, name: &str, subject: &str) -> Result<Option<Decision>, RecordError> {
        self.admit(&Caller { routes: &[name], address: Some(subject), ..Caller::default() }).await
    }

    /// Takes back one that [`Self::throttle`] counted a moment ago.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn take_back(&self, name: &str, subject: &str) -> Result<(), RecordError> {
        let rules = self.limit_rules_now().await?;
        let caller = Caller { routes: &[name], address: Some(subject), ..Caller::default() };
        match caller.choose(rules.of("")) {
            Some((rule, subject)) => self.uncount(rule, subject, self.now()).await,
            None => Ok(()),
        }
    }

    /// Forgets all that [`Self::throttle`] counted for a subject.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn forget_tries(&self, name: &str, subject: &str) -> Result<(), RecordError> {
        let rules = self.limit_rules_now().await?;
        let caller = Caller { routes: &[name], address: Some(subject), ..Caller::default() };
        match caller.choose(rules.of("")) {
            Some((rule, subject)) => self.forget_counts(rule, subject).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, level: Level, route: &str, subject: &str) -> LimitRule {
        LimitRule {
            workspace_id: String::new(),
            id: id.into(),
            level,
            route: route.into(),
            subject: subject.into(),
            window_limit: Some(1),
            window_seconds: Some(1),
            daily_limit: None,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn the_highest_level_counts_then_the_subject_then_the_route() {
        let rules = [
            rule("all", Level::Global, "*", ""),
            rule("workspace", Level::Workspace, "*", ""),
            rule("plan", Level::Plan, "write", "gold"),
            rule("keys", Level::Key, "write", ""),
            rule("keys-route", Level::Key, "POST /api/x", ""),
            rule("key", Level::Key, "*", "key_1"),
            rule("person", Level::Person, "x", "per_1"),
        ];
        let post = ["POST /api/x", "x", "write", "*"];
        let get = ["GET /api/x", "x", "read", "*"];
        let chosen = |caller: Caller<'_>| {
            caller.choose(&rules).map(|(rule, subject)| (rule.id.clone(), subject.to_owned()))
        };
        let is = |id: &str, subject: &str| Some((id.to_owned(), subject.to_owned()));
        let ws = Caller { routes: &post, workspace: Some("ws_1"), plan: Some("gold"), ..Caller::default() };
        assert_eq!(chosen(Caller { person: Some("per_1"), key: Some("key_1"), ..ws }), is("person", "per_1"));
        assert_eq!(chosen(Caller { person: Some("per_2"), key: Some("key_1"), ..ws }), is("key", "key_1"));
        assert_eq!(chosen(Caller { key: Some("key_2"), ..ws }), is("keys-route", "key_2"));
        assert_eq!(chosen(ws), is("plan", "ws_1"));
        assert_eq!(chosen(Caller { routes: &get, ..ws }), is("workspace", "ws_1"));
        assert_eq!(
            chosen(Caller { routes: &get, person: Some("per_9"), ..Caller::default() }),
            is("all", "per_9")
        );
        assert_eq!(chosen(Caller { routes: &["sign_in"], ..ws }), None);
        assert_eq!(chosen(Caller { routes: &get, ..Caller::default() }), None, "nobody to count");
    }
}
