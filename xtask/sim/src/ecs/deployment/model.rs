//! A deployment: one entry of `services[].deployments[]`.

use serde::Serialize;

use crate::base::{Millis, Pace};
use crate::ecs::connect::endpoint::Endpoint;
use crate::ecs::service::model::Spec;
use crate::ids::Ids;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::ecs) enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

/// The deployment that a failed one rolls back to: the most recent COMPLETED one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ecs) struct RollbackTarget {
    pub(in crate::ecs) deployment: String,
    pub(in crate::ecs) revision: String,
}

#[derive(Debug)]
pub(in crate::ecs) struct Deployment {
    /// `ecs-svc/<19 digits>`: the `startedBy` of its tasks.
    pub(in crate::ecs) id: String,
    pub(in crate::ecs) revision: String,
    /// The service deployment's ARN: a rollback belongs to the one that it undoes.
    pub(in crate::ecs) service_deployment: String,
    pub(in crate::ecs) spec: Spec,
    pub(in crate::ecs) created_at: Millis,
    pub(in crate::ecs) updated_at: Millis,
    pub(in crate::ecs) rollout: RolloutState,
    pub(in crate::ecs) reason: String,
    pub(in crate::ecs) failed_tasks: u32,
    /// `None`: there is nothing to roll back to.
    pub(in crate::ecs) rollback_target: Option<RollbackTarget>,
    /// Whether this deployment is itself a rollback.
    pub(in crate::ecs) is_rollback: bool,
    /// The Service Connect endpoints that its tasks know for as long as it lasts.
    pub(in crate::ecs) endpoints: Vec<Endpoint>,
    pub(in crate::ecs) backoff: Backoff,
}

impl Deployment {
    pub(in crate::ecs) fn in_progress_reason(id: &str) -> String {
        format!("ECS deployment {id} in progress.")
    }

    pub(in crate::ecs) fn draw_id(ids: &mut Ids) -> String {
        format!("ecs-svc/{}", ids.digits(19))
    }

    /// Moves to another rollout state, with the reason that DescribeServices shows.
    pub(in crate::ecs) fn turn(&mut self, now: Millis, state: RolloutState, reason: String) {
        self.rollout = state;
        self.reason = reason;
        self.updated_at = now;
    }

    /// A FAILED deployment launches no more tasks.
    pub(in crate::ecs) fn launches(&self) -> bool {
        self.rollout != RolloutState::Failed
    }
}

/// The growing delay between attempts when a deployment's tasks never reach RUNNING.
///
/// Tasks launched together count as one attempt. The delay grows fivefold: with a minute to begin with this
/// is what was seen of a missing image (failures after 2:34, 4:46 and 11:00 minutes), up to AWS's 15 minutes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ecs) struct Backoff {
    /// Attempts so far: each launched task carries the number of its attempt.
    attempts: u32,
    /// The latest attempt of which a task failed.
    failed_attempt: u32,
    /// Failed attempts in a row.
    steps: u32,
    not_before: Millis,
}

impl Backoff {
    /// Begins an attempt and gives its number.
    pub(in crate::ecs) fn attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    /// A task of this attempt never reached RUNNING.
    pub(in crate::ecs) fn failed(&mut self, now: Millis, attempt: u32, pace: &Pace) {
        if attempt <= self.failed_attempt {
            return;
        }
        self.failed_attempt = attempt;
        let delay = pace.launch_retry_ms.saturating_mul(5u64.saturating_pow(self.steps));
        self.steps += 1;
        self.not_before = now.plus_millis(delay.min(pace.launch_retry_max_ms));
    }

    /// A task reached RUNNING: there is nothing to wait for.
    pub(in crate::ecs) fn succeeded(&mut self) {
        self.steps = 0;
        self.not_before = Millis(0);
    }

    /// When the next attempt may begin.
    pub(in crate::ecs) fn not_before(&self) -> Millis {
        self.not_before
    }

    /// Whether ECS would say that it cannot start tasks consistently.
    pub(in crate::ecs) fn is_throttled(&self) -> bool {
        self.steps > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_never_run_are_retried_later_and_later_up_to_fifteen_minutes() {
        let pace = Pace::default();
        let mut backoff = Backoff::default();
        let mut delays = Vec::new();
        for _ in 0..5 {
            let attempt = backoff.attempt();
            backoff.failed(Millis(0), attempt, &pace);
            backoff.failed(Millis(0), attempt, &pace);
            delays.push(backoff.not_before().0 / 1000);
        }
        assert_eq!(delays, [60, 300, 900, 900, 900]);
        backoff.succeeded();
        assert_eq!(backoff.not_before(), Millis(0));
    }
}
