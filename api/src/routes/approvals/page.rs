//! The pages behind approval links. Must not know how a decision is carried out.

use super::Decision;
use crate::error::{self, ApiError};
use crate::html::{escape, page};
use serde_json::Value;

/// The question with its two answers.
pub(super) fn question(workflow_name: &str, info: &Value) -> String {
    let title = info["title"].as_str().filter(|title| !title.is_empty()).unwrap_or("A decision is needed");
    let message = info["message"].as_str().unwrap_or_default();
    let body = format!(
        "<h1>{title}</h1>\n<p class=\"from\">Asked by the workflow “{workflow}”</p>\n\
         <div class=\"message\">{message}</div>\n\
         <form method=\"post\">\n<label for=\"note\">Note (optional)</label>\n\
         <textarea id=\"note\" name=\"note\" maxlength=\"4000\"></textarea>\n\
         <div class=\"actions\">\n\
         <button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button>\n\
         <button class=\"no\" name=\"decision\" value=\"reject\">Reject</button>\n</div>\n</form>",
        title = escape(title),
        workflow = escape(workflow_name),
        message = escape(message),
    );
    page(title, &body)
}

/// What was decided.
pub(super) fn decided(decision: Decision) -> String {
    let word = match decision {
        Decision::Approve => "Approved",
        Decision::Reject => "Rejected",
    };
    page(
        word,
        &format!(
            "<h1 role=\"status\">{word}</h1>\n<p>Thank you. The workflow goes on; you can close this page.</p>"
        ),
    )
}

/// Why there is nothing to decide.
pub(super) fn fault(fault: &ApiError) -> String {
    let (title, text) = match fault.code() {
        error::ALREADY_DECIDED => {
            ("Already decided", "Someone was faster, or the time for a decision is over.")
        }
        error::LINK_EXPIRED => ("This link has expired", "Ask for a new one."),
        error::LINK_INVALID | error::NOT_FOUND => {
            ("This link does not work", "Check that it was copied whole.")
        }
        error::INTERNAL => ("Something went wrong", "Nothing was decided. Please try again later."),
        _ => ("That did not work", fault.message()),
    };
    page(title, &format!("<h1 role=\"alert\">{}</h1>\n<p>{}</p>", escape(title), escape(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_workflows_say_stays_text() {
        let evil = "<script>alert('\"&')</script>";
        let text = question(evil, &json!({ "title": evil, "message": evil }));
        assert!(!text.contains("<script") && !text.contains("alert('"), "{text}");
        assert_eq!(text.matches("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)").count(), 4);
    }
}
