//! Token buckets: the throughput of a number and the limit between a number and one user.
//!
//! It must not know where the messages go. Figures: whatsapp-messages.md section 9 (Meta, about-the-platform and throughput pages).

use super::{Probe, RateLimitSpec};
use std::collections::HashMap;

/// Throughput of the number reached (Meta's error-codes page).
const THROUGHPUT_REACHED: i64 = 130_429;
/// Too many messages to the same user (Meta's error-codes page).
const PAIR_REACHED: i64 = 131_056;

#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Messages that may be sent at once.
    burst: f64,
    /// Messages that come back per millisecond.
    per_ms: f64,
}

/// The limits of one rule and how much of them is used.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    number: Option<Rate>,
    pair: Option<Rate>,
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_ms: i64,
}

impl RateLimits {
    pub(crate) fn from_spec(spec: &RateLimitSpec) -> Self {
        let number =
            spec.per_number_per_second.map(|rate| Rate { burst: rate.max(1.0), per_ms: rate / 1000.0 });
        let pair = spec.pair.and_then(|pair| pair.every_ms_and_burst());
        let pair = pair.map(|(every_ms, burst)| Rate { burst, per_ms: 1.0 / every_ms });
        Self { number, pair, buckets: HashMap::new() }
    }

    /// What a real number may do: 80 messages per second; to one user 1 per 6 s with bursts of 45.
    pub(crate) fn real() -> Self {
        Self::from_spec(&RateLimitSpec::real())
    }

    /// The error code if this message is over a limit; otherwise the message is counted.
    pub(crate) fn check(&mut self, probe: &Probe, now_ms: i64) -> Option<i64> {
        if !probe.sends {
            return None;
        }
        let to = probe.to.as_deref().unwrap_or_default();
        let pair_key = format!("{} {to}", probe.object);
        // Looked at first, counted afterwards: a refused message must not use up the other bucket.
        if self.number.is_some_and(|rate| self.level(&probe.object, rate, now_ms) < 1.0) {
            return Some(THROUGHPUT_REACHED);
        }
        if self.pair.is_some_and(|rate| self.level(&pair_key, rate, now_ms) < 1.0) {
            return Some(PAIR_REACHED);
        }
        for (limited, key) in [(self.number.is_some(), &probe.object), (self.pair.is_some(), &pair_key)] {
            if let Some(bucket) = self.buckets.get_mut(key).filter(|_| limited) {
                bucket.tokens -= 1.0;
            }
        }
        None
    }

    fn level(&mut self, key: &str, rate: Rate, now_ms: i64) -> f64 {
        let full = Bucket { tokens: rate.burst, at_ms: now_ms };
        let bucket = self.buckets.entry(key.to_owned()).or_insert(full);
        let passed = (now_ms - bucket.at_ms).max(0) as f64;
        bucket.tokens = (bucket.tokens + passed * rate.per_ms).min(rate.burst);
        bucket.at_ms = now_ms.max(bucket.at_ms);
        // Counting in floating point must not turn a full token into 0.999….
        bucket.tokens + 1e-9
    }
}
