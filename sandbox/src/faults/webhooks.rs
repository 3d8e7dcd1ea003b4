//! Disturbances of the webhooks that the sandbox sends back.
//!
//! It must not know what a webhook holds.

use super::rule::digits;
use serde::{Deserialize, Serialize};

/// How webhooks are disturbed. In a patch, missing fields change nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFaults {
    /// Extra copies of each webhook, byte by byte the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<u32>,
    /// Statuses of a message arrive in reverse order; held webhooks are released in reverse order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorder: Option<bool>,
    /// All statuses of a message come in one POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<bool>,
    /// Milliseconds each webhook is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Statuses that are never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_statuses: Option<Vec<String>>,
    /// The next messages are accepted and then fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_next_messages: Option<FailNext>,
    /// Webhooks are kept back until they are released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
    /// Only in a patch: sends what is kept back and ends `hold`.
    #[serde(default, skip_serializing)]
    pub release: bool,
}

/// A planned asynchronous failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailNext {
    /// The provider's code.
    pub code: i64,
    /// Title; from the provider's table when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// How many messages fail; 1 when missing.
    #[serde(default = "one")]
    pub count: u32,
    /// Only messages to this recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `sent` comes before `failed`.
    #[serde(default)]
    pub after_sent: bool,
}

fn one() -> u32 {
    1
}

impl WebhookFaults {
    pub(super) fn merge(&mut self, patch: Self) {
        self.duplicate = patch.duplicate.or(self.duplicate);
        self.reorder = patch.reorder.or(self.reorder);
        self.batch = patch.batch.or(self.batch);
        self.delay_ms = patch.delay_ms.or(self.delay_ms);
        self.drop_statuses = patch.drop_statuses.or_else(|| self.drop_statuses.take());
        self.fail_next_messages = patch.fail_next_messages.or_else(|| self.fail_next_messages.take());
        self.hold = if patch.release { None } else { patch.hold.or(self.hold) };
    }

    pub(super) fn take_failure(&mut self, to: &str) -> Option<FailNext> {
        let planned = self.fail_next_messages.as_mut()?;
        let concerns = planned.to.as_ref().is_none_or(|wanted| wanted == to || digits(wanted) == to);
        if !concerns || planned.count == 0 {
            return None;
        }
        planned.count -= 1;
        let taken = planned.clone();
        if planned.count == 0 {
            self.fail_next_messages = None;
        }
        Some(taken)
    }

    pub(crate) fn is_holding(&self) -> bool {
        self.hold.unwrap_or(false)
    }

    pub(crate) fn is_reordering(&self) -> bool {
        self.reorder.unwrap_or(false)
    }

    pub(crate) fn drops(&self, status: &str) -> bool {
        self.drop_statuses.as_ref().is_some_and(|list| list.iter().any(|dropped| dropped == status))
    }
}
