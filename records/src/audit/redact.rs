//! What may be written into the audit trail: values without secrets, with personal details masked, and cut to a
//! readable size. It happens before an entry is sealed, so what is stored is what is proved. Must not know who reads it.

use serde_json::{Map, Value};

/// Stands where a secret was.
const REMOVED: &str = "[removed]";

/// Longest text, characters; of a longer one the beginning is kept.
const LONGEST_TEXT: usize = 500;
const KEPT_OF_TEXT: usize = 200;

/// Most items of a list, and fields of an object.
const MOST_ITEMS: usize = 50;

/// Deepest nesting.
const DEEPEST: usize = 8;

/// Bytes of a whole value as JSON.
const LARGEST: usize = 16 * 1024;

/// How much may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privacy {
    /// Everything that is no secret.
    Plain,
    /// It is about a person: names, addresses and numbers are masked.
    Personal,
}

/// Parts of field names whose text is a secret. Compared in lower case without `_`, `-` and spaces.
const SECRET_PARTS: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "masterkey",
    "authorization",
    "cookie",
    "verificationcode",
    "recoverycode",
    "onetimecode",
];

/// Whole field names of the same kind.
const SECRET_NAMES: &[&str] =
    &["otp", "pin", "pwd", "pass", "sealed", "bearer", "codehash", "keyhash", "signature"];

/// How secrets begin that are known by their looks, and how long they are at the least.
const SECRET_LOOKS: &[(&str, usize)] = &[
    ("sk_", 20),
    ("sk-", 20),
    ("EAA", 40),
    ("AIza", 30),
    ("ghp_", 20),
    ("github_pat_", 20),
    ("xox", 20),
    ("AKIA", 16),
    ("rzp_", 16),
    ("eyJ", 40),
    ("-----BEGIN ", 20),
    ("Bearer ", 8),
    ("Basic ", 8),
];

/// Field names whose text names a person.
const PERSONAL_NAMES: &[&str] = &[
    "name",
    "firstname",
    "lastname",
    "fullname",
    "profilename",
    "displayname",
    "middlename",
    "address",
    "street",
    "dob",
    "birthday",
    "birthdate",
    "email",
    "phone",
    "mobile",
    "whatsapp",
    "userid",
    "waid",
];

/// A value as JSON text that may be stored.
pub(super) fn presentable(value: &Value, privacy: Privacy) -> String {
    let shown = show(value, privacy, false, 0);
    let text = shown.to_string();
    if text.len() <= LARGEST {
        return text;
    }
    let short = |name: &str| name.chars().take(60).collect::<String>();
    let note = |value: &Value| Value::from(format!("… ({} bytes)", value.to_string().len()));
    let outline = match &shown {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (short(name), note(value))).collect())
        }
        other => note(other),
    };
    outline.to_string()
}

fn show(value: &Value, privacy: Privacy, is_name: bool, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::from(show_text(text, privacy, is_name)),
        Value::Array(_) | Value::Object(_) if depth >= DEEPEST => Value::from("…"),
        Value::Array(items) => {
            let shown = items.iter().take(MOST_ITEMS).map(|item| show(item, privacy, is_name, depth + 1));
            let mut shown: Vec<Value> = shown.collect();
            if items.len() > MOST_ITEMS {
                shown.push(Value::from(format!("… ({} items)", items.len())));
            }
            Value::Array(shown)
        }
        Value::Object(fields) => {
            let mut shown = Map::new();
            for (name, value) in fields.iter().take(MOST_ITEMS) {
                let plain = plain_name(name);
                let value = if is_secret_name(&plain) {
                    without(value)
                } else {
                    let is_name = is_name || PERSONAL_NAMES.contains(&plain.as_str());
                    show(value, privacy, is_name, depth + 1)
                };
                shown.insert(show_text(name, Privacy::Plain, false), value);
            }
            if fields.len() > MOST_ITEMS {
                shown.insert("…".to_owned(), Value::from(format!("{} fields", fields.len())));
            }
            Value::Object(shown)
        }
        Value::Null | Value::Bool(_) => value.clone(),
        // A telephone number may be a number as well.
        Value::Number(number) if privacy == Privacy::Personal && number.to_string().len() >= 8 => {
            Value::from(show_text(&number.to_string(), privacy, is_name))
        }
        Value::Number(_) => value.clone(),
    }
}

fn plain_name(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
}

fn is_secret_name(plain: &str) -> bool {
    SECRET_NAMES.contains(&plain) || SECRET_PARTS.iter().any(|part| plain.contains(part))
}

/// Whether there is a secret may be said; numbers and switches are settings, such as the length of a token.
fn without(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) if number.to_string().len() < 6 => value.clone(),
        _ => Value::from(REMOVED),
    }
}

fn show_text(text: &str, privacy: Privacy, is_name: bool) -> String {
    let text = without_secrets(text);
    if privacy == Privacy::Personal
        && let Some(masked) = mask(&text, is_name)
    {
        return masked;
    }
    cut(&text)
}

/// Takes secrets out of a text: a text that looks like one, passwords in addresses, secret fields of queries.
fn without_secrets(text: &str) -> String {
    let looks_secret = |word: &str| {
        SECRET_LOOKS.iter().any(|(start, least)| word.starts_with(start) && word.len() >= *least)
    };
    if looks_secret(text.trim_start()) {
        return REMOVED.to_owned();
    }
    let is_plain = !text.contains("://") && !text.contains('=') && !text.split_whitespace().any(looks_secret);
    if is_plain {
        return text.to_owned();
    }
    let word = |word: &str| {
        let bare = word.trim_end_matches(char::is_whitespace);
        let space = &word[bare.len()..];
        if looks_secret(bare) { format!("{REMOVED}{space}") } else { without_fields(&without_user(word)) }
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// `https://user:password@host` without what stands before the `@`.
fn without_user(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{REMOVED}{}", &rest[at..]),
        None => word.to_owned(),
    }
}

/// `…&token=abc&…` without the value.
fn without_fields(word: &str) -> String {
    if !word.contains('=') {
        return word.to_owned();
    }
    let is_end = |c: char| matches!(c, '&' | ';' | '?' | '#');
    let field = |part: &str| match part.split_once('=') {
        Some((name, value)) if is_secret_name(&plain_name(name)) => {
            let end = value.rfind(is_end).unwrap_or(value.len());
            format!("{name}={REMOVED}{}", &value[end..])
        }
        _ => part.to_owned(),
    };
    word.split_inclusive(is_end).map(field).collect()
}

/// What is left of a personal detail: enough to tell two apart, too little to reach anybody. None when it is no such
/// detail.
fn mask(text: &str, is_name: bool) -> Option<String> {
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let trimmed = text.trim();
    if let Some((user, host)) =
        trimmed.rsplit_once('@').filter(|(user, host)| !user.is_empty() && host.contains('.'))
        && !trimmed.contains(char::is_whitespace)
    {
        return Some(format!("{}•••@{}", first(user), cut(host)));
    }
    let digits: String = trimmed.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 8
        && trimmed.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.'));
    if is_number {
        return Some(format!("•••{}", &digits[digits.len() - 4..]));
    }
    (is_name && !trimmed.is_empty()).then(|| format!("{}•••", first(trimmed)))
}

fn cut(text: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST_TEXT {
        return text.to_owned();
    }
    let start: String = text.chars().take(KEPT_OF_TEXT).collect();
    format!("{start}… ({length} characters)")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn plain(value: Value) -> Value {
        serde_json::from_str(&presentable(&value, Privacy::Plain)).unwrap()
    }

    fn personal(value: Value) -> Value {
        serde_json::from_str(&presentable(&value, Privacy::Personal)).unwrap()
    }

    #[test]
    fn secrets_are_removed_by_name_and_by_looks() {
        let jwt = format!("eyJ{}", "a.b".repeat(20));
        let shown = plain(json!({
            "client_secret": "hush", "accessToken": "hush", "api-key": ["hush"], "Password": {"a": "hush"},
            "max_tokens": 400, "has_password": true, "token": null, "otp": "123456", "pin": 123456,
            "note": "Bearer hush-hush", "deep": [{"x": jwt}], "url": "postgres://me:hush@db/x?sslmode=on",
            "hook": "https://a.in/h?token=hush&a=1&sig=2", "text": "use sk_hushhushhushhushhush now",
            "pem": "-----BEGIN PRIVATE KEY-----\nhush"
        }));
        assert!(!shown.to_string().contains("hush"), "{shown}");
        assert!(!shown.to_string().contains("eyJ"), "{shown}");
        assert_eq!(shown["max_tokens"], 400);
        assert_eq!(shown["has_password"], true);
        assert_eq!(shown["token"], Value::Null);
        assert_eq!((&shown["otp"], &shown["pin"]), (&json!(REMOVED), &json!(REMOVED)));
        assert_eq!(shown["url"], "postgres://[removed]@db/x?sslmode=on");
        assert_eq!(shown["hook"], "https://a.in/h?token=[removed]&a=1&sig=2");
        assert_eq!(shown["text"], "use [removed] now");
    }

    #[test]
    fn what_is_no_secret_stays_word_for_word() {
        let value = json!({"name": "crm", "kind": "http_bearer", "text": "a = b\n c", "n": [1, 2.5, true, null],
            "email": "asha@example.in", "phone": "+91 98765 43210", "skip": "sk_1", "ratio": "a=b&c=d"});
        assert_eq!(plain(value.clone()), value);
    }

    #[test]
    fn persons_are_masked() {
        let shown =
            personal(json!({"name": "Asha Rao", "email": "asha@example.in", "phone": "+91 98765-43210",
            "n": 919876543210_i64, "city": "Pune", "note": "asha@example.in", "score": 41,
            "who": [{"first_name": "Asha", "tags": ["vip"]}], "empty_name": ""}));
        assert_eq!(
            shown,
            json!({"name": "A•••", "email": "a•••@example.in", "phone": "•••3210", "n": "•••3210", "city": "Pune",
                "note": "a•••@example.in", "score": 41, "who": [{"first_name": "A•••", "tags": ["vip"]}],
                "empty_name": ""})
        );
    }

    #[test]
    fn long_values_are_cut() {
        let shown = plain(json!({"text": "é".repeat(501), "list": (0..60).collect::<Vec<_>>()}));
        assert!(shown["text"].as_str().unwrap().ends_with("é… (501 characters)"));
        assert_eq!(shown["list"].as_array().unwrap().len(), 51);
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        assert!(plain(deep).to_string().contains('…'));
        let large: Map<String, Value> = (0..50).map(|n| (format!("f{n}"), json!("x".repeat(490)))).collect();
        let shown = plain(Value::Object(large));
        assert_eq!(shown["f7"], "… (492 bytes)");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from),
            "[a-z=&?:/@. ]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec(("[a-z_:/=@]{0,12}", inner), 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_becomes_bounded_json(value in any_json(), is_personal in any::<bool>()) {
            let privacy = if is_personal { Privacy::Personal } else { Privacy::Plain };
            let text = presentable(&value, privacy);
            prop_assert!(text.len() <= LARGEST);
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }

        #[test]
        fn a_secret_under_any_name_of_one_never_shows(
            part in prop::sample::select(SECRET_PARTS), before in "[a-z]{0,4}[_-]?", after in "[_-]?[a-z]{0,4}"
        ) {
            let shown = plain(json!({"outer": [{ format!("{before}{part}{after}"): "needle-in-hay" }]}));
            prop_assert!(!shown.to_string().contains("needle"));
        }
    }
}
