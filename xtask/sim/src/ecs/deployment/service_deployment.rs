//! A service deployment: the record of one rollout, its rollback included.

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::Millis;
use crate::ecs::reference::cluster_arn;
use crate::ecs::service::{CircuitBreaker, DeploymentConfiguration, Service};
use crate::ecs::task::TaskStatus;

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

    /// The short form, as ListServiceDeployments has it.
    pub(super) fn brief(&self, account: &Account, service: &Service) -> Value {
        json!({
            "serviceDeploymentArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": cluster_arn(account, &service.key.cluster),
            "createdAt": self.created_at.epoch_secs(),
            "targetServiceRevisionArn": self.target_revision,
            "status": self.status.as_str(),
            "statusReason": self.status_reason,
            "startedAt": self.started_at.map(Millis::epoch_secs),
            "finishedAt": self.finished_at.map(Millis::epoch_secs),
        })
    }

    /// The long form, as DescribeServiceDeployments has it.
    pub(super) fn full(&self, account: &Account, service: &Service) -> Value {
        let mut view = self.brief(account, service);
        // Only ListServiceDeployments has this member.
        view["targetServiceRevisionArn"] = Value::Null;
        let requested = self.requested.unwrap_or(service.desired);
        view["updatedAt"] = json!(self.updated_at.epoch_secs());
        view["targetServiceRevision"] = counts(account, service, &self.target_revision, Some(requested));
        let sources = self.source_revisions.iter().map(|arn| counts(account, service, arn, None));
        view["sourceServiceRevisions"] = sources.collect();
        view["deploymentConfiguration"] = json!(self.configuration);
        view["deploymentCircuitBreaker"] = json!({
            "status": self.breaker.status.unwrap_or("DISABLED"),
            "failureCount": self.breaker.failures,
            "threshold": self.breaker.threshold,
        });
        let alarms = self.configuration.alarms.as_ref();
        let status = match alarms.filter(|alarms| alarms.enable) {
            None => "DISABLED",
            Some(_) if !self.triggered_alarms.is_empty() => "TRIGGERED",
            Some(_) if self.status.is_final() => "MONITORING_COMPLETE",
            Some(_) => "MONITORING",
        };
        let names = alarms.map(|alarms| alarms.alarm_names.clone()).unwrap_or_default();
        let triggered = &self.triggered_alarms;
        view["alarms"] = json!({ "status": status, "alarmNames": names, "triggeredAlarmNames": triggered });
        view["stoppedAt"] = json!(self.stopped_at.map(Millis::epoch_secs));
        if let Some(rollback) = &self.rollback {
            view["rollback"] = json!({
                "reason": rollback.reason,
                "startedAt": rollback.started_at.epoch_secs(),
                "serviceRevisionArn": rollback.revision,
            });
        }
        view
    }
}

/// A revision with its task counts; a source's requested count is what it still has.
pub(in crate::ecs) fn counts(
    account: &Account,
    service: &Service,
    revision: &str,
    requested: Option<u32>,
) -> Value {
    let (mut wanted, mut running, mut pending) = (0u32, 0u32, 0u32);
    for task in account.ecs.tasks.live_of(&service.key).filter(|task| task.revision == revision) {
        wanted += u32::from(task.desired_running);
        match task.status {
            TaskStatus::Running => running += 1,
            status if status < TaskStatus::Running && task.desired_running => pending += 1,
            _ => {}
        }
    }
    json!({
        "arn": revision,
        "requestedTaskCount": requested.unwrap_or(wanted),
        "runningTaskCount": running,
        "pendingTaskCount": pending,
    })
}
