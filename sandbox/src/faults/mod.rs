//! What shall go wrong: rules that answer requests with errors, delays, dropped connections and limits ([`Rule`]), and
//! disturbances of the webhooks that are sent back ([`WebhookFaults`]).
//!
//! It must not know how a provider words its errors: a rule names a code, the provider renders it.

mod bucket;
mod rule;
mod webhooks;

pub(crate) use bucket::RateLimits;
pub use rule::{Answer, DropConnection, ErrorSpec, Matcher, Pair, RateLimitSpec, Rule, Then, When};
pub use webhooks::{FailNext, WebhookFaults};

use crate::journal::lock;
use serde::Serialize;
use std::sync::Mutex;

/// What a rule looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probe {
    pub(crate) method: String,
    /// Path as received.
    pub(crate) path: String,
    /// Path without the version prefix.
    pub(crate) bare_path: String,
    /// First segment after the version: the object called.
    pub(crate) object: String,
    /// Recipient in digits, or its user id; only for messages.
    pub(crate) to: Option<String>,
    /// This call sends a message and so counts against the throughput.
    pub(crate) sends: bool,
}

/// What happens to the request at hand.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Verdict {
    /// Wait before the request is handled.
    pub(crate) delay_ms: u64,
    /// Wait after it was handled, before it is answered.
    pub(crate) delay_answer_ms: u64,
    pub(crate) answer: Option<Answer>,
    /// The connection closes without an answer, before or after the request was handled.
    pub(crate) drop: Option<When>,
}

/// The rules and webhook disturbances in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    rules: Vec<Active>,
    webhooks: WebhookFaults,
}

#[derive(Debug)]
struct Active {
    id: u64,
    rule: Rule,
    hits: u64,
    limits: RateLimits,
}

/// A rule as it is listed.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    id: u64,
    #[serde(flatten)]
    rule: Rule,
    hits: u64,
}

impl Faults {
    /// Adds rules after the ones in force and returns their ids.
    pub(crate) fn add(&self, rules: Vec<Rule>) -> Vec<u64> {
        let mut inner = lock(&self.inner);
        let mut ids = Vec::new();
        for rule in rules {
            inner.next_id += 1;
            let id = inner.next_id;
            let limits = rule.then.rate_limit.as_ref().map(RateLimits::from_spec).unwrap_or_default();
            inner.rules.push(Active { id, rule, hits: 0, limits });
            ids.push(id);
        }
        ids
    }

    /// Changes the webhook disturbances; fields that the patch leaves out stay as they are.
    pub(crate) fn patch_webhooks(&self, patch: WebhookFaults) {
        lock(&self.inner).webhooks.merge(patch);
    }

    pub(crate) fn webhooks(&self) -> WebhookFaults {
        lock(&self.inner).webhooks.clone()
    }

    /// Takes one planned failure for a message to this recipient, if there is one.
    pub(crate) fn take_failure(&self, to: &str) -> Option<FailNext> {
        lock(&self.inner).webhooks.take_failure(to)
    }

    pub(crate) fn list(&self) -> Vec<Listed> {
        let inner = lock(&self.inner);
        inner.rules.iter().map(|a| Listed { id: a.id, rule: a.rule.clone(), hits: a.hits }).collect()
    }

    /// Removes one rule; `false` if there is none with this id.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut inner = lock(&self.inner);
        let before = inner.rules.len();
        inner.rules.retain(|active| active.id != id);
        inner.rules.len() < before
    }

    pub(crate) fn clear(&self) {
        let mut inner = lock(&self.inner);
        inner.rules.clear();
        inner.webhooks = WebhookFaults::default();
    }

    /// The first rule that matches and still applies decides; limits that are not reached let the next rule decide.
    pub(crate) fn judge(&self, probe: &Probe, now_ms: i64) -> Verdict {
        let mut inner = lock(&self.inner);
        for active in &mut inner.rules {
            let spent = active.rule.times.is_some_and(|times| active.hits >= times);
            if spent || !active.rule.matcher.accepts(probe) {
                continue;
            }
            let then = &active.rule.then;
            let answer = match &then.rate_limit {
                Some(_) => match active.limits.check(probe, now_ms) {
                    Some(code) => Some(Answer::Error(ErrorSpec::of_code(code))),
                    None => continue,
                },
                None => then.answer(),
            };
            active.hits += 1;
            return Verdict {
                delay_ms: then.delay_ms,
                delay_answer_ms: then.delay_answer_ms,
                answer,
                drop: then.drop_connection.and_then(|drop| drop.when()),
            };
        }
        Verdict::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: serde_json::Value) -> Vec<Rule> {
        serde_json::from_value(value).unwrap()
    }

    fn send(to: &str) -> Probe {
        Probe {
            method: "POST".into(),
            path: "/v22.0/1/messages".into(),
            bare_path: "/1/messages".into(),
            object: "1".into(),
            to: Some(to.into()),
            sends: true,
        }
    }

    #[test]
    fn a_rule_applies_as_often_as_it_says_and_only_where_it_matches() {
        let faults = Faults::default();
        faults.add(rules(json!([
            { "match": { "method": "post", "path": "/*/messages", "to": "+49 170 1" }, "times": 1,
              "then": { "error": { "code": 131016 } } }
        ])));
        assert_eq!(faults.judge(&send("4917099"), 0), Verdict::default());
        assert!(
            matches!(faults.judge(&send("491701"), 0).answer, Some(Answer::Error(e)) if e.code == 131016)
        );
        assert_eq!(faults.judge(&send("491701"), 0), Verdict::default());
    }

    #[test]
    fn the_throughput_limit_refuses_the_eighty_first_message_of_a_second() {
        let faults = Faults::default();
        faults.add(rules(json!([{ "then": { "rate_limit": { "per_number_per_second": 80 } } }])));
        let refused = (0..81).filter(|i| faults.judge(&send(&i.to_string()), 0).answer.is_some()).count();
        assert_eq!(refused, 1);
        assert_eq!(faults.judge(&send("x"), 13).answer, None);
    }

    #[test]
    fn the_pair_limit_lends_a_burst_of_45_and_then_allows_one_message_each_six_seconds() {
        let faults = Faults::default();
        faults.add(rules(json!([{ "then": { "rate_limit": { "pair": true } } }])));
        assert_eq!((0..46).filter(|_| faults.judge(&send("1"), 0).answer.is_some()).count(), 1);
        assert_eq!(faults.judge(&send("2"), 0).answer, None);
        assert!(faults.judge(&send("1"), 5_999).answer.is_some());
        assert_eq!(faults.judge(&send("1"), 6_000).answer, None);
    }

    #[test]
    fn a_connection_may_be_dropped_before_or_after_the_request_was_handled() {
        let faults = Faults::default();
        faults.add(rules(json!([
            { "times": 1, "then": { "drop_connection": true } },
            { "times": 1, "then": { "drop_connection": "after", "delay_ms": 5 } }
        ])));
        assert_eq!(faults.judge(&send("1"), 0).drop, Some(When::Before));
        let second = faults.judge(&send("1"), 0);
        assert_eq!((second.drop, second.delay_ms), (Some(When::After), 5));
    }

    #[test]
    fn an_unknown_key_in_a_rule_is_refused() {
        assert!(serde_json::from_value::<Rule>(json!({ "then": { "eror": 1 } })).is_err());
    }
}
