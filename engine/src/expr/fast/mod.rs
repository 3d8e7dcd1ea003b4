//! A short cut for the expressions people write most: paths, literals, operators, `??`, `if`.
//!
//! The tree is built from Rhai's own, so there is one parser and one precedence. It only ever
//! answers with a value: whenever something is not plain (an error, an overflow, an unusual type)
//! it answers `None` and Rhai evaluates the whole expression again, which makes errors equal by
//! construction. A property test holds that values are equal too. See `build` for what it covers.

mod build;
mod value;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;
use smallvec::SmallVec;

use super::ops::{self, Arithmetic};
use super::scope::Scope;
use super::view::position;
use value::Seen;

/// An expression the short cut can evaluate.
#[derive(Debug)]
pub(crate) struct Fast {
    roots: Box<[Root]>,
    tree: Tree,
}

/// Where a path starts.
#[derive(Debug, PartialEq, Eq)]
enum Root {
    Variable(Arc<str>),
    /// `node("Id").json`
    Node(Arc<str>),
}

#[derive(Debug)]
enum Tree {
    Literal(Value),
    /// Index into the roots, then steps.
    Path(usize, Box<[Step]>),
    Add(Box<[Tree; 2]>),
    Arithmetic(Arithmetic, Box<[Tree; 2]>),
    Compare(Comparison, Box<[Tree; 2]>),
    Not(Box<Tree>),
    And(Box<[Tree]>),
    Or(Box<[Tree]>),
    Coalesce(Box<[Tree]>),
    /// Condition, then, else.
    If(Box<[Tree; 3]>),
}

#[derive(Debug)]
struct Step {
    to: To,
    /// Written `?.` or `?[`: null ends the path instead of failing.
    optional: bool,
}

#[derive(Debug)]
enum To {
    Key(Box<str>),
    Index(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

type Roots = SmallVec<[Option<Arc<Value>>; 2]>;

impl Fast {
    /// The value, or `None` when Rhai must be asked.
    pub(crate) fn eval(&self, scope: &dyn Scope) -> Option<Value> {
        let roots = self.open(scope);
        self.tree.eval(&roots)?.into_value()
    }

    /// Appends the value as text. On `None` nothing was appended and Rhai must be asked.
    pub(crate) fn push_text(&self, scope: &dyn Scope, out: &mut String) -> Option<()> {
        let roots = self.open(scope);
        self.tree.eval(&roots)?.push_text(out)
    }

    fn open(&self, scope: &dyn Scope) -> Roots {
        let open = |root: &Root| match root {
            Root::Variable(name) => super::program::variable(scope, name),
            Root::Node(id) => scope.node(id).ok().map(|node| node.json),
        };
        self.roots.iter().map(open).collect()
    }
}

impl Tree {
    fn eval<'a>(&'a self, roots: &'a Roots) -> Option<Seen<'a>> {
        match self {
            Self::Literal(value) => Some(Seen::of(value)),
            Self::Path(root, steps) => follow(roots[*root].as_deref()?, steps),
            Self::Add(sides) => sides[0].eval(roots)?.plus(sides[1].eval(roots)?),
            Self::Arithmetic(how, sides) => {
                let (a, b) = (sides[0].eval(roots)?.number()?, sides[1].eval(roots)?.number()?);
                ops::calculate(*how, a, b).map(Seen::from_number)
            }
            Self::Compare(how, sides) => {
                let (a, b) = (sides[0].eval(roots)?, sides[1].eval(roots)?);
                compare(*how, &a, &b).map(Seen::Bool)
            }
            Self::Not(inner) => Some(Seen::Bool(!inner.eval(roots)?.flag()?)),
            Self::And(terms) => first_flag(terms, roots, false),
            Self::Or(terms) => first_flag(terms, roots, true),
            Self::Coalesce(terms) => {
                for term in terms {
                    let value = term.eval(roots)?;
                    if !matches!(value, Seen::Null) {
                        return Some(value);
                    }
                }
                Some(Seen::Null)
            }
            Self::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if condition.eval(roots)?.flag()? { then.eval(roots) } else { otherwise.eval(roots) }
            }
        }
    }
}

fn first_flag<'a>(terms: &'a [Tree], roots: &'a Roots, stops_at: bool) -> Option<Seen<'a>> {
    for term in terms {
        if term.eval(roots)?.flag()? == stops_at {
            return Some(Seen::Bool(stops_at));
        }
    }
    Some(Seen::Bool(!stops_at))
}

fn follow<'a>(root: &'a Value, steps: &[Step]) -> Option<Seen<'a>> {
    let mut at = root;
    for step in steps {
        at = match (&step.to, at) {
            (_, Value::Null) if step.optional => return Some(Seen::Null),
            (To::Key(key), Value::Object(map)) => map.get(key.as_ref()).unwrap_or(&Value::Null),
            (To::Index(index), Value::Array(list)) => {
                position(*index, list.len()).map_or(&Value::Null, |place| &list[place])
            }
            _ => return None,
        };
    }
    Some(Seen::of(at))
}

fn compare(how: Comparison, a: &Seen<'_>, b: &Seen<'_>) -> Option<bool> {
    let order = match (a, b) {
        (Seen::Text(a), Seen::Text(b)) => Some(a.as_ref().cmp(b.as_ref())),
        (Seen::Big(_), _) | (_, Seen::Big(_)) => return None,
        _ => match (a.number(), b.number()) {
            // Not a number compares with nothing.
            (Some(a), Some(b)) => ops::compare_numbers(a, b),
            _ if how == Comparison::Equal => return same(a, b),
            _ if how == Comparison::NotEqual => return same(a, b).map(|same| !same),
            _ => return None,
        },
    };
    Some(order.map_or(how == Comparison::NotEqual, |order| how.holds(order)))
}

/// Equality where at least one side is neither a number nor text of the same kind.
fn same(a: &Seen<'_>, b: &Seen<'_>) -> Option<bool> {
    match (a, b) {
        (Seen::Null, other) | (other, Seen::Null) => Some(matches!(other, Seen::Null)),
        (Seen::Bool(a), Seen::Bool(b)) => Some(a == b),
        // Lists and objects are compared element by element, which Rhai's side does.
        (Seen::Tree(_), Seen::Tree(_)) => None,
        _ => Some(false),
    }
}
