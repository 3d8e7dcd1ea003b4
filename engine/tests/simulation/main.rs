//! A simulation of several runners over one faulty store: the real core ([`sluice_engine::core::Machine`]) in a
//! model of the protocol between runners and store, under virtual time, thousands of seeds. Knows no tokio, no clock
//! and no database. `docs/simulation.md` says what is modelled, and how to repeat a seed.

mod chance;
mod check;
mod claims;
mod client;
mod commits;
mod drive;
mod outside;
mod plans;
mod requests;
mod runner;
mod seeds;
mod setup;
mod store;
mod turns;
mod world;

// The random workflows of the core's tests, and what builds their plans.
#[allow(dead_code)]
#[path = "../core_runs/harness.rs"]
mod harness;
#[path = "../core_runs/shapes.rs"]
mod shapes;

use seeds::{first_failure, steps, told};
use setup::Defect;

/// Seeds of an ordinary run.
const SEEDS: u64 = 5_000;

/// Seeds within which a defect must be found. Most are found within the first hundred.
const ENOUGH: u64 = 40_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number and is `{text}`")))
}

#[test]
fn thousands_of_seeds_keep_every_rule() {
    if let Some(seed) = number("SLUICE_SIM_SEED") {
        return told(seed, None).unwrap_or_else(|text| panic!("{text}"));
    }
    if let Some(failure) = first_failure(number("SLUICE_SIM_SEEDS").unwrap_or(SEEDS), None) {
        let text = told(failure.seed, None).err();
        panic!("{}", text.unwrap_or_else(|| format!("only once: {failure:?}")));
    }
}

#[test]
fn a_seed_lives_the_same_life_twice() {
    for seed in 0..40 {
        assert_eq!(steps(seed), steps(seed), "seed {seed}");
    }
}

/// A simulation that cannot fail proves nothing: each defect, built into the model, must be found.
macro_rules! found {
    ($($name:ident => $defect:ident),* $(,)?) => {
        $(#[test] fn $name() {
            let failure = first_failure(ENOUGH, Some(Defect::$defect));
            let failure = failure.expect("no seed shows the defect");
            assert!(told(failure.seed, Some(Defect::$defect)).is_err(), "it fails again: {failure:?}");
            println!("seed {}: {}", failure.seed, failure.rule);
        })*
    };
}

found! {
    effects_before_the_commit_are_found => EffectsBeforeCommit,
    commits_without_fencing_are_found => NoFencing,
    claims_from_the_living_are_found => ClaimFromTheLiving,
    ignored_receipts_are_found => IgnoreReceipts,
    ignored_lanes_are_found => IgnoreLanes,
    lanes_ordered_by_wall_clock_are_found => LanesByWallClock,
    effects_after_the_lease_are_found => NoLeaseCheck,
    runs_left_with_a_living_owner_are_found => NoAdoption,
    doubt_taken_for_loss_is_found => DoubtIsLoss,
    runs_dropped_by_a_second_signal_are_found => DuplicateIsLoss,
    suspects_beside_others_are_found => NoQuarantine,
    repeated_once_nodes_are_found => RepeatOnce,
    effect_ids_per_attempt_are_found => EffectIdPerAttempt,
    outages_counted_as_silence_are_found => OutageIsSilence,
    poison_without_end_is_found => NoPoison,
}
