//! Service Connect's proxy as a container of its tasks: ECS adds it, and it is healthy before the others start.
//!
//! What it does is the door's business (`door::connect`); here it is what DescribeTasks shows. Seen on Fargate: no image, no
//! runtime id, first in each list, and an attachment before the network interface's (amazon-ecs-exec-checker PR 73).

use serde_json::{Value, json};

use super::model::{Task, TaskStatus};
use crate::base::Base;
use crate::ecs::key::ServiceKey;
use crate::ids::Ids;

#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// `ecs-service-connect-<suffix>`.
    pub(super) name: String,
    arn: String,
    attachment: String,
}

impl Proxy {
    /// Its identifiers follow from the task's.
    pub(super) fn new(base: &Base, key: &ServiceKey, task: &str) -> Self {
        let mut ids = Ids::new(u64::from_str_radix(&task[..16], 16).unwrap_or_default());
        Self {
            name: format!("ecs-service-connect-{}", ids.hex(5)),
            arn: base.arn("ecs", &format!("container/{}/{task}/{}", key.cluster, ids.uuid())),
            attachment: ids.uuid(),
        }
    }

    pub(super) fn container(&self, task: &Task, interfaces: &[Value]) -> Value {
        let runs = task.pull_stopped_at.is_some();
        let status = match task.status {
            TaskStatus::Stopped | TaskStatus::Deprovisioning => "STOPPED",
            _ if runs => "RUNNING",
            _ => "PENDING",
        };
        json!({
            "containerArn": self.arn,
            "taskArn": task.arn,
            "name": self.name,
            "lastStatus": status,
            "networkBindings": [],
            "networkInterfaces": interfaces,
            "healthStatus": if status == "RUNNING" { "HEALTHY" } else { "UNKNOWN" },
            "managedAgents": [],
        })
    }

    pub(super) fn attachment(&self, status: &str) -> Value {
        let name = json!({ "name": "ContainerName", "value": self.name });
        json!({ "id": self.attachment, "type": "ServiceConnect", "status": status, "details": [name] })
    }
}
