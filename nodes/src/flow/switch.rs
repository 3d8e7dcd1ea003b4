//! `flow.switch`: sends each item to the first case that fits, or to all that fit. Must not know the engine.

use crate::values::{check, condition};
use sluice_node_sdk::outcome::Output;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Switch;

/// The cases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchParams {
    /// The cases, looked at from first to last. Each is an output of its own.
    #[schemars(length(min = 1, max = 50))]
    pub cases: Vec<Case>,
    /// Whether an item goes to the first case that fits or to every one.
    #[serde(default)]
    pub mode: Mode,
}

/// One way out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Name of the output.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,63}$"))]
    pub name: String,
    /// What is asked of each item, for example `{{ json.country == "IN" }}`.
    pub when: bool,
}

/// How many cases an item may go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The first case that fits.
    #[default]
    First,
    /// Every case that fits.
    All,
}

/// Where items go that fit no case.
const DEFAULT: &str = "default";

impl Node for Switch {
    const TYPE: &'static str = "flow.switch";
    type Params = SwitchParams;

    fn spec(&self) -> NodeSpec {
        let by_country = json!({ "cases": [
            { "name": "india", "when": "{{ json.country == \"IN\" }}" },
            { "name": "brazil", "when": "{{ json.country == \"BR\" }}" },
        ] });
        NodeSpec::new("Switch", "Sends each item to the case that fits")
            .docs(
                "Looks at every item, case by case, and sends it out at the first case that holds; with \
                 mode `all` at every case that holds. Items that fit no case leave at `default`.",
            )
            .outputs(
                Ports::fixed(&[(DEFAULT, "Items that fit no case")]).plus_from_param("/cases", Some("name")),
            )
            .example(
                Example::new("By country", by_country)
                    .input(vec![json!({ "country": "IN" }), json!({ "country": "FR" })])
                    .output_port("india", vec![json!({ "country": "IN" })])
                    .output_port(DEFAULT, vec![json!({ "country": "FR" })]),
            )
            .example(
                Example::new(
                    "To every case that fits",
                    json!({ "mode": "all", "cases": [
                        { "name": "a", "when": true }, { "name": "b", "when": false }, { "name": "c", "when": true }
                    ] }),
                )
                .input(vec![json!({ "id": 1 })])
                .output_port("a", vec![json!({ "id": 1 })])
                .output_port("c", vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new(
                    "Two cases may not share a name",
                    json!({ "cases": [{ "name": "a", "when": true }, { "name": "a", "when": false }] }),
                )
                .input(vec![json!({ "id": 1 })])
                .error("duplicate_case"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let names = params["cases"].as_array().into_iter().flatten().map(|case| case["name"].as_str());
        let names: Vec<String> = names.map(|name| name.unwrap_or_default().to_owned()).collect();
        (0..names.len()).flat_map(|place| check::problems(unused(&names[place], &names[..place]))).collect()
    }

    async fn run(&self, ctx: &Context<'_, SwitchParams>, input: Input) -> Result<Outcome, NodeError> {
        let all = ctx.params.resolve_at("/mode", 0)?.as_str() == Some("all");
        let names = case_names(ctx)?;
        let pointers: Vec<String> = (0..names.len()).map(|case| format!("/cases/{case}/when")).collect();
        let mut ports: Vec<Vec<Item>> = vec![Vec::new(); names.len() + 1];
        for (index, item) in input.items().iter().enumerate() {
            let mut fitted = false;
            for (case, pointer) in pointers.iter().enumerate() {
                if condition::holds(ctx, pointer, index)? {
                    ports[case].push(item.clone().from_input(index));
                    fitted = true;
                    if !all {
                        break;
                    }
                }
            }
            if !fitted {
                ports[names.len()].push(item.clone().from_input(index));
            }
        }
        let names = names.into_iter().chain([DEFAULT.to_owned()]).map(Into::into);
        Ok(Output { ports: names.zip(ports).collect(), ..Output::default() }.into())
    }
}

/// The names of the cases, read one by one so that no condition is evaluated that may not matter.
fn case_names(ctx: &Context<'_, SwitchParams>) -> Result<Vec<String>, NodeError> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let pointer = format!("/cases/{}/name", names.len());
        let name = match ctx.params.resolve_at(&pointer, 0)? {
            Value::Null if !names.is_empty() => return Ok(names),
            Value::String(name) => name,
            _ => {
                let message = "A switch needs at least one case, and each case a name";
                return Err(NodeError::invalid_params(message).code("case_name_missing").at(pointer));
            }
        };
        unused(&name, &names)?;
        names.push(name);
    }
}

/// Refuses a name that an earlier case or the output `default` already has.
fn unused(name: &str, earlier: &[String]) -> Result<(), NodeError> {
    if name != DEFAULT && earlier.iter().all(|taken| taken != name) {
        return Ok(());
    }
    let message = format!("There is already an output `{name}`; name the case differently");
    let pointer = format!("/cases/{}/name", earlier.len());
    Err(NodeError::invalid_params(message).code("duplicate_case").at(pointer))
}
