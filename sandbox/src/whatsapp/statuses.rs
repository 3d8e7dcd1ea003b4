//! What happens to a message after it was accepted: its statuses, in time, in order or disturbed, as webhooks.
//!
//! It must not know how a message was checked.

use super::WhatsApp;
use super::error::webhook_error;
use super::messages::StatusAt;
use super::people::Person;
use super::webhook::{Target, shape};
use crate::config::Number;
use serde_json::Value;
use std::sync::Arc;

/// An asynchronous failure.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) title: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) after_sent: bool,
}

impl Failure {
    pub(crate) fn of(code: i64, details: &str) -> Self {
        Self { code, title: None, details: Some(details.to_owned()), after_sent: false }
    }

    fn error(&self) -> Value {
        webhook_error(self.code, self.title.as_deref(), self.details.as_deref())
    }
}

/// What the message costs.
#[derive(Debug, Clone)]
pub(crate) struct Price {
    /// `regular`, `free_customer_service` or `free_entry_point`.
    pub(crate) kind: &'static str,
    pub(crate) category: String,
}

/// The planned life of one message.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) number: Number,
    pub(crate) person: Person,
    pub(crate) group_id: Option<String>,
    pub(crate) callback_data: Option<String>,
    pub(crate) accepted_at_ms: i64,
    pub(crate) voice: bool,
    pub(crate) only_sent: bool,
    pub(crate) price: Price,
    pub(crate) failure: Option<Failure>,
}

/// One status that will happen.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    status: String,
    at_ms: i64,
}

/// Runs the plan in the background until it is done, the sandbox is reset or shut down.
pub(crate) fn start(wa: &Arc<WhatsApp>, plan: Plan) {
    let own = wa.clone();
    wa.outbox.spawn(async move { run(&own, plan).await });
}

async fn run(wa: &WhatsApp, plan: Plan) {
    let mut steps = steps(wa, &plan);
    let disturbed = wa.faults.webhooks();
    let together = disturbed.batch.unwrap_or(false);
    if together || disturbed.is_reordering() {
        // Nothing may leave before the last status has happened.
        if let Some(last) = steps.last() {
            wa.clock.sleep_until(last.at_ms).await;
        }
    }
    if disturbed.is_reordering() {
        steps.reverse();
    }
    let mut batch = Vec::new();
    for step in steps {
        wa.clock.sleep_until(step.at_ms).await;
        note(wa, &plan, &step);
        if wa.faults.webhooks().drops(&step.status) {
            continue;
        }
        let status = shape::status(wa, &plan, &step.status, step.at_ms);
        if together {
            batch.push(status);
        } else {
            send(wa, &plan, vec![status]).await;
        }
    }
    if !batch.is_empty() {
        send(wa, &plan, batch).await;
    }
}

/// Which statuses follow, and when.
fn steps(wa: &WhatsApp, plan: &Plan) -> Vec<Step> {
    let at = |after_ms: u64| plan.accepted_at_ms + i64::try_from(after_ms).unwrap_or(0);
    let happens = |status: &str| match status {
        "played" => plan.voice,
        "sent" => true,
        _ => !plan.only_sent,
    };
    let configured = wa.config.statuses.iter().filter(|step| happens(&step.status));
    let all: Vec<Step> =
        configured.map(|step| Step { status: step.status.clone(), at_ms: at(step.after_ms) }).collect();
    let Some(failure) = &plan.failure else { return all };
    let first_at = all.first().map_or(plan.accepted_at_ms, |step| step.at_ms);
    let mut failed: Vec<Step> =
        all.into_iter().filter(|step| failure.after_sent && step.status == "sent").collect();
    failed.push(Step { status: "failed".to_owned(), at_ms: first_at });
    failed
}

/// The phone's view moves forward whatever becomes of the webhook.
fn note(wa: &WhatsApp, plan: &Plan, step: &Step) {
    let rank = |status: &str| {
        ["accepted", "sent", "delivered", "read", "played", "failed"].iter().position(|s| *s == status)
    };
    wa.messages.update(&plan.id, |message| {
        message.statuses.push(StatusAt { status: step.status.clone(), at: step.at_ms });
        if rank(&step.status) >= rank(&message.status) {
            message.status.clone_from(&step.status);
        }
        if step.status == "failed" {
            message.error = plan.failure.as_ref().map(Failure::error);
        }
    });
}

async fn send(wa: &WhatsApp, plan: &Plan, statuses: Vec<Value>) {
    let body = shape::status_body(wa, plan, statuses);
    let target = Target { number: plan.number.clone(), what: "status" };
    wa.outbox.deliver(wa, &target, &body).await;
}

impl Plan {
    /// The errors of a `failed` status.
    pub(crate) fn errors(&self) -> Option<Value> {
        self.failure.as_ref().map(|failure| Value::Array(vec![failure.error()]))
    }
}
