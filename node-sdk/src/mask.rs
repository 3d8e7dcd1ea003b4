//! Takes the secrets of opened credentials out of everything that a node leaves behind: items, files, waits, replies,
//! errors, log lines and what it reports to have used. Servers like to echo what they were sent. Must not know where
//! credentials come from.
//!
//! A secret is found as it is, escaped as in JSON, percent-encoded, and in base64 at whatever place of the encoded text
//! it stands, so the pair of a basic authentication is found too. Texts shorter than [`SHORTEST`] are left alone: they
//! would be found by chance. What a node computes from a secret (a signature) is not recognised.

use crate::context::LogLine;
use crate::error::NodeError;
use crate::item::{FileRef, Item};
use crate::outcome::{Outcome, Output};
use crate::usage::UsageNote;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands in place of a secret.
pub const MASKED: &str = "***";
/// Shorter secrets are not looked for, bytes.
pub const SHORTEST: usize = 6;

/// The secrets that one execution of a node came to know. Has no `Debug`.
#[derive(Default)]
pub struct Secrets(Mutex<BTreeSet<String>>);

impl Secrets {
    /// Remembers a secret.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
        }
    }

    /// Remembers every text in a value.
    pub fn add_all(&self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(values) => values.iter().for_each(|value| self.add_all(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.add_all(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What finds them; `None` when there is nothing to find.
    pub fn mask(&self) -> Option<Mask> {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secrets.is_empty() {
            return None;
        }
        let patterns: BTreeSet<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
        // It fails only for more text than an index can count.
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns);
        finder.ok().map(|finder| Mask { finder, count: patterns.len() })
    }
}

/// Finds secrets, all in one pass.
pub struct Mask {
    finder: AhoCorasick,
    count: usize,
}

impl Mask {
    /// The text without secrets.
    pub fn text(&self, text: String) -> String {
        if self.finder.is_match(&text) {
            self.finder.replace_all(&text, &vec![MASKED; self.count])
        } else {
            text
        }
    }

    /// The value without secrets, in texts and in names of fields.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.finder.is_match(text.as_str()) => {
                *text = self.text(std::mem::take(text));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|value| self.value(value));
                if fields.keys().any(|name| self.finder.is_match(name)) {
                    let renamed = std::mem::take(fields).into_iter();
                    *fields = renamed.map(|(name, value)| (self.text(name), value)).collect::<Map<_, _>>();
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The items without secrets. Items in which there are none stay shared.
    pub fn items(&self, items: &mut [Item]) {
        for item in items {
            if self.is_in(&item.json) {
                self.value(Arc::make_mut(&mut item.json));
            }
            let Some(files) = &mut item.files else { continue };
            if files.values().any(|file| self.is_in_file(file)) {
                for file in Arc::make_mut(files).values_mut().filter(|file| self.is_in_file(file)) {
                    let data = self.finder.replace_all_bytes(&file.data, &vec![MASKED; self.count]);
                    *file = FileRef::new(
                        self.text(std::mem::take(&mut file.name)),
                        std::mem::take(&mut file.mime_type),
                        data,
                    );
                }
            }
        }
    }

    /// The answer of a node without secrets.
    #[must_use]
    pub fn outcome(&self, mut outcome: Outcome) -> Outcome {
        match &mut outcome {
            Outcome::Done(output) => self.output(output),
            Outcome::Suspend(wait) => {
                self.value(&mut wait.state);
                self.value(&mut wait.info);
            }
            Outcome::Call(call) => self.items(&mut call.items),
            Outcome::Stop(stop) => {
                stop.error = stop.error.take().map(|error| self.text(error));
                self.items(&mut stop.items);
            }
        }
        outcome
    }

    fn output(&self, output: &mut Output) {
        output.ports.iter_mut().for_each(|(_, items)| self.items(items));
        if let Some(state) = &mut output.loop_state {
            self.value(state);
        }
        if let Some(reply) = &mut output.reply {
            self.value(&mut reply.body);
            reply.headers.values_mut().for_each(|value| *value = self.text(std::mem::take(value)));
        }
    }

    /// The error without secrets.
    #[must_use]
    pub fn error(&self, mut error: NodeError) -> NodeError {
        error.message = self.text(error.message);
        error.code = match self.finder.is_match(error.code.as_ref()) {
            true => self.text(error.code.into_owned()).into(),
            false => error.code,
        };
        if let Some(details) = &mut error.details {
            self.value(details);
        }
        error
    }

    /// The lines without secrets.
    pub fn logs(&self, lines: &mut [LogLine]) {
        lines.iter_mut().for_each(|line| line.message = self.text(std::mem::take(&mut line.message)));
    }

    /// The notes without secrets. The names of attributes are the node's own words.
    pub fn usage(&self, notes: &mut [UsageNote]) {
        for note in notes {
            note.attributes.values_mut().for_each(|value| *value = self.text(std::mem::take(value)));
        }
    }

    fn is_in_file(&self, file: &FileRef) -> bool {
        self.finder.is_match(file.data.as_ref()) || self.finder.is_match(&file.name)
    }

    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.finder.is_match(text),
            Value::Array(values) => values.iter().any(|value| self.is_in(value)),
            Value::Object(fields) => {
                fields.iter().any(|(name, value)| self.finder.is_match(name) || self.is_in(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// A secret in all the ways in which it is looked for.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    let quoted = Value::from(secret).to_string();
    forms.push(quoted[1..quoted.len() - 1].to_owned());
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = percent_encoded(secret);
    forms.extend([lower_hex(&form), lower_hex(&percent), form, percent]);
    for before in 0..3 {
        forms.extend(base64_cores(secret.as_bytes(), before));
    }
    forms
}

/// RFC 3986: everything but unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The same with the digits after `%` in lower case, as some servers write them.
fn lower_hex(encoded: &str) -> String {
    // A digit counts when one of the two characters before it is `%`.
    let bytes = encoded.as_bytes();
    let is_digit = |at: usize| (1..=2).any(|back| at >= back && bytes[at - back] == b'%');
    let changed = bytes.iter().enumerate();
    changed
        .map(|(at, byte)| char::from(if is_digit(at) { byte.to_ascii_lowercase() } else { *byte }))
        .collect()
}

/// The part of the base64 text of `… secret …` that the secret alone decides, when `before` bytes (modulo 3) precede it.
fn base64_cores(secret: &[u8], before: usize) -> Vec<String> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret);
    // Six bits a character: those that hold bits of what stands before or after are left out.
    let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    let cut = |text: String| text.get(from..to).map(ToOwned::to_owned);
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)].into_iter().filter_map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use serde_json::json;

    const SECRET: &str = "s3cr/t+\"tök en\"=&<?>";

    fn mask(secrets: &[&str]) -> Mask {
        let known = Secrets::default();
        secrets.iter().for_each(|secret| known.add(secret));
        known.mask().unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let mask = mask(&[SECRET]);
        let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let url = url::Url::parse_with_params("https://x.test/", [("token", SECRET)]).unwrap().to_string();
        for text in [
            SECRET.to_owned(),
            format!("Bearer {SECRET}, again {SECRET}"),
            json!({ "echo": SECRET }).to_string(),
            form.clone(),
            lower_hex(&form),
            percent_encoded(SECRET),
            url,
        ] {
            let masked = mask.text(text.clone());
            assert!(masked.contains(MASKED), "{text}");
            assert!(!masked.contains("cr/t") && !masked.contains("3cr%2"), "{masked}");
        }
    }

    #[test]
    fn base64_is_found_at_any_place_of_the_encoded_text() {
        let mask = mask(&[SECRET]);
        for user in ["", "a", "as", "asha", "asha-foods"] {
            for tail in ["", "x", "xy", "xyz"] {
                let pair = format!("{user}:{SECRET}{tail}");
                for text in [STANDARD.encode(&pair), URL_SAFE.encode(&pair), STANDARD_NO_PAD.encode(&pair)] {
                    let masked = mask.text(format!("Basic {text}"));
                    assert!(masked.contains(MASKED), "{pair}");
                    // At most the edges stay, which hold less than two bytes of the secret.
                    let left = masked.len() - "Basic ".len() - MASKED.len();
                    assert!(left <= (user.len() + 1 + tail.len()) * 4 / 3 + 8, "{masked}");
                }
            }
        }
    }

    #[test]
    fn the_longest_secret_counts_and_short_ones_do_not() {
        let mask = mask(&["secret-token", "secret-token-long", "abc"]);
        assert_eq!(mask.text("secret-token-long abc".into()), "*** abc");
        let short = Secrets::default();
        short.add_all(&json!({ "pin": "12345", "number": 123_456_789 }));
        assert!(short.mask().is_none());
    }

    #[test]
    fn everything_that_a_node_leaves_is_masked() {
        let mask = mask(&["very-secret"]);
        let clean = Arc::new(json!({ "name": "Asha" }));
        let file = FileRef::new("very-secret.txt", "text/plain", &b"it was very-secret"[..]);
        let items = vec![
            Item { json: clean.clone(), files: None, from: None },
            Item::new(json!({ "headers": [{ "x": "very-secret" }], "very-secret": 1 }))
                .with_file("body", file),
        ];
        let Outcome::Done(output) = mask.outcome(items.into()) else { panic!() };
        let items = &output.ports[0].1;
        assert!(Arc::ptr_eq(&items[0].json, &clean), "what holds no secret stays shared");
        assert_eq!(*items[1].json, json!({ "headers": [{ "x": "***" }], "***": 1 }));
        let file = items[1].file("body").unwrap();
        assert_eq!((file.name.as_str(), &file.data[..], file.size), ("***.txt", &b"it was ***"[..], 10));
        let error = NodeError::auth("no very-secret here").details(json!({ "sent": "very-secret" }));
        let error = mask.error(error);
        assert_eq!((error.message.as_str(), error.details), ("no *** here", Some(json!({ "sent": "***" }))));
        let mut lines = [LogLine { at: 1, level: "info".into(), message: "very-secret".into() }];
        mask.logs(&mut lines);
        assert_eq!(lines[0].message, MASKED);
        let attributes = [("model".to_owned(), "very-secret".to_owned())].into();
        let mut notes =
            [UsageNote { key: "k".into(), kind: "ai_token".into(), quantity: 1, attributes, at: 1 }];
        mask.usage(&mut notes);
        assert_eq!(notes[0].attributes["model"], MASKED);
    }
}
