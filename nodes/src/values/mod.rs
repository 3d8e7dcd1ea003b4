//! What several nodes do with JSON values: field paths, order, equality, moments, conditions. Must not
//! know any node.

pub(crate) mod check;
pub(crate) mod condition;
pub(crate) mod field;
pub(crate) mod moment;
pub(crate) mod order;
pub(crate) mod schema;
