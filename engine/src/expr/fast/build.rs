//! Builds the short cut from Rhai's syntax tree. `None` anywhere means: leave it to Rhai.

use rhai::{AST, ASTFlags, BinaryExpr, Expr, FnCallExpr, Stmt, StmtBlock};
use serde_json::Value;

use super::{Comparison, Fast, Root, Step, To, Tree};
use crate::expr::ops::Arithmetic;

impl Fast {
    /// The short cut for a compiled expression, when it is simple enough.
    pub(crate) fn build(ast: &AST) -> Option<Self> {
        let [Stmt::Expr(expression)] = ast.statements() else { return None };
        let mut roots = Vec::new();
        let tree = tree(expression, &mut roots)?;
        Some(Self { roots: roots.into(), tree })
    }
}

fn tree(expression: &Expr, roots: &mut Vec<Root>) -> Option<Tree> {
    match expression {
        Expr::Variable(..) => Some(Tree::Path(root(expression, roots)?, Box::new([]))),
        Expr::Dot(sides, flags, _) => path(sides, *flags, true, roots),
        Expr::Index(sides, flags, _) => path(sides, *flags, false, roots),
        Expr::FnCall(call, _) => operation(call, roots),
        Expr::And(terms, _) => Some(Tree::And(trees(terms, roots)?)),
        Expr::Or(terms, _) => Some(Tree::Or(trees(terms, roots)?)),
        Expr::Coalesce(terms, _) => Some(Tree::Coalesce(trees(terms, roots)?)),
        Expr::Stmt(block) => branches(block, roots),
        literal => value(literal).map(Tree::Literal),
    }
}

fn trees(terms: &[Expr], roots: &mut Vec<Root>) -> Option<Box<[Tree]>> {
    terms.iter().map(|term| tree(term, roots)).collect()
}

fn value(literal: &Expr) -> Option<Value> {
    match literal {
        Expr::Unit(_) => Some(Value::Null),
        Expr::BoolConstant(flag, _) => Some(Value::Bool(*flag)),
        Expr::IntegerConstant(integer, _) => Some(Value::from(*integer)),
        Expr::FloatConstant(float, _) => serde_json::Number::from_f64(**float).map(Value::Number),
        Expr::StringConstant(text, _) => Some(Value::String(text.to_string())),
        Expr::CharConstant(character, _) => Some(Value::String(character.to_string())),
        _ => None,
    }
}

/// A block of one expression, or an `if` whose branches are such blocks.
fn branches(block: &StmtBlock, roots: &mut Vec<Root>) -> Option<Tree> {
    match block.statements() {
        [Stmt::Expr(only)] => tree(only, roots),
        [Stmt::If(choice, _)] => {
            let condition = tree(&choice.expr, roots)?;
            let then = branches(&choice.body, roots)?;
            // Without an else the value is null.
            let otherwise = match choice.branch.statements() {
                [] => Tree::Literal(Value::Null),
                _ => branches(&choice.branch, roots)?,
            };
            Some(Tree::If(Box::new([condition, then, otherwise])))
        }
        _ => None,
    }
}

fn operation(call: &FnCallExpr, roots: &mut Vec<Root>) -> Option<Tree> {
    if call.op_token.is_none() || call.is_qualified() {
        return None;
    }
    match (call.name.as_str(), call.args.as_slice()) {
        ("!", [inner]) => Some(Tree::Not(Box::new(tree(inner, roots)?))),
        (sign, [left, right]) => {
            let make = binary(sign)?;
            Some(make(Box::new([tree(left, roots)?, tree(right, roots)?])))
        }
        _ => None,
    }
}

/// Makes an operator of its two sides.
type Binary = fn(Box<[Tree; 2]>) -> Tree;

fn binary(sign: &str) -> Option<Binary> {
    Some(match sign {
        "+" => Tree::Add,
        "-" => |sides| Tree::Arithmetic(Arithmetic::Subtract, sides),
        "*" => |sides| Tree::Arithmetic(Arithmetic::Multiply, sides),
        "/" => |sides| Tree::Arithmetic(Arithmetic::Divide, sides),
        "%" => |sides| Tree::Arithmetic(Arithmetic::Remainder, sides),
        "**" => |sides| Tree::Arithmetic(Arithmetic::Power, sides),
        "==" => |sides| Tree::Compare(Comparison::Equal, sides),
        "!=" => |sides| Tree::Compare(Comparison::NotEqual, sides),
        "<" => |sides| Tree::Compare(Comparison::Less, sides),
        "<=" => |sides| Tree::Compare(Comparison::LessOrEqual, sides),
        ">" => |sides| Tree::Compare(Comparison::Greater, sides),
        ">=" => |sides| Tree::Compare(Comparison::GreaterOrEqual, sides),
        _ => return None,
    })
}

/// The index of a root, a variable or `node("Id")`.
fn root(expression: &Expr, roots: &mut Vec<Root>) -> Option<usize> {
    let found = match expression {
        Expr::Variable(variable, _, _) if variable.2.is_empty() => Root::Variable(variable.1.as_str().into()),
        Expr::FnCall(call, _) if call.name == "node" && !call.is_qualified() => match call.args.as_slice() {
            [Expr::StringConstant(id, _)] => Root::Node(id.as_str().into()),
            _ => return None,
        },
        _ => return None,
    };
    Some(roots.iter().position(|known| *known == found).unwrap_or_else(|| {
        roots.push(found);
        roots.len() - 1
    }))
}

fn path(sides: &BinaryExpr, flags: ASTFlags, dot: bool, roots: &mut Vec<Root>) -> Option<Tree> {
    let root = root(&sides.lhs, roots)?;
    let mut steps = Vec::new();
    chain(&sides.rhs, flags, dot, &mut steps)?;
    if matches!(roots[root], Root::Node(_)) {
        // The root already is the node's item; anything but `.json` is a list for Rhai.
        let leads_to_json = matches!(&steps.first()?.to, To::Key(key) if key.as_ref() == "json");
        if !leads_to_json {
            return None;
        }
        steps.remove(0);
    }
    Some(Tree::Path(root, steps.into()))
}

/// Rhai nests chains to the right: in `a.b[0].c` the right side of the first dot is `b[0].c`,
/// and each link's flags belong to the sign before its right side.
fn chain(right: &Expr, flags: ASTFlags, dot: bool, steps: &mut Vec<Step>) -> Option<()> {
    let optional = flags.contains(ASTFlags::NEGATED);
    let ends = flags.contains(ASTFlags::BREAK);
    match right {
        Expr::Dot(sides, next, _) if !ends => {
            steps.push(Step { to: link(&sides.lhs, dot)?, optional });
            chain(&sides.rhs, *next, true, steps)
        }
        Expr::Index(sides, next, _) if !ends => {
            steps.push(Step { to: link(&sides.lhs, dot)?, optional });
            chain(&sides.rhs, *next, false, steps)
        }
        last => {
            steps.push(Step { to: link(last, dot)?, optional });
            Some(())
        }
    }
}

fn link(expression: &Expr, dot: bool) -> Option<To> {
    match expression {
        Expr::Property(property, _) if dot => Some(To::Key(property.2.as_str().into())),
        Expr::StringConstant(key, _) if !dot => Some(To::Key(key.as_str().into())),
        Expr::IntegerConstant(index, _) if !dot => Some(To::Index(*index)),
        _ => None,
    }
}
