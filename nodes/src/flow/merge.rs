//! `flow.merge`: brings two branches together. Must not know the engine.

use crate::values::check;
use crate::values::field::{get, kind_name};
use crate::values::order::canonical;
use serde_json::Map;
use sluice_node_sdk::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// The node.
pub struct Merge;

/// How to bring them together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeParams {
    /// How the items of the two inputs come together.
    #[serde(default)]
    pub mode: Mode,
    /// Fields (paths) that must be equal on both sides (mode `combine_by_key`).
    #[serde(default)]
    pub keys: Vec<String>,
    /// The same fields where the input `other` names them differently, in the same order.
    #[serde(default)]
    pub other_keys: Vec<String>,
    /// Which items without a partner are kept (both `combine` modes).
    #[serde(default)]
    pub unmatched: Unmatched,
    /// Whose value stays when both sides have a field of the same name.
    #[serde(default)]
    pub prefer: Side,
    /// Which input's items go on (mode `choose`); the first that has any when missing.
    #[serde(default)]
    pub choose: Option<Side>,
}

/// How items come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All items of `main`, then all of `other`.
    #[default]
    Append,
    /// First with first, second with second.
    CombineByPosition,
    /// Items whose key fields are equal; every pair when there are several.
    CombineByKey,
    /// The items of one input only.
    Choose,
}

/// Which items without a partner are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// Those of `main`.
    #[default]
    Main,
    /// Those of `other`.
    Other,
    /// All.
    Both,
    /// None.
    Drop,
}

/// One of the two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The input `main`.
    Main,
    /// The input `other`.
    #[default]
    Other,
}

impl Node for Merge {
    const TYPE: &'static str = "flow.merge";
    type Params = MergeParams;

    fn spec(&self) -> NodeSpec {
        let people = || vec![json!({ "id": 1, "name": "Asha" }), json!({ "id": 2, "name": "Ben" })];
        let orders = || vec![json!({ "customer": 2, "total": 90 }), json!({ "customer": 3, "total": 5 })];
        NodeSpec::new("Merge", "Brings two branches together")
            .docs(
                "Waits until both inputs are filled or known to stay empty, then brings their items \
                 together: one list after the other, paired by position, paired by equal key fields, or \
                 only those of one input. To bring more than two branches together in one list, lead \
                 several edges to `main`.",
            )
            .inputs(Ports::fixed(&[("main", "First branch"), ("other", "Second branch")]))
            .example(
                Example::new("One list after the other", json!({}))
                    .input(vec![json!({ "a": 1 })])
                    .input_port("other", vec![json!({ "b": 2 })])
                    .output(vec![json!({ "a": 1 }), json!({ "b": 2 })]),
            )
            .example(
                Example::new(
                    "Orders to their customers",
                    json!({ "mode": "combine_by_key", "keys": ["id"], "other_keys": ["customer"] }),
                )
                .input(people())
                .input_port("other", orders())
                .output(vec![
                    json!({ "id": 1, "name": "Asha" }),
                    json!({ "id": 2, "name": "Ben", "customer": 2, "total": 90 }),
                ]),
            )
            .example(
                Example::new("By position", json!({ "mode": "combine_by_position", "unmatched": "drop" }))
                    .input(vec![json!({ "a": 1, "same": "main" }), json!({ "a": 2 })])
                    .input_port("other", vec![json!({ "b": 1, "same": "other" })])
                    .output(vec![json!({ "a": 1, "same": "other", "b": 1 })]),
            )
            .example(
                Example::new("Whichever branch came", json!({ "mode": "choose" }))
                    .input_port("other", vec![json!({ "b": 2 })])
                    .output(vec![json!({ "b": 2 })]),
            )
            .example(
                Example::new("Keys are needed to pair by key", json!({ "mode": "combine_by_key" }))
                    .input(people())
                    .error("keys_missing"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, has_keys)
    }

    async fn run(&self, ctx: &Context<'_, MergeParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let (main, other) = (input.items().as_slice(), input.port("other"));
        let unrelated = |items: &[Item]| items.iter().cloned().map(without_origin).collect::<Vec<_>>();
        let items = match (params.mode, params.choose) {
            (Mode::Append, _) => {
                let mut items = input.pass();
                items.extend(unrelated(other));
                items
            }
            (Mode::Choose, Some(Side::Main)) => input.pass(),
            (Mode::Choose, Some(Side::Other)) => unrelated(other),
            (Mode::Choose, None) if main.is_empty() => unrelated(other),
            (Mode::Choose, None) => input.pass(),
            (Mode::CombineByPosition, _) => combine(&params, main, other, by_position(main, other))?,
            (Mode::CombineByKey, _) => combine(&params, main, other, by_key(&params, main, other)?)?,
        };
        Ok(items.into())
    }
}

fn without_origin(item: Item) -> Item {
    Item { from: None, ..item }
}

/// For each item of `main` the indexes of its partners in `other`.
type Partners = Vec<Vec<usize>>;

fn by_position(main: &[Item], other: &[Item]) -> Partners {
    (0..main.len()).map(|index| if index < other.len() { vec![index] } else { Vec::new() }).collect()
}

/// Refuses to pair by keys that are not there or do not match.
fn has_keys(params: &MergeParams) -> Result<(), NodeError> {
    if params.mode != Mode::CombineByKey {
        return Ok(());
    }
    if params.keys.is_empty() {
        let message = "Pairing by key needs at least one field in `keys`";
        return Err(NodeError::invalid_params(message).code("keys_missing").at("/keys"));
    }
    if !params.other_keys.is_empty() && params.other_keys.len() != params.keys.len() {
        let message = "`other_keys` must name as many fields as `keys`";
        return Err(NodeError::invalid_params(message).code("keys_differ").at("/other_keys"));
    }
    Ok(())
}

fn by_key(params: &MergeParams, main: &[Item], other: &[Item]) -> Result<Partners, NodeError> {
    has_keys(params)?;
    let other_keys = if params.other_keys.is_empty() { &params.keys } else { &params.other_keys };
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, item) in other.iter().enumerate() {
        if let Some(key) = key_of(&item.json, other_keys) {
            known.entry(key).or_default().push(index);
        }
    }
    let partners = |item: &Item| key_of(&item.json, &params.keys).and_then(|key| known.get(&key).cloned());
    Ok(main.iter().map(|item| partners(item).unwrap_or_default()).collect())
}

/// The key fields as one text; none when a field is missing or null, because nothing equals nothing.
fn key_of(json: &Value, fields: &[String]) -> Option<String> {
    let values = fields.iter().map(|field| get(json, field).filter(|value| !value.is_null()).map(canonical));
    values.collect::<Option<Vec<_>>>().map(|values| values.join("\u{0}"))
}

fn combine(
    params: &MergeParams,
    main: &[Item],
    other: &[Item],
    partners: Partners,
) -> Result<Vec<Item>, NodeError> {
    let mut paired = vec![false; other.len()];
    let mut items = Vec::new();
    for (index, (item, partners)) in main.iter().zip(partners).enumerate() {
        if partners.is_empty() && matches!(params.unmatched, Unmatched::Main | Unmatched::Both) {
            items.push(item.clone().from_input(index));
        }
        for partner in partners {
            paired[partner] = true;
            items.push(joined(item, &other[partner], params.prefer)?.from_input(index));
        }
    }
    if matches!(params.unmatched, Unmatched::Other | Unmatched::Both) {
        let alone = other.iter().zip(paired).filter(|(_, paired)| !paired);
        items.extend(alone.map(|(item, _)| without_origin(item.clone())));
    }
    Ok(items)
}

/// Both items in one: fields of both, files of both.
fn joined(main: &Item, other: &Item, prefer: Side) -> Result<Item, NodeError> {
    let (base, over) = (object(main)?, object(other)?);
    let mut map = base.clone();
    for (name, value) in over {
        if prefer == Side::Other || !map.contains_key(name) {
            map.insert(name.clone(), value.clone());
        }
    }
    let files = match (&main.files, &other.files) {
        (Some(base), Some(over)) => {
            let (under, over) = if prefer == Side::Other { (base, over) } else { (over, base) };
            let mut files = (**under).clone();
            files.extend(over.iter().map(|(name, file)| (name.clone(), file.clone())));
            Some(Arc::new(files))
        }
        (base, over) => base.clone().or_else(|| over.clone()),
    };
    Ok(Item { json: Arc::new(Value::Object(map)), files, from: None })
}

fn object(item: &Item) -> Result<&Map<String, Value>, NodeError> {
    item.json.as_object().ok_or_else(|| {
        let message = format!("Only objects can be combined, but an item is {}", kind_name(&item.json));
        NodeError::invalid_input(message).code("not_an_object")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn merged(params: Value, main: Vec<Value>, other: Vec<Value>) -> Vec<(Value, Option<u32>)> {
        let items = |values: Vec<Value>| values.into_iter().map(Item::new).collect::<Vec<_>>();
        let input = Input::main(items(main)).with_port("other", items(other));
        let Outcome::Done(Output { ports, .. }) = Bench::new(node(Merge)).run(params, input).await.unwrap()
        else {
            panic!("never waits")
        };
        ports[0].1.iter().map(|item| ((*item.json).clone(), item.from)).collect()
    }

    #[tokio::test]
    async fn keys_pair_every_match_and_keep_what_is_asked() {
        let main = vec![json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": null })];
        let other = vec![
            json!({ "id": 1.0, "n": "a" }),
            json!({ "id": 1, "n": "b" }),
            json!({ "id": 9 }),
            json!({ "n": 0 }),
        ];
        let params =
            |unmatched: &str| json!({ "mode": "combine_by_key", "keys": ["id"], "unmatched": unmatched });
        let pairs = [(json!({ "id": 1.0, "n": "a" }), Some(0)), (json!({ "id": 1, "n": "b" }), Some(0))];
        let left = [(json!({ "id": 2 }), Some(1)), (json!({ "id": null }), Some(2))];
        let right = [(json!({ "id": 9 }), None), (json!({ "n": 0 }), None)];
        let table = [
            ("drop", pairs.to_vec()),
            ("main", [&pairs[..], &left].concat()),
            ("other", [&pairs[..], &right].concat()),
            ("both", [&pairs[..], &left, &right].concat()),
        ];
        for (unmatched, expected) in table {
            assert_eq!(merged(params(unmatched), main.clone(), other.clone()).await, expected, "{unmatched}");
        }
    }

    #[tokio::test]
    async fn prefer_main_keeps_its_values() {
        let params = json!({ "mode": "combine_by_position", "prefer": "main" });
        let items = merged(params, vec![json!({ "a": 1 })], vec![json!({ "a": 2, "b": 2 })]).await;
        assert_eq!(items, vec![(json!({ "a": 1, "b": 2 }), Some(0))]);
    }
}
