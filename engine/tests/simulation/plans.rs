//! A fixed pool of random workflows, from the generators of `core_runs`. Compiled once per process: thousands of
//! seeds share them.

use crate::shapes::any_plan;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sluice_engine::graph::Plan;
use std::sync::{Arc, OnceLock};

/// How many there are.
pub(crate) const POOL: usize = 400;

/// More nodes than this make a seed slow and its trace unreadable.
const LARGEST: usize = 24;

static PLANS: [OnceLock<Arc<Plan>>; POOL] = [const { OnceLock::new() }; POOL];

/// The workflow of that number.
pub(crate) fn plan(number: usize) -> Arc<Plan> {
    PLANS[number].get_or_init(|| made(number)).clone()
}

fn made(number: usize) -> Arc<Plan> {
    let mut seed = [7_u8; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    loop {
        let tree = any_plan().new_tree(&mut runner).expect("the strategy rejects nothing");
        let plan = tree.current().0;
        if plan.nodes.len() <= LARGEST {
            return plan;
        }
    }
}
