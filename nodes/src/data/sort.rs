//! `data.sort`: puts items in order. Must not know the engine.

use crate::values::{check, field, moment, order};
use jiff::tz::TimeZone;
use sluice_node_sdk::prelude::*;
use std::cmp::Ordering;

/// The node.
pub struct Sort;

/// What to sort by.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortParams {
    /// What to sort by; the second key decides where the first is equal, and so on. Items that are equal
    /// in all keys keep their order.
    #[schemars(length(min = 1, max = 20))]
    pub by: Vec<Key>,
}

/// One key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Field (path) to sort by.
    #[serde(default)]
    pub field: Option<String>,
    /// In place of a field: a value worked out for each item, for example `{{ json.first + json.last }}`.
    #[serde(default)]
    pub value: Value,
    /// Direction.
    #[serde(default)]
    pub order: Direction,
    /// How to read the values.
    #[serde(default, rename = "type")]
    pub kind: Kind,
}

/// Direction of sorting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Small to large, A to Z, old to new.
    #[default]
    Asc,
    /// Large to small, Z to A, new to old.
    Desc,
}

/// How to read the values. Values that cannot be read so count as missing; missing values come last
/// in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As they are: numbers by size, text by its characters.
    #[default]
    Auto,
    /// As numbers, also when written as text.
    Number,
    /// As text, without regard to capitals.
    Text,
    /// As moments in time.
    Date,
}

impl Node for Sort {
    const TYPE: &'static str = "data.sort";
    type Params = SortParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Sort", "Puts items in order")
            .docs(
                "Sorts the items by one or more keys. A key is a `field` or, with `value`, anything that \
                 can be worked out per item. Missing values come last.",
            )
            .example(
                Example::new("Highest first", json!({ "by": [{ "field": "score", "order": "desc" }] }))
                    .input(vec![json!({ "score": 7 }), json!({ "score": 42 }), json!({})])
                    .output(vec![json!({ "score": 42 }), json!({ "score": 7 }), json!({})]),
            )
            .example(
                Example::new(
                    "By name, then by number written as text",
                    json!({ "by": [{ "field": "name", "type": "text" }, { "field": "n", "type": "number" }] }),
                )
                .input(vec![
                    json!({ "name": "ben", "n": "1" }),
                    json!({ "name": "Asha", "n": "10" }),
                    json!({ "name": "asha", "n": "9" }),
                ])
                .output(vec![
                    json!({ "name": "asha", "n": "9" }),
                    json!({ "name": "Asha", "n": "10" }),
                    json!({ "name": "ben", "n": "1" }),
                ]),
            )
            .example(
                Example::new(
                    "By what is worked out",
                    json!({ "by": [{ "value": "{{ json.price * json.count }}" }] }),
                )
                .input(vec![json!({ "price": 5, "count": 9 }), json!({ "price": 8, "count": 2 })])
                .output(vec![json!({ "price": 8, "count": 2 }), json!({ "price": 5, "count": 9 })]),
            )
            .example(
                Example::new("A key needs a field or a value", json!({ "by": [{ "order": "desc" }] }))
                    .input(vec![json!({})])
                    .error("sort_key_missing"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let keys = params["by"].as_array().into_iter().flatten().enumerate();
        let nameless = keys.filter(|(_, key)| !check::is_set(key, "field") && !check::is_set(key, "value"));
        nameless.flat_map(|(place, _)| check::problems(Err(key_missing(place)))).collect()
    }

    async fn run(&self, ctx: &Context<'_, SortParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let zone = moment::zone(None, &ctx.run.time_zone)?;
        let mut rows: Vec<(Vec<Option<Value>>, usize)> = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let mut keys = Vec::with_capacity(params.by.len());
            for (place, key) in params.by.iter().enumerate() {
                let value = match &key.field {
                    Some(path) => field::get(&item.json, path).cloned(),
                    // With expressions about, a null may be what one of them came to for this item.
                    None if key.value.is_null() && ctx.params.is_static() => return Err(key_missing(place)),
                    None => Some(ctx.params.resolve_at(&format!("/by/{place}/value"), index)?),
                };
                keys.push(value.and_then(|value| readable(value, key.kind, &zone)));
            }
            rows.push((keys, index));
        }
        rows.sort_by(|(a, _), (b, _)| compare(a, b, &params.by));
        let items = input.items();
        Ok(rows
            .into_iter()
            .map(|(_, index)| items[index].clone().from_input(index))
            .collect::<Vec<_>>()
            .into())
    }
}

fn key_missing(place: usize) -> NodeError {
    NodeError::invalid_params("Each sort key needs a `field` or a `value`")
        .code("sort_key_missing")
        .at(format!("/by/{place}"))
}

/// The value as its kind wants it; none when it is missing or cannot be read so.
fn readable(value: Value, kind: Kind, zone: &TimeZone) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => None,
        (Kind::Auto, value) => Some(value),
        (Kind::Number, value) => order::number_of(&value).map(Value::Number),
        (Kind::Text, Value::String(text)) => Some(Value::String(text.to_lowercase())),
        (Kind::Text, value) => Some(Value::String(value.to_string())),
        (Kind::Date, value) => {
            let moment = moment::read(&value, zone)?.timestamp();
            // Milliseconds would lose the order of moments closer than that.
            Some(json!([moment.as_second(), moment.subsec_nanosecond()]))
        }
    }
}

fn compare(a: &[Option<Value>], b: &[Option<Value>], by: &[Key]) -> Ordering {
    let one = |(key, (a, b)): (&Key, (&Option<Value>, &Option<Value>))| match (a, b) {
        (Some(a), Some(b)) if key.order == Direction::Desc => order::compare(b, a),
        (Some(a), Some(b)) => order::compare(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()), // what is missing comes last either way
    };
    by.iter().zip(a.iter().zip(b)).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn sorted(by: Value, values: Vec<Value>) -> Vec<(Value, u32)> {
        let items = values.into_iter().map(|value| Item::new(json!({ "v": value }))).collect::<Vec<_>>();
        let outcome = Bench::new(node(Sort)).run(json!({ "by": by }), Input::main(items)).await.unwrap();
        let Outcome::Done(Output { ports, .. }) = outcome else { panic!("never waits") };
        ports[0].1.iter().map(|item| (item.json["v"].clone(), item.from.unwrap())).collect()
    }

    #[tokio::test]
    async fn equal_items_keep_their_order_in_both_directions() {
        let values = vec![json!(1), json!("x"), json!(1.0), json!(null), json!(0)];
        let up = sorted(json!([{ "field": "v" }]), values.clone()).await;
        assert_eq!(up.iter().map(|(_, from)| *from).collect::<Vec<_>>(), [4, 0, 2, 1, 3]);
        let down = sorted(json!([{ "field": "v", "order": "desc" }]), values).await;
        assert_eq!(down.iter().map(|(_, from)| *from).collect::<Vec<_>>(), [1, 0, 2, 4, 3]);
    }

    #[tokio::test]
    async fn dates_in_different_forms_compare_as_moments() {
        let values = vec![
            json!("2026-01-05T10:00:00Z"),
            json!("2026-01-05T15:00:00+05:30"),
            json!("soon"),
            json!(1_767_607_200_001_i64),
        ];
        let order = sorted(json!([{ "field": "v", "type": "date" }]), values).await;
        assert_eq!(order.iter().map(|(_, from)| *from).collect::<Vec<_>>(), [1, 0, 3, 2]);
    }
}
