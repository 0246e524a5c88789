//! How long to wait before a request is repeated.

use std::time::Duration;

use crate::host::Rng;

/// Attempts of one request. With the waits below, a registry may be away for about eight seconds; an upload that
/// breaks again and again is then an error rather than sent for ever.
pub(super) const ATTEMPTS_MAX: u32 = 6;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// A registry that asks for a longer pause than this is not waited for in full.
const ASKED_LONGEST: Duration = Duration::from_secs(30);

/// The wait after the failed attempt number `attempt` (from 1): doubled each time, the upper half of it random so
/// that uploads that failed together do not come back together. `asked` is the registry's `Retry-After`.
pub(super) fn wait(rng: &Rng, attempt: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    let half = doubled / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    let own = half + Duration::from_millis(rng.below(spread.saturating_add(1)));
    asked.map_or(own, |asked| own.max(asked.min(ASKED_LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_bounded_and_follow_the_registry() {
        let rng = Rng::from_seed(1);
        for (attempt, low, high) in
            [(1, 125, 250), (2, 250, 500), (4, 1_000, 2_000), (6, 4_000, 8_000), (99, 4_000, 8_000)]
        {
            for _ in 0..50 {
                let wait = wait(&rng, attempt, None).as_millis();
                assert!((low..=high).contains(&wait), "attempt {attempt}: {wait} ms");
            }
        }
        assert_eq!(wait(&rng, 1, Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(wait(&rng, 1, Some(Duration::from_secs(3600))), ASKED_LONGEST);
    }
}
