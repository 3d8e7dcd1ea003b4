//! What a node author imports: [`Node`], [`NodeSpec`], [`Context`], [`Item`], [`NodeError`] and the test kit.
//!
//! This crate must not know the engine, SQL or the HTTP server. A node built against it runs in any
//! host that can supply parameters, a clock, an HTTP transport and credentials.

pub mod context;
pub mod credential;
pub mod duration;
pub mod egress;
pub mod error;
pub mod http;
pub mod item;
pub mod mask;
pub mod node;
pub mod outcome;
pub mod problem;
pub mod registry;
pub mod services;
pub mod spec;
pub mod testkit;
pub mod transport;
pub mod usage;

/// Everything an ordinary node needs, in one import.
pub mod prelude {
    pub use crate::context::Context;
    pub use crate::credential::CredentialKind;
    pub use crate::duration::Duration;
    pub use crate::error::{ErrorKind, NodeError};
    pub use crate::http::{HttpRequest, HttpResponse};
    pub use crate::item::{FileRef, Input, Item, Items};
    pub use crate::node::{DynNode, Node, node};
    pub use crate::outcome::{Cause, Outcome, Output, Suspend, WaitKind};
    pub use crate::problem::ParamProblem;
    pub use crate::spec::{
        CredentialNeed, Effect, Example, NodeSpec, Port, Ports, TriggerSource, TriggerSpec,
    };
    pub use crate::usage::Spending;
    pub use schemars::JsonSchema;
    pub use serde::Deserialize;
    pub use serde_json::{Value, json};
}
