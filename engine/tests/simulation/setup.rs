//! What a seed sets up: its sort, its faults, and the defects built into the model to show that they are found.

use crate::chance::Chance;

/// How long a runner may stand still before others take its runs over, milliseconds.
pub(crate) const LEASE: i64 = 6_000;

/// A run that was claimed this often without a commit is driven alone, as in `drive/fleet.rs`.
pub(crate) const SUSPECT: u32 = 2;

/// Claims without a commit between them that a run may have; after more it is given up.
pub(crate) const CLAIMS: u32 = 4;

/// When faults stop.
pub(crate) const CALM: i64 = 16_000;

/// A defect of the model's runner or store. Each must be caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Effects start while the commit that announces them is on its way.
    EffectsBeforeCommit,
    /// The store takes commits of any version.
    NoFencing,
    /// Claims take runs whose owner is alive.
    ClaimFromTheLiving,
    /// The store forgets which signals were taken.
    IgnoreReceipts,
    /// Claims and starts look at no lane.
    IgnoreLanes,
    /// The order within a lane is by the accepting runner's wall clock.
    LanesByWallClock,
    /// A runner starts effects although its lease is over.
    NoLeaseCheck,
    /// Runs that are left with a living owner by a lost answer are not taken up again.
    NoAdoption,
    /// A commit that is refused after its first answer was lost counts as another's.
    DoubtIsLoss,
    /// A run to which a signal comes a second time is dropped and loaded again.
    DuplicateIsLoss,
    /// Runs that may crash their runner are taken up beside others.
    NoQuarantine,
    /// Announced `once` nodes are started again.
    RepeatOnce,
    /// The effect id names the attempt.
    EffectIdPerAttempt,
    /// Time in which the store could not be asked counts against the other runners.
    OutageIsSilence,
    /// Runs are taken up however often that crashed the runner.
    NoPoison,
}

/// Which faults a seed has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// All of them.
    Everything,
    /// The store and the clocks misbehave; runners are well, and nothing arrives late that was given up. Then no
    /// outcome is unknown and no run is given up.
    StoreOnly,
    /// One run kills its runners; all else is well. Then no other run is given up.
    PoisonOnly,
}

/// A fault and when it comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// A runner dies; it is started again after so long.
    Kill { slot: usize, back_after: i64 },
    /// A runner stands still for so long.
    Pause { slot: usize, during: i64 },
    /// The store cannot be reached for so long; what is on its way is lost, or its answer is.
    Outage { during: i64 },
    /// The wall clock of a runner jumps.
    Jump { slot: usize, by: i64 },
}

/// Chances in a hundred that a request meets a fault of the store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) fails: u64,
    pub(crate) answer_lost: u64,
    pub(crate) late: u64,
    pub(crate) slow: u64,
}

/// All that a seed determines beforehand.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) sort: Sort,
    pub(crate) defect: Option<Defect>,
    pub(crate) weather: Weather,
    pub(crate) faults: Vec<(i64, Fault)>,
    pub(crate) skews: Vec<i64>,
    /// Whether one of the runs kills its runners.
    pub(crate) has_poison: bool,
}

impl Setup {
    pub(crate) fn of(seed: u64, defect: Option<Defect>) -> Self {
        let mut chance = Chance::new(seed);
        let sort = match seed % 8 {
            0 | 1 => Sort::StoreOnly,
            2 => Sort::PoisonOnly,
            _ => Sort::Everything,
        };
        let runners = chance.between(2, 4) as usize;
        let weather = weather(&mut chance, sort);
        let skews = (0..runners).map(|_| chance.between(-4_000, 4_000)).collect();
        let has_poison = match sort {
            Sort::Everything => chance.percent(12),
            Sort::StoreOnly => false,
            Sort::PoisonOnly => true,
        };
        let faults = faults(&mut chance, sort, runners);
        Self { seed, sort, defect, weather, faults, skews, has_poison }
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

fn weather(chance: &mut Chance, sort: Sort) -> Weather {
    let share = [0, 2, 5][chance.below(3) as usize];
    match sort {
        Sort::Everything => Weather { fails: share, answer_lost: share, late: share / 2, slow: 5 },
        Sort::StoreOnly => Weather { fails: 4, answer_lost: 4, late: 0, slow: 5 },
        Sort::PoisonOnly => Weather::default(),
    }
}

fn faults(chance: &mut Chance, sort: Sort, runners: usize) -> Vec<(i64, Fault)> {
    let mut faults = Vec::new();
    let mut add = |chance: &mut Chance, most: i64, fault: fn(&mut Chance, usize) -> Fault| {
        for _ in 0..chance.between(0, most) {
            let slot = chance.below(runners as u64) as usize;
            faults.push((chance.between(100, CALM - 1), fault(chance, slot)));
        }
    };
    if sort == Sort::Everything {
        add(chance, 3, |chance, slot| Fault::Kill { slot, back_after: chance.between(100, 9_000) });
        add(chance, 2, |chance, slot| Fault::Pause { slot, during: chance.between(200, 14_000) });
    }
    if sort != Sort::PoisonOnly {
        add(chance, 1, |chance, _| Fault::Outage { during: chance.between(1, 10_000) });
        add(chance, 1, |chance, slot| Fault::Jump { slot, by: chance.between(-20_000, 20_000) });
    }
    faults
}
