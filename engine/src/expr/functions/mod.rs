//! The functions expressions can call, one file per family, and their documentation as data.

mod args;
mod dates;
mod docs;
mod encoding;
mod lists;
mod mutate;
mod numbers;
mod objects;
mod phone;
mod text;

use rhai::Engine;

pub(crate) use docs::signature;
pub use docs::{FunctionDoc, functions};
pub(crate) use lists::TAKE_FUNCTIONS;

/// Registers every function on `engine`.
pub(crate) fn register(engine: &mut Engine) {
    text::register(engine);
    numbers::register(engine);
    dates::register(engine);
    lists::register(engine);
    mutate::register(engine);
    objects::register(engine);
    phone::register(engine);
    encoding::register(engine);
}
