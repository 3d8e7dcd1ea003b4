//! When a failed attempt is tried again.

use crate::document::Backoff;
use crate::graph::RetryPolicy;
use sluice_node_sdk::error::NodeError;

/// The moment of the next attempt, or `None` when the failure is final. The outside's own wish for a pause
/// is honoured even when it is longer than the policy's longest pause.
pub fn next_attempt(policy: &RetryPolicy, error: &NodeError, attempt: u32, now: i64) -> Option<i64> {
    if !error.kind.is_retryable() || attempt >= policy.max_attempts {
        return None;
    }
    let pause = pause_ms(policy, attempt).max(error.retry_after_ms.unwrap_or(0));
    now.checked_add(i64::try_from(pause).ok()?)
}

/// The pause after the given attempt (from 1), milliseconds.
pub fn pause_ms(policy: &RetryPolicy, attempt: u32) -> u64 {
    let steps = attempt.saturating_sub(1);
    let pause = match policy.backoff {
        Backoff::Fixed => policy.initial_ms,
        Backoff::Linear => policy.initial_ms.saturating_mul(u64::from(attempt)),
        Backoff::Exponential => {
            policy.initial_ms.saturating_mul(1_u64.checked_shl(steps).unwrap_or(u64::MAX))
        }
    };
    pause.min(policy.max_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(backoff: Backoff) -> RetryPolicy {
        RetryPolicy { max_attempts: 3, backoff, initial_ms: 1_000, max_ms: 5_000 }
    }

    #[test]
    fn pauses_grow_as_the_policy_says_and_stop_at_its_longest() {
        let pauses = |backoff| (1..=5).map(|attempt| pause_ms(&policy(backoff), attempt)).collect::<Vec<_>>();
        assert_eq!(pauses(Backoff::Exponential), [1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(pauses(Backoff::Linear), [1_000, 2_000, 3_000, 4_000, 5_000]);
        assert_eq!(pauses(Backoff::Fixed), [1_000; 5]);
        assert_eq!(pause_ms(&policy(Backoff::Exponential), 200), 5_000);
    }

    #[test]
    fn only_passing_faults_are_tried_again_and_only_as_often_as_allowed() {
        let policy = policy(Backoff::Exponential);
        let busy = NodeError::unavailable("busy");
        assert_eq!(next_attempt(&policy, &busy, 1, 10), Some(1_010));
        assert_eq!(next_attempt(&policy, &busy, 3, 10), None);
        assert_eq!(next_attempt(&policy, &NodeError::rejected("no"), 1, 10), None);
        assert_eq!(
            next_attempt(&policy, &NodeError::rate_limited("slow").retry_after(60_000), 1, 10),
            Some(60_010)
        );
    }
}
