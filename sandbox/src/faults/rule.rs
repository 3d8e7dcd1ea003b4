//! A rule: which requests it concerns and what is done with them. The JSON form is what `POST /_sandbox/faults` takes.
//!
//! It must not know how a provider words its errors.

use super::Probe;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Requests concerned; empty means all.
    #[serde(default, rename = "match")]
    pub matcher: Matcher,
    /// How often it applies; missing means until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What is done.
    pub then: Then,
}

/// Which requests a rule concerns. All given conditions must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// HTTP method, any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path with or without the version prefix; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The object called, which for messages and media is the phone number id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    /// Recipient: a phone number in any notation with country code, or a user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What is done with a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Answer with this provider error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorSpec>,
    /// Answer with this HTTP status and `body` as it is, for example HTML from an edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Body that goes with `http_status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Type of `body`; `text/html; charset=utf-8` when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Headers that go with `http_status` or `error`, `Retry-After` for example.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Milliseconds to wait before the request is handled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
    /// Milliseconds to wait after it was handled and before it is answered: the caller's time-out is then ambiguous.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_answer_ms: u64,
    /// Close the connection without an answer: `true` or `"before"` the request is handled, `"after"` it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_connection: Option<DropConnection>,
    /// Refuse what is over these limits and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimitSpec>,
}

/// A provider error by its code; what is missing comes from the provider's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// The provider's code.
    pub code: i64,
    /// HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// Title of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The provider's subcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// The provider calls it temporary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_transient: Option<bool>,
    /// Minutes in the rate header's `estimated_time_to_regain_access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regain_access_minutes: Option<u64>,
    /// Headers from the rule.
    #[serde(skip)]
    pub headers: BTreeMap<String, String>,
}

impl ErrorSpec {
    /// The plain error of this code.
    pub fn of_code(code: i64) -> Self {
        Self {
            code,
            http: None,
            message: None,
            details: None,
            subcode: None,
            is_transient: None,
            regain_access_minutes: None,
            headers: BTreeMap::new(),
        }
    }
}

/// Limits of a rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSpec {
    /// Messages per second and number; over it: 130429.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_number_per_second: Option<f64>,
    /// Limit between a number and one user; over it: 131056.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
}

impl RateLimitSpec {
    /// The limits of a real number: 80 per second, 1 per 6 s to one user.
    pub fn real() -> Self {
        Self { per_number_per_second: Some(80.0), pair: Some(Pair::Real(true)) }
    }
}

/// The limit between a number and one user.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pair {
    /// `true`: Meta's own, 1 message per 6 s with bursts of 45.
    Real(bool),
    /// Another one.
    Custom {
        /// Milliseconds that one message costs.
        every_ms: f64,
        /// Messages that may be sent at once.
        burst: f64,
    },
}

impl Pair {
    pub(super) fn every_ms_and_burst(self) -> Option<(f64, f64)> {
        match self {
            Self::Real(true) => Some((6_000.0, 45.0)),
            Self::Real(false) => None,
            Self::Custom { every_ms, burst } => Some((every_ms.max(0.001), burst.max(1.0))),
        }
    }
}

/// `true`, `false`, `"before"` or `"after"`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DropConnection {
    /// `true` means before.
    Plain(bool),
    /// The moment is named.
    At(When),
}

impl DropConnection {
    pub(super) fn when(self) -> Option<When> {
        match self {
            Self::Plain(dropped) => dropped.then_some(When::Before),
            Self::At(when) => Some(when),
        }
    }
}

/// The moment a connection is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The request was not handled.
    Before,
    /// The request was handled; only the answer is lost.
    After,
}

/// The answer a rule gives in place of the real one.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A provider error.
    Error(ErrorSpec),
    /// Anything else, as it is.
    Raw {
        /// HTTP status.
        status: u16,
        /// Content type.
        content_type: String,
        /// Body.
        body: String,
        /// Other headers.
        headers: BTreeMap<String, String>,
    },
}

impl Then {
    pub(super) fn answer(&self) -> Option<Answer> {
        if let Some(error) = &self.error {
            return Some(Answer::Error(ErrorSpec { headers: self.headers.clone(), ..error.clone() }));
        }
        self.http_status.map(|status| Answer::Raw {
            status,
            content_type: self.content_type.clone().unwrap_or_else(|| "text/html; charset=utf-8".to_owned()),
            body: self.body.clone().unwrap_or_default(),
            headers: self.headers.clone(),
        })
    }
}

impl Matcher {
    pub(super) fn accepts(&self, probe: &Probe) -> bool {
        let method = self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&probe.method));
        let path = self.path.as_ref().is_none_or(|pattern| {
            glob(pattern.as_bytes(), probe.path.as_bytes())
                || glob(pattern.as_bytes(), probe.bare_path.as_bytes())
        });
        let number = self.phone_number_id.as_ref().is_none_or(|id| *id == probe.object);
        let to = self.to.as_ref().is_none_or(|wanted| {
            probe
                .to
                .as_ref()
                .is_some_and(|to| to == wanted || (!digits(to).is_empty() && *to == digits(wanted)))
        });
        method && path && number && to
    }
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// `*` stands for any run of characters. Linear: on a mismatch only the last `*` is stretched.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("/*/messages", "/1/messages", true),
            ("/*/messages", "/v22.0/1/messages", true),
            ("*", "", true),
            ("/a*b*c", "/aXbYbZc", true),
            ("/a*b*c", "/aXbYbZ", false),
            ("/1/messages", "/1/messages/2", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
