//! What a customer answered, and whether it is what was asked for. Pure: time and zone come as arguments.

use super::limits::wrong;
use jiff::civil::Date;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_node_sdk::error::NodeError;

/// What kind of message counts as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Accept {
    /// Any message.
    #[default]
    Any,
    /// Text (a tapped button counts with its title).
    Text,
    /// A tapped button.
    Button,
    /// A chosen list row.
    List,
    /// A tapped button or a chosen list row.
    Choice,
    /// A picture, video, sound, document or sticker.
    Media,
    /// A location.
    Location,
    /// A completed WhatsApp Flow.
    Flow,
}

/// What the answer must be. The understood value comes out as `reply.value`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Validation {
    /// Text of a certain length or form.
    Text {
        /// Fewest characters.
        #[serde(default)]
        min_length: Option<usize>,
        /// Most characters.
        #[serde(default)]
        max_length: Option<usize>,
        /// Regular expression that must be found in it.
        #[serde(default)]
        pattern: Option<String>,
    },
    /// A number; `1,200.50` and `12,5` are understood.
    Number {
        /// Smallest.
        #[serde(default)]
        min: Option<f64>,
        /// Largest.
        #[serde(default)]
        max: Option<f64>,
        /// No fractions.
        #[serde(default)]
        whole: bool,
    },
    /// An e-mail address.
    Email {},
    /// A telephone number; the value is written `+919876543210`.
    Phone {
        /// Two-letter country for numbers without country code.
        #[serde(default)]
        country: Option<String>,
    },
    /// A day; the value is written `2026-01-31`. `today` and `tomorrow` are understood.
    Date {
        /// Which part comes first in `03/04/2026`.
        #[serde(default)]
        order: DateOrder,
        /// Not in the past.
        #[serde(default)]
        future: bool,
    },
    /// One of these, by its text, its button id or its number in the list (1 is the first).
    Choice {
        /// The choices.
        #[schemars(length(min = 1, max = 100))]
        choices: Vec<String>,
    },
}

/// Which part of a date comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DateOrder {
    /// 31/12/2026.
    #[default]
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// An answer as later nodes see it, and why it is not good enough, if so.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) json: Value,
    pub(crate) reason: Option<String>,
}

/// Looks at the event of the answering message.
///
/// # Errors
/// `InvalidParams` when the validation itself is wrong (a pattern that is none).
pub(crate) fn read(
    event: &Value,
    accept: Accept,
    validation: Option<&Validation>,
    today: Date,
) -> Result<Reply, NodeError> {
    let message = event.get("message").unwrap_or(event);
    let part = |pointer: &str| message.pointer(pointer).cloned().unwrap_or_default();
    let title = part("/reply/title");
    let text = Some(part("/text")).filter(|text| text.is_string()).unwrap_or_else(|| title.clone());
    let mut json = json!({
        "text": text, "value": Value::Null, "id": part("/reply/id"), "title": title,
        "type": part("/type"), "message": message,
    });
    let mut reason = refusal(message, accept);
    if reason.is_none() {
        match value(message, &text, validation, today)? {
            Ok(value) => json["value"] = value,
            Err(why) => reason = Some(why),
        }
    }
    if let Some(reason) = &reason {
        json["reason"] = reason.as_str().into();
    }
    Ok(Reply { json, reason })
}

/// Why the message is of the wrong kind.
fn refusal(message: &Value, accept: Accept) -> Option<String> {
    let kind = message.pointer("/reply/kind").and_then(Value::as_str);
    let button = matches!(kind, Some("button" | "template_button"));
    let has = |name: &str| message.get(name).is_some_and(|part| !part.is_null());
    let (fine, wanted) = match accept {
        Accept::Any => (true, ""),
        Accept::Text => (has("text") || has("reply"), "a text"),
        Accept::Button => (button, "a tap on a button"),
        Accept::List => (kind == Some("list"), "a choice from the list"),
        Accept::Choice => (button || kind == Some("list"), "a tap on a button or a choice from the list"),
        Accept::Media => (has("media"), "a picture or file"),
        Accept::Location => (has("location"), "a location"),
        Accept::Flow => (has("flow"), "the completed form"),
    };
    (!fine).then(|| format!("Expected {wanted}"))
}

/// The understood value, or why there is none.
fn value(
    message: &Value,
    text: &Value,
    validation: Option<&Validation>,
    today: Date,
) -> Result<Result<Value, String>, NodeError> {
    let Some(validation) = validation else { return Ok(Ok(plain_value(message, text))) };
    let Some(text) = text.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(Err("Expected a text".to_owned()));
    };
    Ok(match validation {
        Validation::Text { min_length, max_length, pattern } => {
            checked_text(text, *min_length, *max_length, pattern.as_deref())?
        }
        Validation::Number { min, max, whole } => number(text, *min, *max, *whole),
        Validation::Email {} => email(text),
        Validation::Phone { country } => phone(text, country.as_deref()),
        Validation::Date { order, future } => date(text, *order, *future, today),
        Validation::Choice { choices } => choice(message, text, choices),
    })
}

/// Without validation: what the message is about.
fn plain_value(message: &Value, text: &Value) -> Value {
    let parts = ["/reply/id", "/flow/data", "/location", "/media"];
    let found = parts.iter().find_map(|pointer| message.pointer(pointer).filter(|part| !part.is_null()));
    found.unwrap_or(text).clone()
}

type Understood = Result<Value, String>;

fn checked_text(
    text: &str,
    min: Option<usize>,
    max: Option<usize>,
    pattern: Option<&str>,
) -> Result<Understood, NodeError> {
    let length = text.chars().count();
    if let Some(min) = min.filter(|min| length < *min) {
        return Ok(Err(format!("Expected at least {min} characters")));
    }
    if let Some(max) = max.filter(|max| length > *max) {
        return Ok(Err(format!("Expected at most {max} characters")));
    }
    if let Some(pattern) = pattern
        && !compiled(pattern)?.is_match(text)
    {
        return Ok(Err("The text has not the expected form".to_owned()));
    }
    Ok(Ok(text.into()))
}

fn compiled(pattern: &str) -> Result<Regex, NodeError> {
    RegexBuilder::new(pattern).size_limit(256 * 1024).build().map_err(|error| {
        let message = format!("The pattern is no usable regular expression: {error}");
        wrong("/validation/pattern", "invalid_pattern", message)
    })
}

/// Whether a validation can be used at all.
///
/// # Errors
/// `InvalidParams` when its pattern is none.
pub(crate) fn check(validation: &Validation) -> Result<(), NodeError> {
    match validation {
        Validation::Text { pattern: Some(pattern), .. } => compiled(pattern).map(drop),
        _ => Ok(()),
    }
}

fn number(text: &str, min: Option<f64>, max: Option<f64>, whole: bool) -> Understood {
    let not = || "Expected a number".to_owned();
    let number: f64 = plain_number(text).ok_or_else(not)?.parse().map_err(|_| not())?;
    if whole && number.fract() != 0.0 {
        return Err("Expected a whole number".to_owned());
    }
    if let Some(min) = min.filter(|min| number < *min) {
        return Err(format!("Expected at least {min}"));
    }
    if let Some(max) = max.filter(|max| number > *max) {
        return Err(format!("Expected at most {max}"));
    }
    // Integers stay integers, so that an expression shows 5 and not 5.0.
    #[allow(clippy::cast_possible_truncation, reason = "guarded: whole, and within what f64 holds exactly")]
    let integer = (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
    Ok(integer.map_or_else(|| json!(number), |integer| json!(integer)))
}

/// The digits as a program writes them: grouping marks out, a decimal point in. `None` when it is no number.
fn plain_number(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let marks_ok = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !marks_ok || !digits.contains(|c: char| c.is_ascii_digit()) || digits.len() > 30 {
        return None;
    }
    let last = digits.rfind(['.', ',']);
    let Some(at) = last else { return Some(format!("{sign}{digits}")) };
    let (head, tail) = (&digits[..at], &digits[at + 1..]);
    let mark = digits.as_bytes()[at] as char;
    let repeated = head.contains(mark);
    let mixed = head.contains(if mark == '.' { ',' } else { '.' });
    // A lone comma before exactly three digits groups (1,200); a point never does when it stands alone.
    let groups = repeated || (mark == ',' && tail.len() == 3 && !mixed);
    if (groups && mixed) || (!groups && tail.is_empty()) {
        return None;
    }
    let head: String = head.chars().filter(char::is_ascii_digit).collect();
    let head = if head.is_empty() { "0".to_owned() } else { head };
    Some(if groups { format!("{sign}{head}{tail}") } else { format!("{sign}{head}.{tail}") })
}

fn email(text: &str) -> Understood {
    let not = || Err("Expected an e-mail address".to_owned());
    let Some((user, host)) = text.rsplit_once('@') else { return not() };
    let host = host.to_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let label_ok = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let user_ok = !user.is_empty()
        && user.len() <= 64
        && !user.starts_with('.')
        && !user.ends_with('.')
        && !user.contains("..")
        && user.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    if user_ok && labels.len() >= 2 && text.len() <= 254 && labels.iter().all(label_ok) {
        return Ok(format!("{user}@{host}").into());
    }
    not()
}

fn phone(text: &str, country: Option<&str>) -> Understood {
    let not = "Expected a telephone number with country code".to_owned();
    // The parser's cost grows with its input; no number is longer.
    if text.chars().count() > 32 {
        return Err(not);
    }
    let region = country.and_then(|code| code.to_ascii_uppercase().parse::<phonenumber::country::Id>().ok());
    let text = if region.is_none() && !text.starts_with('+') { format!("+{text}") } else { text.to_owned() };
    match phonenumber::parse(region, &text) {
        Ok(number) if phonenumber::is_valid(&number) => {
            Ok(number.format().mode(phonenumber::Mode::E164).to_string().into())
        }
        _ => Err(not),
    }
}

fn date(text: &str, order: DateOrder, future: bool, today: Date) -> Understood {
    let date = match text.to_lowercase().as_str() {
        "today" => Some(today),
        "tomorrow" => today.tomorrow().ok(),
        other => written_date(other, order),
    };
    let Some(date) = date else {
        return Err("Expected a date, such as 2026-01-31 or 31/01/2026".to_owned());
    };
    if future && date < today {
        return Err("Expected a date that is not in the past".to_owned());
    }
    Ok(date.to_string().into())
}

fn written_date(text: &str, order: DateOrder) -> Option<Date> {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let number = |part: &str| {
        let digits = !part.is_empty() && part.len() <= 4 && part.chars().all(|c| c.is_ascii_digit());
        digits.then(|| part.parse::<i16>().ok()).flatten()
    };
    let (year, month, day) = match (a.len(), order) {
        (4, _) => (number(a)?, number(b)?, number(c)?),
        (_, DateOrder::DayFirst) => (number(c)?, number(b)?, number(a)?),
        (_, DateOrder::MonthFirst) => (number(c)?, number(a)?, number(b)?),
    };
    let year = if c.len() == 2 && a.len() != 4 { 2000 + year } else { year };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
        .ok()
        .filter(|date| date.year() >= 1000)
}

fn choice(message: &Value, text: &str, choices: &[String]) -> Understood {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    let id = message.pointer("/reply/id").and_then(Value::as_str);
    let by_text = choices.iter().find(|choice| same(choice, text) || id.is_some_and(|id| same(choice, id)));
    let by_number = || {
        let place = text.trim_end_matches(['.', ')']).parse::<usize>().ok()?;
        choices.get(place.checked_sub(1)?)
    };
    match by_text.or_else(by_number) {
        Some(choice) => Ok(choice.as_str().into()),
        None => Err(format!("Expected one of: {}", choices.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 1, 5);

    /// Value on success, reason on refusal.
    fn text_reply(validation: Value, text: &str) -> Result<Value, String> {
        let validation: Validation = serde_json::from_value(validation).unwrap();
        let event = json!({ "message": { "type": "text", "text": text } });
        let reply = read(&event, Accept::Any, Some(&validation), TODAY).unwrap();
        reply.reason.map_or_else(|| Ok(reply.json["value"].clone()), Err)
    }

    #[test]
    fn numbers() {
        let plain = json!({ "kind": "number" });
        let good = [
            ("5", json!(5)),
            (" -3 ", json!(-3)),
            ("+7", json!(7)),
            ("1,200", json!(1200)),
            ("1,200.50", json!(1200.5)),
            ("1.200,50", json!(1200.5)),
            ("1,000,000", json!(1_000_000)),
            ("12,5", json!(12.5)),
            ("1.234", json!(1.234)),
            ("1 000", json!(1000)),
            (".5", json!(0.5)),
        ];
        for (text, value) in good {
            assert_eq!(text_reply(plain.clone(), text), Ok(value), "{text}");
        }
        for text in ["five", "5kg", "1,2.3,4", "", "-", "1e9", "5.", "--5", "NaN"] {
            assert!(text_reply(plain.clone(), text).is_err(), "{text}");
        }
        let bounded = json!({ "kind": "number", "min": 1, "max": 10, "whole": true });
        for (text, fine) in [("1", true), ("10", true), ("0", false), ("11", false), ("2.5", false)] {
            assert_eq!(text_reply(bounded.clone(), text).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn mail_phones_and_texts() {
        let mail = json!({ "kind": "email" });
        assert_eq!(text_reply(mail.clone(), " Asha.K+x@Example.CO.in "), Ok(json!("Asha.K+x@example.co.in")));
        for text in
            ["asha", "@x.com", "a@b", "a b@x.com", "a@-x.com", "a..b@x.com", "a@x..com", "a@x.com, b@x.com"]
        {
            assert!(text_reply(mail.clone(), text).is_err(), "{text}");
        }
        let phone = json!({ "kind": "phone" });
        assert_eq!(text_reply(phone.clone(), "+91 98765 43210"), Ok(json!("+919876543210")));
        assert_eq!(text_reply(phone.clone(), "919876543210"), Ok(json!("+919876543210")));
        let indian = json!({ "kind": "phone", "country": "IN" });
        assert_eq!(text_reply(indian, "098765 43210"), Ok(json!("+919876543210")));
        for text in ["12", "hello", "+1 555", &"9".repeat(100)] {
            assert!(text_reply(phone.clone(), text).is_err(), "{text}");
        }
        let text = json!({ "kind": "text", "min_length": 2, "max_length": 4, "pattern": "^[a-zé]+$" });
        for (said, fine) in [("é", false), ("éé", true), ("abcd", true), ("abcde", false), ("ab1", false)]
        {
            assert_eq!(text_reply(text.clone(), said).is_ok(), fine, "{said}");
        }
    }

    #[test]
    fn dates_and_choices() {
        let day = json!({ "kind": "date" });
        for text in ["2026-01-31", "31/01/2026", "31.1.26", "31-01-2026", "2026/1/31"] {
            assert_eq!(text_reply(day.clone(), text), Ok(json!("2026-01-31")), "{text}");
        }
        assert_eq!(text_reply(day.clone(), "Tomorrow"), Ok(json!("2026-01-06")));
        for text in ["31/02/2026", "32/01/2026", "soon", "1/2", "0/0/0", "99999/1/1"] {
            assert!(text_reply(day.clone(), text).is_err(), "{text}");
        }
        let american = json!({ "kind": "date", "order": "month_first", "future": true });
        assert_eq!(text_reply(american.clone(), "1/31/2026"), Ok(json!("2026-01-31")));
        assert_eq!(text_reply(american.clone(), "1/5/2026"), Ok(json!("2026-01-05")));
        assert!(text_reply(american, "1/4/2026").is_err());
        let sizes = json!({ "kind": "choice", "choices": ["Small", "Large"] });
        for text in ["large", " LARGE ", "2", "2."] {
            assert_eq!(text_reply(sizes.clone(), text), Ok(json!("Large")), "{text}");
        }
        for text in ["0", "3", "medium"] {
            assert!(text_reply(sizes.clone(), text).is_err(), "{text}");
        }
    }

    #[test]
    fn kinds_of_messages() {
        let tap = json!({ "type": "interactive", "text": null,
                          "reply": { "kind": "button", "id": "yes", "title": "Yes, please" } });
        let row = json!({ "type": "interactive", "reply": { "kind": "list", "id": "r1", "title": "Row" } });
        let text = json!({ "type": "text", "text": "yes" });
        let image = json!({ "type": "image", "text": null, "media": { "id": "m1" } });
        let place = json!({ "type": "location", "location": { "latitude": 1.0, "longitude": 2.0 } });
        let form = json!({ "type": "interactive", "flow": { "data": { "a": 1 } } });
        let all = [&tap, &row, &text, &image, &place, &form];
        let cases = [
            (Accept::Any, [true; 6]),
            (Accept::Text, [true, true, true, false, false, false]),
            (Accept::Button, [true, false, false, false, false, false]),
            (Accept::List, [false, true, false, false, false, false]),
            (Accept::Choice, [true, true, false, false, false, false]),
            (Accept::Media, [false, false, false, true, false, false]),
            (Accept::Location, [false, false, false, false, true, false]),
            (Accept::Flow, [false, false, false, false, false, true]),
        ];
        for (accept, wanted) in cases {
            for (message, fine) in all.iter().zip(wanted) {
                let reply = read(&json!({ "message": message }), accept, None, TODAY).unwrap();
                assert_eq!(reply.reason.is_none(), fine, "{accept:?} {message}");
            }
        }
        let value = |message: &Value| {
            read(&json!({ "message": message }), Accept::Any, None, TODAY).unwrap().json["value"].clone()
        };
        assert_eq!(value(&tap), "yes");
        assert_eq!(value(&text), "yes");
        assert_eq!(value(&form), json!({ "a": 1 }));
        assert_eq!(value(&image), json!({ "id": "m1" }));
        let choice: Validation =
            serde_json::from_value(json!({ "kind": "choice", "choices": ["YES", "NO"] })).unwrap();
        let by_id = read(&json!({ "message": tap }), Accept::Any, Some(&choice), TODAY).unwrap();
        assert_eq!(by_id.json["value"], "YES");
    }

    #[test]
    fn a_pattern_that_is_none_is_the_workflows_fault() {
        let validation: Validation =
            serde_json::from_value(json!({ "kind": "text", "pattern": "(" })).unwrap();
        let event = json!({ "message": { "text": "x" } });
        let error = read(&event, Accept::Any, Some(&validation), TODAY).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.path.as_deref()),
            ("invalid_pattern", Some("/validation/pattern"))
        );
    }
}
