//! A tree of parameters with its texts compiled. Static subtrees are kept as finished JSON.

use serde_json::{Map, Value};
use std::borrow::Cow;

use super::error::{ExprError, ExprErrorKind, ParamError, TextPlace};
use super::scope::Scope;
use super::template::{Expressions, Template};

/// Parameters ready to be resolved for one item after another.
#[derive(Debug, Clone)]
pub struct CompiledParams {
    tree: Tree,
}

#[derive(Debug, Clone)]
enum Tree {
    /// Nothing inside changes from item to item.
    Static(Value),
    Text(Template),
    List(Vec<Tree>),
    /// The finished object with null where an expression goes, and those entries by position in
    /// it: copying an object is cheaper than hashing its keys again for each item.
    Object(Map<String, Value>, Vec<(usize, Tree)>),
}

impl Expressions {
    /// Compiles all texts inside `params`. Subtrees for which `raw(json_pointer)` is true (scripts)
    /// are left as they are. Reports every error, each with its JSON pointer.
    pub fn compile_value(
        &self,
        params: &Value,
        raw: &dyn Fn(&str) -> bool,
    ) -> Result<CompiledParams, Vec<ParamError>> {
        let mut errors = Vec::new();
        let mut pointer = String::new();
        let tree = self.compile_tree(params, raw, &mut pointer, &mut errors);
        if errors.is_empty() { Ok(CompiledParams { tree }) } else { Err(errors) }
    }

    fn compile_tree(
        &self,
        value: &Value,
        raw: &dyn Fn(&str) -> bool,
        pointer: &mut String,
        errors: &mut Vec<ParamError>,
    ) -> Tree {
        if raw(pointer) {
            return Tree::Static(value.clone());
        }
        match value {
            Value::String(text) => match self.compile_text(text) {
                Ok(Template::Literal(value)) => Tree::Static(value),
                Ok(template) => Tree::Text(template),
                Err(error) => {
                    errors.push(error.at(pointer));
                    Tree::Static(Value::Null)
                }
            },
            Value::Array(list) => {
                let parts = list
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.compile_child(item, raw, pointer, &index.to_string(), errors));
                let parts: Vec<Tree> = parts.collect();
                fold_list(parts)
            }
            Value::Object(map) => {
                let parts = map.iter().map(|(key, item)| {
                    (key.clone(), self.compile_child(item, raw, pointer, &escape(key), errors))
                });
                let parts: Vec<_> = parts.collect();
                fold_object(parts)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Tree::Static(value.clone()),
        }
    }

    fn compile_child(
        &self,
        value: &Value,
        raw: &dyn Fn(&str) -> bool,
        pointer: &mut String,
        token: &str,
        errors: &mut Vec<ParamError>,
    ) -> Tree {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(token);
        let tree = self.compile_tree(value, raw, pointer, errors);
        pointer.truncate(length);
        tree
    }
}

/// A list of only static parts is one static value.
fn fold_list(parts: Vec<Tree>) -> Tree {
    if parts.iter().any(|part| !matches!(part, Tree::Static(_))) {
        return Tree::List(parts);
    }
    let values = parts.into_iter().filter_map(|part| match part {
        Tree::Static(value) => Some(value),
        _ => None,
    });
    Tree::Static(values.collect())
}

fn fold_object(parts: Vec<(String, Tree)>) -> Tree {
    let mut finished = Map::with_capacity(parts.len());
    let mut changing = Vec::new();
    for (position, (key, part)) in parts.into_iter().enumerate() {
        match part {
            Tree::Static(value) => {
                finished.insert(key, value);
            }
            part => {
                finished.insert(key, Value::Null);
                changing.push((position, part));
            }
        }
    }
    if changing.is_empty() { Tree::Static(Value::Object(finished)) } else { Tree::Object(finished, changing) }
}

/// A key as a token of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}

impl CompiledParams {
    /// The parameters for one scope. An error carries the pointer of its text.
    pub fn resolve(&self, scope: &dyn Scope) -> Result<Value, ExprError> {
        self.tree.resolve(scope, &Path::Root)
    }

    /// The part at a JSON pointer, evaluating nothing else. A pointer to nowhere gives null, as
    /// does a part that an expression above it would have to produce first but does not.
    pub fn resolve_at(&self, pointer: &str, scope: &dyn Scope) -> Result<Value, ExprError> {
        match self.find(pointer)? {
            Found::Tree(tree) => tree.resolve(scope, &Path::Root).map_err(|mut error| {
                error.pointer.insert_str(0, pointer);
                error
            }),
            Found::Inside { tree, above, rest } => {
                let value = tree.resolve(scope, &Path::Root).map_err(|error| error.at(above))?;
                Ok(value.pointer(rest).cloned().unwrap_or_default())
            }
            Found::Finished(value) => Ok(value.cloned().unwrap_or_default()),
            Found::Nothing => Ok(Value::Null),
        }
    }

    /// Whether nothing inside changes from item to item.
    pub fn is_static(&self) -> bool {
        matches!(self.tree, Tree::Static(_))
    }

    /// Whether the part at a JSON pointer is the same for every item. True for a pointer to nowhere.
    pub fn is_static_at(&self, pointer: &str) -> bool {
        !matches!(
            self.find(pointer),
            Ok(Found::Tree(Tree::Text(_) | Tree::List(_) | Tree::Object(..)))
                | Ok(Found::Inside { tree: Tree::Text(_), .. })
        )
    }

    /// Node ids in `node("Id")` literals, once per use.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let mut templates = Vec::new();
        self.tree.collect(&mut templates);
        templates.into_iter().flat_map(Template::references)
    }

    /// Variables that expressions mention, once per expression, including closure parameters.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let mut templates = Vec::new();
        self.tree.collect(&mut templates);
        templates.into_iter().flat_map(Template::variables)
    }

    fn find<'a>(&'a self, pointer: &'a str) -> Result<Found<'a>, ExprError> {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let message = "a JSON pointer starts with / or is empty";
            return Err(ExprError::new(ExprErrorKind::Syntax, message, "", TextPlace::START).at(pointer));
        }
        let mut tree = &self.tree;
        let mut at = 0;
        while at < pointer.len() {
            let end = pointer[at + 1..].find('/').map_or(pointer.len(), |next| at + 1 + next);
            let token = unescape(&pointer[at + 1..end]);
            let child = match tree {
                Tree::List(parts) => token.parse::<usize>().ok().and_then(|index| parts.get(index)),
                Tree::Object(finished, changing) => {
                    let Some(position) = finished.keys().position(|key| *key == token) else {
                        return Ok(Found::Nothing);
                    };
                    match changing.iter().find(|(changes, _)| *changes == position) {
                        Some((_, part)) => Some(part),
                        None => {
                            let value = finished.values().nth(position).unwrap_or(&Value::Null);
                            return Ok(Found::Finished(value.pointer(&pointer[end..])));
                        }
                    }
                }
                Tree::Static(_) | Tree::Text(_) => {
                    return Ok(Found::Inside { tree, above: &pointer[..at], rest: &pointer[at..] });
                }
            };
            let Some(child) = child else { return Ok(Found::Nothing) };
            tree = child;
            at = end;
        }
        Ok(Found::Tree(tree))
    }
}

/// Where a pointer leads.
enum Found<'a> {
    Tree(&'a Tree),
    /// Into a static value or the result of an expression.
    Inside {
        tree: &'a Tree,
        above: &'a str,
        rest: &'a str,
    },
    /// A value without expressions.
    Finished(Option<&'a Value>),
    Nothing,
}

/// The way from the root, kept on the stack: only an error pays for writing it down.
enum Path<'a> {
    Root,
    Index(&'a Path<'a>, usize),
    Key(&'a Path<'a>, &'a str),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Index(above, index) => format!("{}/{index}", above.pointer()),
            Self::Key(above, key) => format!("{}/{}", above.pointer(), escape(key)),
        }
    }
}

impl Tree {
    fn resolve(&self, scope: &dyn Scope, path: &Path<'_>) -> Result<Value, ExprError> {
        match self {
            Self::Static(value) => Ok(value.clone()),
            Self::Text(template) => template.eval(scope).map_err(|error| error.at(&path.pointer())),
            Self::List(parts) => parts
                .iter()
                .enumerate()
                .map(|(index, part)| part.resolve(scope, &Path::Index(path, index)))
                .collect(),
            Self::Object(finished, changing) => {
                let mut map = finished.clone();
                let mut entries = map.iter_mut();
                let mut passed = 0;
                for (position, part) in changing {
                    if let Some((key, entry)) = entries.nth(position - passed) {
                        *entry = part.resolve(scope, &Path::Key(path, key))?;
                    }
                    passed = position + 1;
                }
                Ok(Value::Object(map))
            }
        }
    }

    fn collect<'a>(&'a self, templates: &mut Vec<&'a Template>) {
        match self {
            Self::Static(_) => {}
            Self::Text(template) => templates.push(template),
            Self::List(parts) => parts.iter().for_each(|part| part.collect(templates)),
            Self::Object(_, parts) => parts.iter().for_each(|(_, part)| part.collect(templates)),
        }
    }
}
