//! `data.json_schema`: checks items against a JSON Schema. Must not know the engine, and fetches nothing.

use crate::values::field::with_field;
use crate::values::{check, schema};
use sluice_node_sdk::outcome::Output;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct JsonSchemaCheck;

/// What must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonSchemaParams {
    /// The JSON Schema, draft 2020-12 unless `$schema` names another. It may refer to its own parts but
    /// not to other documents.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub schema: Value,
    /// What is checked, for example `{{ json.body }}`; the item's whole data when missing.
    #[serde(default)]
    pub value: Value,
    /// Name of the field that lists what is wrong with an invalid item.
    #[serde(default = "errors_name")]
    #[schemars(length(min = 1))]
    pub errors_field: String,
}

fn errors_name() -> String {
    "errors".to_owned()
}

impl Node for JsonSchemaCheck {
    const TYPE: &'static str = "data.json_schema";
    type Params = JsonSchemaParams;

    fn spec(&self) -> NodeSpec {
        let schema = json!({
            "type": "object",
            "required": ["email"],
            "properties": { "email": { "type": "string", "format": "email" } }
        });
        let missing = json!([{
            "path": "", "keyword": "required", "message": "\"email\" is a required property"
        }]);
        NodeSpec::new("Check with JSON Schema", "Tells valid items from invalid ones")
            .docs(
                "Checks every item against a JSON Schema. Valid items leave at `valid` unchanged; invalid ones \
                 leave at `invalid` with a list of everything that is wrong, each as `{ path, keyword, \
                 message }`. Formats such as `email` and `date-time` are checked.",
            )
            .outputs(Ports::fixed(&[
                ("valid", "Items that satisfy the schema"),
                ("invalid", "Items that do not, with the list of faults"),
            ]))
            .raw_param("/schema")
            .example(
                Example::new("An address is needed", json!({ "schema": schema }))
                    .input(vec![json!({ "email": "a@x.in" }), json!({ "name": "Ben" })])
                    .output_port("valid", vec![json!({ "email": "a@x.in" })])
                    .output_port("invalid", vec![json!({ "name": "Ben", "errors": missing })]),
            )
            .example(
                Example::new(
                    "Check a part",
                    json!({ "schema": { "type": "integer" }, "value": "{{ json.age }}", "errors_field": "why" }),
                )
                .input(vec![json!({ "age": 31 })])
                .output_port("valid", vec![json!({ "age": 31 })]),
            )
            .example(
                Example::new("Not a schema", json!({ "schema": { "type": "whole number" } }))
                    .input(vec![json!({})])
                    .error("invalid_schema"),
            )
            .example(
                Example::new("Nothing is fetched", json!({ "schema": { "$ref": "https://example.com/schema.json" } }))
                    .input(vec![json!({})])
                    .error("invalid_schema"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        match params.get("schema") {
            Some(schema) if schema.is_object() => {
                check::problems(schema::compile(schema, "/schema").map(drop))
            }
            _ => Vec::new(), // the node's own schema speaks of that
        }
    }

    async fn run(&self, ctx: &Context<'_, JsonSchemaParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let checker = schema::compile(&params.schema, "/schema")?;
        let (mut valid, mut invalid) = (Vec::new(), Vec::new());
        for (index, item) in input.items().iter().enumerate() {
            let faults = match ctx.params.resolve_at("/value", index)? {
                Value::Null => schema::faults(&checker, &item.json),
                value => schema::faults(&checker, &value),
            };
            if faults.is_empty() {
                valid.push(item.clone().from_input(index));
            } else {
                invalid.push(with_field(item, index, &params.errors_field, Value::Array(faults))?);
            }
        }
        Ok(Output::port("valid", valid).and("invalid", invalid).into())
    }
}
