//! Time: what the wall says, how long something took, and waiting.
//!
//! Waiting and measuring always go through tokio, so both are virtual in a runtime with `start_paused`; only
//! the date differs between the machine's clock and a rehearsal's.
#![expect(clippy::disallowed_methods, reason = "this is where wall-clock time enters the tool")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Virtual { epoch_ms: u64, since: Instant },
}

/// A moment to measure from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(Instant);

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `epoch_ms` (milliseconds since the Unix epoch) now and follows tokio's time from there.
    pub fn virtual_from(epoch_ms: u64) -> Self {
        Self(Source::Virtual { epoch_ms, since: Instant::now() })
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_millis),
            Source::Virtual { epoch_ms, since } => epoch_ms.saturating_add(whole_millis(since.elapsed())),
        }
    }

    /// Now, to measure from; never runs backwards.
    pub fn mark(&self) -> Mark {
        Mark(Instant::now())
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// The same waiting, in the form that the SDK asks for.
    pub fn sdk_sleep(&self) -> SharedAsyncSleep {
        SharedAsyncSleep::new(TokioSleep::new())
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now_ms())
    }
}

impl Mark {
    /// How long ago it was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The same in whole milliseconds.
    pub fn elapsed_ms(self) -> u64 {
        whole_millis(self.elapsed())
    }

    pub fn after(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }

    /// How long until it comes; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_hour_of_a_rehearsal_passes_at_once_and_on_every_clock() {
        let clock = Clock::virtual_from(1_000);
        let start = clock.mark();
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now_ms(), 1_000 + 3_600_000);
        assert_eq!(start.elapsed_ms(), 3_600_000);
        assert_eq!(TimeSource::now(&clock), UNIX_EPOCH + Duration::from_millis(3_601_000));
        assert_eq!(start.after(Duration::from_secs(3601)).remaining(), Duration::from_secs(1));
    }
}
