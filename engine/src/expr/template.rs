//! The entry point: compiles parameter texts and scripts, keeps compiled expressions for reuse.

use std::fmt;
use std::sync::Arc;

use moka::sync::{Cache, CacheBuilder};
use serde_json::Value;

use super::engine::Engines;
use super::error::{ExprError, ExprErrorKind, TextPlace};
use super::lexer::{self, Piece};
use super::limits::ExprLimits;
use super::program::{Program, located};
use super::scope::Scope;

/// Compiles and runs expressions. Clones share the engines and the cache.
#[derive(Clone)]
pub struct Expressions(Arc<Shared>);

struct Shared {
    engines: Arc<Engines>,
    compiled: Cache<Box<str>, Arc<Program>>,
    scripts: Cache<Box<str>, Arc<Program>>,
}

impl fmt::Debug for Expressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expressions").field("limits", &self.0.engines.limits).finish_non_exhaustive()
    }
}

impl Default for Expressions {
    fn default() -> Self {
        Self::new(ExprLimits::default())
    }
}

impl Expressions {
    /// Builds the engines; costs milliseconds, so do it once per process.
    pub fn new(limits: ExprLimits) -> Self {
        let compiled = cache(limits.cached_expressions);
        let scripts = cache(limits.cached_scripts);
        Self(Arc::new(Shared { engines: Arc::new(Engines::new(limits)), compiled, scripts }))
    }

    /// Compiles one parameter text. The first error is reported with its place in the text.
    pub fn compile_text(&self, text: &str) -> Result<Template, ExprError> {
        if !text.contains("{{") {
            return Ok(Template::Literal(Value::String(text.to_owned())));
        }
        let pieces = lexer::split(text).map_err(|error| {
            let source = &text[error.source_start.min(error.offset)..];
            ExprError::new(ExprErrorKind::Syntax, error.message, source, TextPlace::of(text, error.offset))
        })?;
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parts.push(match piece {
                Piece::Text(text) => Part::Text(text.into()),
                Piece::Expr { source, offset } => {
                    Part::Expr(self.compile_site(source, TextPlace::of(text, offset))?)
                }
            });
        }
        Ok(match parts.len() {
            1 => match parts.swap_remove(0) {
                Part::Text(text) => Template::Literal(Value::String(text.into())),
                Part::Expr(site) => Template::Expr(site),
            },
            _ => Template::Parts(parts.into()),
        })
    }

    fn compile_site(&self, source: &str, start: TextPlace) -> Result<Site, ExprError> {
        if let Some(program) = self.0.compiled.get(source) {
            return Ok(Site { program, start });
        }
        let program =
            Program::expression(&self.0.engines, source).map_err(|failed| located(failed, source, start))?;
        let program = Arc::new(program);
        self.0.compiled.insert(source.into(), program.clone());
        Ok(Site { program, start })
    }

    /// Runs a `data.script`: full Rhai with loops and functions, bounded by the script limits.
    /// `vars` hide variables of the scope with the same name.
    pub fn run_script(
        &self,
        code: &str,
        scope: &dyn Scope,
        vars: Vec<(&str, Value)>,
    ) -> Result<Value, ExprError> {
        self.compile_script(code)?.run(scope, vars)
    }

    /// Checks that a script compiles.
    pub fn check_script(&self, code: &str) -> Result<(), ExprError> {
        self.compile_script(code).map(|_| ())
    }

    fn compile_script(&self, code: &str) -> Result<Arc<Program>, ExprError> {
        if let Some(program) = self.0.scripts.get(code) {
            return Ok(program);
        }
        let program = Program::script(&self.0.engines, code)
            .map_err(|failed| located(failed, code, TextPlace::START))?;
        let program = Arc::new(program);
        self.0.scripts.insert(code.into(), program.clone());
        Ok(program)
    }
}

/// Room for `entries` short texts; a long one takes the room of one per 256 bytes.
fn cache(entries: u64) -> Cache<Box<str>, Arc<Program>> {
    let room: CacheBuilder<Box<str>, Arc<Program>, _> = Cache::builder().max_capacity(entries);
    room.weigher(|text, _| weight(text)).build()
}

fn weight(text: &str) -> u32 {
    u32::try_from(text.len() / 256 + 1).unwrap_or(u32::MAX)
}

/// A compiled parameter text.
#[derive(Debug, Clone)]
pub enum Template {
    /// No expression inside.
    Literal(Value),
    /// Exactly one `{{ }}`: the value keeps its type.
    Expr(Site),
    /// Text and expressions, joined as text.
    Parts(Arc<[Part]>),
}

/// A compiled expression at its place in a parameter text.
#[derive(Clone)]
pub struct Site {
    program: Arc<Program>,
    start: TextPlace,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Site").field(&self.program.source()).finish()
    }
}

impl Site {
    fn eval(&self, scope: &dyn Scope) -> Result<Value, ExprError> {
        self.program.eval(scope, self.start)
    }

    fn push_text(&self, scope: &dyn Scope, text: &mut String) -> Result<(), ExprError> {
        self.program.push_text(scope, self.start, text)?;
        let most = self.program.limits().text_bytes;
        if text.len() > most {
            let message = format!("the text is over the limit of {most} bytes");
            return Err(ExprError::new(ExprErrorKind::Limit, message, self.program.source(), self.start));
        }
        Ok(())
    }
}

/// A part of a text with expressions.
#[derive(Debug, Clone)]
pub enum Part {
    /// Copied as it is.
    Text(Box<str>),
    /// Evaluated and written as text.
    Expr(Site),
}

impl Template {
    /// The value for one scope.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, ExprError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expr(site) => site.eval(scope),
            Self::Parts(parts) => {
                let mut text = String::new();
                for part in parts.iter() {
                    match part {
                        Part::Text(literal) => text.push_str(literal),
                        Part::Expr(site) => site.push_text(scope, &mut text)?,
                    }
                }
                Ok(Value::String(text))
            }
        }
    }

    /// Whether the value is the same for every scope.
    pub fn is_static(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    fn sites(&self) -> impl Iterator<Item = &Site> {
        let (one, parts): (_, &[Part]) = match self {
            Self::Literal(_) => (None, &[]),
            Self::Expr(site) => (Some(site), &[]),
            Self::Parts(parts) => (None, parts),
        };
        one.into_iter().chain(parts.iter().filter_map(|part| match part {
            Part::Expr(site) => Some(site),
            Part::Text(_) => None,
        }))
    }

    /// Node ids in `node("Id")`.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.sites().flat_map(|site| site.program.nodes().iter().map(AsRef::as_ref))
    }

    /// Variables the expressions mention, including parameters of closures.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.sites().flat_map(|site| site.program.variables().iter().map(AsRef::as_ref))
    }
}
