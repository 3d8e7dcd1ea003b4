//! The pages behind the links to sign-ups. Must not know how a decision is carried out.

use crate::error::{self, ApiError};
use crate::html::{escape, page};
use crate::routes::approvals::Decision;
use sluice_records::Person;

/// A sign-up with the two answers.
pub(super) fn sign_up(person: &Person) -> String {
    let row = |label: &str, value: Option<&str>| match value {
        Some(value) => format!("<p><b>{label}</b> {}</p>\n", escape(value)),
        None => String::new(),
    };
    let body = format!(
        "<h1>Somebody wants to come in</h1>\n{}{}{}{}{}\
         <form method=\"post\">\n<label for=\"note\">Reason (needed to reject; the person is told)</label>\n\
         <textarea id=\"note\" name=\"note\" maxlength=\"200\"></textarea>\n\
         <div class=\"actions\">\n\
         <button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button>\n\
         <button class=\"no\" name=\"decision\" value=\"reject\">Reject</button>\n</div>\n</form>",
        row("Name", Some(&person.name)),
        row("E-mail", Some(&person.email)),
        row("Phone", person.phone.as_deref()),
        row("Business", person.business_name.as_deref()),
        row("Industry", person.industry.as_deref()),
    );
    page("A sign-up waits for approval", &body)
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
            "<h1 role=\"status\">{word}</h1>\n<p>Thank you. The person is told; you can close this page.</p>"
        ),
    )
}

/// Why there is nothing to decide.
pub(super) fn fault(fault: &ApiError) -> String {
    let (title, text) = match fault.code() {
        error::ALREADY_DECIDED => ("Already decided", "Someone was faster."),
        error::LINK_EXPIRED => ("This link has expired", "Decide it in the list of people."),
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
    use sluice_records::PersonStatus;

    #[test]
    fn what_strangers_write_stays_text() {
        let evil = || "<script>alert('\"&')</script>".to_owned();
        let person = Person {
            id: "per_1".into(),
            email: "a@b.c".into(),
            name: evil(),
            phone: None,
            business_name: Some(evil()),
            industry: Some(evil()),
            status: PersonStatus::UnderReview,
            status_reason: None,
            token_version: 1,
            created_at: 0,
            updated_at: 0,
            verified_at: None,
            last_login_at: None,
        };
        let text = sign_up(&person);
        assert!(!text.contains("<script") && !text.contains("alert('"), "{text}");
        assert_eq!(text.matches("&lt;script&gt;").count(), 3);
    }
}
