//! A service deployment: the record of one rollout, its rollback included.

use crate::clock::Millis;
use crate::ecs::service::configuration::{CircuitBreaker, DeploymentConfiguration};

/// `serviceDeployments[].status`. There is no FAILED: a tripped circuit breaker without rollback, and being
/// superseded, both end in STOPPED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ecs) enum ServiceDeploymentStatus {
    Pending,
    InProgress,
    Successful,
    StopRequested,
    Stopped,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl ServiceDeploymentStatus {
    pub(in crate::ecs) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }

    /// Whether its status is final.
    pub(in crate::ecs) fn is_final(self) -> bool {
        matches!(self, Self::Successful | Self::Stopped | Self::RollbackSuccessful | Self::RollbackFailed)
    }
}

/// `rollback` of a service deployment.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct Rollback {
    pub(in crate::ecs) reason: String,
    pub(in crate::ecs) started_at: Millis,
    pub(in crate::ecs) revision: String,
}

/// `deploymentCircuitBreaker` of a service deployment, as last seen.
#[derive(Clone, Debug, Default)]
pub(in crate::ecs) struct BreakerRecord {
    /// `None`: the service has no circuit breaker.
    pub(in crate::ecs) status: Option<&'static str>,
    pub(in crate::ecs) failures: u32,
    pub(in crate::ecs) threshold: u32,
}

#[derive(Clone, Debug)]
pub(in crate::ecs) struct ServiceDeployment {
    pub(in crate::ecs) arn: String,
    pub(in crate::ecs) created_at: Millis,
    pub(in crate::ecs) updated_at: Millis,
    pub(in crate::ecs) started_at: Option<Millis>,
    pub(in crate::ecs) finished_at: Option<Millis>,
    pub(in crate::ecs) stopped_at: Option<Millis>,
    pub(in crate::ecs) target_revision: String,
    pub(in crate::ecs) source_revisions: Vec<String>,
    pub(in crate::ecs) status: ServiceDeploymentStatus,
    pub(in crate::ecs) status_reason: Option<String>,
    pub(in crate::ecs) rollback: Option<Rollback>,
    pub(in crate::ecs) breaker: BreakerRecord,
    /// In ALARM when it began: these do not count for it.
    pub(in crate::ecs) ignored_alarms: Vec<String>,
    pub(in crate::ecs) triggered_alarms: Vec<String>,
    pub(in crate::ecs) configuration: DeploymentConfiguration,
    /// The desired count when it ended; the service's own until then.
    pub(in crate::ecs) requested: Option<u32>,
}

impl ServiceDeployment {
    /// Sets the status; a final one also stamps the end.
    pub(in crate::ecs) fn turn(
        &mut self,
        now: Millis,
        status: ServiceDeploymentStatus,
        reason: Option<&str>,
    ) {
        self.status = status;
        self.updated_at = now;
        if let Some(reason) = reason {
            self.status_reason = Some(reason.to_owned());
        }
        if status.is_final() {
            self.finished_at = Some(now);
        }
        if matches!(status, ServiceDeploymentStatus::Stopped) {
            self.stopped_at = Some(now);
        }
    }

    /// Records the state of the circuit breaker.
    pub(in crate::ecs) fn record_breaker(
        &mut self,
        breaker: Option<&CircuitBreaker>,
        desired: u32,
        failures: u32,
    ) {
        let Some(breaker) = breaker else {
            self.breaker = BreakerRecord::default();
            return;
        };
        let threshold = breaker.threshold(desired);
        let status = if failures >= threshold { "TRIGGERED" } else { "MONITORING" };
        self.breaker = BreakerRecord { status: Some(status), failures, threshold };
    }
}
