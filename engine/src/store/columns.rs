//! Small numbers in columns for the closed sets of the engine. The numbers are stored: never reuse one. Must
//! not know statements.

use super::Attention;
use crate::core::RunStatus;
use sluice_node_sdk::outcome::WaitKind;

/// The run statuses, each at the place of its number.
pub(super) const STATUSES: [RunStatus; 6] = [
    RunStatus::Queued,
    RunStatus::Running,
    RunStatus::Waiting,
    RunStatus::Succeeded,
    RunStatus::Failed,
    RunStatus::Cancelled,
];

/// The number of a status. Partial indexes rely on `queued` and `running` being 0 and 1.
pub(super) fn status_number(status: RunStatus) -> i64 {
    match status {
        RunStatus::Queued => 0,
        RunStatus::Running => 1,
        RunStatus::Waiting => 2,
        RunStatus::Succeeded => 3,
        RunStatus::Failed => 4,
        RunStatus::Cancelled => 5,
    }
}

/// The status of a number.
pub(super) fn status_of(number: i64) -> Option<RunStatus> {
    STATUSES.get(usize::try_from(number).ok()?).copied()
}

/// The number of a reason to look at a run.
pub(super) fn attention_number(attention: Attention) -> i64 {
    match attention {
        Attention::UnknownOutcome => 1,
        Attention::Poisoned => 2,
    }
}

/// The reason of a number.
pub(super) fn attention_of(number: i64) -> Option<Attention> {
    [Attention::UnknownOutcome, Attention::Poisoned].get(usize::try_from(number - 1).ok()?).copied()
}

/// The number of a sort of wait. The partial index of approvals relies on 3.
pub(super) fn kind_number(kind: WaitKind) -> i64 {
    match kind {
        WaitKind::Time => 0,
        WaitKind::Signal => 1,
        WaitKind::Reply => 2,
        WaitKind::Approval => 3,
        WaitKind::Call => 4,
        WaitKind::Outcome => 5,
    }
}

/// The sort of wait of a number.
pub(super) fn kind_of(number: i64) -> Option<WaitKind> {
    use WaitKind::{Approval, Call, Outcome, Reply, Signal, Time};
    let kinds = [Time, Signal, Reply, Approval, Call, Outcome];
    kinds.get(usize::try_from(number).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back() {
        for number in 0..6 {
            assert_eq!(status_of(number).map(status_number), Some(number));
        }
        for number in 0..6 {
            assert_eq!(kind_of(number).map(kind_number), Some(number));
        }
        for number in 1..3 {
            assert_eq!(attention_of(number).map(attention_number), Some(number));
        }
        assert_eq!((attention_of(0), attention_of(3)), (None, None));
        assert_eq!((status_of(6), status_of(-1), kind_of(6)), (None, None, None));
    }
}
