//! What the public saw while a release rolled.

use serde::Serialize;

use super::ProbeAnswer;
use crate::model::ServiceKey;

/// All requests of one release's roll.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Availability {
    /// How many were answered, or were not within the time limit.
    pub requests: u32,
    /// How many more could not be sent from this machine. They say nothing about the release.
    #[serde(skip_serializing_if = "is_zero")]
    pub unsent: u32,
    /// How many of them were not answered as they should.
    pub failed: u32,
    /// The slowest right answer, in milliseconds.
    pub slowest_ms: u64,
    /// The first of those that failed.
    pub misses: Vec<Miss>,
}

/// A request that was not answered as it should.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Miss {
    /// The service that should have answered.
    pub service: ServiceKey,
    pub url: String,
    /// When it was asked, in milliseconds since the command began.
    pub at_ms: u64,
    pub answer: ProbeAnswer,
    /// What the roll did just before, and how many milliseconds before.
    pub after: Option<(String, u64)>,
}

/// Failures that are kept one by one; of an outage of minutes only their number is reported.
const KEPT: usize = 20;

impl Availability {
    pub fn count(&mut self, service: &ServiceKey, url: &str, at_ms: u64, took_ms: u64, answer: ProbeAnswer) {
        if matches!(answer, ProbeAnswer::Unreachable { .. }) {
            self.unsent += 1;
            return;
        }
        self.requests += 1;
        if matches!(answer, ProbeAnswer::Right { .. }) {
            self.slowest_ms = self.slowest_ms.max(took_ms);
            return;
        }
        self.failed += 1;
        if self.misses.len() < KEPT {
            let (service, url) = (service.clone(), url.to_owned());
            self.misses.push(Miss { service, url, at_ms, answer, after: None });
        }
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_could_not_be_sent_is_no_failure_of_the_release() {
        let mut seen = Availability::default();
        let key = ServiceKey("backend".to_owned());
        let answer = ProbeAnswer::Unreachable { error: "connection refused".to_owned() };
        seen.count(&key, "http://alb/", 0, 1, answer);
        assert_eq!((seen.requests, seen.unsent, seen.failed), (0, 1, 0));
    }
}
