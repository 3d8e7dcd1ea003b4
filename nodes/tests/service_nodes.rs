//! What must be true of every node that talks to the outside or to records: its examples are kept, its
//! schema is usable, it explains itself, it stops when the run is cancelled, and its errors show no secret.

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::credential::CredentialKind;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::registry::{Registry, RegistryError};
use sluice_node_sdk::spec::{Effect, NodeSpec};
use sluice_node_sdk::testkit::{Bench, FixedParams, check_examples, example_input};
use sluice_nodes::whatsapp::desk::NoRecords;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A node that only says something of itself.
struct Described(NodeSpec);

impl DynNode for Described {
    fn spec(&self) -> &NodeSpec {
        &self.0
    }

    fn run<'a>(&'a self, _: &'a NodeContext, input: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        ready(Ok(input.items().to_vec().into())).boxed()
    }
}

fn nodes() -> Vec<Arc<dyn DynNode>> {
    let mut nodes = sluice_nodes::http::http_nodes();
    nodes.extend(sluice_nodes::contact::contact_nodes(None));
    nodes.extend(sluice_nodes::whatsapp::whatsapp_nodes(Arc::new(NoRecords)));
    nodes
}

#[tokio::test]
async fn every_example_is_kept() {
    for node in nodes() {
        if let Err(fault) = check_examples(&node).await {
            panic!("{fault}");
        }
    }
}

#[test]
fn examples_fit_their_schemas_and_unknown_fields_do_not() {
    for node in nodes() {
        let spec = node.spec();
        let schema = jsonschema::options().offline().build(&spec.params_schema).expect("a usable schema");
        for example in &spec.examples {
            let place = format!("{} `{}`", spec.node_type, example.title);
            // What is too long or too many is refused by the schema already, before the workflow runs.
            let breaks_limit = matches!(example.error.as_deref(), Some("too_many" | "text_too_long"));
            assert_eq!(schema.is_valid(&example.params), !breaks_limit, "{place}");
            let mut unknown = example.params.clone();
            unknown["no_such_field"] = true.into();
            assert!(!schema.is_valid(&unknown), "{place}");
        }
    }
}

#[test]
fn every_kind_of_credential_that_a_node_takes_is_described_and_examples_fill_it_in() {
    let all: Vec<_> = nodes().into_iter().chain(sluice_nodes::core()).collect();
    let registry = Registry::new(all.iter().cloned()).unwrap();
    let kinds: BTreeMap<&str, &CredentialKind> =
        registry.credential_kinds().map(|kind| (&*kind.kind, kind)).collect();
    let mut used = BTreeSet::new();
    for spec in all.iter().map(|node| node.spec()) {
        for kind in spec.credentials.iter().flat_map(|need| &need.kinds) {
            let described = kinds.get(&**kind).unwrap_or_else(|| panic!("{}: {kind}", spec.node_type));
            assert_ne!(described.fields.is_empty(), described.provider.is_none(), "{kind}");
            used.insert(&**kind);
        }
        for example in spec.examples.iter().filter(|example| example.error.is_none()) {
            for credential in example.credentials.values() {
                let kind = kinds[credential["kind"].as_str().unwrap()];
                for field in kind.fields.iter().filter(|field| field.required) {
                    let place = format!("{} `{}` {}", spec.node_type, example.title, field.name);
                    assert!(credential["data"][&field.name].is_string(), "{place}");
                }
            }
        }
    }
    assert_eq!(used, kinds.keys().copied().collect(), "described and never taken");
}

#[test]
fn two_descriptions_of_one_kind_are_refused() {
    let [mut one, other] = ["One", "Other"].map(|title| {
        let kind = CredentialKind::new("http_bearer", title, "").secret("token", "Token", "");
        NodeSpec::new(title, "").credential_kinds([kind])
    });
    one.node_type = "test.one".to_owned();
    let two = NodeSpec { node_type: "test.other".to_owned(), ..other };
    let refused = Registry::new([one, two].map(|spec| Arc::new(Described(spec)) as Arc<dyn DynNode>));
    assert!(matches!(refused, Err(RegistryError::Kind(kind)) if kind == "http_bearer"));
}

/// Every property of every form has a help text, however deep it stands.
fn check_help(place: &str, schema: &Value) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        assert!(
            property["description"].is_string() || property["const"].is_string(),
            "{place} has no help text"
        );
        check_help(&place, property);
    }
    for part in ["oneOf", "anyOf"] {
        for form in schema[part].as_array().into_iter().flatten() {
            check_help(place, form);
        }
    }
    if schema["items"].is_object() {
        check_help(&format!("{place}[]"), &schema["items"]);
    }
}

#[test]
fn every_node_explains_itself() {
    for node in nodes() {
        let spec = node.spec();
        let name = &spec.node_type;
        for (what, text) in [("title", &spec.title), ("summary", &spec.summary), ("docs", &spec.docs)] {
            assert!(!text.trim().is_empty(), "{name} has no {what}");
        }
        assert!(!spec.examples.is_empty(), "{name} has no example");
        let titles: BTreeSet<_> = spec.examples.iter().map(|example| &example.title).collect();
        assert_eq!(titles.len(), spec.examples.len(), "{name} has two examples of one title");
        check_help(name, &spec.params_schema);
    }
}

#[tokio::test]
async fn a_cancelled_run_stops_what_would_send() {
    for node in nodes() {
        let spec = node.spec();
        let sends =
            spec.examples.iter().filter(|example| !example.http.is_empty() && spec.effect != Effect::Pure);
        for example in sends {
            let bench = Bench::new(node.clone()).http(example.http.clone());
            let ctx = bench.context(Arc::new(FixedParams(example.params.clone())));
            ctx.cancel.cancel();
            let error = node.run(&ctx, example_input(example)).await.expect_err("a cancelled run");
            assert_eq!(error.kind, ErrorKind::Cancelled, "{} `{}`", spec.node_type, example.title);
        }
    }
}

#[tokio::test]
async fn errors_show_no_secret() {
    let event = json!({ "message": { "id": "wamid.1" }, "contact": { "phone": "919876543210" },
                        "number": { "phone_number_id": "1" } });
    let calls = [
        ("whatsapp.send", json!({ "type": "text", "text": "a", "credential": "c" }), "whatsapp"),
        ("whatsapp.mark_read", json!({ "credential": "c" }), "whatsapp"),
        ("http.request", json!({ "url": "https://h.test/?key=topsecret", "credential": "c" }), "http_bearer"),
    ];
    for (node_type, params, kind) in calls {
        let node = nodes().into_iter().find(|node| node.spec().node_type == node_type).expect("in the list");
        let secret = json!({ "access_token": "topsecret", "token": "topsecret" });
        let echo =
            json!({ "reply": { "status": 400, "body": { "error": { "code": 100, "message": "no" } } } });
        let script = serde_json::from_value(echo).expect("a script");
        let bench = Bench::new(node).http(vec![script]).credential("c", kind, secret);
        let input = Input::main(vec![Item::new(event.clone())]);
        let error = bench.run(params, input).await.expect_err("the server refused");
        let text = serde_json::to_string(&error).expect("errors are data");
        assert!(!text.contains("topsecret"), "{node_type}: {text}");
    }
}
