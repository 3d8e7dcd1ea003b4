//! Scenarios as tables: what was answered, and how the nodes then stand. Every scenario gives back the pairs
//! of the transition table it went through, so that [`super::machine`] can ask for all of them.

mod ending;
mod flow;
mod loops;
mod outcome;
mod time;

use super::harness::Seen;

/// Makes a test of each scenario, and a list of all.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn all() -> Vec<super::Scenario> {
            vec![$($name),*]
        }

        mod each {
            $(#[test] fn $name() { super::$name(); })*
        }
    };
}
use scenarios;

pub(crate) type Scenario = fn() -> Seen;

/// All scenarios.
pub(crate) fn all() -> Vec<Scenario> {
    [flow::all(), time::all(), ending::all(), loops::all(), outcome::all()].concat()
}
