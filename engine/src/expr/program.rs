//! One compiled expression or script: Rhai's tree, what it refers to, and how to run it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, ASTNode, Dynamic, Engine, Expr, FnCallExpr};
use serde_json::Value;

use super::convert;
use super::engine::Engines;
use super::error::{ExprError, ExprErrorKind, TextPlace};
use super::frame;
use super::scope::Scope;
use super::translate::{self, Translated};
use super::view::JsonView;

/// A compiled expression, shared by all parameters with the same text.
pub(crate) struct Program {
    engines: Arc<Engines>,
    source: Box<str>,
    ast: AST,
    /// Names of variables the text mentions, each once.
    variables: Vec<Arc<str>>,
    /// Ids in `node("Id")`, each once.
    nodes: Vec<Arc<str>>,
    script: bool,
}

impl Program {
    pub(crate) fn expression(engines: &Arc<Engines>, source: &str) -> Result<Self, Translated> {
        check_length(source, engines.limits.expression_bytes)?;
        let ast = compile(|| engines.expressions.compile_expression(source))?;
        Self::analysed(engines, source, ast, false)
    }

    pub(crate) fn script(engines: &Arc<Engines>, source: &str) -> Result<Self, Translated> {
        check_length(source, engines.limits.script_bytes)?;
        let ast = compile(|| engines.scripts.compile(source))?;
        Self::analysed(engines, source, ast, true)
    }

    fn analysed(engines: &Arc<Engines>, source: &str, ast: AST, script: bool) -> Result<Self, Translated> {
        let mut names = Names::default();
        ast.walk(&mut |path| {
            names.visit(path);
            true
        });
        match names.problem {
            Some(problem) => Err(problem),
            None => Ok(Self {
                engines: engines.clone(),
                source: source.into(),
                ast,
                variables: names.variables,
                nodes: names.nodes,
                script,
            }),
        }
    }

    /// The text that was compiled.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Ids in `node("Id")`.
    pub(crate) fn nodes(&self) -> &[Arc<str>] {
        &self.nodes
    }

    /// Names of variables the text mentions.
    pub(crate) fn variables(&self) -> &[Arc<str>] {
        &self.variables
    }

    /// Evaluates; the place of an error is counted from `start`.
    pub(crate) fn eval(&self, scope: &dyn Scope, start: TextPlace) -> Result<Value, ExprError> {
        self.eval_with(scope, Vec::new(), start)
    }

    /// Evaluates with further variables that hide the scope's.
    pub(crate) fn eval_with(
        &self,
        scope: &dyn Scope,
        given: Vec<(&str, Value)>,
        start: TextPlace,
    ) -> Result<Value, ExprError> {
        self.eval_in_rhai(scope, given).map_err(|failed| self.error(failed, start))
    }

    fn eval_in_rhai(&self, scope: &dyn Scope, given: Vec<(&str, Value)>) -> Result<Value, Translated> {
        let limits = &self.engines.limits;
        let (operations, time) = if self.script {
            (limits.script_operations, limits.script_time)
        } else {
            (limits.expression_operations, limits.expression_time)
        };
        let mut variables = self.bind(scope, given);
        let _frame = frame::enter(scope, &self.nodes, operations, time);
        // A panic inside the evaluator must fail this expression, not the process's other runs.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let value = self.engine().eval_ast_with_scope::<Dynamic>(&mut variables, &self.ast)?;
            convert::to_value(value).map_err(Box::from)
        }));
        match outcome {
            Ok(result) => result.map_err(|error| translate::eval_error(&error, &self.source)),
            Err(_) => Err(internal()),
        }
    }

    fn engine(&self) -> &Engine {
        if self.script { &self.engines.scripts } else { &self.engines.expressions }
    }

    fn bind(&self, scope: &dyn Scope, given: Vec<(&str, Value)>) -> rhai::Scope<'static> {
        let mut variables = rhai::Scope::new();
        for name in &self.variables {
            let hidden = given.iter().any(|(given, _)| *given == name.as_ref());
            let value = if hidden { None } else { variable(scope, name) };
            if let Some(value) = value {
                variables.push_dynamic(name.as_ref(), JsonView::open(value));
            }
        }
        for (name, value) in given {
            variables.push_dynamic(name, convert::from_value(value));
        }
        variables
    }

    /// An error of this program in a text where it starts at `start`.
    pub(crate) fn error(&self, failed: Translated, start: TextPlace) -> ExprError {
        located(failed, &self.source, start)
    }
}

/// The value of a variable; `json` is the item.
pub(crate) fn variable(scope: &dyn Scope, name: &str) -> Option<Arc<Value>> {
    if name == "json" { Some(scope.json()) } else { scope.var(name) }
}

/// Places an error inside the parameter text.
pub(crate) fn located(failed: Translated, source: &str, start: TextPlace) -> ExprError {
    ExprError::new(failed.kind, failed.message, source, start.plus(failed.place))
}

fn internal() -> Translated {
    Translated {
        kind: ExprErrorKind::Function,
        message: "the expression could not be evaluated (internal error in the evaluator)".into(),
        place: TextPlace::START,
    }
}

fn check_length(source: &str, most: usize) -> Result<(), Translated> {
    if source.len() <= most {
        return Ok(());
    }
    Err(Translated {
        kind: ExprErrorKind::Limit,
        message: format!("the text is {} bytes long; at most {most} are allowed", source.len()),
        place: TextPlace::START,
    })
}

fn compile(parse: impl FnOnce() -> Result<AST, rhai::ParseError>) -> Result<AST, Translated> {
    match catch_unwind(AssertUnwindSafe(parse)) {
        Ok(parsed) => parsed.map_err(|error| translate::parse_error(&error)),
        Err(_) => Err(internal()),
    }
}

/// What a tree refers to.
#[derive(Default)]
struct Names {
    variables: Vec<Arc<str>>,
    nodes: Vec<Arc<str>>,
    problem: Option<Translated>,
}

impl Names {
    fn visit(&mut self, path: &[ASTNode]) {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, _, _))) => note(&mut self.variables, &variable.1),
            Some(ASTNode::Expr(Expr::FnCall(call, position))) if call.name == "node" => {
                self.visit_node_call(call, *position);
            }
            _ => {}
        }
    }

    fn visit_node_call(&mut self, call: &FnCallExpr, position: rhai::Position) {
        match call.args.as_slice() {
            [Expr::StringConstant(id, _)] => note(&mut self.nodes, id),
            _ => {
                let place = TextPlace {
                    line: position.line().unwrap_or(1) as u32,
                    column: position.position().unwrap_or(1) as u32,
                };
                self.problem.get_or_insert(Translated {
                    kind: ExprErrorKind::Syntax,
                    message: "node() needs the node's id as plain text in quotes, such as node(\"Lookup\")"
                        .into(),
                    place,
                });
            }
        }
    }
}

fn note(names: &mut Vec<Arc<str>>, name: &str) {
    if !names.iter().any(|known| known.as_ref() == name) {
        names.push(name.into());
    }
}
