//! Settings of the workflow, fixtures and tests: durations, time zones, moments, and names of nodes. Must not
//! run anything.

use super::schema::escape;
use super::subject::{Node, Subject};
use crate::document::{Expect, StepDoc, TestDoc};
use crate::graph::problem::{Problem, Severity};
use crate::graph::suggest::hint;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::spec::{Effect, TriggerSource};

/// Checks everything that is not a node or an edge.
pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    let settings = &subject.document.settings;
    time_zone(settings.timezone.as_deref(), "/settings/timezone", problems);
    duration(settings.timeout.as_deref(), "/settings/timeout", problems);
    duration(settings.retention.as_deref(), "/settings/retention", problems);
    for node in &subject.nodes {
        schedule_zone(node, problems);
        unknown_outcome(node, problems);
    }
    names(subject, subject.document.fixtures.keys(), "/fixtures", problems);
    for (ix, test) in subject.document.tests.iter().enumerate() {
        check_test(subject, test, &format!("/tests/{ix}"), problems);
    }
}

fn duration(text: Option<&str>, path: &str, problems: &mut Vec<Problem>) {
    if let Some(Err(error)) = text.map(parse_duration_ms) {
        problems.push(Problem::error("invalid_duration", path, error.to_string()));
    }
}

fn time_zone(name: Option<&str>, path: &str, problems: &mut Vec<Problem>) {
    if let Some(name) = name.filter(|name| jiff::tz::TimeZone::get(name).is_err()) {
        problems.push(Problem::error("invalid_time_zone", path, zone_message(name)));
    }
}

fn zone_message(name: &str) -> String {
    format!("`{name}` is not the name of a time zone; write for example `Asia/Kolkata` or `UTC`")
}

/// The time zone of a schedule trigger.
fn schedule_zone(node: &Node<'_>, problems: &mut Vec<Problem>) {
    let trigger = node.spec().and_then(|spec| spec.trigger.as_ref());
    if trigger.is_none_or(|trigger| trigger.source != TriggerSource::Schedule) {
        return;
    }
    let name = node.param("/timezone").and_then(|name| name.as_str()).filter(|name| !name.contains("{{"));
    if let Some(name) = name.filter(|name| jiff::tz::TimeZone::get(name).is_err()) {
        let path = node.path("/params/timezone");
        problems.push(node.error("invalid_time_zone", path, zone_message(name)));
    }
}

/// Only what must not be repeated has outcomes that nobody knows.
fn unknown_outcome(node: &Node<'_>, problems: &mut Vec<Problem>) {
    let Some(spec) = node.spec().filter(|_| node.doc.settings.unknown_outcome.is_some()) else { return };
    let params = serde_json::Value::Object(node.doc.params.clone());
    if spec.effect_of(&params) != Effect::Once {
        let message = format!(
            "`unknown_outcome` has no meaning here: `{}` may be repeated, so it is tried again; remove the setting",
            node.doc.node_type
        );
        let path = node.path("/settings/unknown_outcome");
        problems.push(node.problem(Severity::Warning, "unused_setting", path, message));
    }
}

fn check_test(subject: &Subject<'_>, test: &TestDoc, path: &str, problems: &mut Vec<Problem>) {
    if let Some(id) = &test.node {
        name(subject, id, format!("{path}/node"), problems);
        let is_trigger = |node: &Node<'_>| node.spec().is_none_or(|spec| spec.trigger.is_some());
        if subject.node(id).is_some_and(|node| !is_trigger(node)) {
            let message = format!("`{id}` is not a trigger, so the test cannot begin there");
            problems.push(Problem::error("test_without_trigger", format!("{path}/node"), message));
        }
    }
    if let Some(now) = test.now.as_deref().filter(|now| now.parse::<jiff::Timestamp>().is_err()) {
        let message = format!("`{now}` is not a moment; write for example `2026-01-05T10:00:00Z`");
        problems.push(Problem::error("invalid_time", format!("{path}/now"), message));
    }
    duration(test.advance.as_deref(), &format!("{path}/advance"), problems);
    names(subject, test.pins.keys(), &format!("{path}/pins"), problems);
    for (ix, step) in test.steps.iter().enumerate() {
        check_step(subject, step, &format!("{path}/steps/{ix}"), problems);
    }
    check_expect(subject, &test.expect, &format!("{path}/expect"), problems);
}

fn check_step(subject: &Subject<'_>, step: &StepDoc, path: &str, problems: &mut Vec<Problem>) {
    duration(step.advance.as_deref(), &format!("{path}/advance"), problems);
    let message = match (&step.advance, &step.signal) {
        (Some(_), Some(_)) => {
            Some("A step either lets time pass (`advance`) or sends a `signal`; make two steps")
        }
        (None, None) if step.expect.is_none() => {
            Some("The step does nothing; give it `advance`, `signal` or `expect`")
        }
        (_, None) if !step.payload.is_null() => Some("A `payload` comes with a `signal`; name the signal"),
        _ => None,
    };
    if let Some(message) = message {
        problems.push(Problem::error("invalid_step", path, message));
    }
    if let Some(expect) = &step.expect {
        check_expect(subject, expect, &format!("{path}/expect"), problems);
    }
}

fn check_expect(subject: &Subject<'_>, expect: &Expect, path: &str, problems: &mut Vec<Problem>) {
    let lists = [("ran", &expect.ran), ("skipped", &expect.skipped), ("waiting", &expect.waiting)];
    for (field, ids) in lists {
        for (ix, id) in ids.iter().enumerate() {
            name(subject, id, format!("{path}/{field}/{ix}"), problems);
        }
    }
    names(subject, expect.output.keys(), &format!("{path}/output"), problems);
    if let Some(id) = &expect.failed_node {
        name(subject, id, format!("{path}/failed_node"), problems);
    }
}

/// Keys of an object that must be node ids.
fn names<'a>(
    subject: &Subject<'_>,
    ids: impl IntoIterator<Item = &'a String>,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    for id in ids {
        name(subject, id, format!("{path}/{}", escape(id)), problems);
    }
}

fn name(subject: &Subject<'_>, id: &str, path: String, problems: &mut Vec<Problem>) {
    if subject.node(id).is_none() {
        let message = format!("There is no node `{id}`{}", hint(id, subject.ids()));
        problems
            .push(Problem { severity: Severity::Warning, ..Problem::error("unknown_node", path, message) });
    }
}
