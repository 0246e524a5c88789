//! The clock that a door gives the account: virtual under a paused runtime, the machine's own in the daemon.
#![expect(
    clippy::disallowed_methods,
    reason = "the daemon's door is where wall-clock time enters the embedded cloud"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::clock::Millis;

/// Where virtual time starts: 9 October 2025, 08:53:20 UTC. Fixed, so that every date in a rehearsal replays.
pub(crate) const VIRTUAL_EPOCH: Millis = Millis(1_760_000_000_000);

/// A clock that never runs backwards.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Source>);

#[derive(Debug)]
enum Source {
    Virtual {
        since: Instant,
    },
    /// The latest moment given: the machine's clock may be set back, the account's may not.
    Wall {
        latest: AtomicU64,
    },
}

impl SimClock {
    /// Starts at [`VIRTUAL_EPOCH`] and follows tokio's time, so that it is virtual in a runtime with
    /// `start_paused`. Create it inside that runtime.
    pub fn virtual_time() -> Self {
        Self(Arc::new(Source::Virtual { since: Instant::now() }))
    }

    pub(crate) fn wall() -> Self {
        Self(Arc::new(Source::Wall { latest: AtomicU64::new(0) }))
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(&self) -> Millis {
        match &*self.0 {
            Source::Virtual { since } => VIRTUAL_EPOCH.plus_millis(whole_millis(since.elapsed())),
            Source::Wall { latest } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_millis);
                Millis(latest.fetch_max(now, Ordering::Relaxed).max(now))
            }
        }
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_moves_the_virtual_clock_and_nothing_else_does() {
        let clock = SimClock::virtual_time();
        assert_eq!(clock.millis(), VIRTUAL_EPOCH);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.millis(), VIRTUAL_EPOCH.plus_secs(90));
    }
}
