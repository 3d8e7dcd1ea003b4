//! `sluice nodes`: the catalogue.

use super::{Answer, Extra, exit};
use crate::cli::NodesArgs;
use crate::config::Settings;
use crate::wiring::MemoryHost;
use serde_json::Value;
use sluice_node_sdk::services::SystemClock;
use sluice_node_sdk::spec::{NodeSpec, Ports};
use std::sync::Arc;

/// Prints the catalogue or one node.
pub(super) async fn run(args: &NodesArgs, extra: Extra) -> Answer {
    let config = Settings::default().resolve().map_err(|error| error.to_string())?;
    let host = MemoryHost { extra, config };
    let (installation, _) = host.open(Arc::new(SystemClock), host.outside()?).await?;
    let registry = installation.engine.registry().clone();
    let Some(wanted) = &args.node_type else {
        if args.json {
            let specs: Vec<&NodeSpec> = registry.specs().collect();
            println!("{}", serde_json::to_string_pretty(&specs).map_err(|error| error.to_string())?);
        } else {
            registry.specs().for_each(|spec| println!("{:<28} {}", spec.node_type, spec.summary));
        }
        return Ok(exit(true));
    };
    let Some(node) = registry.get(wanted) else {
        return Err(format!("there is no node type `{wanted}`; `sluice nodes` lists them"));
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(node.spec()).map_err(|error| error.to_string())?);
    } else {
        print_spec(node.spec());
    }
    Ok(exit(true))
}

fn print_spec(spec: &NodeSpec) {
    println!("{} (version {}) · {}\n{}\n", spec.node_type, spec.version, spec.title, spec.summary);
    if !spec.docs.is_empty() {
        println!("{}\n", spec.docs);
    }
    println!(
        "Effect: {}",
        serde_json::to_value(spec.effect).unwrap_or_default().as_str().unwrap_or_default()
    );
    println!("Inputs: {}", ports(&spec.inputs));
    let own_error = spec.outputs.fixed.iter().any(|port| port.name == "error");
    println!("Outputs: {}{}\n", ports(&spec.outputs), if own_error { "" } else { ", error" });
    println!("Parameters:");
    let required: Vec<&str> =
        spec.params_schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, schema) in spec.params_schema["properties"].as_object().into_iter().flatten() {
        let mark = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let help = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
        println!("  {name}{mark}: {help}{}", choices(schema, &spec.params_schema));
    }
    for example in &spec.examples {
        println!("\nExample: {}\n  params: {}", example.title, example.params);
        if !example.input.is_empty() {
            println!("  input:  {}", Value::from(example.input.clone()));
        }
        for (port, items) in &example.output {
            println!("  {port}: {}", Value::from(items.clone()));
        }
        if let Some(error) = &example.error {
            println!("  error:  {error}");
        }
    }
}

/// The words that a parameter may be, and its default.
fn choices(schema: &Value, root: &Value) -> String {
    let mut words = Vec::new();
    collect_words(schema, root, 0, &mut words);
    let mut text = String::new();
    if !words.is_empty() {
        text = format!(" One of {}.", words.join(", "));
    }
    match schema.get("default") {
        None | Some(Value::Null) => text,
        Some(default) => format!("{text} Default: {default}."),
    }
}

/// Gathers constants and enumerations through references and alternatives, a few levels deep.
fn collect_words(schema: &Value, root: &Value, depth: usize, words: &mut Vec<String>) {
    if depth > 4 {
        return;
    }
    let target = schema["$ref"].as_str().and_then(|path| root.pointer(path.trim_start_matches('#')));
    for inner in
        target.into_iter().chain(["anyOf", "oneOf", "allOf"].iter().flat_map(|key| array(&schema[*key])))
    {
        collect_words(inner, root, depth + 1, words);
    }
    let own = array(&schema["enum"]).chain(schema.get("const")).filter(|word| !word.is_null());
    words.extend(
        own.map(|word| format!("`{}`", word.as_str().map_or_else(|| word.to_string(), str::to_owned))),
    );
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn ports(ports: &Ports) -> String {
    let mut names: Vec<String> = ports.fixed.iter().map(|port| port.name.clone()).collect();
    if let Some(from) = &ports.from_param {
        names.push(format!("one per element of {}", from.pointer));
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
