//! Expressions and scripts: whether they compile, and whether the nodes they name exist and come before.
//! Must not know node types beyond which of their parameters are program text.

use super::schema::escape;
use super::subject::{Node, Subject, reachable};
use crate::core::NodeIx;
use crate::expr::{ExprError, Expressions};
use crate::graph::problem::{Problem, Severity};
use crate::graph::suggest::hint;
use serde_json::Value;
use std::collections::HashSet;

/// Checks all texts of all nodes, and the lane of the workflow.
pub(super) fn check(subject: &Subject<'_>, expressions: &Expressions, problems: &mut Vec<Problem>) {
    for node in &subject.nodes {
        let mut walk = Walk { subject, node, expressions, upstream: None, problems };
        for (key, value) in &node.doc.params {
            walk.value(value, &mut format!("/{}", escape(key)));
        }
    }
    let Some(lane) = &subject.document.settings.lane else { return };
    match expressions.compile_text(lane) {
        Err(error) => problems.push(Problem::error(error.kind.code(), "/settings/lane", sentence(&error))),
        Ok(template) => problems.extend(template.references().take(1).map(|id| {
            let message = format!(
                "The lane is worked out before the run begins, when `{id}` has not run; use what the trigger gives, such as `json`"
            );
            Problem::error("unknown_node_reference", "/settings/lane", message)
        })),
    }
}

struct Walk<'a, 'b> {
    subject: &'a Subject<'a>,
    node: &'a Node<'a>,
    expressions: &'a Expressions,
    /// The nodes before this one, worked out when first asked for.
    upstream: Option<HashSet<NodeIx>>,
    problems: &'b mut Vec<Problem>,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: &Value, pointer: &mut String) {
        let spec = self.node.spec();
        if spec.is_some_and(|spec| spec.raw_params.iter().any(|raw| raw == pointer)) {
            if let Value::String(code) = value {
                self.script(code, pointer);
            }
            return;
        }
        match value {
            Value::String(text) if text.contains("{{") => self.text(text, pointer),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    self.child(element, &index.to_string(), pointer);
                }
            }
            Value::Object(map) => {
                for (key, element) in map {
                    self.child(element, &escape(key), pointer);
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn child(&mut self, value: &Value, token: &str, pointer: &mut String) {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(token);
        self.value(value, pointer);
        pointer.truncate(length);
    }

    fn script(&mut self, code: &str, pointer: &str) {
        if let Err(error) = self.expressions.check_script(code) {
            let message = format!(
                "The script does not compile: {} (line {}, column {})",
                error.message, error.line, error.column
            );
            self.report("script_does_not_compile", pointer, message);
        }
    }

    fn text(&mut self, text: &str, pointer: &str) {
        match self.expressions.compile_text(text) {
            Err(error) => self.report(error.kind.code(), pointer, sentence(&error)),
            Ok(template) => {
                for id in template.references() {
                    self.reference(id, pointer);
                }
            }
        }
    }

    fn reference(&mut self, id: &str, pointer: &str) {
        let Some(named) = self.subject.node(id) else {
            let message = format!(
                "The expression asks for the node `{id}`, which does not exist{}",
                hint(id, self.subject.ids())
            );
            return self.report("unknown_node_reference", pointer, message);
        };
        let (subject, node) = (self.subject, self.node);
        let upstream = self.upstream.get_or_insert_with(|| {
            reachable(&subject.before, subject.before[node.ix as usize].iter().copied())
        });
        if !upstream.contains(&named.ix) {
            let message = format!(
                "The expression asks for the node `{id}`, but no edges lead from it to here, so it may not have run"
            );
            let path = self.path(pointer);
            self.problems.push(self.node.problem(Severity::Warning, "reference_not_upstream", path, message));
        }
    }

    fn report(&mut self, code: &str, pointer: &str, message: String) {
        let path = self.path(pointer);
        self.problems.push(self.node.error(code, path, message));
    }

    fn path(&self, pointer: &str) -> String {
        self.node.path(&format!("/params{pointer}"))
    }
}

fn sentence(error: &ExprError) -> String {
    let line = if error.line > 1 { format!("line {}, ", error.line) } else { String::new() };
    format!(
        "The expression `{}` is wrong: {} ({line}column {})",
        error.expression, error.message, error.column
    )
}
