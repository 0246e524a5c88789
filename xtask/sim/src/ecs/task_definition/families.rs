//! The store of families and their revisions, and how a request's reference finds one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attributes;
use super::spec::TaskSpec;
use crate::clock::Millis;
use crate::ecs::errors::client;
use crate::ecs::params::short_name;
use crate::wire::ApiError;

/// One revision of a family.
#[derive(Clone, Debug)]
pub(in crate::ecs) struct TaskDefinition {
    pub(in crate::ecs) arn: String,
    pub(in crate::ecs) revision: u32,
    pub(in crate::ecs) active: bool,
    pub(super) registered_at: Millis,
    pub(super) registered_by: String,
    pub(super) deregistered_at: Option<Millis>,
    /// When DeleteTaskDefinitions asked for its end. It stays visible: AWS keeps it while a task or a service has it.
    pub(super) delete_requested_at: Option<Millis>,
    /// The members as they were registered, defaults filled in.
    pub(super) document: Map<String, Value>,
    pub(in crate::ecs) spec: TaskSpec,
    /// CPU units and MiB of the whole task.
    pub(in crate::ecs) size: (u32, u32),
}

impl TaskDefinition {
    pub(super) fn status(&self) -> &'static str {
        match (self.active, self.delete_requested_at) {
            (true, _) => "ACTIVE",
            (false, None) => "INACTIVE",
            (false, Some(_)) => "DELETE_IN_PROGRESS",
        }
    }
}

/// All families. Revision n is at position n-1: revisions are never removed.
#[derive(Debug, Default)]
pub(in crate::ecs) struct Families(BTreeMap<String, Vec<TaskDefinition>>);

impl Families {
    /// The next revision number of a family.
    pub(super) fn next_revision(&self, family: &str) -> u32 {
        self.0.get(family).map_or(0, |revisions| revisions.len() as u32) + 1
    }

    pub(super) fn add(&mut self, definition: TaskDefinition) {
        self.0.entry(definition.spec.family.clone()).or_default().push(definition);
    }

    /// All revisions: families by name, revisions ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = &TaskDefinition> {
        self.0.values().flatten()
    }

    /// `family:revision`, or `family` for its latest ACTIVE revision.
    pub(in crate::ecs) fn find(&self, reference: &str) -> Option<&TaskDefinition> {
        match reference.rsplit_once(':') {
            Some((family, revision)) => {
                let revision: usize = revision.parse().ok()?;
                self.0.get(family)?.get(revision.checked_sub(1)?)
            }
            None => self.0.get(reference)?.iter().rev().find(|definition| definition.active),
        }
    }

    /// The ACTIVE revision that CreateService or UpdateService names.
    pub(in crate::ecs) fn resolve(&self, reference: &str) -> Result<&TaskDefinition, ApiError> {
        let found = self.named(reference).ok_or_else(|| client("TaskDefinition not found."))?;
        // A running service keeps its deregistered revision, but no new deployment may name it.
        if found.active { Ok(found) } else { Err(client("TaskDefinition is inactive")) }
    }

    /// By ARN, `family:revision` or `family`.
    pub(super) fn named(&self, reference: &str) -> Option<&TaskDefinition> {
        if reference.starts_with("arn:") { self.by_arn(reference) } else { self.find(reference) }
    }

    pub(super) fn find_mut(&mut self, family: &str, revision: u32) -> Option<&mut TaskDefinition> {
        self.0.get_mut(family)?.get_mut((revision as usize).checked_sub(1)?)
    }

    /// The revision with this ARN.
    pub(in crate::ecs) fn by_arn(&self, arn: &str) -> Option<&TaskDefinition> {
        self.find(short_name(arn)).filter(|definition| definition.arn == arn)
    }
}

/// `family:revision` out of a task definition's ARN.
pub(in crate::ecs) fn revision_of(arn: &str) -> &str {
    short_name(arn)
}

/// The definition as DescribeTaskDefinition shows it.
pub(super) fn view(definition: &TaskDefinition) -> Value {
    let mut view = definition.document.clone();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("taskDefinitionArn", json!(definition.arn));
    put("revision", json!(definition.revision));
    put("status", json!(definition.status()));
    put("deleteRequestedAt", json!(definition.delete_requested_at.map(Millis::epoch_secs)));
    put("registeredAt", json!(definition.registered_at.epoch_secs()));
    put("registeredBy", json!(definition.registered_by));
    put("compatibilities", json!(["EC2", "FARGATE"]));
    put("requiresAttributes", attributes::required(&definition.spec));
    put("deregisteredAt", json!(definition.deregistered_at.map(Millis::epoch_secs)));
    Value::Object(view)
}
