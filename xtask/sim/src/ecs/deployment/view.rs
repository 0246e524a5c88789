//! A service deployment as ListServiceDeployments and DescribeServiceDeployments show it.

use serde_json::{Value, json};

use super::service_deployment::ServiceDeployment;
use crate::clock::Millis;
use crate::ecs::reference::cluster_arn;
use crate::ecs::region::Region;
use crate::ecs::service::model::Service;
use crate::ecs::task::model::TaskStatus;

impl ServiceDeployment {
    /// The short form, as ListServiceDeployments has it.
    pub(super) fn brief(&self, region: &Region<'_>, service: &Service) -> Value {
        json!({
            "serviceDeploymentArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": cluster_arn(region.base, &service.key.cluster),
            "createdAt": self.created_at.epoch_secs(),
            "targetServiceRevisionArn": self.target_revision,
            "status": self.status.as_str(),
            "statusReason": self.status_reason,
            "startedAt": self.started_at.map(Millis::epoch_secs),
            "finishedAt": self.finished_at.map(Millis::epoch_secs),
        })
    }

    /// The long form, as DescribeServiceDeployments has it.
    pub(super) fn full(&self, region: &Region<'_>, service: &Service) -> Value {
        let mut view = self.brief(region, service);
        // Only ListServiceDeployments has this member.
        view["targetServiceRevisionArn"] = Value::Null;
        let requested = self.requested.unwrap_or(service.desired);
        view["updatedAt"] = json!(self.updated_at.epoch_secs());
        view["targetServiceRevision"] = counts(region, service, &self.target_revision, Some(requested));
        let sources = self.source_revisions.iter().map(|arn| counts(region, service, arn, None));
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
    region: &Region<'_>,
    service: &Service,
    revision: &str,
    requested: Option<u32>,
) -> Value {
    let (mut wanted, mut running, mut pending) = (0u32, 0u32, 0u32);
    for task in region.ecs.tasks.live_of(&service.key).filter(|task| task.revision == revision) {
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
