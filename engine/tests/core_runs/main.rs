//! The pure core from the outside: plans from documents, commands in, events and effects out. No node is ever
//! run here; the tests answer in their place.

mod harness;
mod machine;
mod order;
mod random;
mod shapes;
mod tables;
