//! JSON Schema errors in words that people understand: which field, what was expected, what was found.
//!
//! Where the value is a workflow's parameter, a text with `{{ }}` stands for whatever it will give, so errors
//! about such texts do not count, also inside alternatives (`oneOf`, `anyOf`). Must not know nodes or documents.

use crate::graph::suggest::hint;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// Options listed in one message.
const LISTED_OPTIONS: usize = 30;

/// A schema, compiled, with its text for looking up names.
pub(super) struct Schema {
    validator: Validator,
    text: Value,
}

/// Something in a value that does not fit its schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// JSON pointer of the value at fault; of the field itself when it is unknown or missing.
    pub(super) pointer: String,
    pub(super) reason: Reason,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reason {
    /// A field that the schema does not know, with a hint what was meant.
    Unknown { field: String, hint: String },
    /// A field that must be there.
    Missing { field: String },
    /// Another type than expected.
    Type { expected: Vec<String>, found: &'static str },
    /// Not among the values that are allowed.
    Options(Vec<String>),
    /// Anything else, in the words of the JSON Schema library.
    Other(String),
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What is wrong with the schema, in words.
    pub(super) fn compile(text: &Value) -> Result<Self, String> {
        let validator = jsonschema::validator_for(text).map_err(|error| error.to_string())?;
        Ok(Self { validator, text: text.clone() })
    }

    /// All faults of a value.
    pub(super) fn faults(&self, value: &Value, texts: Texts) -> Vec<Fault> {
        self.validator.iter_errors(value).flat_map(|error| self.read(&error, texts)).collect()
    }

    fn read(&self, error: &ValidationError<'_>, texts: Texts) -> Vec<Fault> {
        if texts.excuse(error) {
            return Vec::new();
        }
        let pointer = error.instance_path().as_str().to_owned();
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                let alternatives = context
                    .iter()
                    .map(|errors| errors.iter().flat_map(|error| self.read(error, texts)).collect())
                    .collect();
                best(&pointer, alternatives)
            }
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                let known = self.siblings(error.schema_path().as_str());
                unexpected.iter().map(|field| unknown(&pointer, field, &known)).collect()
            }
            Kind::Required { property } => {
                let field = property.as_str().unwrap_or_default().to_owned();
                let pointer = format!("{pointer}/{}", escape(&field));
                vec![Fault { pointer, reason: Reason::Missing { field } }]
            }
            Kind::Type { kind } => {
                let expected = expected(kind);
                vec![Fault { pointer, reason: Reason::Type { expected, found: type_of(error.instance()) } }]
            }
            Kind::Enum { options } => {
                let options = options.as_array().into_iter().flatten().map(ToString::to_string).collect();
                vec![Fault { pointer, reason: Reason::Options(options) }]
            }
            Kind::Constant { expected_value } => {
                vec![Fault { pointer, reason: Reason::Options(vec![expected_value.to_string()]) }]
            }
            Kind::Pattern { .. } if !self.examples(error.schema_path().as_str()).is_empty() => {
                let examples = self.examples(error.schema_path().as_str()).join(", ");
                let message =
                    format!("{} is not written as expected; write for example {examples}", error.instance());
                vec![Fault { pointer, reason: Reason::Other(shorten(&message)) }]
            }
            _ => vec![Fault { pointer, reason: Reason::Other(shorten(&error.to_string())) }],
        }
    }

    /// The examples that stand beside a keyword such as `pattern`.
    fn examples(&self, keyword: &str) -> Vec<String> {
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        let examples = self.text.pointer(parent).and_then(|schema| schema.get("examples"));
        examples.and_then(Value::as_array).into_iter().flatten().map(ToString::to_string).collect()
    }

    /// The names that stand beside a keyword such as `additionalProperties`.
    fn siblings(&self, keyword: &str) -> Vec<&str> {
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        let properties = self.text.pointer(parent).and_then(|schema| schema.get("properties"));
        properties
            .and_then(Value::as_object)
            .map(|found| found.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

/// How texts with `{{ }}` are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// As any text.
    Literal,
    /// As what they will give.
    Templates,
}

impl Texts {
    fn excuse(self, error: &ValidationError<'_>) -> bool {
        if self == Self::Literal {
            return false;
        }
        match (error.kind(), &**error.instance()) {
            // Which of several alternatives fits can depend on what an expression gives.
            (Kind::OneOfMultipleValid { .. }, value) => holds_template(value),
            // One expression alone keeps its type; with text around it, the result is text.
            (Kind::Type { .. }, Value::String(text)) => {
                let text = text.trim();
                text.starts_with("{{") && text.ends_with("}}")
            }
            (Kind::AnyOf { .. } | Kind::OneOfNotValid { .. }, _) => false,
            (_, Value::String(text)) => text.contains("{{"),
            _ => false,
        }
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(list) => list.iter().any(holds_template),
        Value::Object(map) => map.values().any(holds_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The faults of the alternative that was most likely meant; none when one of them fits.
fn best(pointer: &str, mut alternatives: Vec<Vec<Fault>>) -> Vec<Fault> {
    if alternatives.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let is_other_type = |faults: &Vec<Fault>| {
        faults.iter().any(|fault| fault.pointer == pointer && matches!(fault.reason, Reason::Type { .. }))
    };
    if alternatives.iter().all(is_other_type) {
        return vec![Fault { pointer: pointer.to_owned(), reason: all_types(&alternatives) }];
    }
    alternatives.retain(|faults| !is_other_type(faults));
    if let Some(fault) = no_option_fits(&alternatives) {
        return vec![fault];
    }
    let misses = |faults: &Vec<Fault>| {
        faults.iter().filter(|fault| matches!(fault.reason, Reason::Options(_))).count()
    };
    alternatives.into_iter().min_by_key(|faults| (misses(faults), faults.len())).unwrap_or_default()
}

fn all_types(alternatives: &[Vec<Fault>]) -> Reason {
    let mut all: Vec<String> = Vec::new();
    let mut was = "nothing";
    for fault in alternatives.iter().flatten() {
        if let Reason::Type { expected, found } = &fault.reason {
            was = found;
            all.extend(expected.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
        }
    }
    Reason::Type { expected: all, found: was }
}

/// The field that tells the alternatives apart has a value that none of them has.
fn no_option_fits(alternatives: &[Vec<Fault>]) -> Option<Fault> {
    let options_at = |faults: &[Fault], pointer: &str| {
        faults.iter().find_map(|fault| match &fault.reason {
            Reason::Options(options) if fault.pointer == pointer => Some(options.clone()),
            _ => None,
        })
    };
    let first = alternatives.first()?.iter().filter(|fault| matches!(fault.reason, Reason::Options(_)));
    for candidate in first {
        let lists: Option<Vec<_>> =
            alternatives.iter().map(|faults| options_at(faults, &candidate.pointer)).collect();
        if let Some(lists) = lists {
            return Some(Fault {
                pointer: candidate.pointer.clone(),
                reason: Reason::Options(lists.concat()),
            });
        }
    }
    None
}

fn unknown(pointer: &str, field: &str, known: &[&str]) -> Fault {
    let mut hint = hint(field, known.iter().copied());
    if hint.is_empty() && !known.is_empty() {
        hint = format!("; known are {}", known.join(", "));
    }
    let reason = Reason::Unknown { field: field.to_owned(), hint };
    Fault { pointer: format!("{pointer}/{}", escape(field)), reason }
}

impl Reason {
    /// One sentence for people, about the value at `pointer`.
    pub(super) fn sentence(&self, pointer: &str) -> String {
        let name = place_name(pointer);
        match self {
            Self::Unknown { field, hint } => format!("There is no field `{field}` here{hint}"),
            Self::Missing { field } => format!("The field `{field}` is missing"),
            Self::Type { expected, found } => {
                format!("{name} must be {}, not {found}", expected.join(" or "))
            }
            Self::Options(options) if options.len() == 1 => format!("{name} must be {}", options[0]),
            Self::Options(options) => {
                let listed = options.iter().take(LISTED_OPTIONS).map(String::as_str).collect::<Vec<_>>();
                let more = if options.len() > LISTED_OPTIONS { ", …" } else { "" };
                format!("{name} must be one of {}{more}", listed.join(", "))
            }
            Self::Other(message) => format!("{name}: {message}"),
        }
    }
}

/// `cases/0/name` as "The value of `name`", an element of a list as "Element 0 of `cases`".
fn place_name(pointer: &str) -> String {
    let mut tokens = pointer.rsplit('/').filter(|token| !token.is_empty());
    match (tokens.next(), tokens.next()) {
        (None, _) => "The value".to_owned(),
        (Some(index), Some(list)) if index.parse::<usize>().is_ok() => {
            format!("Element {index} of `{}`", unescape(list))
        }
        (Some(field), _) => format!("The value of `{}`", unescape(field)),
    }
}

fn expected(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(one) => vec![in_words(&one.to_string())],
        TypeKind::Multiple(set) => set.iter().map(|one| in_words(&one.to_string())).collect(),
    }
}

fn in_words(json_type: &str) -> String {
    match json_type {
        "null" => "null",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        "object" => "an object",
        other => other,
    }
    .to_owned()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Messages of the library quote the whole value.
fn shorten(message: &str) -> String {
    const MOST: usize = 300;
    let mut kept: String = message.chars().take(MOST).collect();
    if kept.len() < message.len() {
        kept.push('…');
    }
    kept
}

/// A key as a token of a JSON pointer (RFC 6901).
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
