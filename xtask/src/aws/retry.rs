//! When a call is made again, and after how long.
//!
//! The SDK's own retries are off: their schedule is random and cannot be seeded, and they are not observable. A policy
//! is a value, its randomness is handed in, and every attempt is reported.

use std::time::Duration;

use super::{Effect, Error, Kind};
use crate::host::Rng;

/// How often and how patiently a call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts in all when AWS throttles or fails.
    pub attempts: u32,
    /// Attempts in all when nothing answers: a wrong endpoint should be an error within seconds.
    pub attempts_unanswered: u32,
    /// The longest first wait; it doubles with each attempt.
    pub base: Duration,
    pub cap: Duration,
    /// How long to wait in all for what was made a moment ago to be seen everywhere.
    pub patience: Duration,
}

impl Default for Policy {
    /// Eight attempts in at most half a minute: ECS's smallest bucket (registering task definitions) refills at
    /// one a second. Two minutes of patience are what Terraform gives ECS and its service-linked role.
    fn default() -> Self {
        Self {
            attempts: 8,
            attempts_unanswered: 4,
            base: Duration::from_millis(300),
            cap: Duration::from_secs(10),
            patience: Duration::from_secs(120),
        }
    }
}

impl Policy {
    /// How long to wait before the next attempt after this one failed with `error`; `None` to give up.
    /// `waited` is what the call has spent on waiting for its resources to be seen.
    pub fn next(&self, effect: Effect, error: &Error, waited: Duration, rng: &Rng) -> Option<Duration> {
        // RegisterTaskDefinition has no token: a repeated call would register a second revision.
        if effect == Effect::WriteOnce && error.may_have_happened {
            return None;
        }
        let again = match &error.kind {
            Kind::Throttled | Kind::ServerFault => error.attempts < self.attempts,
            Kind::NotAws { status, .. } if *status >= 500 => error.attempts < self.attempts,
            // A gateway's empty success. Its pages, such as one to sign in at, stay the same.
            Kind::NotAws { status, snippet, .. } => {
                *status < 300 && snippet.is_empty() && error.attempts < self.attempts_unanswered
            }
            Kind::Unreachable { permanent } => !permanent && error.attempts < self.attempts_unanswered,
            Kind::TimedOut | Kind::Incomplete => error.attempts < self.attempts_unanswered,
            Kind::NotReady => waited < self.patience,
            _ => false,
        };
        again.then(|| self.wait(error.attempts, rng))
    }

    /// Full jitter: anything between nothing and the doubled wait, so that callers that were throttled together
    /// do not come back together.
    fn wait(&self, attempts: u32, rng: &Rng) -> Duration {
        let doubled =
            self.base.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        let most = u64::try_from(doubled.min(self.cap).as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(rng.below(most.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: Kind, attempts: u32, may_have_happened: bool) -> Error {
        Error::for_test(kind, attempts, may_have_happened)
    }

    fn schedule(effect: Effect, kind: &Kind, seed: u64) -> Vec<u128> {
        let (policy, rng) = (Policy::default(), Rng::from_seed(seed));
        let attempt = |n| policy.next(effect, &error(kind.clone(), n, false), Duration::ZERO, &rng);
        (1..).map_while(attempt).map(|wait| wait.as_millis()).collect()
    }

    #[test]
    fn a_throttled_call_replays_the_same_waits_from_the_same_seed() {
        let waits = schedule(Effect::Read, &Kind::Throttled, 1);
        assert_eq!(waits, schedule(Effect::Read, &Kind::Throttled, 1));
        assert_ne!(waits, schedule(Effect::Read, &Kind::Throttled, 2));
        assert_eq!(waits.len(), 7, "eight attempts have seven waits");
        let most = [300, 600, 1200, 2400, 4800, 9600, 10_000];
        assert!(waits.iter().zip(most).all(|(wait, most)| *wait <= most), "{waits:?}");
    }

    #[test]
    fn a_refused_connection_is_reported_soon_and_a_bad_certificate_at_once() {
        assert_eq!(schedule(Effect::Write, &Kind::Unreachable { permanent: false }, 1).len(), 3);
        assert_eq!(schedule(Effect::Write, &Kind::Unreachable { permanent: true }, 1).len(), 0);
        assert_eq!(schedule(Effect::Write, &Kind::Invalid, 1).len(), 0);
    }

    #[test]
    fn a_second_revision_is_not_registered_because_a_reply_was_lost() {
        let (policy, rng) = (Policy::default(), Rng::from_seed(1));
        let lost = error(Kind::Unreachable { permanent: false }, 1, true);
        assert_eq!(policy.next(Effect::WriteOnce, &lost, Duration::ZERO, &rng), None);
        assert!(policy.next(Effect::Write, &lost, Duration::ZERO, &rng).is_some());
        let throttled = error(Kind::Throttled, 1, false);
        assert!(policy.next(Effect::WriteOnce, &throttled, Duration::ZERO, &rng).is_some());
    }

    #[test]
    fn waiting_for_a_new_resource_to_be_seen_ends_with_the_patience_and_not_with_the_attempts() {
        let (policy, rng) = (Policy::default(), Rng::from_seed(1));
        let late = error(Kind::NotReady, 30, false);
        assert!(policy.next(Effect::Write, &late, Duration::from_secs(119), &rng).is_some());
        assert_eq!(policy.next(Effect::Write, &late, Duration::from_secs(120), &rng), None);
    }
}
