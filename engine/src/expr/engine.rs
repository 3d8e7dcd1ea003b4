//! Builds the two configured Rhai engines: one for expressions (no statements), one for scripts.

use rhai::{Dynamic, Engine, ImmutableString, OptimizationLevel};

use super::convert::kind_of;
use super::failure::{Outcome, undefined, wrong_type};
use super::frame::{self, NodeHandle};
use super::limits::ExprLimits;
use super::view::JsonView;
use super::{functions, ops};

/// The engines and the limits they enforce. Building them is costly; they are shared for ever.
pub(crate) struct Engines {
    pub(crate) limits: ExprLimits,
    pub(crate) expressions: Engine,
    pub(crate) scripts: Engine,
}

/// Words and signs that only scripts may use.
const SCRIPT_ONLY: &[&str] = &[
    "let", "const", "while", "loop", "until", "do", "for", "fn", "private", "throw", "try", "catch",
    "return", "break", "continue", "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=",
];

/// Words nobody may use: they load code or build it from text.
const NEVER: &[&str] = &["eval", "import", "export", "Fn", "print", "debug", "curry"];

impl Engines {
    pub(crate) fn new(limits: ExprLimits) -> Self {
        let mut expressions = common(&limits);
        expressions.set_allow_looping(false);
        for symbol in SCRIPT_ONLY {
            expressions.disable_symbol(*symbol);
        }
        let scripts = common(&limits);
        Self { limits, expressions, scripts }
    }
}

fn common(limits: &ExprLimits) -> Engine {
    let mut engine = Engine::new_raw();
    // Folding constants would use Rhai's own operators instead of ours.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fast_operators(false);
    for symbol in NEVER {
        engine.disable_symbol(*symbol);
    }
    engine.set_max_expr_depths(limits.depth, limits.depth);
    engine.set_max_call_levels(limits.call_levels);
    engine.set_max_modules(0);
    engine.set_max_functions(200);
    engine.set_max_variables(1_000);
    engine.set_max_string_size(limits.text_bytes);
    engine.set_max_array_size(limits.list_items);
    engine.set_max_map_size(limits.map_entries);
    engine.on_progress(|_| frame::tick().map(Dynamic::from));
    engine.on_invalid_array_index(|_, _, _| Ok(rhai::Target::from(Dynamic::UNIT)));
    register_types(&mut engine);
    ops::register(&mut engine);
    functions::register(&mut engine);
    engine
}

fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<JsonView>("json");
    engine.register_type_with_name::<NodeHandle>("node");
    engine.register_indexer_get(|view: &mut JsonView, key: ImmutableString| -> Outcome {
        view.property(&key).ok_or_else(|| {
            let kind = kind_of(&Dynamic::from(view.clone()));
            undefined(format!("cannot read property `{key}` of {kind}"))
        })
    });
    engine.register_indexer_get(|view: &mut JsonView, index: i64| -> Outcome {
        view.element(index).ok_or_else(|| {
            let kind = kind_of(&Dynamic::from(view.clone()));
            wrong_type(format!("cannot read element {index} of {kind}; a list is needed"))
        })
    });
    engine.register_iterator::<JsonView>();
    engine.register_iterator::<rhai::Array>();
    engine.register_iterator::<std::ops::Range<i64>>();
    engine.register_iterator::<std::ops::RangeInclusive<i64>>();
    engine.register_get("json", |node: &mut NodeHandle| JsonView::open(node.view.json.clone()));
    engine.register_get("items", |node: &mut NodeHandle| JsonView::of_items(node.view.items.clone()));
    engine.register_get("first", |node: &mut NodeHandle| item_json(node.view.items.first()));
    engine.register_get("last", |node: &mut NodeHandle| item_json(node.view.items.last()));
    engine.register_fn("node", |id: ImmutableString| -> Outcome {
        match frame::node(&id) {
            Some(Ok(node)) => Ok(node),
            Some(Err(reason)) => Err(undefined(reason.to_string())),
            None => Err(wrong_type(
                "node() needs the node's id as plain text in quotes, such as node(\"Lookup\")",
            )),
        }
    });
}

fn item_json(item: Option<&std::sync::Arc<serde_json::Value>>) -> Dynamic {
    item.cloned().map_or(Dynamic::UNIT, JsonView::open)
}
