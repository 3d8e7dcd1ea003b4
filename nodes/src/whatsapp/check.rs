//! Looking at the parameters of `whatsapp.send` before anything runs, with the same rules as when it sends.
//! Texts with expressions are taken as fitting. Pure.

use super::message::SendParams;
use super::payload::{self, Recipient, Surroundings};
use serde_json::Value;
use sluice_node_sdk::problem::ParamProblem;

/// What is plainly wrong with a message as written.
pub(super) fn message(params: &Value) -> Vec<ParamProblem> {
    let mut plain = params.clone();
    fill_in(&mut plain, &mut 0);
    // What does not fit the schema, also because an expression stands for a list or a number, is not judged here.
    let Ok((addressing, message)) = SendParams(plain).read() else { return Vec::new() };
    let recipient = Recipient::Phone("15550000000".to_owned());
    let around = Surroundings { uploaded: None, current_message: Some("wamid.0"), token: "token" };
    let body = payload::body(&message, &recipient, addressing.reply_to.as_deref(), "effect", around);
    let Err(error) = body else { return Vec::new() };
    let pointer = error.path.clone().unwrap_or_default();
    if params.pointer(&pointer).is_some_and(holds_expression) {
        return Vec::new();
    }
    vec![ParamProblem::error(pointer, &error.code, error.message)]
}

/// Puts a short text, different each time, in place of every text with an expression.
fn fill_in(value: &mut Value, count: &mut u32) {
    match value {
        Value::String(text) if text.contains("{{") => {
            *count += 1;
            *text = format!("x{count}");
        }
        Value::Array(list) => list.iter_mut().for_each(|value| fill_in(value, count)),
        Value::Object(map) => map.values_mut().for_each(|value| fill_in(value, count)),
        _ => {}
    }
}

fn holds_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(list) => list.iter().any(holds_expression),
        Value::Object(map) => map.values().any(holds_expression),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(params: Value) -> Vec<(String, String)> {
        message(&params).into_iter().map(|found| (found.code, found.pointer)).collect()
    }

    #[test]
    fn what_is_plainly_wrong_is_found_beside_expressions() {
        let menu = |titles: [&str; 2]| {
            let buttons: Vec<Value> = titles.iter().map(|title| json!({ "title": title })).collect();
            json!({ "type": "interactive", "body": "Hi {{ contact.first_name }}", "buttons": buttons })
        };
        assert_eq!(found(menu(["Yes", "No"])), []);
        assert_eq!(found(menu(["Yes", "Yes"])).first().map(|(_, at)| at.as_str()), Some("/buttons/1/title"));
        assert_eq!(found(menu(["{{ json.a }}", "{{ json.a }}"])), []);
        assert_eq!(found(json!({ "type": "text", "text": "{{ json.text }}" })), []);
        assert_eq!(found(json!({ "type": "template", "template": "Hello!", "language": "en" })).len(), 1);
        assert_eq!(
            found(json!({ "type": "template", "template": "{{ json.name }}!", "language": "en" })),
            []
        );
        assert_eq!(found(json!({ "type": "interactive", "body": "x", "buttons": "{{ json.buttons }}" })), []);
        assert_eq!(found(json!({ "type": "no such" })), []);
    }
}
