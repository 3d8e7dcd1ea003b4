//! Data: nodes that shape items. All are pure, but `data.crypto` may open a credential. None must
//! know the engine or another node.

pub mod aggregate;
pub mod crypto;
pub mod csv;
pub mod datetime;
pub mod dedupe;
pub mod filter;
pub mod json_schema;
pub mod limit;
pub mod rename;
pub mod script;
pub mod set;
pub mod sort;
pub mod split;
pub mod summarize;
