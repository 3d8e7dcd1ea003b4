//! Latencies counted in buckets that grow with the value: quantiles within three percent at any number of samples.
//! Must not know what was timed.

use std::time::Duration;

/// Buckets per power of two.
const STEPS: u64 = 32;
/// log2 of [`STEPS`].
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Enough buckets for an hour in microseconds.
const BUCKETS: usize = 1_024;

/// Counted latencies, in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    highest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, highest: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub(crate) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)] += 1;
        self.total += 1;
        self.highest = self.highest.max(micros);
    }

    /// Counts all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.total += other.total;
        self.highest = self.highest.max(other.highest);
    }

    /// How many were counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The value that `share` (0 to 1) of all do not exceed, in milliseconds; 0 of none.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        // Counts are far below 2^52, so the product is exact enough.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return millis(upper_end(index).min(self.highest));
            }
        }
        millis(self.highest)
    }
}

#[allow(clippy::cast_precision_loss, reason = "microseconds of a measurement are far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Values below [`STEPS`] have a bucket each; above, every power of two is cut into as many.
fn bucket(micros: u64) -> usize {
    if micros < STEPS {
        return usize::try_from(micros).unwrap_or(0);
    }
    let power = 63 - micros.leading_zeros();
    let within = (micros >> (power - STEP_BITS)) - STEPS;
    let index = u64::from(power - STEP_BITS + 1) * STEPS + within;
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The highest value of a bucket.
fn upper_end(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let shift = index / STEPS - 1;
    ((STEPS + index % STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_within_three_percent() {
        for value in (0..100_000).chain([1_000_000, 59_999_999, 3_600_000_000]) {
            let end = upper_end(bucket(value));
            assert!(end >= value && end - value <= value / 32, "{value} is counted as {end}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_samples() {
        let mut all = Histogram::default();
        assert_eq!(all.quantile_ms(0.99).to_bits(), 0.0_f64.to_bits());
        let mut half = Histogram::default();
        for millis in 1..=50 {
            all.add(Duration::from_millis(millis));
            half.add(Duration::from_millis(millis + 50));
        }
        all.merge(&half);
        assert_eq!(all.total(), 100);
        assert!((all.quantile_ms(0.5) - 50.0).abs() < 2.0);
        assert!((all.quantile_ms(0.99) - 99.0).abs() < 4.0);
        assert!((all.quantile_ms(1.0) - 100.0).abs() < f64::EPSILON);
    }
}
