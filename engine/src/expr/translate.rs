//! Turns Rhai's errors into ours: which kind, in which words, at which place.

use rhai::{Dynamic, EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use super::convert::kind_of;
use super::error::{ExprErrorKind, TextPlace};
use super::failure::{Failure, stop_message};
use super::frame::Stop;
use super::functions;

/// An error in our words, its place still counted inside the expression.
pub(crate) struct Translated {
    pub(crate) kind: ExprErrorKind,
    pub(crate) message: String,
    pub(crate) place: TextPlace,
}

/// A Rhai position as a place; the start when Rhai knows none.
pub(crate) fn place_of(position: Position) -> TextPlace {
    let as_count = |number: Option<usize>| number.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
    TextPlace { line: as_count(position.line()), column: as_count(position.position()) }
}

/// A compile error.
pub(crate) fn parse_error(error: &ParseError) -> Translated {
    let (kind, message) = parse_message(error.err_type());
    Translated { kind, message, place: place_of(error.position()) }
}

fn parse_message(error: &ParseErrorType) -> (ExprErrorKind, String) {
    use ExprErrorKind::{Limit, Syntax};
    match error {
        ParseErrorType::ExprTooDeep => {
            (Limit, "the expression is nested too deeply or too long a chain".into())
        }
        ParseErrorType::LiteralTooLarge(what, most) => (Limit, format!("{what} is over the limit of {most}")),
        ParseErrorType::TooManyFunctions => (Limit, "too many functions".into()),
        ParseErrorType::UnexpectedEOF => (Syntax, "the expression ends too early".into()),
        ParseErrorType::Reserved(word) => (Syntax, format!("`{word}` cannot be used here")),
        ParseErrorType::UnknownOperator(sign) => (Syntax, format!("`{sign}` cannot be used here")),
        ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if !word.is_empty() => {
            (Syntax, format!("`{word}` cannot be used here"))
        }
        ParseErrorType::BadInput(LexError::UnexpectedInput(text)) => {
            (Syntax, format!("`{text}` is not expected here"))
        }
        ParseErrorType::BadInput(LexError::StringTooLong(most)) => {
            (Limit, format!("the text is over {most} bytes"))
        }
        other => (Syntax, other.to_string()),
    }
}

/// A run-time error. `source` is the expression, to quote what was undefined.
pub(crate) fn eval_error(error: &EvalAltResult, source: &str) -> Translated {
    if let EvalAltResult::ErrorInFunctionCall(_, _, inner, outer) = error {
        let mut translated = eval_error(inner, source);
        if inner.position().is_none() {
            translated.place = place_of(*outer);
        }
        return translated;
    }
    let place = place_of(error.position());
    let (kind, message) = eval_message(error, source, place);
    Translated { kind, message, place }
}

fn eval_message(error: &EvalAltResult, source: &str, place: TextPlace) -> (ExprErrorKind, String) {
    use ExprErrorKind::{Function, Limit, Type, Undefined};
    match error {
        EvalAltResult::ErrorParsing(kind, _) => parse_message(kind),
        EvalAltResult::ErrorRuntime(value, _) => runtime_message(value),
        EvalAltResult::ErrorTerminated(token, _) => {
            (Limit, stop_message(token.clone().try_cast::<Stop>().unwrap_or(Stop::Time)).into())
        }
        EvalAltResult::ErrorTooManyOperations(_) => (Limit, stop_message(Stop::Operations).into()),
        EvalAltResult::ErrorStackOverflow(_) => (Limit, "too many nested calls".into()),
        EvalAltResult::ErrorTooManyVariables(_) => (Limit, "too many variables".into()),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            (Limit, format!("{} is over the limit", what.to_lowercase()))
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => (Undefined, format!("`{name}` is undefined")),
        EvalAltResult::ErrorPropertyNotFound(name, _) => {
            (Undefined, format!("property `{name}` is undefined"))
        }
        EvalAltResult::ErrorModuleNotFound(name, _) => (Undefined, format!("module `{name}` is undefined")),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => function_message(signature),
        EvalAltResult::ErrorDotExpr(message, _) => (Undefined, property_message(message, source, place)),
        EvalAltResult::ErrorIndexingType(kind, _) => (Undefined, index_message(kind, source, place)),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _)
        | EvalAltResult::ErrorMismatchOutputType(wanted, found, _) => {
            (Type, format!("{} is needed here, not {}", kind_in_words(wanted), kind_in_words(found)))
        }
        EvalAltResult::ErrorFor(_) => (Type, "only lists, ranges and objects can be looped over".into()),
        EvalAltResult::ErrorArithmetic(message, _) => (Function, message.clone()),
        EvalAltResult::ErrorDataRace(what, _) => {
            (Function, format!("{what} is changed while it is being read"))
        }
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            (Function, format!("`{name}` would change a value that cannot be changed"))
        }
        EvalAltResult::ErrorAssignmentToConstant(name, _) => {
            (Function, format!("`{name}` cannot be changed"))
        }
        other => (Type, other.to_string()),
    }
}

fn runtime_message(value: &Dynamic) -> (ExprErrorKind, String) {
    if let Some(failure) = value.clone().try_cast::<Failure>() {
        return (failure.kind, failure.message);
    }
    let text = super::convert::dynamic_text(value).unwrap_or_else(|_| kind_of(value).to_owned());
    (ExprErrorKind::Function, if text.is_empty() { "the script threw an error".into() } else { text })
}

/// `signature` is like `upper (i64, string)`.
fn function_message(signature: &str) -> (ExprErrorKind, String) {
    let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ""));
    let kinds: Vec<_> = arguments
        .trim_end_matches(')')
        .split(", ")
        .filter(|kind| !kind.is_empty())
        .map(kind_in_words)
        .collect();
    match functions::signature(name) {
        Some(signature) => {
            let kinds = kinds.join(", ");
            (ExprErrorKind::Type, format!("{name}() cannot take ({kinds}); it is used as {signature}"))
        }
        None => (ExprErrorKind::Undefined, format!("function `{name}` is undefined")),
    }
}

/// Rhai's type names in the words of this product.
pub(crate) fn kind_in_words(kind: &str) -> &'static str {
    match kind {
        "()" => "null",
        "bool" => "true/false",
        "i64" | "f64" => "a number",
        "char" | "&str | ImmutableString | String" => "text",
        "array" => "a list",
        "map" => "an object",
        "json" => "a list or object",
        "node" => "a node",
        "Fn" | "FnPtr" => "a function",
        kind if kind.contains("tring") => "text",
        kind if kind.contains("ange") => "a range",
        _ => "another kind of value",
    }
}

/// `message` is like `Unknown property 'b' - a getter is not registered for type '()'`.
fn property_message(message: &str, source: &str, place: TextPlace) -> String {
    let mut quoted = message.split('\'').skip(1).step_by(2);
    let property = quoted.next().unwrap_or_default();
    let kind = kind_in_words(quoted.next().unwrap_or_default());
    let owner = path_before(source, place);
    describe(&owner, kind, &format!("property `{property}`"))
}

fn index_message(kind: &str, source: &str, place: TextPlace) -> String {
    let kind = kind_in_words(kind.split(" [").next().unwrap_or(kind));
    describe(&path_before(source, place), kind, "an element")
}

fn describe(owner: &str, kind: &str, wanted: &str) -> String {
    match (owner.is_empty(), kind) {
        (false, "null") => {
            format!("`{owner}` is undefined (null), so it has no {}", wanted.trim_start_matches("an "))
        }
        (true, _) => format!("cannot read {wanted} of {kind}"),
        (false, _) => format!("cannot read {wanted} of `{owner}`, which is {kind}"),
    }
}

/// The path that ends right before `place`, such as `json.a` for the `.b` of `json.a.b`.
fn path_before(source: &str, place: TextPlace) -> String {
    let Some(line) = source.lines().nth(place.line as usize - 1) else { return String::new() };
    let before: Vec<char> = line.chars().take(place.column as usize - 1).collect();
    let mut end = before.len();
    while end > 0 && matches!(before[end - 1], '.' | '?' | '[' | ' ') {
        end -= 1;
    }
    let mut start = end;
    let mut brackets = 0_i32;
    while start > 0 {
        match before[start - 1] {
            ']' | ')' => brackets += 1,
            '[' | '(' if brackets > 0 => brackets -= 1,
            c if brackets > 0 || c.is_alphanumeric() || matches!(c, '_' | '.' | '?' | '"') => {}
            _ => break,
        }
        start -= 1;
    }
    before[start..end].iter().collect::<String>().trim().to_owned()
}
