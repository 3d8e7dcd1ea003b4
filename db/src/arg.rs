//! Values on their way into a statement, with typed nulls because PostgreSQL wants to know a null's type.

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

/// The type of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgType {
    Text,
    Int,
    Bool,
    Float,
    Bytes,
}

/// One bound value. Made by `Into`: strings, integers (sent as 64 bit), booleans, floats, bytes, and `Option`s of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    Null(ArgType),
    Text(String),
    Int(i64),
    Bool(bool),
    Float(f64),
    Bytes(Vec<u8>),
    /// A list of values or nulls of one type, for `unnest` on PostgreSQL. SQLite has no lists.
    List(ArgType, Vec<Arg>),
}

macro_rules! arg_from {
    ($($source:ty => $kind:ident, |$value:ident| $make:expr;)*) => {$(
        impl From<$source> for Arg {
            fn from($value: $source) -> Self {
                Arg::$kind($make)
            }
        }
        impl From<Option<$source>> for Arg {
            fn from(value: Option<$source>) -> Self {
                value.map_or(Arg::Null(ArgType::$kind), Arg::from)
            }
        }
    )*};
}

arg_from! {
    String => Text, |v| v;
    &str => Text, |v| v.to_owned();
    &String => Text, |v| v.clone();
    std::sync::Arc<str> => Text, |v| v.to_string();
    std::borrow::Cow<'_, str> => Text, |v| v.into_owned();
    i64 => Int, |v| v;
    i32 => Int, |v| i64::from(v);
    u32 => Int, |v| i64::from(v);
    bool => Bool, |v| v;
    f64 => Float, |v| v;
    Vec<u8> => Bytes, |v| v;
    &[u8] => Bytes, |v| v.to_vec();
}

impl From<&Option<String>> for Arg {
    fn from(value: &Option<String>) -> Self {
        value.as_deref().into()
    }
}

/// Adds every argument to `into`; encoding these plain types cannot fail except by running out of room in PostgreSQL's
/// length field, which is reported.
pub(crate) fn encode<'a, A>(args: Vec<Arg>) -> Result<A, sqlx::Error>
where
    A: Arguments,
    A: AddArg<'a>,
{
    let mut encoded = A::default();
    encoded.reserve(args.len(), args.len() * 16);
    for arg in args {
        encoded.add_arg(arg).map_err(sqlx::Error::Encode)?;
    }
    Ok(encoded)
}

/// Implemented for the argument lists of both engines.
pub(crate) trait AddArg<'a> {
    fn add_arg(&mut self, arg: Arg) -> Result<(), sqlx::error::BoxDynError>;
}

/// The values of a list that are of one kind; anything else in it counts as null.
macro_rules! list {
    ($values:expr, $kind:ident) => {
        $values
            .into_iter()
            .map(|value| match value {
                Arg::$kind(value) => Some(value),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}

fn add_list(
    arguments: &mut PgArguments,
    kind: ArgType,
    values: Vec<Arg>,
) -> Result<(), sqlx::error::BoxDynError> {
    match kind {
        ArgType::Text => arguments.add(list!(values, Text)),
        ArgType::Int => arguments.add(list!(values, Int)),
        ArgType::Bool => arguments.add(list!(values, Bool)),
        ArgType::Float => arguments.add(list!(values, Float)),
        ArgType::Bytes => arguments.add(list!(values, Bytes)),
    }
}

fn no_list(_: &mut SqliteArguments, _: ArgType, _: Vec<Arg>) -> Result<(), sqlx::error::BoxDynError> {
    Err("SQLite takes no lists".into())
}

macro_rules! add_arg {
    ($arguments:ty, $add_list:ident) => {
        impl AddArg<'_> for $arguments {
            fn add_arg(&mut self, arg: Arg) -> Result<(), sqlx::error::BoxDynError> {
                match arg {
                    Arg::Null(ArgType::Text) => self.add(None::<String>),
                    Arg::Null(ArgType::Int) => self.add(None::<i64>),
                    Arg::Null(ArgType::Bool) => self.add(None::<bool>),
                    Arg::Null(ArgType::Float) => self.add(None::<f64>),
                    Arg::Null(ArgType::Bytes) => self.add(None::<Vec<u8>>),
                    Arg::Text(value) => self.add(value),
                    Arg::Int(value) => self.add(value),
                    Arg::Bool(value) => self.add(value),
                    Arg::Float(value) => self.add(value),
                    Arg::Bytes(value) => self.add(value),
                    Arg::List(kind, values) => $add_list(self, kind, values),
                }
            }
        }
    };
}

add_arg!(SqliteArguments, no_list);
add_arg!(PgArguments, add_list);
