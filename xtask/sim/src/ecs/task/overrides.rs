//! `overrides` of RunTask: what a task changes of its definition.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ecs::errors::invalid;
use crate::ecs::task_definition::fargate::size;
use crate::ecs::task_definition::spec::{TaskSpec, Variable};
use crate::wire::ApiError;

/// As they are given, and as DescribeTasks shows them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::ecs) struct Overrides {
    container_overrides: Vec<ContainerOverride>,
    inference_accelerator_overrides: Vec<Value>,
    cpu: Option<String>,
    memory: Option<String>,
    task_role_arn: Option<String>,
    execution_role_arn: Option<String>,
    ephemeral_storage: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerOverride {
    name: Option<String>,
    command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    environment: Vec<Variable>,
    cpu: Option<u32>,
    memory: Option<u32>,
    memory_reservation: Option<u32>,
}

impl Overrides {
    /// None: every container is named.
    pub(super) fn none<'a>(containers: impl Iterator<Item = &'a str>) -> Self {
        let named =
            |name: &str| ContainerOverride { name: Some(name.to_owned()), ..ContainerOverride::default() };
        Self { container_overrides: containers.map(named).collect(), ..Self::default() }
    }

    /// The definition as the task has it, and its size.
    ///
    /// # Errors
    /// A container that the definition does not have, or a size that Fargate does not have.
    pub(super) fn apply(
        &self,
        spec: &TaskSpec,
        (cpu, memory): (u32, u32),
    ) -> Result<(TaskSpec, (u32, u32)), ApiError> {
        let mut spec = spec.clone();
        for given in self.container_overrides.iter().filter(|given| **given != ContainerOverride::default()) {
            let name = given.name.as_deref().unwrap_or_default();
            let container = spec.container_definitions.iter_mut().find(|container| container.name == name);
            let Some(container) = container else {
                return Err(invalid(format!(
                    "Override for container named {name} is not a container in the TaskDefinition."
                )));
            };
            if let Some(command) = &given.command {
                container.command.clone_from(command);
            }
            for variable in &given.environment {
                container.environment.retain(|own| own.name != variable.name);
                container.environment.push(variable.clone());
            }
            container.memory = given.memory.or(container.memory);
        }
        for (role, given) in [
            (&mut spec.task_role_arn, &self.task_role_arn),
            (&mut spec.execution_role_arn, &self.execution_role_arn),
        ] {
            if given.is_some() {
                role.clone_from(given);
            }
        }
        if self.cpu.is_none() && self.memory.is_none() {
            return Ok((spec, (cpu, memory)));
        }
        let (cpu, memory) = (cpu.to_string(), memory.to_string());
        let given =
            size(Some(self.cpu.as_deref().unwrap_or(&cpu)), Some(self.memory.as_deref().unwrap_or(&memory)))?;
        Ok((spec, given))
    }
}
