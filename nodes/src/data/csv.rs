//! `data.csv`: reads CSV into items and writes items as CSV. Must not know the engine.

use crate::values::check;
use crate::values::field::{get, with_field};
use ::csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use serde_json::Map;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Csv;

/// From CSV or to CSV, and in which form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvParams {
    /// Direction.
    pub operation: Operation,
    /// The text to read (`parse`), for example `{{ json.body }}`.
    #[serde(default)]
    pub text: Option<String>,
    /// Name of one of the item's files: the file to read in place of `text`, or the file to write
    /// (`format`) in place of the field `into`.
    #[serde(default)]
    pub file: Option<String>,
    /// What stands between values: one character, or `tab`.
    #[serde(default = "comma")]
    pub delimiter: String,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// Names of the columns. For `parse` they replace those of the first line; for `format` they are the
    /// fields (paths) to write. All fields in order of appearance when missing.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Whether numbers, `true`, `false` and empty values are read as such and not as text (`parse`).
    /// Numbers with leading zeros or a plus sign stay text, as phone numbers and codes must.
    #[serde(default)]
    pub detect_types: bool,
    /// Whether text that a spreadsheet would take for a formula gets a quote mark in front (`format`).
    /// Turn it on for files that people open in a spreadsheet and that hold what strangers wrote.
    #[serde(default)]
    pub escape_formulas: bool,
    /// Name of the field for the text (`format`).
    #[serde(default = "csv_name")]
    pub into: String,
    /// The node fails with `too_many_rows` in place of reading more rows than this from one text.
    #[serde(default = "row_limit")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_rows: usize,
}

fn comma() -> String {
    ",".to_owned()
}

fn yes() -> bool {
    true
}

fn csv_name() -> String {
    "csv".to_owned()
}

fn row_limit() -> usize {
    100_000
}

/// Direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// CSV in, one item per row out.
    Parse,
    /// Items in, one item with the CSV out.
    Format,
}

impl Node for Csv {
    const TYPE: &'static str = "data.csv";
    type Params = CsvParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("CSV", "Reads CSV into items, or writes items as CSV")
            .docs(
                "`parse` makes one item per row of a text or file; `format` makes one text or file of all \
                 items. Quotes, line breaks inside quotes, Windows line ends and a byte order mark are \
                 understood. Text must be UTF-8. A row with more or fewer values than there are columns is \
                 an error that names its line.",
            )
            .example(
                Example::new(
                    "Read",
                    json!({ "operation": "parse", "text": "name,age\nAsha,31\n\"Rao, B\",040\n" }),
                )
                .input(vec![json!({})])
                .output(vec![
                    json!({ "name": "Asha", "age": "31" }),
                    json!({ "name": "Rao, B", "age": "040" }),
                ]),
            )
            .example(
                Example::new(
                    "Read without names, with types",
                    json!({
                        "operation": "parse", "text": "Asha;31;true;;007", "delimiter": ";", "header": false,
                        "columns": ["name", "age", "vip", "note", "code"], "detect_types": true
                    }),
                )
                .input(vec![json!({})])
                .output(vec![json!({ "name": "Asha", "age": 31, "vip": true, "note": null, "code": "007" })]),
            )
            .example(
                Example::new("Write", json!({ "operation": "format" }))
                    .input(vec![json!({ "a": 1, "b": "x, y" }), json!({ "b": null, "c": ["z"] })])
                    .output(vec![json!({ "csv": "a,b,c\n1,\"x, y\",\n,,\"[\"\"z\"\"]\"\n" })]),
            )
            .example(
                Example::new("A row that is too short", json!({ "operation": "parse", "text": "a,b\n1\n" }))
                    .input(vec![json!({})])
                    .error("ragged_row"),
            )
            .example(
                Example::new("Nothing to read", json!({ "operation": "parse" }))
                    .input(vec![json!({})])
                    .error("text_missing"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let reads = check::plain_text(params, "operation") == Some("parse");
        if reads && !check::is_set(params, "text") && !check::is_set(params, "file") {
            return check::problems(Err(text_missing()));
        }
        check::plain_text(params, "delimiter")
            .map_or_else(Vec::new, |text| check::problems(delimiter(text).map(drop)))
    }

    async fn run(&self, ctx: &Context<'_, CsvParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        if params.operation == Operation::Format {
            return Ok(vec![written(&params, input.items())?].into());
        }
        let mut items = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let rows = rows(&params, source(&params, item, index)?)?;
            items.extend(rows.into_iter().map(|row| Item::new(Value::Object(row)).from_input(index)));
        }
        Ok(items.into())
    }
}

/// The text to read, as bytes.
fn source<'a>(params: &'a CsvParams, item: &'a Item, index: usize) -> Result<&'a [u8], NodeError> {
    match (&params.file, &params.text) {
        (Some(name), _) => item.file(name).map(|file| &file.data[..]).ok_or_else(|| {
            NodeError::invalid_input(format!("Item {index} has no file `{name}`"))
                .code("file_missing")
                .at("/file")
        }),
        (None, Some(text)) => Ok(text.as_bytes()),
        (None, None) => Err(text_missing()),
    }
}

fn text_missing() -> NodeError {
    let message = "There is nothing to read; set `text` or `file`";
    NodeError::invalid_params(message).code("text_missing").at("/text")
}

fn delimiter(text: &str) -> Result<u8, NodeError> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => Ok(*one),
        _ => {
            let message = "The delimiter must be one plain character such as `,` or `;`, or the word `tab`";
            Err(NodeError::invalid_params(message).code("delimiter").at("/delimiter"))
        }
    }
}

fn rows(params: &CsvParams, bytes: &[u8]) -> Result<Vec<Map<String, Value>>, NodeError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&params.delimiter)?)
        .has_headers(params.header)
        .flexible(true)
        .from_reader(bytes);
    let mut columns = params.columns.clone();
    if columns.is_empty() && params.header {
        columns = column_names(reader.headers().map_err(|error| unreadable(&error))?);
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        if columns.is_empty() {
            columns = column_names(&record.iter().map(|_| "").collect());
        }
        if record.len() != columns.len() {
            return Err(ragged(&record, columns.len()));
        }
        if rows.len() == params.max_rows {
            let message =
                format!("The CSV has more than {} rows; raise `max_rows` or split it", params.max_rows);
            return Err(NodeError::invalid_input(message).code("too_many_rows").at("/max_rows"));
        }
        let values =
            record.iter().map(|text| if params.detect_types { typed(text) } else { Value::from(text) });
        rows.push(columns.iter().cloned().zip(values).collect());
    }
    Ok(rows)
}

/// The names of the columns, made unique: `column_3` for an empty one, `name_2` for a second `name`.
fn column_names(header: &StringRecord) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (place, name) in header.iter().enumerate() {
        let name = match name.trim() {
            "" => format!("column_{}", place + 1),
            name => name.to_owned(),
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

/// A value with its type, where the text has exactly one reading.
fn typed(text: &str) -> Value {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    match text {
        "" => Value::Null,
        "true" | "TRUE" | "True" => Value::Bool(true),
        "false" | "FALSE" | "False" => Value::Bool(false),
        _ if leading_zero || !digits.starts_with(|c: char| c.is_ascii_digit()) => Value::from(text),
        _ => {
            serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| Value::from(text), Value::Number)
        }
    }
}

fn ragged(record: &StringRecord, expected: usize) -> NodeError {
    let line = record.position().map_or(0, ::csv::Position::line);
    NodeError::invalid_input(format!(
        "Line {line} has {} values but there are {expected} columns",
        record.len()
    ))
    .code("ragged_row")
    .details(json!({ "line": line, "values": record.len(), "columns": expected }))
}

fn unreadable(error: &::csv::Error) -> NodeError {
    let line = error.position().map_or(0, ::csv::Position::line);
    NodeError::invalid_input(format!("The CSV cannot be read at line {line}; it must be text in UTF-8"))
        .code("csv_unreadable")
        .details(json!({ "line": line }))
}

/// One item with all items written as CSV.
fn written(params: &CsvParams, items: &[Item]) -> Result<Item, NodeError> {
    let columns = if params.columns.is_empty() { all_fields(items) } else { params.columns.clone() };
    let broken = |error: ::csv::Error| NodeError::bug(format!("The CSV could not be written: {error}"));
    let terminator = Terminator::Any(b'\n');
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter(&params.delimiter)?)
        .terminator(terminator)
        .from_writer(Vec::new());
    if params.header {
        writer
            .write_record(columns.iter().map(|name| cell_text(name, params.escape_formulas)))
            .map_err(broken)?;
    }
    for item in items {
        let cells = columns.iter().map(|path| match get(&item.json, path) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => cell_text(text, params.escape_formulas),
            Some(other) => other.to_string(),
        });
        writer.write_record(cells).map_err(broken)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| NodeError::bug(format!("The CSV could not be written: {error}")))?;
    let result = Item::new(json!({}));
    let result = match &params.file {
        Some(name) => {
            result.with_file(name, FileRef::new(format!("{name}.csv"), "text/csv; charset=utf-8", bytes))
        }
        None => with_field(&result, 0, &params.into, String::from_utf8_lossy(&bytes).into_owned().into())?,
    };
    Ok(if items.len() == 1 { result.from_input(0) } else { Item { from: None, ..result } })
}

/// Every field of any item, in order of appearance.
fn all_fields(items: &[Item]) -> Vec<String> {
    let names = items.iter().filter_map(|item| item.json.as_object()).flat_map(Map::keys).cloned();
    names.collect::<indexmap::IndexSet<_>>().into_iter().collect()
}

/// Text for a cell; with `escape` a quote mark stops a spreadsheet from running it (OWASP, "CSV injection").
fn cell_text(text: &str, escape: bool) -> String {
    if escape && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn run(params: Value, item: Item) -> Result<Vec<Item>, NodeError> {
        let outcome = Bench::new(node(Csv)).run(params, Input::main(vec![item])).await?;
        let Outcome::Done(Output { mut ports, .. }) = outcome else { panic!("never waits") };
        Ok(ports.remove(0).1)
    }

    #[tokio::test]
    async fn odd_but_valid_texts_are_read() {
        let table = [
            ("\u{feff}a,b\r\n1,2\r\n", json!([{ "a": "1", "b": "2" }])),
            ("a,a,\n1,2,3\n", json!([{ "a": "1", "a_2": "2", "column_3": "3" }])),
            ("a\n\"x\ny\"\n", json!([{ "a": "x\ny" }])),
            ("a\n\"say \"\"hi\"\"\"\n", json!([{ "a": "say \"hi\"" }])),
            ("a,b\n", json!([])),
            ("", json!([])),
        ];
        for (text, expected) in table {
            let items =
                run(json!({ "operation": "parse", "text": text }), Item::new(json!({}))).await.unwrap();
            let rows: Vec<&Value> = items.iter().map(|item| &*item.json).collect();
            assert_eq!(json!(rows), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_file_goes_round() {
        let write = json!({ "operation": "format", "file": "people" });
        let written = run(write, Item::new(json!({ "name": "Zoë", "n": 1.5 }))).await.unwrap().remove(0);
        assert_eq!(written.file("people").unwrap().name, "people.csv");
        let read = json!({ "operation": "parse", "file": "people", "detect_types": true });
        assert_eq!(*run(read, written).await.unwrap()[0].json, json!({ "name": "Zoë", "n": 1.5 }));
    }

    #[tokio::test]
    async fn bad_input_is_named() {
        let latin1 = FileRef::new("f.csv", "text/csv", &b"a\ncaf\xe9\n"[..]);
        let item = Item::new(json!({})).with_file("f", latin1);
        let error = run(json!({ "operation": "parse", "file": "f" }), item.clone()).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.details), ("csv_unreadable", Some(json!({ "line": 2 }))));
        let table = [
            (json!({ "operation": "parse", "file": "g" }), "file_missing"),
            (json!({ "operation": "parse", "text": "a\n1\n2\n", "max_rows": 1 }), "too_many_rows"),
            (json!({ "operation": "parse", "text": "a", "delimiter": ",," }), "delimiter"),
        ];
        for (params, code) in table {
            assert_eq!(run(params, item.clone()).await.unwrap_err().code, code);
        }
    }

    #[test]
    fn types_are_read_only_when_certain() {
        let table = [
            ("31", json!(31)),
            ("-2.5", json!(-2.5)),
            ("0", json!(0)),
            ("0.5", json!(0.5)),
            ("007", json!("007")),
            ("+919", json!("+919")),
            ("1 2", json!("1 2")),
            ("nan", json!("nan")),
            ("", json!(null)),
            ("TRUE", json!(true)),
        ];
        for (text, expected) in table {
            assert_eq!(typed(text), expected, "{text}");
        }
    }

    #[test]
    fn formulas_are_escaped_when_asked() {
        assert_eq!(cell_text("=1+1", true), "'=1+1");
        assert_eq!(cell_text("=1+1", false), "=1+1");
        assert_eq!(cell_text("a=1", true), "a=1");
    }
}
