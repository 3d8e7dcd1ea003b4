//! The real binary from outside: processes, sockets, files. One program, so that it is linked once.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod accounts;
mod commands;
mod demo;
mod hooks;
mod outcomes;
mod personal;
mod secrets;
mod support;
mod templates;
