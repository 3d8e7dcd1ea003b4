//! Time as an argument: a clock that tells the time and wakes sleepers, so that no test has to sleep.
//!
//! It must not know what is being timed.

use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::watch;

/// Tells the time and wakes whoever waits for a point in time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch, UTC.
    fn now_ms(&self) -> i64;

    /// Completes when [`Clock::now_ms`] has reached `at_ms`.
    fn sleep_until(&self, at_ms: i64) -> BoxFuture<'static, ()>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    fn sleep_until(&self, at_ms: i64) -> BoxFuture<'static, ()> {
        let wait = u64::try_from(at_ms - self.now_ms()).unwrap_or(0);
        Box::pin(tokio::time::sleep(std::time::Duration::from_millis(wait)))
    }
}

/// A clock that only moves when told to. Clones share the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<i64>>,
}

impl ManualClock {
    /// A clock that stands at `now_ms` (milliseconds since the Unix epoch).
    pub fn at(now_ms: i64) -> Self {
        Self { now: Arc::new(watch::Sender::new(now_ms)) }
    }

    /// Moves the time forward by `ms` and wakes everybody whose time has come.
    pub fn advance(&self, ms: i64) {
        self.now.send_modify(|now| *now += ms.max(0));
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        *self.now.borrow()
    }

    fn sleep_until(&self, at_ms: i64) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        let keep_alive = self.now.clone();
        Box::pin(async move {
            // An error would mean that the sender is gone; `keep_alive` holds it.
            let _ = now.wait_for(|now| *now >= at_ms).await;
            drop(keep_alive);
        })
    }
}

/// The sandbox's own clock: another clock plus an offset that `POST /_sandbox/clock` moves, so that a test from outside can let
/// the 24-hour window close without waiting for it.
pub(crate) struct ShiftedClock {
    base: Arc<dyn Clock>,
    offset: Arc<watch::Sender<i64>>,
}

impl ShiftedClock {
    pub(crate) fn over(base: Arc<dyn Clock>) -> Self {
        Self { base, offset: Arc::new(watch::Sender::new(0)) }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.base.now_ms() + *self.offset.borrow()
    }

    /// Unix seconds, the unit of the timestamps in WhatsApp webhooks.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.offset.send_modify(|offset| *offset += ms.max(0));
    }

    pub(crate) fn reset(&self) {
        self.offset.send_replace(0);
    }

    pub(crate) async fn sleep_until(&self, at_ms: i64) {
        let mut offset = self.offset.subscribe();
        loop {
            let shift = *offset.borrow_and_update();
            if self.base.now_ms() + shift >= at_ms {
                return;
            }
            tokio::select! {
                () = self.base.sleep_until(at_ms - shift) => return,
                changed = offset.changed() => if changed.is_err() { return },
            }
        }
    }

    pub(crate) async fn sleep(&self, ms: u64) {
        if ms > 0 {
            let ms = i64::try_from(ms).unwrap_or(i64::MAX / 2);
            self.sleep_until(self.now_ms().saturating_add(ms)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_manual_clock_reaches_its_time() {
        let clock = ManualClock::at(1_000);
        let sleeper = tokio::spawn(clock.sleep_until(1_500));
        clock.advance(499);
        assert!(!sleeper.is_finished());
        clock.advance(1);
        sleeper.await.unwrap();
        assert_eq!(clock.now_ms(), 1_500);
    }

    #[tokio::test]
    async fn shifting_wakes_a_sleeper_on_a_clock_that_stands_still() {
        let clock = Arc::new(ShiftedClock::over(Arc::new(ManualClock::at(0))));
        let other = clock.clone();
        let sleeper = tokio::spawn(async move { other.sleep_until(60_000).await });
        clock.advance(60_000);
        sleeper.await.unwrap();
    }
}
