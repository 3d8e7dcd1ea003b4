//! `data.summarize`: counts, adds up and groups items. Must not know the engine.

use crate::values::check;
use crate::values::field::{get, kind_name, last_name};
use crate::values::order::{canonical, compare, number_of};
use serde_json::{Map, Number};
use sluice_node_sdk::prelude::*;
use std::collections::{HashMap, HashSet};

/// The node.
pub struct Summarize;

/// What to work out, over which groups.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SummarizeParams {
    /// Fields (paths) whose equal values make a group. Without any, all items are one group.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// What to work out for each group.
    #[schemars(length(min = 1, max = 100))]
    pub values: Vec<Summary>,
}

/// One value to work out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// How.
    pub op: Op,
    /// Of which field (path). Only `count` does without; it then counts items.
    #[serde(default)]
    pub field: Option<String>,
    /// Name of the result; `sum_total` for the sum of `total` when missing.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// Text between values (`concat`).
    #[serde(default = "comma")]
    pub separator: String,
}

fn comma() -> String {
    ", ".to_owned()
}

/// How to work it out. Missing and null values never count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// How many.
    Count,
    /// How many different ones.
    CountUnique,
    /// All added up. Numbers written as text are read.
    Sum,
    /// The average; null when there is none.
    Avg,
    /// The middle value; null when there is none.
    Median,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The first.
    First,
    /// The last.
    Last,
    /// All in one text.
    Concat,
    /// All in one list.
    List,
    /// The different ones in one list.
    ListUnique,
}

impl Op {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountUnique => "count_unique",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Median => "median",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
            Self::Concat => "concat",
            Self::List => "list",
            Self::ListUnique => "list_unique",
        }
    }
}

impl Node for Summarize {
    const TYPE: &'static str = "data.summarize";
    type Params = SummarizeParams;

    fn spec(&self) -> NodeSpec {
        let orders = || {
            vec![
                json!({ "city": "Pune", "total": 90, "sku": "A" }),
                json!({ "city": "Goa", "total": "10.5", "sku": "A" }),
                json!({ "city": "Pune", "total": 30, "sku": "B" }),
            ]
        };
        NodeSpec::new("Summarize", "Counts, adds up and groups items")
            .docs(
                "Makes one item per group with the values asked for, groups in order of appearance. Whole \
                 numbers add up exactly. A value that is no number fails the node with `not_a_number` for \
                 `sum`, `avg` and `median`.",
            )
            .example(
                Example::new(
                    "Per city",
                    json!({ "group_by": ["city"], "values": [
                        { "op": "count", "as": "orders" }, { "op": "sum", "field": "total" }
                    ] }),
                )
                .input(orders())
                .output(vec![
                    json!({ "city": "Pune", "orders": 2, "sum_total": 120 }),
                    json!({ "city": "Goa", "orders": 1, "sum_total": 10.5 }),
                ]),
            )
            .example(
                Example::new(
                    "Over all",
                    json!({ "values": [
                        { "op": "avg", "field": "total" }, { "op": "max", "field": "city" },
                        { "op": "list_unique", "field": "sku" }, { "op": "concat", "field": "city", "separator": "/" }
                    ] }),
                )
                .input(orders())
                .output(vec![json!({
                    "avg_total": 43.5, "max_city": "Pune", "list_unique_sku": ["A", "B"],
                    "concat_city": "Pune/Goa/Pune"
                })]),
            )
            .example(
                Example::new("A word cannot be added up", json!({ "values": [{ "op": "sum", "field": "city" }] }))
                    .input(orders())
                    .error("not_a_number"),
            )
            .example(
                Example::new("A sum of what?", json!({ "values": [{ "op": "sum" }] }))
                    .input(orders())
                    .error("field_missing"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, well_formed)
    }

    async fn run(&self, ctx: &Context<'_, SummarizeParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        well_formed(&params)?;
        let single = input.items().len() == 1;
        let mut results = Vec::new();
        for group in groups(&params.group_by, input.items()) {
            let mut json = Map::new();
            for path in &params.group_by {
                json.insert(last_name(path).to_owned(), get(group[0], path).cloned().unwrap_or_default());
            }
            for (place, summary) in params.values.iter().enumerate() {
                let pointer = format!("/values/{place}");
                let value = summarized(summary, &group, &pointer)?;
                json.insert(summary.result_name(), value);
            }
            let item = Item::new(Value::Object(json));
            results.push(if single { item.from_input(0) } else { item });
        }
        Ok(results.into())
    }
}

impl Summary {
    fn result_name(&self) -> String {
        match (&self.name, &self.field) {
            (Some(name), _) => name.clone(),
            (None, Some(field)) => format!("{}_{}", self.op.name(), last_name(field)),
            (None, None) => self.op.name().to_owned(),
        }
    }
}

/// Refuses results without a field and results of one name.
fn well_formed(params: &SummarizeParams) -> Result<(), NodeError> {
    let mut names: HashSet<String> = params.group_by.iter().map(|path| last_name(path).to_owned()).collect();
    for (place, summary) in params.values.iter().enumerate() {
        let pointer = format!("/values/{place}");
        if summary.field.is_none() && summary.op != Op::Count {
            let message = format!("`{}` needs a `field`", summary.op.name());
            return Err(NodeError::invalid_params(message).code("field_missing").at(pointer));
        }
        if !names.insert(summary.result_name()) {
            let message = format!("Two results are named `{}`; set `as`", summary.result_name());
            return Err(NodeError::invalid_params(message).code("duplicate_field").at(pointer));
        }
    }
    Ok(())
}

/// The items' data in groups, in order of first appearance; no group is empty.
fn groups<'i>(by: &[String], items: &'i [Item]) -> Vec<Vec<&'i Value>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Value>> = Vec::new();
    for item in items {
        let values = by.iter().map(|path| get(&item.json, path).map_or_else(String::new, canonical));
        let place = *places.entry(values.collect::<Vec<_>>().join("\u{0}")).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(&item.json);
    }
    groups
}

fn summarized(summary: &Summary, group: &[&Value], pointer: &str) -> Result<Value, NodeError> {
    let Some(path) = &summary.field else { return Ok(Value::from(group.len())) };
    let values: Vec<&Value> =
        group.iter().filter_map(|json| get(json, path)).filter(|value| !value.is_null()).collect();
    let numbers = || numbers(&values, path, pointer);
    let owned = |value: Option<&&Value>| value.map_or(Value::Null, |value| (*value).clone());
    Ok(match summary.op {
        Op::Count => Value::from(values.len()),
        Op::CountUnique => Value::from(unique(&values).len()),
        Op::Sum => sum(&numbers()?),
        Op::Avg => average(&numbers()?),
        Op::Median => median(numbers()?),
        Op::Min => owned(values.iter().min_by(|a, b| compare(a, b))),
        Op::Max => owned(values.iter().max_by(|a, b| compare(a, b))),
        Op::First => owned(values.first()),
        Op::Last => owned(values.last()),
        Op::Concat => {
            Value::String(values.iter().map(|value| text(value)).collect::<Vec<_>>().join(&summary.separator))
        }
        Op::List => Value::Array(values.into_iter().cloned().collect()),
        Op::ListUnique => Value::Array(unique(&values).into_iter().cloned().collect()),
    })
}

fn unique<'v>(values: &[&'v Value]) -> Vec<&'v Value> {
    let mut seen = HashSet::new();
    values.iter().copied().filter(|value| seen.insert(canonical(value))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn numbers(values: &[&Value], path: &str, pointer: &str) -> Result<Vec<Number>, NodeError> {
    let read = |value: &&Value| {
        number_of(value).ok_or_else(|| {
            let found = match value {
                Value::String(text) => format!("the text `{}`", text.chars().take(40).collect::<String>()),
                other => kind_name(other).to_owned(),
            };
            let message = format!("`{path}` should be a number but one item has {found}");
            NodeError::invalid_input(message).code("not_a_number").at(format!("{pointer}/field"))
        })
    };
    values.iter().map(read).collect()
}

/// The sum: exact while all are whole numbers and the result fits, floating point otherwise.
fn sum(numbers: &[Number]) -> Value {
    let exact = numbers.iter().try_fold(0_i128, |sum, number| sum.checked_add(number.as_i128()?));
    match exact.map(i64::try_from) {
        Some(Ok(sum)) => Value::from(sum),
        _ => Value::from(numbers.iter().filter_map(Number::as_f64).sum::<f64>()),
    }
}

fn average(numbers: &[Number]) -> Value {
    if numbers.is_empty() {
        return Value::Null;
    }
    Value::from(sum(numbers).as_f64().unwrap_or(f64::NAN) / numbers.len() as f64)
}

fn median(mut numbers: Vec<Number>) -> Value {
    numbers.sort_by(crate::values::order::compare_numbers);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => Value::Null,
        odd if odd % 2 == 1 => Value::Number(numbers[middle].clone()),
        _ => average(&numbers[middle - 1..=middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Op, values: &[Value]) -> Value {
        let items: Vec<Value> = values.iter().map(|value| json!({ "v": value })).collect();
        let group: Vec<&Value> = items.iter().collect();
        let summary = Summary { op, field: Some("v".to_owned()), name: None, separator: comma() };
        summarized(&summary, &group, "/values/0").unwrap()
    }

    #[test]
    fn every_operation() {
        let values = [json!(3), json!(null), json!(1), json!("2"), json!(1.0)];
        let table = [
            (Op::Count, json!(4)),
            (Op::CountUnique, json!(3)),
            (Op::Sum, json!(7.0)),
            (Op::Avg, json!(1.75)),
            (Op::Median, json!(1.5)),
            (Op::Min, json!(1)),
            (Op::Max, json!("2")),
            (Op::First, json!(3)),
            (Op::Last, json!(1.0)),
            (Op::Concat, json!("3, 1, 2, 1.0")),
            (Op::List, json!([3, 1, "2", 1.0])),
            (Op::ListUnique, json!([3, 1, "2"])),
        ];
        for (op, expected) in table {
            assert_eq!(of(op, &values), expected, "{}", op.name());
        }
    }

    #[test]
    fn sums_are_exact_while_they_can_be() {
        assert_eq!(
            of(Op::Sum, &[json!(9_007_199_254_740_993_i64), json!(1)]),
            json!(9_007_199_254_740_994_i64)
        );
        assert_eq!(of(Op::Sum, &[json!(i64::MAX), json!(i64::MAX)]), json!(1.844_674_407_370_955_2e19));
        assert_eq!(of(Op::Sum, &[]), json!(0));
        assert_eq!(of(Op::Avg, &[]), json!(null));
        assert_eq!(of(Op::Median, &[json!(5), json!(1), json!(3)]), json!(3));
    }
}
