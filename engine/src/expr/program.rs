//! One compiled expression or script: Rhai's tree, what it refers to, and how to run it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, ASTNode, Dynamic, Engine, Expr, FnCallExpr, Stmt};
use serde_json::Value;

use super::convert;
use super::engine::Engines;
use super::error::{ExprError, ExprErrorKind, TextPlace};
use super::fast::Fast;
use super::frame;
use super::functions::TAKE_FUNCTIONS;
use super::limits::ExprLimits;
use super::scope::Scope;
use super::translate::{self, Translated};
use super::view::JsonView;

/// Stack of a script's thread. Reserved, not used, unless a script nests values as deeply as the
/// limit on list elements allows.
const SCRIPT_STACK: usize = 256 << 20;

/// A compiled expression, shared by all parameters with the same text.
pub(crate) struct Program {
    engines: Arc<Engines>,
    source: Box<str>,
    ast: AST,
    /// The short cut, for simple expressions.
    fast: Option<Fast>,
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
        if let Some(redefined) = ast.iter_functions().find(|function| TAKE_FUNCTIONS.contains(&function.name))
        {
            let message = format!("`{}` is already a function; choose another name", redefined.name);
            names.refuse(rhai::Position::NONE, &message);
        }
        match names.problem {
            Some(problem) => Err(problem),
            None => Ok(Self {
                engines: engines.clone(),
                source: source.into(),
                fast: if script { None } else { Fast::build(&ast) },
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

    pub(crate) fn limits(&self) -> &ExprLimits {
        &self.engines.limits
    }

    /// Ids in `node("Id")`.
    pub(crate) fn nodes(&self) -> &[Arc<str>] {
        &self.nodes
    }

    /// Names of variables the text mentions.
    pub(crate) fn variables(&self) -> &[Arc<str>] {
        &self.variables
    }

    /// Whether the short cut covers it.
    #[cfg(test)]
    pub(crate) fn is_quick(&self) -> bool {
        self.fast.is_some()
    }

    /// Evaluates; the place of an error is counted from `start`.
    pub(crate) fn eval(&self, scope: &dyn Scope, start: TextPlace) -> Result<Value, ExprError> {
        match self.fast.as_ref().and_then(|fast| fast.eval(scope)) {
            Some(value) => Ok(value),
            None => self.eval_slowly(scope, start),
        }
    }

    /// Evaluates and appends the value as text.
    pub(crate) fn push_text(
        &self,
        scope: &dyn Scope,
        start: TextPlace,
        out: &mut String,
    ) -> Result<(), ExprError> {
        if self.fast.as_ref().and_then(|fast| fast.push_text(scope, out)).is_none() {
            convert::push_text(out, &self.eval_slowly(scope, start)?);
        }
        Ok(())
    }

    /// Evaluates with Rhai, without the short cut.
    pub(crate) fn eval_slowly(&self, scope: &dyn Scope, start: TextPlace) -> Result<Value, ExprError> {
        self.eval_in_rhai(scope, Vec::new()).map_err(|failed| located(failed, &self.source, start))
    }

    /// Runs a script with further variables that hide the scope's, on a thread of its own:
    /// a script can nest values so deeply that dropping them needs more stack than workers have.
    pub(crate) fn run(&self, scope: &dyn Scope, given: Vec<(&str, Value)>) -> Result<Value, ExprError> {
        let outcome = std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().name("script".into()).stack_size(SCRIPT_STACK);
            let running = thread.spawn_scoped(threads, || self.eval_in_rhai(scope, given));
            running.map_or_else(
                |_| Err(no_thread()),
                |running| running.join().unwrap_or_else(|_| Err(internal())),
            )
        });
        outcome.map_err(|failed| located(failed, &self.source, TextPlace::START))
    }

    fn eval_in_rhai(&self, scope: &dyn Scope, given: Vec<(&str, Value)>) -> Result<Value, Translated> {
        let limits = &self.engines.limits;
        let budget = if self.script { limits.script_budget() } else { limits.expression_budget() };
        let mut variables = self.bind(scope, given);
        let _frame = frame::enter(scope, &self.nodes, budget);
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

fn no_thread() -> Translated {
    Translated {
        kind: ExprErrorKind::Limit,
        message: "the script could not be started: the machine is out of threads or memory".into(),
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
            Some(ASTNode::Stmt(Stmt::Share(shared))) if !is_lent(path) => {
                let position = shared.first().map(|(name, ..)| name.pos).unwrap_or_default();
                self.refuse(position, CAPTURE);
            }
            _ => {}
        }
    }

    fn visit_node_call(&mut self, call: &FnCallExpr, position: rhai::Position) {
        match call.args.as_slice() {
            [Expr::StringConstant(id, _)] => note(&mut self.nodes, id),
            _ => self.refuse(position, NODE_ID),
        }
    }

    fn refuse(&mut self, position: rhai::Position, message: &str) {
        self.problem.get_or_insert(Translated {
            kind: ExprErrorKind::Syntax,
            message: message.to_owned(),
            place: translate::place_of(position),
        });
    }
}

const NODE_ID: &str = "node() needs the node's id as plain text in quotes, such as node(\"Lookup\")";

const CAPTURE: &str = "a function that uses outside variables can only be given directly to map(), filter(), \
    find(), any(), all(), group_by() or sort_by()";

/// Whether the capturing closure at the end of `path` is an argument of a function that does not
/// keep it. A kept one could hold itself (and never be freed) or nest without end.
fn is_lent(path: &[ASTNode]) -> bool {
    let [.., ASTNode::Expr(taker), ASTNode::Expr(Expr::Stmt(_)), ASTNode::Stmt(_)] = path else {
        return false;
    };
    match taker {
        Expr::FnCall(call, _) | Expr::MethodCall(call, _) => {
            call.op_token.is_none() && TAKE_FUNCTIONS.contains(&call.name.as_str())
        }
        _ => false,
    }
}

fn note(names: &mut Vec<Arc<str>>, name: &str) {
    if !names.iter().any(|known| known.as_ref() == name) {
        names.push(name.into());
    }
}
