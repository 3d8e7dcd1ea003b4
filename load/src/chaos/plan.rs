//! Which fault comes when: drawn from a seed, so that a run can be repeated. Must not know how faults are made.

use clap::ValueEnum;
use std::time::Duration;

/// Sorts of faults that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// SIGKILL of a process.
    Kill,
    /// A provider ends the connection before or after it did what was asked.
    Cut,
    /// A process is paused for longer than its leases last.
    Pause,
    /// The wall clock jumps an hour.
    Clock,
    /// The disk is full for some seconds.
    Disk,
    /// The database server is restarted.
    Database,
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Kills the process with this number (modulo how many there are) and starts it again after a while.
    Kill { process: usize, away: Duration },
    /// Cuts the next requests to the sandbox or to the provider of our own.
    Cut { sandbox: bool, after: bool, count: u32 },
    /// Stops a process and lets it go on later.
    Pause { process: usize },
    /// Sets the clock so many seconds off.
    Clock { offset: i64 },
    /// Fills the disk for a while.
    Disk { lasting: Duration },
    /// Restarts the database server at once.
    Database,
}

/// A fault, and how long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Pause before it.
    pub(super) after: Duration,
    /// What happens.
    pub(super) fault: Fault,
}

/// How far the clock jumps, ahead and back, seconds.
pub(super) const AHEAD: i64 = 3_600;

/// After so many kills one of the slow faults.
const KILLS_PER_SLOW: u32 = 5;

/// `kills` kills at random moments, cuts between them, and now and then one of the slow faults that are possible.
/// `gap` is the mean time between two kills.
pub(super) fn plan(seed: u64, kills: u32, gap: Duration, possible: &[Sort]) -> Vec<Step> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let slow: Vec<Sort> =
        possible.iter().copied().filter(|sort| !matches!(sort, Sort::Kill | Sort::Cut)).collect();
    let mut steps = Vec::new();
    for number in 1..=kills {
        if possible.contains(&Sort::Cut) && chance.f64() < 0.6 {
            let count = chance.u32(1..4);
            let fault = Fault::Cut { sandbox: chance.bool(), after: chance.bool(), count };
            steps.push(Step { after: part(gap, chance.f64() * 0.4), fault });
        }
        if possible.contains(&Sort::Kill) {
            let away = Duration::from_millis(if chance.bool() { 0 } else { chance.u64(0..1_500) });
            let fault = Fault::Kill { process: chance.usize(..), away };
            steps.push(Step { after: part(gap, 0.2 + chance.f64() * 1.6), fault });
        }
        if number % KILLS_PER_SLOW == 0 && !slow.is_empty() {
            // In turn, so that a short run has seen each.
            let sort = slow[(number / KILLS_PER_SLOW - 1) as usize % slow.len()];
            steps.push(Step { after: part(gap, chance.f64()), fault: slow_fault(sort, &mut chance) });
        }
    }
    steps
}

fn slow_fault(sort: Sort, chance: &mut fastrand::Rng) -> Fault {
    match sort {
        Sort::Pause => Fault::Pause { process: chance.usize(..) },
        Sort::Clock => Fault::Clock { offset: [AHEAD, 0, -AHEAD][chance.usize(..3)] },
        Sort::Disk => Fault::Disk { lasting: Duration::from_millis(chance.u64(1_000..3_000)) },
        // The quick sorts have been taken out before.
        Sort::Kill | Sort::Cut | Sort::Database => Fault::Database,
    }
}

fn part(whole: Duration, share: f64) -> Duration {
    whole.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sort; 6] = [Sort::Kill, Sort::Cut, Sort::Pause, Sort::Clock, Sort::Disk, Sort::Database];

    #[test]
    fn a_seed_gives_the_same_plan_and_another_seed_another() {
        let gap = Duration::from_secs(2);
        assert_eq!(plan(7, 50, gap, &ALL), plan(7, 50, gap, &ALL));
        assert_ne!(plan(7, 50, gap, &ALL), plan(8, 50, gap, &ALL));
    }

    #[test]
    fn there_are_as_many_kills_as_asked_for_and_only_what_is_possible() {
        let steps = plan(1, 40, Duration::from_secs(1), &ALL);
        let kills = steps.iter().filter(|step| matches!(step.fault, Fault::Kill { .. })).count();
        assert_eq!(kills, 40);
        let has = |wanted: fn(&Fault) -> bool| steps.iter().any(|step| wanted(&step.fault));
        assert!(
            has(|fault| matches!(fault, Fault::Pause { .. }))
                && has(|fault| matches!(fault, Fault::Database))
        );
        assert!(
            has(|fault| matches!(fault, Fault::Disk { .. }))
                && has(|fault| matches!(fault, Fault::Clock { .. }))
        );
        let only = plan(1, 40, Duration::from_secs(1), &[Sort::Kill]);
        assert!(only.iter().all(|step| matches!(step.fault, Fault::Kill { .. })));
    }
}
