//! What ECS keeps in Cloud Map: the services of Service Connect, and running tasks as instances of the services that they answer for.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::workload::TaskId;

#[derive(Debug, Default)]
pub(crate) struct Registered {
    pub(crate) services: Vec<Connected>,
    /// Tasks, by the ARN of the Cloud Map service in which they are registered.
    pub(crate) instances: BTreeMap<String, Vec<Instance>>,
}

/// A service that stands for an endpoint.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    /// The ARN of its namespace.
    pub(crate) namespace: String,
    pub(crate) created: Millis,
}

/// A task as Cloud Map shows it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) task: TaskId,
    pub(crate) healthy: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Registered {
    pub(crate) fn instances_of(&self, arn: &str) -> &[Instance] {
        self.instances.get(arn).map_or(&[], Vec::as_slice)
    }
}
