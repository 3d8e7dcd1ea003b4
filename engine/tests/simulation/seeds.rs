//! Runs seeds, several at a time, and shows the last steps of one that fails.

use crate::setup::{Defect, Setup};
use crate::world::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps shown of a failing seed, unless told otherwise.
const SHOWN: u64 = 60;

/// A seed that broke a rule.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) seed: u64,
    pub(crate) rule: String,
}

/// Lives through one seed.
fn live(seed: u64, defect: Option<Defect>, is_traced: bool) -> (Result<(), String>, World) {
    let mut world = World::new(Setup::of(seed, defect), is_traced);
    let lived = catch_unwind(AssertUnwindSafe(|| world.run()));
    let outcome = match (lived, world.broken.take()) {
        (Err(panic), _) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Err(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")))
        }
        (Ok(()), Some(rule)) => Err(rule),
        (Ok(()), None) => world.check(),
    };
    (outcome, world)
}

/// The first failure that is found among the seeds below `count`.
pub(crate) fn first_failure(count: u64, defect: Option<Defect>) -> Option<Failure> {
    let (next, found) = (AtomicU64::new(0), Mutex::new(None::<Failure>));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count || found.lock().is_ok_and(|found| found.is_some()) {
                return;
            }
            if let (Err(rule), _) = live(seed, defect, false) {
                let mut found = found.lock().expect("nobody panics while holding it");
                // The lowest of those found at the same time.
                if found.as_ref().is_none_or(|other| other.seed > seed) {
                    *found = Some(Failure { seed, rule });
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    found.into_inner().expect("nobody panics while holding it")
}

/// The rule that a seed breaks, with its set-up and last steps.
pub(crate) fn told(seed: u64, defect: Option<Defect>) -> Result<(), String> {
    let shown = crate::number("SLUICE_SIM_STEPS").unwrap_or(SHOWN) as usize;
    let (outcome, world) = live(seed, defect, true);
    let setup = &world.setup;
    outcome.map_err(|rule| {
        let steps = world.last_steps(shown).join("\n");
        format!("seed {seed}: {rule}\n{setup:?}\nlast steps:\n{steps}\nrepeat with SLUICE_SIM_SEED={seed}")
    })
}

/// All steps of a seed.
pub(crate) fn steps(seed: u64) -> Vec<String> {
    live(seed, None, true).1.last_steps(usize::MAX).to_vec()
}
